"""Digests that were written, with the ledger's head in each, and whether the ledger still has that line. Called by the Digests pages."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.events import Head
from moderator.store.ledger import LEDGER
from moderator.store.outbox import DIGESTS, OUTBOX


@dataclass(frozen=True, slots=True)
class Sent:
    """A digest: the London day it is about, the ledger's head in it, when it was written and when a mail server took it."""

    day: date
    head: Head
    composed_at: datetime
    sent_at: datetime | None


_SENT = sa.select(DIGESTS, OUTBOX.c.sent_at).outerjoin(OUTBOX, OUTBOX.c.key == DIGESTS.c.key)


def _sent(row: Any) -> Sent:  # noqa: ANN401 - a row of _SENT
    return Sent(row.day, Head(row.head_seq, row.head_hash), row.composed_at, row.sent_at)


def digests(connection: sa.Connection, school: str, *, limit: int, before: date | None = None) -> list[Sent]:
    """Return up to `limit` digests of a school, newest first, of the days before `before`."""
    wanted = _SENT.where(DIGESTS.c.school == school)
    if before is not None:
        wanted = wanted.where(DIGESTS.c.day < before)
    return [_sent(row) for row in connection.execute(wanted.order_by(DIGESTS.c.day.desc()).limit(limit))]


def digest(connection: sa.Connection, school: str, day: date) -> Sent | None:
    """Return the digest of a day; None when there is none."""
    row = connection.execute(_SENT.where(DIGESTS.c.school == school, DIGESTS.c.day == day)).one_or_none()
    return _sent(row) if row is not None else None


def in_ledger(connection: sa.Connection, school: str, head: Head) -> bool:
    """Return whether the ledger still has that very line."""
    wanted = sa.select(LEDGER.c.seq).where(LEDGER.c.school == school, LEDGER.c.seq == head.seq, LEDGER.c.hash == head.hash)
    return connection.execute(wanted).first() is not None

"""Digests that were written, with the ledger's head in each, and those that are due. Called by the digest step and the Digests pages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.domain.account import School
from moderator.domain.calendar import DAYS_BACK, SchoolCalendar, Span
from moderator.domain.events import Head
from moderator.domain.times import london_date
from moderator.store import people
from moderator.store.ledger import LEDGER
from moderator.store.outbox import DIGESTS, OUTBOX


@dataclass(frozen=True, slots=True)
class Sent:
    """A digest: the London days it is about, the ledger's head in it, when it was written and when a mail server took it."""

    day: date
    head: Head
    composed_at: datetime
    sent_at: datetime | None
    first_day: date

    @property
    def span(self) -> Span:
        """Return the days it tells of."""
        return Span(self.first_day, self.day)


FIRST_DAY: sa.ColumnElement[date] = sa.func.coalesce(DIGESTS.c.first_day, DIGESTS.c.day)

LOOKED_AT = timedelta(days=2 * DAYS_BACK)
"""How far back days are looked for that no digest told of, before the last one that did (our choice): they are told of within days."""

_SENT = sa.select(DIGESTS, OUTBOX.c.sent_at).outerjoin(OUTBOX, OUTBOX.c.key == DIGESTS.c.key)


def _sent(row: Any) -> Sent:  # noqa: ANN401 - a row of _SENT
    return Sent(row.day, Head(row.head_seq, row.head_hash), row.composed_at, row.sent_at, row.first_day or row.day)


def digests(connection: sa.Connection, school: str, *, limit: int, before: date | None = None) -> list[Sent]:
    """Return up to `limit` digests of a school, newest first, of the days before `before`."""
    wanted = _SENT.where(DIGESTS.c.school == school)
    if before is not None:
        wanted = wanted.where(DIGESTS.c.day < before)
    return [_sent(row) for row in connection.execute(wanted.order_by(DIGESTS.c.day.desc()).limit(limit))]


def digest(connection: sa.Connection, school: str, day: date) -> Sent | None:
    """Return the digest that tells of a day; None when there is none."""
    wanted = _SENT.where(DIGESTS.c.school == school, DIGESTS.c.day >= day, day >= FIRST_DAY)
    row = connection.execute(wanted.order_by(DIGESTS.c.day).limit(1)).one_or_none()
    return _sent(row) if row is not None else None


def in_ledger(connection: sa.Connection, school: str, head: Head) -> bool:
    """Return whether the ledger still has that very line."""
    wanted = sa.select(LEDGER.c.seq).where(LEDGER.c.school == school, LEDGER.c.seq == head.seq, LEDGER.c.hash == head.hash)
    return connection.execute(wanted).first() is not None


def digest_due(connection: sa.Connection, *, now: datetime, calendar_of: Callable[[str], SchoolCalendar]) -> list[tuple[School, Span]]:
    """Return what was not told of the past London days and is due now, school by school, oldest first.

    A school's first day is that of its ledger's first line.
    """
    schools = people.schools(connection)
    slugs = [school.slug for school in schools]
    since = london_date(now) - LOOKED_AT
    begun = sa.select(LEDGER.c.school, LEDGER.c.at).where(LEDGER.c.school.in_(slugs), LEDGER.c.seq == 1)
    opened = {row.school: london_date(row.at) for row in connection.execute(begun)}
    told: dict[str, list[Span]] = {slug: [] for slug in slugs}
    of_them = sa.select(DIGESTS.c.school).where(DIGESTS.c.school.in_(slugs))
    for row in connection.execute(of_them.add_columns(FIRST_DAY.label("first"), DIGESTS.c.day).where(DIGESTS.c.day >= since)):
        told[row.school].append(Span(row.first, row.day))
    earlier = of_them.add_columns(sa.func.max(DIGESTS.c.day).label("last")).where(DIGESTS.c.day < since).group_by(DIGESTS.c.school)
    for row in connection.execute(earlier):
        told[row.school].append(Span(opened.get(row.school, row.last), row.last))
    return [
        (school, span)
        for school in schools
        if school.slug in opened
        for span in calendar_of(school.slug).outstanding(opened[school.slug], told[school.slug], now)
    ]

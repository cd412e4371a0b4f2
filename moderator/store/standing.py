"""How the service stands for a school: what waits, what is stuck, what mail nobody took. Called by the Health page."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.checks import EvidenceStanding
from moderator.domain.digest import AccountLine
from moderator.domain.events import Head
from moderator.domain.lifecycle import Stage
from moderator.store import checks, ledger, today
from moderator.store.items import ITEMS, RECORDS
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.undelivered import Undelivered, undelivered


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for one step, and since when the longest of it is due."""

    stage: Stage
    count: int
    due_since: datetime


@dataclass(frozen=True, slots=True)
class Untold:
    """Mail or alerts that have not left yet: how many, since when, and what the mail server said of the oldest ("": it was not asked)."""

    count: int = 0
    since: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything the database knows of how the service stands."""

    accounts: tuple[AccountLine, ...]
    waiting: tuple[Waiting, ...]
    held: int
    alerts: Untold
    mail: Untold
    evidence: EvidenceStanding
    head: Head
    last_line_at: datetime | None
    latest_seal: datetime | None
    undelivered: tuple[Undelivered, ...] = ()


def standing(connection: sa.Connection, school: str, now: datetime) -> Standing:
    """Return how the service stands for a school. Reads only what waits, never a whole table."""
    head = ledger.head(connection, school)
    last = sa.select(ledger.LEDGER.c.at).where(ledger.LEDGER.c.school == school, ledger.LEDGER.c.seq == head.seq)
    return Standing(
        accounts=today.account_lines(connection, school, now),
        waiting=_waiting(connection, school),
        held=_held(connection, school),
        alerts=_alerts(connection, school),
        mail=_mail(connection, school),
        evidence=checks.standing(connection, school, now),
        head=head,
        last_line_at=connection.execute(last).scalar(),
        latest_seal=connection.execute(sa.select(sa.func.max(RECORDS.c.sealed_at)).where(RECORDS.c.school == school)).scalar(),
        undelivered=undelivered(connection, school, now),
    )


def _waiting(connection: sa.Connection, school: str) -> tuple[Waiting, ...]:
    # Asked of every school at once: with the school in the WHERE, SQLite would walk all the school ever had instead of what waits.
    wanted = (
        sa.select(ITEMS.c.stage, ITEMS.c.school, sa.func.count().label("n"), sa.func.min(ITEMS.c.due_at).label("due"))
        .where(ITEMS.c.stage.is_not(None))
        .group_by(ITEMS.c.stage, ITEMS.c.school)
    )
    found = {row.stage: Waiting(Stage(row.stage), row.n, row.due) for row in connection.execute(wanted) if row.school == school}
    return tuple(found[stage.value] for stage in Stage if stage.value in found)


def _held(connection: sa.Connection, school: str) -> int:
    # What is held needs a person: so its index is the one of what needs a person.
    wanted = sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.needs_review, ITEMS.c.school == school)
    return connection.execute(wanted.where(ITEMS.c.held_at.is_not(None))).scalar_one()


def _alerts(connection: sa.Connection, school: str) -> Untold:
    wanted = sa.select(sa.func.count().label("n"), sa.func.min(ALERTS.c.due_at).label("since"))
    row = connection.execute(wanted.where(ALERTS.c.mail_key.is_(None), ALERTS.c.school == school)).one()
    return Untold(row.n, row.since)


def _mail(connection: sa.Connection, school: str) -> Untold:
    """Return the school's own mail, and the witness mail, which is the trust's (school "")."""
    unsent = sa.and_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.school.in_([school, ""]))
    oldest = sa.select(OUTBOX.c.created_at, OUTBOX.c.trouble).where(unsent).order_by(OUTBOX.c.created_at, OUTBOX.c.id).limit(1)
    first = connection.execute(oldest).one_or_none()
    if first is None:
        return Untold()
    count = connection.execute(sa.select(sa.func.count()).select_from(OUTBOX).where(unsent)).scalar_one()
    return Untold(count, first.created_at, first.trouble)

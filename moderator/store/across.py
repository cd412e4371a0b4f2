"""How each school stands, for the trust's digest: what waits, what nobody read, what is not checked, what did not arrive. No names."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from moderator.domain.account import School
from moderator.domain.calendar import SchoolCalendar
from moderator.domain.digest import AccountLine
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.times import london_day
from moderator.domain.trust_digest import OwnDigest, SchoolStanding
from moderator.store import checks, ledger, today
from moderator.store.dues import due_lines
from moderator.store.items import ITEMS
from moderator.store.outbox import DIGESTS, OUTBOX
from moderator.store.undelivered import undelivered
from moderator.store.unread import unread_alerts

NOT_APPROVED = "not approved"
"""Mode of an account line that nobody has approved, or not any more."""


def school_standing(  # noqa: PLR0913 - what the answer depends on, each named
    connection: sa.Connection,
    school: School,
    day: date,
    *,
    now: datetime,
    link: str,
    silence: timedelta,
    calendar: SchoolCalendar,
    seen: sa.ColumnElement[bool],
) -> SchoolStanding:
    """Return how a school stands now, with the counts of a London day; `seen` is what the reader may be told of."""
    waits = sa.and_(ITEMS.c.needs_review, ITEMS.c.school == school.slug, seen)
    waiting = connection.execute(
        sa.select(
            sa.func.count().label("number"),
            sa.func.count().filter(ITEMS.c.rank == sa.literal_column("0")).label("serious"),
            sa.func.min(ITEMS.c.first_seen_at).label("oldest"),
        ).where(waits)
    ).one()
    accounts = today.account_lines(connection, school.slug, now)
    live = [line for line in accounts if line.mode != NOT_APPROVED]
    return SchoolStanding(
        school=school,
        waiting=waiting.number,
        serious=waiting.serious,
        oldest=waiting.oldest,
        unread=len(unread_alerts(connection, school.slug, seen=seen)),
        unchecked=tuple(_unchecked(live, now, silence)),
        unapproved=len(accounts) - len(live),
        accounts=len(accounts),
        overdue=tuple(each.what for each in due_lines(connection, school.slug, day, day, link=link) if each.overdue),
        undelivered=sum(1 for mail in undelivered(connection, school.slug, now) if mail.school == school.slug),
        faults=checks.faults(connection, school.slug),
        counts=today.counts(connection, school.slug, *london_day(day), seen=seen),
        own_digest=own_digest(connection, school.slug, day, calendar=calendar, now=now),
        head=ledger.head(connection, school.slug),
        link=f"{link}/schools/{school.slug}/today",
    )


def _unchecked(lines: Iterable[AccountLine], now: datetime, silence: timedelta) -> Iterable[AccountLine]:
    """Yield the accounts that are not read as they should be: in trouble, or without a good look for too long (R4)."""
    for line in lines:
        if line.trouble or line.last_good_poll is None or now - line.last_good_poll > silence:
            yield line


def trust_notes(connection: sa.Connection, day: date, *, now: datetime, link: str) -> tuple[str, ...]:
    """Return what of the trust itself is overdue on the day after a London day, and which of its mails did not arrive, in sentences."""
    overdue = [each.what for each in due_lines(connection, EVERY_SCHOOL, day, day, link=link) if each.overdue]
    late = Counter(mail.what for mail in undelivered(connection, EVERY_SCHOOL, now))
    return (*overdue, *(f"Mail of the trust that did not arrive: {number:,} ({what})." for what, number in late.items()))


def own_digest(connection: sa.Connection, school: str, day: date, *, calendar: SchoolCalendar, now: datetime) -> OwnDigest:
    """Return what became of the school's own digest that tells of a London day."""
    wanted = (
        sa.select(DIGESTS.c.key, OUTBOX.c.sent_at, OUTBOX.c.bounced_at)
        .outerjoin(OUTBOX, OUTBOX.c.key == DIGESTS.c.key)
        .where(DIGESTS.c.school == school, DIGESTS.c.day >= day, sa.func.coalesce(DIGESTS.c.first_day, DIGESTS.c.day) <= day)
    )
    row = connection.execute(wanted.order_by(DIGESTS.c.day).limit(1)).one_or_none()
    if row is None:
        return OwnDigest.MISSING if any(span.first <= day <= span.last for span in calendar.due(day, now)) else OwnDigest.LATER
    if row.bounced_at is not None:
        return OwnDigest.BOUNCED
    return OwnDigest.WAITING if row.sent_at is None else OwnDigest.SENT

"""The trust's digest and the reports: what was made, for whom, and what they count. Called by those two steps through the ports."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from email.message import EmailMessage

import sqlalchemy as sa

from moderator.domain.access import TRUST_WIDE
from moderator.domain.account import School
from moderator.domain.calendar import SchoolCalendar
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.report import Period, Tally, as_term
from moderator.domain.routes import OnDuty, View, references
from moderator.domain.times import london_date
from moderator.domain.trust_digest import OwnDigest, SchoolStanding
from moderator.store import absences, across, counting, mail_wishes, register, today
from moderator.store.duty import in_view
from moderator.store.engine import insert_if_new
from moderator.store.ledger import LEDGER
from moderator.store.mail_tables import ReportRow
from moderator.store.outbox import ALERTS
from moderator.store.people import ACCOUNTS

REPORTS: sa.Table = ReportRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

LAST = 60
"""Periods looked at: more than the days that are caught up, so that what is due costs the same after ten years."""


def opened_on(connection: sa.Connection, school: str) -> date | None:
    """Return the London day a school's ledger begins; None while it has none."""
    at = connection.execute(sa.select(LEDGER.c.at).where(LEDGER.c.school == school, LEDGER.c.seq == 1)).scalar()
    return None if at is None else london_date(at)


def made(connection: sa.Connection, kind: str, school: str) -> frozenset[str]:
    """Return the codes of the last periods of a kind that were dealt with, at most LAST."""
    wanted = sa.select(REPORTS.c.period).where(REPORTS.c.kind == kind, REPORTS.c.school == school)
    return frozenset(connection.execute(wanted.order_by(REPORTS.c.period.desc()).limit(LAST)).scalars())


def trust_on_duty(connection: sa.Connection, day: date) -> OnDuty:
    """Return who holds a role of the whole trust on a London day, and who is away."""
    holders = register.holders(connection, EVERY_SCHOOL, day, *sorted(TRUST_WIDE))
    return OnDuty(holders, absences.away_on(connection, day))


def tally(connection: sa.Connection, schools: Sequence[str], period: Period, *, seen: sa.ColumnElement[bool]) -> Tally:
    """Return the counts of the comments first seen in a period at some schools; `seen` is what the reader may be told of."""
    found = counting.counts(connection, schools, as_term(period), seen=seen)
    return Tally(
        read=found.read,
        flagged=found.flagged,
        hidden=found.hidden,
        showing=found.showing,
        routed=found.routed,
        withheld=found.withheld,
        kept=found.kept,
        restored=found.restored,
        undecided=found.undecided,
        handed_in=found.handed_in,
        gap_days=len({day for school in schools for day in gap_days(connection, school, period)}),
        waits=len(found.waits),
        wait=found.median_wait,
        grounds=tuple(found.by_ground.most_common()),
    )


def gap_days(connection: sa.Connection, school: str, period: Period) -> frozenset[str]:
    """Return the days of a period (UTC, `2026-11-18`) on which an account of the school was not read for too long, or could not be.

    Each such day has an alert of the account, whose key begins with `account-<number>-<day>`: found by the index of keys.
    """
    days: set[str] = set()
    for number in connection.execute(sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.school == school)).scalars():
        start = f"account-{number}-"
        until = (period.last + timedelta(days=1)).isoformat()
        keys = sa.select(ALERTS.c.key).where(ALERTS.c.key >= f"{start}{period.first.isoformat()}", ALERTS.c.key < f"{start}{until}")
        told = (key.removeprefix(start)[:10] for key in connection.execute(keys).scalars() if key.startswith(start))
        days.update(day for day in told if period.first.isoformat() <= day < until)
    return frozenset(days)


class ReportReads:
    """What the database tells across schools and times; implements ports.ReportReads."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]
    calendar: Callable[[str], SchoolCalendar]

    def opened_on(self, school: str) -> date | None:
        """Return the London day a school's ledger begins; None while it has none."""
        with self.reading() as connection:
            return opened_on(connection, school)

    def reports_made(self, kind: str, school: str) -> frozenset[str]:
        """Return the codes of the last days or periods of a kind that were dealt with."""
        with self.reading() as connection:
            return made(connection, kind, school)

    def trust_on_duty(self, day: date) -> OnDuty:
        """Return who holds a role of the whole trust on a London day, and who is away."""
        with self.reading() as connection:
            return trust_on_duty(connection, day)

    def person_references(self, address: str) -> frozenset[str]:
        """Return what the roll calls whoever has that address."""
        with self.reading() as connection:
            found = register.person_by_email(connection, address)
        return references(found) if found else frozenset()

    def not_wanted(self, kind: str) -> frozenset[int]:
        """Return the numbers of the people who do not want the mails of a kind."""
        with self.reading() as connection:
            return mail_wishes.not_wanted(connection, kind)

    def trust_notes(self, day: date, *, now: datetime, link: str) -> tuple[str, ...]:
        """Return what of the trust itself is overdue, and which of its mails did not arrive, in sentences."""
        with self.reading() as connection:
            return across.trust_notes(connection, day, now=now, link=link)

    def school_standing(  # noqa: PLR0913 - what the answer depends on, each named
        self, school: School, day: date, *, now: datetime, link: str, silence: timedelta, view: View
    ) -> SchoolStanding:
        """Return how one school stands now, with the counts of a London day, as one reader may know it."""
        with self.reading() as connection:
            return across.school_standing(
                connection,
                school,
                day,
                now=now,
                link=link,
                silence=silence,
                calendar=self.calendar(school.slug),
                seen=_seen(view),
            )

    def own_digest(self, school: str, day: date, *, now: datetime) -> OwnDigest:
        """Return what became of a school's own digest that tells of a London day."""
        with self.reading() as connection:
            return across.own_digest(connection, school, day, calendar=self.calendar(school), now=now)

    def tally(self, schools: Sequence[str], period: Period, *, view: View) -> Tally:
        """Return the counts of the comments first seen in a period at some schools, as one reader may know them."""
        with self.reading() as connection:
            return tally(connection, schools, period, seen=_seen(view))


def _seen(view: View) -> sa.ColumnElement[bool]:
    return today.EVERYTHING if view == View() else in_view(view)


class ReportWrites:
    """The part of a unit that composes reports; implements ports.ReportWrites."""

    connection: sa.Connection
    mail_composed: Callable[[str, str, EmailMessage, datetime], None]

    def report_composed(self, kind: str, school: str, period: str, mails: Sequence[tuple[str, EmailMessage]], at: datetime) -> bool:
        """Put a report's mails in the outbox and note it as dealt with, once; False when it was before."""
        row = {"kind": kind, "school": school, "period": period, "composed_at": at}
        if not insert_if_new(self.connection, REPORTS, row):
            return False
        for key, message in mails:
            self.mail_composed(key, school, message, at)
        return True

"""The part of the store that looks across schools and times: for the trust's digest and the reports. Called by those two steps."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

from moderator.domain.account import School
from moderator.domain.report import Period, Tally
from moderator.domain.routes import OnDuty, View
from moderator.domain.trust_digest import OwnDigest, SchoolStanding


class ReportReads(Protocol):
    """Reads across schools and times."""

    def opened_on(self, school: str) -> date | None:
        """Return the London day a school's ledger begins; None while it has none."""
        ...

    def reports_made(self, kind: str, school: str) -> frozenset[str]:
        """Return the codes of the last days or periods of a kind that were dealt with; `school` "" is the whole trust."""
        ...

    def trust_on_duty(self, day: date) -> OnDuty:
        """Return who holds a role of the whole trust on a London day, and who is away; no mailbox stands in."""
        ...

    def person_references(self, address: str) -> frozenset[str]:
        """Return what the roll calls whoever has that address; empty when nobody of the register has (R21)."""
        ...

    def not_wanted(self, kind: str) -> frozenset[int]:
        """Return the numbers of the people who do not want the mails of a kind."""
        ...

    def trust_notes(self, day: date, *, now: datetime, link: str) -> tuple[str, ...]:
        """Return what of the trust itself is overdue on the day after a London day, and which of its mails did not arrive, in sentences."""
        ...

    def school_standing(  # noqa: PLR0913 - what the answer depends on, each named
        self, school: School, day: date, *, now: datetime, link: str, silence: timedelta, view: View
    ) -> SchoolStanding:
        """Return how one school stands now, with the counts of a London day, as one reader may know it (R15, R21)."""
        ...

    def own_digest(self, school: str, day: date, *, now: datetime) -> OwnDigest:
        """Return what became of a school's own digest that tells of a London day."""
        ...

    def tally(self, schools: Sequence[str], period: Period, *, view: View) -> Tally:
        """Return the counts of the comments first seen in a period at some schools, as one reader may know them."""
        ...


class ReportWrites(Protocol):
    """The part of a unit that composes reports."""

    def report_composed(self, kind: str, school: str, period: str, mails: Sequence[tuple[str, EmailMessage]], at: datetime) -> bool:
        """Put a report's mails (key, message) in the outbox and note it as dealt with, once; False when it was before."""
        ...

"""What people attest of an account, and by when again (R2, R5). Called by the accounts pages and the remind step."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from moderator.domain.account import Account

PASSWORD_LASTS = timedelta(days=60)
"""Passwords are changed every 60 days (R5, the trust's policy)."""

REMIND_BEFORE = (14, 7, 1)
"""Days before a date at which people are reminded (R5)."""

OVERDUE = 0
"""What `Due.reminder` returns once the date has passed."""

NCSC_ADVICE = (
    "The National Cyber Security Centre advises against changing passwords by the calendar: people then choose weaker ones. "
    "The trust's policy asks for 60 days. Please bring this to its annual review. "
    "A long password that is used nowhere else, with two-step verification, protects the account best."
)
"""Shown beside every password date (R5). Source: NCSC, "Password policy: updating your approach"."""


class Attested(StrEnum):
    """What a person attests of an account. The service never sees a password (R5)."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of what is attested
    NOT_PERSONAL = "not_personal"


class Dated(StrEnum):
    """What of an account has a date by which somebody must act."""

    PASSWORD = "password"  # noqa: S105 - the name of a date
    NOT_PERSONAL = "not-personal"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation: what, of which London day, by which designation, and when it was said."""

    kind: Attested
    on_date: date
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A date by which somebody must act; `on` is the last day in time."""

    what: Dated
    on: date

    def days_left(self, day: date) -> int:
        """Return the days from a London day to the date: 0 on the day itself, below 0 once it has passed."""
        return (self.on - day).days

    def overdue(self, day: date) -> bool:
        """Return whether the date has passed."""
        return self.days_left(day) < 0

    def reminder(self, day: date) -> int | None:
        """Return the latest reminder that is due by a day: one of REMIND_BEFORE, or OVERDUE; None while it is too early for any."""
        left = self.days_left(day)
        if left < 0:
            return OVERDUE
        return min((before for before in REMIND_BEFORE if left <= before), default=None)


@dataclass(frozen=True, slots=True)
class AccountDates:
    """What an account's dates are counted from.

    `begun_on` is the day it was asked for or first approved, whichever is known: what was never attested counts from there.
    """

    account: Account
    begun_on: date
    password_changed_on: date | None = None
    not_personal_on: date | None = None

    def dues(self) -> tuple[Due, ...]:
        """Return every date of the account, the nearest first."""
        found = [
            Due(Dated.PASSWORD, password_due(self.password_changed_on, self.begun_on)),
            Due(Dated.NOT_PERSONAL, a_year_after(self.not_personal_on or self.begun_on)),
        ]
        if self.account.approval is not None:
            found.append(Due(Dated.APPROVAL, self.account.approval.ends_on))
        return tuple(sorted(found, key=lambda due: due.on))


def password_due(changed_on: date | None, begun_on: date) -> date:
    """Return the last day in time for a password change: 60 days after the last attested one; the first day when there is none (R5).

    Days are London's calendar days, so a clock change moves nothing.
    """
    return begun_on if changed_on is None else changed_on + PASSWORD_LASTS


def a_year_after(day: date) -> date:
    """Return the same date a year on; 28 February for the 29th (R2: rechecked yearly)."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)

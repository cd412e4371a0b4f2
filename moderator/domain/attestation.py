"""What people attest of an account, and by when again (R2, R5). Called by the accounts pages and the dues."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from moderator.domain.account import Account
from moderator.domain.dues import Dated, Due

PASSWORD_LASTS = timedelta(days=60)
"""Passwords are changed every 60 days (R5, the trust's policy)."""

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


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation: what, of which London day, by which designation, and when it was said."""

    kind: Attested
    on_date: date
    by: str
    at: datetime


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

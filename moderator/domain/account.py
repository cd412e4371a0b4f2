"""An authorised account: its approval, its mode, what its platform can do, and how often to poll it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Mode(StrEnum):
    """`observe` records and alerts but hides nothing; `hide` also hides."""

    OBSERVE = "observe"
    HIDE = "hide"


@dataclass(frozen=True, slots=True)
class School:
    """A school of the trust. `slug` names its folder in the vault (lower-case letters, digits and hyphens).

    `email_domains` are the school's own; `trust_domains` the trust's, on which people of the trust have their addresses (R26).
    """

    slug: str
    name: str
    urn: str
    head_email: str
    email_domains: tuple[str, ...]
    trust: str
    ledger: str = "ledger.jsonl"
    trust_domains: tuple[str, ...] = ()

    @property
    def people_domains(self) -> tuple[str, ...]:
        """Return the domains on which somebody may be registered: the school's, then the trust's."""
        return tuple(dict.fromkeys((*self.email_domains, *self.trust_domains)))


@dataclass(frozen=True, slots=True)
class Approval:
    """The Headteacher's approval of an account (R1). Live from `approved_on` to the end of `ends_on`, unless withdrawn."""

    reference: str
    approver: str
    approved_on: date
    purpose: str
    mode: Mode
    ends_on: date
    withdrawn_at: datetime | None = None

    def live_on(self, day: date) -> bool:
        """Return whether the approval allows polling on this London day."""
        return self.withdrawn_at is None and self.approved_on <= day <= self.ends_on


@dataclass(frozen=True, slots=True)
class Account:
    """An official account on one platform (R2). `monthly_reads` is its read budget in posts a calendar month (UTC)."""

    id: int
    school: School
    platform: str
    handle: str
    platform_id: str
    contact_email: str
    monthly_reads: int
    approval: Approval | None = None

    def pollable(self, day: date) -> bool:
        """Return whether a live approval allows any request at all (R1)."""
        return self.approval is not None and self.approval.live_on(day)


def without_details(trouble: str) -> str:
    """Return what is wrong with an account without the details after a colon: those can be the platform's words, and may name somebody.

    For whatever leaves the machine (R28). The account's own page shows them.
    """
    said, colon, _ = trouble.partition(":")
    return f"{said}." if colon else trouble


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do. `visible_after_hide` is the plain sentence of R12; `severe_first` that hide quotas can run out."""

    name: str
    can_hide: bool
    visible_after_hide: str
    hides_per_window: int
    window: timedelta


BUSY = timedelta(minutes=1)
QUIET = timedelta(minutes=30)


def next_poll_in(previous: timedelta, *, found: int, reads_left: int, reads_used_per_poll: float, month_left: timedelta) -> timedelta:
    """Return how long to wait before the next poll.

    Something new halves the wait, nothing new stretches it by half, between BUSY and QUIET; the rest of the month's reads, spread
    evenly over what is left of the month, sets a floor, so that the budget lasts.
    `reads_used_per_poll` is the recent average of billed posts a poll, 0 or more.
    """
    wait = previous / 2 if found else previous * 3 / 2
    wait = min(max(wait, BUSY), QUIET)
    if reads_used_per_poll <= 0:
        return wait
    polls_left = max(reads_left / reads_used_per_poll, 1.0)
    return max(wait, min(month_left / polls_left, timedelta(days=1)))

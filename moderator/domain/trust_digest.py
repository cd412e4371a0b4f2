"""The trust's digest: every school on one page, before it is a mail. No names, no comment text (R28). Called by the trust digest step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum

from moderator.domain.account import School
from moderator.domain.calendar import SchoolCalendar, Span
from moderator.domain.digest import AccountLine, DigestCounts
from moderator.domain.events import GENESIS, Head
from moderator.domain.times import london_date

DAYS_BACK = 31
"""How far back a missed digest is still made."""


class Level(IntEnum):
    """How much a school wants the trust's attention; the worst first."""

    SERIOUS = 0
    ATTENTION = 1
    QUIET = 2


class OwnDigest(StrEnum):
    """What became of the school's own digest of that day."""

    SENT = "sent"
    WAITING = "waiting"
    """Written, and no mail server has taken it yet."""
    BOUNCED = "bounced"
    MISSING = "missing"
    """It was due, and was not written."""
    LATER = "later"
    """It comes at the school's own hour, or on its next school day."""


@dataclass(frozen=True, slots=True)
class SchoolStanding:
    """How one school stands, as one reader may know it: what waits now, and the counts of the digest's London day.

    `waiting` comments need a person, `serious` of them are; `oldest` is when the oldest was first seen. `unread` counts serious alerts that
    nobody has read; `unchecked` the approved accounts that are not read as they should be; `unapproved` those that are not approved;
    `overdue` what should have been done by now, in plain sentences without names; `undelivered` the mails that wait or came back;
    `faults` those that the last checks of the evidence found.
    """

    school: School
    waiting: int = 0
    serious: int = 0
    oldest: datetime | None = None
    unread: int = 0
    unchecked: tuple[AccountLine, ...] = ()
    unapproved: int = 0
    accounts: int = 0
    overdue: tuple[str, ...] = ()
    undelivered: int = 0
    faults: int = 0
    counts: DigestCounts = field(default_factory=DigestCounts)
    own_digest: OwnDigest = OwnDigest.SENT
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    link: str = ""

    @property
    def level(self) -> Level:
        """Return how much it wants attention."""
        if self.unread or self.serious or self.unchecked or self.faults or self.own_digest in {OwnDigest.BOUNCED, OwnDigest.MISSING}:
            return Level.SERIOUS
        nothing_checked = self.unapproved == self.accounts
        if self.waiting or self.overdue or self.undelivered or nothing_checked or self.own_digest is OwnDigest.WAITING:
            return Level.ATTENTION
        return Level.QUIET

    @property
    def eventful(self) -> bool:
        """Return whether anything happened there that day."""
        told = self.counts
        return any((told.flagged, told.hidden, told.routed, told.withheld, told.restored))


def worst_first(schools: Sequence[SchoolStanding]) -> tuple[SchoolStanding, ...]:
    """Return the schools in the order of the digest: serious first; within it the most unread alerts, serious comments and waiting ones."""
    return tuple(
        sorted(
            schools,
            key=lambda each: (each.level, -each.unread, -each.serious, -each.faults, -len(each.unchecked), -each.waiting, each.school.name),
        )
    )


@dataclass(frozen=True, slots=True)
class TrustDigest:
    """The digest across the schools, of one London day, to one reader (`reader`: `p12`, `p0` a mailbox). `schools` are worst first."""

    trust: str
    day: date
    to: str
    reader: str
    schools: tuple[SchoolStanding, ...]
    notes: tuple[str, ...] = ()
    link: str = ""
    wishes_link: str = ""

    @property
    def key(self) -> str:
        """Return the key that makes the Message-ID: one a day and reader."""
        return f"trust-digest-{self.day.isoformat()}-{self.reader}"


@dataclass(frozen=True, slots=True)
class DueDays:
    """The London days whose trust digest is due and was not made, oldest first, and the days before them that are too long ago."""

    days: tuple[date, ...] = ()
    missed: Span | None = None


def days_due(*, opened: date, made: Collection[date], now: datetime, hour: int) -> DueDays:
    """Return the days to be told of by `now` (aware), each from `hour` o'clock in London on the day after. Pure.

    `opened` is the London day the first ledger begins, `made` the last days that were told of. The last DAYS_BACK days are caught up.
    Where nothing was ever told and the service is older than that, it has only now learnt to tell: yesterday alone is due.
    """
    earliest = london_date(now) - timedelta(days=DAYS_BACK)
    every = tuple(span.last for span in SchoolCalendar(hour=hour).due(max(opened, earliest), now))
    if not made:
        return DueDays(every[-1:] if opened < earliest else every)
    days = tuple(day for day in every if day not in made)
    after = max(made) + timedelta(days=1)
    missed = Span(after, earliest - timedelta(days=1)) if days and after < earliest else None
    return DueDays(days, missed)

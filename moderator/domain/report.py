"""The week's and the term's report: counts over a time, before they are a mail (R35). No names, no text. The report step makes it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from moderator.domain.small_counts import Counted
from moderator.domain.terms import Term, term_of

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


class ReportKind(StrEnum):
    """What a report covers."""

    WEEKLY = "weekly"
    TERMLY = "termly"


@dataclass(frozen=True, slots=True)
class Period:
    """The London days a report covers, both ends included. `code` is `2026-W47` or `2026-autumn`, `words` what people call it."""

    kind: ReportKind
    code: str
    words: str
    first: date
    last: date

    @property
    def short(self) -> str:
        """Return what it is called below a bar: `16 Nov`, the day a week begins; `Autumn 2026`."""
        return self.words if self.kind is ReportKind.TERMLY else f"{self.first.day} {self.first:%b}"

    @property
    def before(self) -> "Period":
        """Return the period before it."""
        return period_of(self.kind, self.first - DAY)

    def back(self, count: int) -> tuple["Period", ...]:
        """Return this period and those before it, `count` in all, oldest first."""
        found = [self]
        while len(found) < count:
            found.insert(0, found[0].before)
        return tuple(found)


def period_of(kind: ReportKind, day: date) -> Period:
    """Return the period a London day is in: the ISO week (ISO 8601: Monday to Sunday), or the term."""
    if kind is ReportKind.TERMLY:
        term = term_of(day)
        return Period(kind, term.code, term.words, term.first, term.last)
    year, week, weekday = day.isocalendar()
    first = day - timedelta(days=weekday - 1)
    return Period(kind, f"{year}-W{week:02d}", f"Week {week} of {year}", first, first + WEEK - DAY)


def period_named(kind: ReportKind, code: str) -> Period | None:
    """Return the period with a code, `2026-W47` or `2026-autumn`; None when there is none."""
    try:
        if kind is ReportKind.WEEKLY:
            found = period_of(kind, date.fromisocalendar(int(code[:4]), int(code[6:]), 1))
        else:
            found = next(each for each in period_of(kind, date(int(code[:4]), 12, 31)).back(3) if each.code == code)
    except (ValueError, OverflowError, StopIteration):
        return None
    return found if found.code == code else None


def as_term(period: Period) -> Term:
    """Return the period as what is counted: a stretch of days."""
    return Term(period.code, period.words, period.first, period.last)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in a period, exactly. For the step only: what a reader may be told of it is in a Report.

    `hidden`, `showing`, `routed` and `withheld` add up to `flagged`; so do `kept`, `restored` and `undecided`. `wait` is the middle time
    from first sight to a person's first decision, over `waits` decisions; `gap_days` the London days on which an account was not read.
    """

    read: int = 0
    flagged: int = 0
    hidden: int = 0
    showing: int = 0
    routed: int = 0
    withheld: int = 0
    kept: int = 0
    restored: int = 0
    undecided: int = 0
    handed_in: int = 0
    gap_days: int = 0
    waits: int = 0
    wait: timedelta | None = None
    grounds: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of numbers: what is counted, in the period and in the one before; `before` is None where the service did not run then."""

    what: str
    now: Counted
    before: Counted | None = None


@dataclass(frozen=True, slots=True)
class ReportBar:
    """One bar of the chart: the flagged comments of one period."""

    of: str
    flagged: Counted


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """One school's line in the whole trust's report."""

    name: str
    read: Counted
    flagged: Counted


@dataclass(frozen=True, slots=True)
class Report:
    """One report to one reader. `school` "" is the whole trust, whose name is then `name`; `reader` tells the messages apart (`p12`).

    `coarse` says that counts are rounded and small ones not told. `rate` is a sentence's end; `wait` is None when nothing was decided, or
    too little to tell (`too_few`). `gap_days` are days of `days` with a gap in monitoring. `missed` names periods without a report.
    """

    kind: ReportKind
    school: str
    name: str
    period: Period
    to: str
    reader: str
    coarse: bool
    rows: tuple[ReportRow, ...] = ()
    grounds: tuple[ReportRow, ...] = ()
    chart: tuple[ReportBar, ...] = ()
    schools: tuple[SchoolCounts, ...] = ()
    rate: str = ""
    wait: timedelta | None = None
    too_few: bool = False
    gap_days: int = 0
    days: int = 0
    missed: tuple[str, ...] = field(default_factory=tuple)
    link: str = ""
    wishes_link: str = ""

    @property
    def key(self) -> str:
        """Return the key that makes the Message-ID: one a kind, school, period and reader."""
        return f"{self.kind.value}-{self.school or 'trust'}-{self.period.code}-{self.reader}"

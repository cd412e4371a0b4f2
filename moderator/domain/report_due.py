"""Which reports are due: a week's on Monday, a term's once it is over, each on a school day (R35). Called by the report step."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from moderator.domain.calendar import SchoolCalendar
from moderator.domain.report import DAY, WEEK, Period, ReportKind, period_of
from moderator.domain.times import LONDON

WEEKS_BACK = 9
"""Weeks whose missed report is still made: as many as LONGEST_WAIT has, or the last week before the summer would be told of nowhere."""

TERMS_BACK = 2
"""Terms whose missed report is still made."""

LONGEST_WAIT = timedelta(days=60)
"""How long a report waits for a school day, at most: longer than any holiday, so that a wrong list of closed days loses none."""

_BOUND = 520
"""Most periods looked back on: ten years of weeks."""


def day_to_tell(period: Period, open_on: Callable[[date], bool], *, at_latest: timedelta = LONGEST_WAIT) -> date:
    """Return the day its report comes: the first school day after it, or the very next day when none comes within `at_latest`. Pure."""
    first = period.last + DAY
    days = (first + timedelta(days=number) for number in range(at_latest.days))
    return next((day for day in days if open_on(day)), first)


def waits_for(kind: ReportKind, calendar: SchoolCalendar) -> timedelta:
    """Return how long a school's report waits for a school day, at most.

    A school that wants its digest on closed days too gets a week's report in the week after, whatever its holidays.
    """
    return WEEK if kind is ReportKind.WEEKLY and calendar.while_closed else LONGEST_WAIT


@dataclass(frozen=True, slots=True)
class DueReports:
    """The periods of a kind that are to be told by now and were not, oldest first, and those too old to be told any more."""

    due: tuple[Period, ...] = ()
    missed: tuple[Period, ...] = ()


def reports_due(  # noqa: PLR0913 - what it depends on, each named
    kind: ReportKind,
    *,
    opened: date,
    made: Collection[str],
    now: datetime,
    hour: int,
    tell_on: Callable[[Period], date],
) -> DueReports:
    """Return what is to be reported by `now` (aware) and was not. Pure.

    `opened` is the London day the school's ledger begins; `made` the codes of the last periods that were reported; `hour` the hour
    in London from which a report comes, on the day that `tell_on` gives. WEEKS_BACK weeks or TERMS_BACK terms are caught up. Those before
    that are `missed`, once something was reported at all: a service that is new, or newly able to report, has missed nothing.
    """
    here = now.astimezone(LONDON)
    ended: list[Period] = []
    period = period_of(kind, here.date()).before
    while period.last >= opened and period.code not in made and len(ended) < _BOUND:
        ended.append(period)
        period = period.before
    back = WEEKS_BACK if kind is ReportKind.WEEKLY else TERMS_BACK
    told_before = period.code in made
    new = not told_before and len(ended) > back
    candidates = [] if not ended else ended[:1] if new else ended[:back]
    due = tuple(each for each in reversed(candidates) if _has_come(tell_on(each), here, hour))
    return DueReports(due, tuple(reversed(ended[back:])) if told_before else ())


def _has_come(day: date, here: datetime, hour: int) -> bool:
    return (here.date(), here.hour) >= (day, hour)

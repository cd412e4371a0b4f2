"""What is usual at a school: the flagged comments of a day against the same weekday of the weeks before. Called by the store's digest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median

from moderator.domain.calendar import Span

WEEKS = 8
"""How many weeks back the usual day is taken from (our choice): half a term, so that a storm of one week does not become usual."""
ENOUGH = 3
"""With fewer weeks than this, nothing is called usual (our choice)."""
CHARTED = 7
"""Days in the chart: a week, so that every weekday is there once."""

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_TELLS, _HALF = 2, 1.5
"""By how many comments, and by which factor, a day must differ from the usual before it is said to (our choice): both must hold."""


class Measure(StrEnum):
    """How a number stands against the usual one."""

    MORE = "more"
    AS_USUAL = "as_usual"
    FEWER = "fewer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DayCount:
    """The flagged comments of one London day, and how many are usual on that weekday; `usual` is None while it is too soon to say."""

    day: date
    flagged: int
    usual: int | None = None
    told: bool = True
    """Whether the day is one of those that the digest tells of."""


@dataclass(frozen=True, slots=True)
class Week:
    """The last days of a span, oldest first, and how the whole span stands against the usual."""

    days: tuple[DayCount, ...] = ()
    flagged: int = 0
    usual: int | None = None
    measure: Measure = Measure.UNKNOWN


def needed(span: Span) -> Span:
    """Return the days whose counts `week_of` looks at."""
    charted = span.last - _DAY * (CHARTED - 1)
    return Span(min(span.first, charted) - _WEEK * WEEKS, span.last)


def week_of(flagged: Mapping[date, int], span: Span, *, opened: date) -> Week:
    """Return how a span of days stands against the usual, and its last seven days. Pure.

    `flagged` are the counts of the days of `needed`; a day that is not in it had none. The usual day is the median of the same weekday in
    the eight weeks before the span for which the service was there all day: not the day it was `opened`, and none before.
    """
    every = [span.first + _DAY * number for number in range((span.last - span.first).days + 1)]
    usuals = [_usual(flagged, day, before=span.first, opened=opened) for day in every]
    known = [each for each in usuals if each is not None]
    total = sum(flagged.get(day, 0) for day in every)
    usual = _whole(sum(known)) if len(known) == len(every) else None
    return Week(tuple(_charted(flagged, span, opened)), total, usual, measure(total, usual))


def measure(number: int, usual: int | None) -> Measure:
    """Return how a number stands against the usual one: told apart only when it differs by two, and by half as much again."""
    if usual is None:
        return Measure.UNKNOWN
    if number >= usual + _TELLS and number >= usual * _HALF:
        return Measure.MORE
    if number <= usual - _TELLS and number * _HALF <= usual:
        return Measure.FEWER
    return Measure.AS_USUAL


def _charted(flagged: Mapping[date, int], span: Span, opened: date) -> Iterator[DayCount]:
    for day in (span.last - _DAY * number for number in reversed(range(CHARTED))):
        if day >= opened:
            usual = _usual(flagged, day, before=min(day, span.first), opened=opened)
            yield DayCount(day, flagged.get(day, 0), None if usual is None else _whole(usual), told=day >= span.first)


def _usual(flagged: Mapping[date, int], day: date, *, before: date, opened: date) -> float | None:
    """Return the median of a weekday over the last weeks before a day; None when there were too few."""
    skipped = (day - before).days // 7 + 1
    weeks = [day - _WEEK * number for number in range(skipped, skipped + WEEKS)]
    counts = [flagged.get(each, 0) for each in weeks if each > opened]
    return float(median(counts)) if len(counts) >= ENOUGH else None


def _whole(number: float) -> int:
    """Return the number to the nearest whole one, a half upwards."""
    return int(number + 0.5)

"""When a school gets its digests: its hour, its school days, and which days each one tells of. Called by the store and the settings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from moderator.domain.times import LONDON

DAYS_BACK = 31
"""How many days back each missed digest is still one of its own (our choice); what is older is told of in one, and never lost."""

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Closure:
    """London days on which a school is closed, both ends included. Raises ValueError when the last is before the first."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse days in the wrong order."""
        if self.last < self.first:
            message = f"the last day, {self.last}, is before the first, {self.first}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Span:
    """The London days that one digest tells of, both ends included."""

    first: date
    last: date

    @classmethod
    def of(cls, day: date) -> "Span":
        """Return the span of one day."""
        return cls(day, day)


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """A school's hour in London (0 to 23) and its closed days. `while_closed`: digests come on closed days and weekends as well."""

    hour: int = 7
    closures: tuple[Closure, ...] = ()
    while_closed: bool = True

    def school_day(self, day: date) -> bool:
        """Return whether the school is open on a London day: no Saturday or Sunday, and not closed."""
        return day.weekday() < _SATURDAY and not any(each.first <= day <= each.last for each in self.closures)

    def due(self, since: date, now: datetime) -> tuple[Span, ...]:
        """Return what is to be told by now of the days from `since` on, oldest first; each day is in one span at most. Pure.

        A day is told of from the school's hour on the day after. Without digests on closed days, it is told of on the next school day,
        with every day before it. `now` is aware.
        """
        here = now.astimezone(LONDON)  # the hour on the clock: an elapsed one would be off on the days the clock changes
        morning = here.date() if here.hour >= self.hour else here.date() - _DAY
        spans: list[Span] = []
        first = since
        for day in (since + timedelta(days=number) for number in range((morning - since).days)):
            if self.while_closed or self.school_day(day + _DAY):
                spans.append(Span(first, day))
                first = day + _DAY
        return tuple(spans)

    def due_on(self, last: date) -> date:
        """Return the London day on which a digest that ends with `last` comes when nothing holds it up.

        A school that is closed for more than a year on end has the day after.
        """
        following = (last + timedelta(days=number) for number in range(1, 367))
        return next((day for day in following if self.while_closed or self.school_day(day)), last + _DAY)

    def outstanding(self, opened: date, told: Iterable[Span], now: datetime) -> tuple[Span, ...]:
        """Return what is to be told by now and was not, oldest first: every day from `opened` on is in one digest, and in one alone. Pure.

        1. The days are those that no span of `told` holds. So a change of the hour, of the closed days or of `while_closed` between two
           digests neither repeats a day nor loses one.
        2. They are told of as `due` says. Days that lie before a later digest, as one made by hand, wait for no further morning.
        3. What is older than DAYS_BACK, after a standstill, is told of in one span.
        """
        oldest = now.astimezone(LONDON).date() - timedelta(days=DAYS_BACK)
        spans: list[Span] = []
        for first, last in _untold(opened, told):
            spans += _joined([*self._of_run(first, last, now)], before=oldest)
        return tuple(spans)

    def _of_run(self, first: date, last: date | None, now: datetime) -> Iterator[Span]:
        """Yield the spans of a run of days that nothing told of yet; `last` is None for the one that is still going on."""
        for span in self.due(first, now):
            if last is None or span.last <= last:
                yield span
                first = span.last + _DAY
        if last is not None and first <= last < now.astimezone(LONDON).date():
            yield Span(first, last)


def _untold(opened: date, told: Iterable[Span]) -> Iterator[tuple[date, date | None]]:
    """Yield the runs of days that no span holds, oldest first; the last one has no end."""
    first = opened
    for span in sorted(told, key=lambda each: each.first):
        if span.first > first:
            yield first, span.first - _DAY
        first = max(first, span.last + _DAY)
    yield first, None


def _joined(spans: list[Span], *, before: date) -> list[Span]:
    """Return the spans of one run, with those that end before a day made one."""
    old = [span for span in spans if span.last < before]
    return [*([Span(old[0].first, old[-1].last)] if old else []), *spans[len(old) :]]

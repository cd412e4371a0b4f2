"""When a school gets its digests: its hour, its school days, and which days each one tells of. Called by the store and the settings."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from moderator.domain.times import LONDON

_SATURDAY = 5


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
        morning = here.date() if here.hour >= self.hour else here.date() - timedelta(days=1)
        spans: list[Span] = []
        first = since
        for day in (since + timedelta(days=number) for number in range((morning - since).days)):
            if self.while_closed or self.school_day(day + timedelta(days=1)):
                spans.append(Span(first, day))
                first = day + timedelta(days=1)
        return tuple(spans)

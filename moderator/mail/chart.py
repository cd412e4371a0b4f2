"""The digest's chart and its words: the week's flagged comments, and how the days told of stand against the usual. The composer calls it.

A mail program may drop styles and pictures, so a bar is a table cell with a colour and a width of its own, and the number stands beside it.
In the plain text a bar is a row of `#`.
"""

from dataclasses import dataclass
from datetime import date

from moderator.domain.calendar import Span
from moderator.domain.usual import CHARTED, ENOUGH, DayCount, Measure, Week
from moderator.mail.moments import WEEKDAYS

BARS = 30
"""Marks of the longest bar in the plain text: with the day, the number and the usual one beside it, a line stays within 72 columns."""

TOLD, BEFORE = "#2f7fd6", "#7c8a99"
"""Colours of the bars of the days told of, and of those before: each stands out 3 to 1 from a light ground and from a dark one."""

_SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One day of the chart: `width` in percent of the longest bar (0 to 100), `marks` the same in the plain text, `usual` in words."""

    day: str
    flagged: int
    usual: str
    width: int
    marks: str
    colour: str
    told: bool

    def __str__(self) -> str:
        """Return the day as a line of the plain text, at most 72 columns with up to a million comments."""
        usual = f"  {self.usual}" if self.usual else ""
        return f"{self.day:<6} {self.flagged:>7,}  {self.marks:<{BARS}}{usual}".rstrip()


def chart(week: Week) -> tuple[ChartRow, ...]:
    """Return the rows of the chart, oldest first; none while there is nothing to compare: fewer than two days, or none flagged in any."""
    longest = max((each.flagged for each in week.days), default=0)
    if len(week.days) < 2 or longest == 0:  # noqa: PLR2004 - one bar alone says nothing
        return ()
    return tuple(_row(each, longest) for each in week.days)


def _row(count: DayCount, longest: int) -> ChartRow:
    usual = "" if count.usual is None else f"usually {count.usual:,}"
    return ChartRow(
        day=f"{_SHORT[count.day.weekday()]} {count.day.day}",
        flagged=count.flagged,
        usual=usual,
        width=share(count.flagged, longest, 100),
        marks="#" * share(count.flagged, longest, BARS),
        colour=TOLD if count.told else BEFORE,
        told=count.told,
    )


def share(number: int, of: int, whole: int) -> int:
    """Return how much of `whole` a number is, to the nearest; at least 1 for what is not nothing, so that it is seen."""
    return max(round(number * whole / of), 1) if number else 0


def usual_words(week: Week, span: Span) -> str:
    """Return how the days told of stand against the usual, as a sentence."""
    if week.usual is None:
        return f"It is too soon to say what is usual here: that takes {ENOUGH} weeks."
    days = _days(span.first, span.last)
    if week.measure is Measure.MORE:
        return f"More than usual for {days}: {week.flagged:,} flagged, usually {week.usual:,}."
    if week.measure is Measure.FEWER:
        return f"Fewer than usual for {days}: {week.flagged:,} flagged, usually {week.usual:,}."
    if week.flagged == week.usual:
        return f"As usual for {days}: {f'{week.flagged:,}' if week.flagged else 'none'} flagged."
    return f"About as usual for {days}: {week.flagged:,} flagged, usually {week.usual:,}."


def _days(first: date, last: date) -> str:
    if first == last:
        return f"a {WEEKDAYS[first.weekday()]}"
    number = (last - first).days + 1
    return f"{WEEKDAYS[first.weekday()]} to {WEEKDAYS[last.weekday()]}" if number <= CHARTED else f"{number} such days"

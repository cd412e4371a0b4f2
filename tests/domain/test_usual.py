"""What is usual on a weekday, and when a number is said to differ from it."""

from datetime import date, timedelta
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from moderator.domain.calendar import Span
from moderator.domain.usual import CHARTED, WEEKS, DayCount, Measure, Week, measure, needed, week_of

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
MONDAY = date(2026, 11, 23)
LONG_AGO = MONDAY - 20 * WEEK


def mondays(*counts: int) -> dict[date, int]:
    """Return counts of the Mondays before, the newest first."""
    return {MONDAY - WEEK * (number + 1): count for number, count in enumerate(counts)}


def test_the_usual_is_the_median_of_the_same_weekday_in_eight_weeks() -> None:
    flagged = mondays(3, 2, 4, 3, 90, 3, 1, 2, 500) | {MONDAY: 12, MONDAY - DAY: 7}
    week = week_of(flagged, Span.of(MONDAY), opened=LONG_AGO)
    assert (week.flagged, week.usual, week.measure) == (12, 3, Measure.MORE)
    assert [each.day for each in week.days] == [MONDAY - DAY * number for number in range(6, -1, -1)]
    assert week.days[-1] == DayCount(MONDAY, 12, 3, told=True)
    assert week.days[-2] == DayCount(MONDAY - DAY, 7, 0, told=False)


def test_it_is_not_told_before_three_weeks_and_the_first_day_of_all_does_not_count() -> None:
    flagged = mondays(3, 3, 3)
    assert week_of(flagged, Span.of(MONDAY), opened=MONDAY - 3 * WEEK).usual is None, "on the day it was opened it was not there all day"
    assert week_of(flagged, Span.of(MONDAY), opened=MONDAY - 3 * WEEK - DAY).usual == 3
    first = week_of({MONDAY: 2}, Span.of(MONDAY), opened=MONDAY)
    assert first == Week((DayCount(MONDAY, 2, None),), 2, None, Measure.UNKNOWN)


def test_days_before_the_service_are_not_in_the_chart() -> None:
    week = week_of({}, Span.of(MONDAY), opened=MONDAY - 2 * DAY)
    assert [each.day for each in week.days] == [MONDAY - 2 * DAY, MONDAY - DAY, MONDAY]


def test_several_days_stand_against_the_sum_of_their_usual_ones() -> None:
    friday, sunday = date(2026, 11, 20), date(2026, 11, 22)
    flagged = {day - WEEK * number: count for number in range(1, 9) for day, count in ((friday, 4), (sunday, 2))} | {friday: 1, sunday: 1}
    week = week_of(flagged, Span(friday, sunday), opened=LONG_AGO)
    assert (week.flagged, week.usual, week.measure) == (2, 6, Measure.FEWER)
    assert [each.told for each in week.days] == [False] * 4 + [True] * 3


def test_a_long_span_is_compared_with_the_weeks_before_it_and_not_with_itself() -> None:
    span = Span(MONDAY, MONDAY + 20 * DAY)
    flagged = {MONDAY - WEEK * number: 2 for number in range(1, 9)} | dict.fromkeys((MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK), 50)
    week = week_of(flagged, span, opened=LONG_AGO)
    assert (week.flagged, week.usual) == (150, 6)
    assert [each.usual for each in week.days] == [2, 0, 0, 0, 0, 0, 0]
    assert needed(span) == Span(MONDAY - 8 * WEEK, span.last)
    assert needed(Span.of(MONDAY)) == Span(MONDAY - 6 * DAY - 8 * WEEK, MONDAY)


@pytest.mark.parametrize(
    ("number", "usual", "said"),
    [
        (3, None, Measure.UNKNOWN), (0, 0, Measure.AS_USUAL), (1, 0, Measure.AS_USUAL), (2, 0, Measure.MORE), (4, 3, Measure.AS_USUAL),
        (5, 3, Measure.MORE), (12, 10, Measure.AS_USUAL), (14, 10, Measure.AS_USUAL), (15, 10, Measure.MORE), (7, 10, Measure.AS_USUAL),
        (6, 10, Measure.FEWER), (1, 3, Measure.FEWER), (0, 1, Measure.AS_USUAL), (0, 2, Measure.FEWER),
    ],
)  # fmt: skip
def test_a_number_differs_by_two_and_by_half_as_much_again(number: int, usual: int | None, said: Measure) -> None:
    assert measure(number, usual) is said


@settings(max_examples=40, deadline=None)
@given(
    counts=some.lists(some.integers(0, 30), min_size=140, max_size=140),
    first=some.integers(90, 139),
    length=some.integers(0, 40),
    opened=some.integers(0, 139),
)
def test_no_day_outside_needed_is_looked_at_and_the_median_is_the_plain_one(
    counts: list[int], first: int, length: int, opened: int
) -> None:
    start = date(2026, 1, 1)
    span = Span(start + DAY * first, start + DAY * min(first + length, 139))
    everything = {start + DAY * number: count for number, count in enumerate(counts)}
    enough = {day: count for day, count in everything.items() if needed(span).first <= day <= needed(span).last}
    week = week_of(everything, span, opened=start + DAY * opened)
    assert week == week_of(enough, span, opened=start + DAY * opened)
    assert len(week.days) <= CHARTED
    before = [span.first - WEEK * number for number in range(1, WEEKS + 1)]
    plain = [everything[day] for day in before if day > start + DAY * opened and day in everything]
    if span.first == span.last:
        assert week.usual == (int(median(plain) + 0.5) if len(plain) >= 3 else None)

"""When digests are due, and of which London days: every day in one digest and in one alone, whatever happens to clocks and settings."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from moderator.domain.calendar import DAYS_BACK, Closure, SchoolCalendar, Span
from moderator.domain.times import LONDON

DAY = timedelta(days=1)
WINTER = Closure(date(2026, 12, 19), date(2027, 1, 3))
MONDAY = date(2026, 11, 16)


def at(day: date, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    """Return a moment by the clock in London."""
    return datetime.combine(day, time(hour, minute, fold=fold), tzinfo=LONDON).astimezone(UTC)


def days_of(*spans: Span) -> list[date]:
    return [span.first + DAY * number for span in spans for number in range((span.last - span.first).days + 1)]


def test_a_closure_ends_after_it_begins() -> None:
    assert Closure(MONDAY, MONDAY).first == MONDAY
    with pytest.raises(ValueError, match="before the first"):
        Closure(MONDAY, MONDAY - DAY)


def test_a_day_is_told_of_from_the_schools_hour_on_the_day_after() -> None:
    calendar = SchoolCalendar(hour=7)
    assert calendar.due(MONDAY, at(MONDAY + DAY, 6, 59)) == ()
    assert calendar.due(MONDAY, at(MONDAY + DAY, 7)) == (Span.of(MONDAY),)
    assert calendar.due(MONDAY, at(MONDAY, 23, 59)) == ()
    assert SchoolCalendar(hour=0).due(MONDAY, at(MONDAY + DAY, 0)) == (Span.of(MONDAY),)
    assert calendar.due(MONDAY + DAY, at(MONDAY, 12)) == (), "a clock that was set back owes nothing"


@pytest.mark.parametrize(
    ("hour", "early", "due"),
    [
        # 29 March 2026: at 01:00 GMT it is 02:00 BST. An hour that the clock skips has come once the clock has passed it.
        (0, datetime(2026, 3, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 29, 0, 0, tzinfo=UTC)),
        (1, datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (2, datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (7, datetime(2026, 3, 29, 5, 59, tzinfo=UTC), datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),
        # 25 October 2026: at 02:00 BST it is 01:00 GMT again. An hour that comes twice has come the first time.
        (0, datetime(2026, 10, 24, 22, 59, tzinfo=UTC), datetime(2026, 10, 24, 23, 0, tzinfo=UTC)),
        (1, datetime(2026, 10, 24, 23, 59, tzinfo=UTC), datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),
        (2, datetime(2026, 10, 25, 1, 59, tzinfo=UTC), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        (7, datetime(2026, 10, 25, 6, 59, tzinfo=UTC), datetime(2026, 10, 25, 7, 0, tzinfo=UTC)),
        (23, datetime(2026, 10, 25, 22, 59, tzinfo=UTC), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
    ],
)
def test_the_hour_is_the_one_on_the_clock_on_the_days_it_changes(hour: int, early: datetime, due: datetime) -> None:
    calendar = SchoolCalendar(hour=hour)
    yesterday = due.astimezone(LONDON).date() - DAY
    assert calendar.due(yesterday, early) == ()
    assert calendar.due(yesterday, due) == (Span.of(yesterday),)
    assert calendar.due(yesterday, due + timedelta(hours=1)) == (Span.of(yesterday),), "the hour that comes again owes nothing new"


def test_weekends_and_closed_days_are_told_of_on_the_next_school_day() -> None:
    calendar = SchoolCalendar(hour=7, closures=(WINTER,), while_closed=False)
    friday = date(2026, 11, 20)
    assert calendar.due(friday - DAY, at(friday + 2 * DAY, 12)) == (Span.of(friday - DAY),), "on Sunday, Friday's is not due"
    assert calendar.due(friday, at(friday + 3 * DAY, 6, 59)) == ()
    assert calendar.due(friday, at(friday + 3 * DAY, 7)) == (Span(friday, friday + 2 * DAY),)
    last = date(2026, 12, 18)
    assert calendar.due(last, at(date(2027, 1, 3), 12)) == ()
    assert calendar.due(last, at(date(2027, 1, 4), 7)) == (Span(last, date(2027, 1, 3)),)
    assert len(replace(calendar, while_closed=True).due(last, at(date(2027, 1, 4), 7))) == 17
    assert not calendar.school_day(date(2026, 12, 25))
    assert not calendar.school_day(date(2026, 11, 21))
    assert calendar.school_day(friday)


def test_a_digest_comes_on_the_next_morning_that_is_one() -> None:
    calendar = SchoolCalendar(closures=(WINTER,), while_closed=False)
    assert calendar.due_on(date(2026, 11, 19)) == date(2026, 11, 20)
    assert calendar.due_on(date(2026, 12, 18)) == date(2027, 1, 4)
    assert SchoolCalendar().due_on(date(2026, 12, 18)) == date(2026, 12, 19)
    for_good = SchoolCalendar(closures=(Closure(MONDAY, MONDAY.replace(year=2030)),), while_closed=False)
    assert for_good.due_on(MONDAY) == MONDAY + DAY


def test_what_was_told_is_not_told_again_and_a_change_of_the_setting_loses_nothing() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    quiet, daily = SchoolCalendar(while_closed=False), SchoolCalendar()
    told = [Span.of(friday - DAY)]
    assert quiet.outstanding(friday - DAY, told, at(friday + 2 * DAY, 12)) == ()
    assert daily.outstanding(friday - DAY, told, at(friday + 2 * DAY, 12)) == (Span.of(friday), Span.of(friday + DAY)), "turned on"
    told.append(Span.of(friday))
    assert quiet.outstanding(friday - DAY, told, at(monday, 7)) == (Span(friday + DAY, monday - DAY),), "and off again"
    closed = replace(quiet, closures=(Closure(monday, monday),))
    assert closed.outstanding(friday - DAY, told, at(monday, 7)) == (), "a closure that was added on the morning"
    assert closed.outstanding(friday - DAY, told, at(monday + DAY, 7)) == (Span(friday + DAY, monday),)
    late = SchoolCalendar(hour=16)
    assert late.outstanding(monday, [Span.of(monday)], at(monday + DAY, 16)) == (), "told of at seven, and not again at the new hour"


def test_days_before_a_digest_made_by_hand_are_told_of_too() -> None:
    quiet = SchoolCalendar(while_closed=False)
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    by_hand = [Span.of(monday - DAY)]
    assert quiet.outstanding(friday, by_hand, at(monday, 6)) == (Span(friday, friday + DAY),)
    assert quiet.outstanding(friday - DAY, by_hand, at(monday + DAY, 7)) == (
        Span.of(friday - DAY),
        Span(friday, friday + DAY),
        Span.of(monday),
    )
    ahead = [Span.of(monday + DAY)]
    assert quiet.outstanding(monday, ahead, at(monday, 12)) == (), "a day that is not over waits, whatever was told after it"
    assert quiet.outstanding(monday, ahead, at(monday + DAY, 7)) == (Span.of(monday),)


def test_a_long_standstill_is_caught_up_day_by_day_and_what_is_older_in_one() -> None:
    back = date(2026, 11, 23)
    spans = SchoolCalendar().outstanding(back - 100 * DAY, [Span.of(back - 100 * DAY)], at(back, 12))
    assert spans[0] == Span(back - 99 * DAY, back - (DAYS_BACK + 1) * DAY)
    assert spans[1:] == tuple(Span.of(back - number * DAY) for number in range(DAYS_BACK, 0, -1))
    assert days_of(*spans) == [back - number * DAY for number in range(99, 0, -1)]
    assert len(SchoolCalendar().outstanding(back - 20 * DAY, (), at(back, 12))) == 20, "weeks are no long time"


CLOSURES = some.lists(
    some.builds(
        lambda start, length: Closure(date(2026, 1, 1) + DAY * start, date(2026, 1, 1) + DAY * (start + length)),
        some.integers(0, 400),
        some.integers(0, 50),
    ),
    max_size=4,
).map(tuple)
CALENDARS = some.builds(SchoolCalendar, hour=some.integers(0, 23), closures=CLOSURES, while_closed=some.booleans())
RUNS = some.lists(
    some.tuples(
        some.integers(-120, 4 * 24 * 60) | some.integers(0, 90 * 24 * 60),
        some.none() | CALENDARS,
        some.integers(0, 4),
    ),
    min_size=1,
    max_size=15,
)
"""Each run of the schedule: minutes after the one before (the clock may be set back), changed settings, how many digests get made."""


@settings(max_examples=200, deadline=None)
@given(calendar=CALENDARS, start=some.integers(0, 400 * 24 * 60), runs=RUNS)
def test_every_london_day_is_told_of_once_whatever_the_settings_and_the_machine_do(
    calendar: SchoolCalendar, start: int, runs: list[tuple[int, SchoolCalendar | None, int]]
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    opened = now.astimezone(LONDON).date()
    told: list[Span] = []
    for gap, changed, made in runs:
        now += timedelta(minutes=gap)
        calendar = changed or calendar
        due = calendar.outstanding(opened, told, now)
        for span in due:
            came = datetime.combine(calendar.due_on(span.last), time(calendar.hour))
            assert came <= now.astimezone(LONDON).replace(tzinfo=None), "none before the school's hour of a day that is one"
        told += due[:made]
        days = days_of(*told)
        assert days == [opened + DAY * number for number in range(len(days))], "in order, each once, none left out"
    here = max(now.astimezone(LONDON).date(), opened + DAY * len(days))
    told += SchoolCalendar(hour=0).outstanding(opened, told, at(here + DAY, 12))
    assert days_of(*told) == [opened + DAY * number for number in range((here - opened).days + 1)]


@settings(max_examples=200, deadline=None)
@given(
    calendar=CALENDARS,
    by_hand=some.lists(some.tuples(some.integers(0, 40), some.integers(0, 5)), max_size=5),
    hours=some.lists(some.integers(1, 40 * 24), min_size=1, max_size=10),
)
def test_digests_made_by_hand_in_between_neither_repeat_nor_lose_a_day(
    calendar: SchoolCalendar, by_hand: list[tuple[int, int]], hours: list[int]
) -> None:
    opened = date(2026, 10, 20)
    told: list[Span] = []
    for start, length in by_hand:
        span = Span(opened + DAY * start, opened + DAY * (start + length))
        if not set(days_of(span)) & set(days_of(*told)):
            told.append(span)
    for hour in sorted(hours):
        told += calendar.outstanding(opened, told, at(opened, 9) + timedelta(hours=hour))
    told += SchoolCalendar().outstanding(opened, told, at(opened + 60 * DAY, 9))
    assert sorted(days_of(*told)) == [opened + DAY * number for number in range(60)]

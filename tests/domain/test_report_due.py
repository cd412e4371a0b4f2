"""Which reports and which days of the trust's digest are due: each once, none lost, none for the wrong time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moderator.domain.calendar import Closure, SchoolCalendar, Span
from moderator.domain.report import ReportKind, as_term, period_named, period_of
from moderator.domain.report_due import LONGEST_WAIT, TERMS_BACK, WEEKS_BACK, day_to_tell, reports_due, waits_for
from moderator.domain.times import LONDON
from moderator.domain.trust_digest import DAYS_BACK, days_due

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)
OPEN = SchoolCalendar()


def london(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON).astimezone(UTC)


def weeks(now: datetime, *, made: tuple[str, ...] = (), opened: date = date(2026, 1, 5), calendar: SchoolCalendar = OPEN) -> list[str]:
    found = reports_due(
        ReportKind.WEEKLY,
        opened=opened,
        made=made,
        now=now,
        hour=calendar.hour,
        tell_on=lambda period: day_to_tell(period, calendar.school_day, at_latest=waits_for(ReportKind.WEEKLY, calendar)),
    )
    return [each.code for each in found.due]


@given(some.dates(date(2000, 1, 1), date(2100, 1, 1)), some.sampled_from(ReportKind))
def test_every_day_is_in_one_period_and_they_follow_one_another(day: date, kind: ReportKind) -> None:
    period = period_of(kind, day)
    assert period.first <= day <= period.last
    assert period_of(kind, period.first) == period_of(kind, period.last) == period
    assert period_named(kind, period.code) == period
    assert period.before.last + DAY == period.first
    assert [each.first for each in period.back(3)] == [period.before.before.first, period.before.first, period.first]
    assert period.first <= as_term(period).months()[-1] + timedelta(days=31)
    if kind is ReportKind.WEEKLY:
        assert (period.first.weekday(), (period.last - period.first).days) == (0, 6)


@pytest.mark.parametrize(
    ("day", "code", "words", "short"),
    [
        (date(2026, 11, 22), "2026-W47", "Week 47 of 2026", "16 Nov"),
        (date(2027, 1, 1), "2026-W53", "Week 53 of 2026", "28 Dec"),
        (date(2027, 1, 4), "2027-W01", "Week 1 of 2027", "4 Jan"),
    ],
)
def test_a_week_is_the_iso_week(day: date, code: str, words: str, short: str) -> None:
    week = period_of(ReportKind.WEEKLY, day)
    assert (week.code, week.words, week.short) == (code, words, short)
    assert period_of(ReportKind.TERMLY, day).short.startswith(("Autumn", "Spring"))


@pytest.mark.parametrize(
    "code", ["", "x", "2026-W54", "2026-W4", "2026XW47", "2026-autumnal", "0000-W01", "9999-W99", "0000-autumn", "W47-2026"]
)
def test_a_code_of_no_period_names_none(code: str) -> None:
    assert [period_named(kind, code) for kind in ReportKind] == [None, None]


def test_a_week_across_two_months_is_counted_in_both() -> None:
    week = as_term(period_of(ReportKind.WEEKLY, date(2026, 10, 1)))
    assert week.months() == (date(2026, 9, 1), date(2026, 10, 1))
    across_years = as_term(period_of(ReportKind.WEEKLY, date(2027, 1, 1)))
    assert across_years.months() == (date(2026, 12, 1), date(2027, 1, 1))


def test_a_week_is_due_on_monday_at_the_schools_hour_and_not_before() -> None:
    made = ("2026-W46",)
    assert weeks(london(MONDAY, 6, 59), made=made) == []
    assert weeks(london(MONDAY, 7), made=made) == ["2026-W47"]
    assert weeks(london(MONDAY, 8), made=made, calendar=SchoolCalendar(hour=9)) == []
    assert weeks(london(MONDAY, 7), made=("2026-W46", "2026-W47")) == []


def test_a_closed_monday_is_waited_for_and_a_closed_week_only_where_no_digest_comes_either() -> None:
    monday = SchoolCalendar(closures=(Closure(MONDAY, MONDAY),))
    assert weeks(london(MONDAY, 12), made=("2026-W46",), calendar=monday) == []
    assert weeks(london(MONDAY + DAY, 7), made=("2026-W46",), calendar=monday) == ["2026-W47"]
    shut = (Closure(MONDAY, MONDAY + 11 * DAY),)
    assert weeks(london(MONDAY, 7), made=("2026-W46",), calendar=SchoolCalendar(closures=shut)) == ["2026-W47"]
    silent = SchoolCalendar(closures=shut, while_closed=False)
    assert weeks(london(MONDAY + 13 * DAY, 23), made=("2026-W46",), calendar=silent) == []
    assert weeks(london(MONDAY + 14 * DAY, 7), made=("2026-W46",), calendar=silent) == ["2026-W47", "2026-W48", "2026-W49"]


def test_a_school_that_is_never_open_is_reported_on_all_the_same() -> None:
    shut = SchoolCalendar(closures=(Closure(date(2020, 1, 1), date(2040, 1, 1)),), while_closed=False)
    assert waits_for(ReportKind.WEEKLY, shut) == waits_for(ReportKind.TERMLY, OPEN) == LONGEST_WAIT
    assert day_to_tell(period_of(ReportKind.WEEKLY, MONDAY - DAY), shut.school_day) == MONDAY


def test_missed_weeks_are_caught_up_as_far_back_as_a_summer_and_those_before_are_named() -> None:
    def due(made: tuple[str, ...], opened: date = date(2026, 1, 5)) -> tuple[list[str], list[str]]:
        found = reports_due(
            ReportKind.WEEKLY, opened=opened, made=made, now=london(MONDAY, 8), hour=7, tell_on=lambda each: each.last + DAY
        )
        return [each.code for each in found.due], [each.code for each in found.missed]

    assert WEEKS_BACK == 9
    assert LONGEST_WAIT <= WEEKS_BACK * 7 * DAY, "the last week before the longest holiday is told of after it"
    assert due(("2026-W43",)) == (["2026-W44", "2026-W45", "2026-W46", "2026-W47"], [])
    assert due(("2026-W36",)) == ([f"2026-W{number}" for number in range(39, 48)], ["2026-W37", "2026-W38"])
    assert due(()) == (["2026-W47"], []), "a service that has only now learnt to report has missed nothing"
    assert due((), opened=date(2026, 11, 10)) == (["2026-W46", "2026-W47"], [])
    assert due((), opened=MONDAY) == ([], [])
    assert due((), opened=date(1900, 1, 1)) == (["2026-W47"], [])


def test_a_term_is_due_on_the_first_school_day_after_it() -> None:
    calendar = SchoolCalendar(closures=(Closure(date(2026, 12, 21), date(2027, 1, 4)),))

    def due(now: datetime) -> list[str]:
        found = reports_due(
            ReportKind.TERMLY,
            opened=date(2026, 2, 1),
            made=("2026-spring",),
            now=now,
            hour=7,
            tell_on=lambda period: day_to_tell(period, calendar.school_day),
        )
        return [each.code for each in found.due]

    assert due(london(date(2026, 12, 31), 23)) == ["2026-summer"]
    assert due(london(date(2027, 1, 4), 12)) == ["2026-summer"]
    assert due(london(date(2027, 1, 5), 7)) == ["2026-summer", "2026-autumn"]
    assert TERMS_BACK == 2


# The trust's digest.


def days(now: datetime, *, made: tuple[date, ...] = (), opened: date = date(2026, 11, 18)) -> list[date]:
    return list(days_due(opened=opened, made=made, now=now, hour=7).days)


def test_a_day_is_told_of_from_the_trusts_hour_on_the_day_after() -> None:
    assert days(london(date(2026, 11, 19), 6, 59)) == []
    assert days(london(date(2026, 11, 19), 7)) == [date(2026, 11, 18)]
    assert days(london(date(2026, 11, 21), 6), made=(date(2026, 11, 18),)) == [date(2026, 11, 19)]


@pytest.mark.parametrize("changes", [date(2026, 10, 25), date(2027, 3, 28)])
def test_the_clock_changing_neither_loses_nor_repeats_a_day(changes: date) -> None:
    made: tuple[date, ...] = ()
    now = london(changes - 2 * DAY, 0)
    while now < london(changes + 3 * DAY, 0):
        found = days(now, made=made, opened=changes - 2 * DAY)
        assert all((each, 7) <= ((now.astimezone(LONDON) - DAY).date(), now.astimezone(LONDON).hour) for each in found)
        made += tuple(found)
        now += timedelta(minutes=20)
    assert list(made) == [changes + number * DAY for number in range(-2, 2)]


def test_after_a_standstill_a_month_is_caught_up_and_the_days_before_are_named() -> None:
    now = london(date(2026, 11, 19), 8)
    first = date(2026, 11, 19) - DAYS_BACK * DAY
    found = days_due(opened=date(2026, 1, 1), made=(date(2026, 9, 30),), now=now, hour=7)
    assert (found.days[0], found.days[-1], len(found.days)) == (first, date(2026, 11, 18), DAYS_BACK)
    assert found.missed == Span(date(2026, 10, 1), first - DAY)
    caught_up = days_due(opened=date(2026, 1, 1), made=(date(2026, 9, 30), *found.days), now=now, hour=7)
    assert (caught_up.days, caught_up.missed) == ((), None)
    half = days_due(opened=date(2026, 1, 1), made=(date(2026, 9, 30), *found.days[:5]), now=now, hour=7)
    assert (half.days, half.missed) == (found.days[5:], None)


def test_what_has_only_now_learnt_to_tell_begins_with_yesterday() -> None:
    assert days(london(date(2026, 11, 19), 8), opened=date(2025, 1, 1)) == [date(2026, 11, 18)]
    assert days(london(date(2026, 11, 19), 8), opened=date(2026, 11, 1))[0] == date(2026, 11, 1)


@given(
    some.integers(0, 60 * 24 * 730),
    some.lists(some.integers(1, 60 * 24 * 9), max_size=25),
    some.integers(0, 23),
)
def test_each_day_is_told_of_once_whenever_the_machine_is_on(begin: int, gaps: list[int], hour: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=begin)
    opened = now.astimezone(LONDON).date()
    made: list[date] = []
    for gap in gaps:
        now += timedelta(minutes=gap)
        made += days_due(opened=opened, made=tuple(made), now=now, hour=hour).days
    assert made == [opened + number * DAY for number in range(len(made))]
    here = now.astimezone(LONDON)
    told = here.date() - DAY if here.hour >= hour else here.date() - 2 * DAY
    assert len(made) == (max((told - opened).days + 1, 0) if gaps else 0)

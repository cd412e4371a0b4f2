"""Which days a previewed digest tells of: those it told of, or those it will (R7: every day is in one digest)."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage

from moderator.domain.calendar import Closure, SchoolCalendar, Span
from moderator.domain.errors import BadInput
from moderator.store.digest_span import span_about
from moderator.store.outbox import DIGESTS

OPENED = date(2026, 11, 18)
DAILY = SchoolCalendar(7)
SCHOOL_DAYS = SchoolCalendar(7, (Closure(date(2026, 12, 21), date(2027, 1, 1)),), while_closed=False)


def about(stage: Stage, day: date, *, calendar: SchoolCalendar = DAILY, now: datetime = NOON) -> Span:
    with stage.database.reading() as connection:
        return span_about(connection, SCHOOL.slug, day, calendar=calendar, now=now)


def made(stage: Stage, first: date, last: date) -> None:
    row = {"school": SCHOOL.slug, "day": last, "first_day": first, "key": f"d-{last}", "head_seq": 1, "head_hash": "0" * 64}
    with stage.database.unit() as unit:
        unit.connection.execute(sa.insert(DIGESTS).values(row | {"composed_at": NOON}))


def test_a_day_stands_alone_where_digests_come_every_day(stage: Stage) -> None:
    later = NOON + timedelta(days=10)
    assert about(stage, OPENED) == Span.of(OPENED)
    assert about(stage, date(2026, 11, 28), now=later) == Span.of(date(2026, 11, 28)), "a Saturday, so far"
    assert about(stage, date(2026, 11, 20), now=later) == Span.of(date(2026, 11, 20))


def test_closed_days_are_told_with_the_school_day_before_them(stage: Stage) -> None:
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    made(stage, OPENED, date(2026, 11, 19))
    friday_to_today = Span(date(2026, 11, 20), date(2026, 11, 21))
    assert about(stage, date(2026, 11, 21), calendar=SCHOOL_DAYS, now=saturday) == friday_to_today, "it comes on Monday"
    assert about(stage, date(2026, 11, 20), calendar=SCHOOL_DAYS, now=saturday) == friday_to_today
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert about(stage, date(2026, 11, 22), calendar=SCHOOL_DAYS, now=monday) == Span(date(2026, 11, 20), date(2026, 11, 22))
    assert about(stage, date(2026, 11, 23), calendar=SCHOOL_DAYS, now=monday) == Span.of(date(2026, 11, 23))
    made(stage, date(2026, 11, 20), date(2026, 12, 17))
    christmas = datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert about(stage, date(2026, 12, 25), calendar=SCHOOL_DAYS, now=christmas) == Span(date(2026, 12, 18), date(2026, 12, 28))


def test_a_day_that_was_told_of_is_shown_with_the_days_it_was_told_with(stage: Stage) -> None:
    made(stage, OPENED, date(2026, 11, 20))
    later = NOON + timedelta(days=30)
    assert about(stage, date(2026, 11, 19), now=later) == Span(OPENED, date(2026, 11, 20))
    assert about(stage, date(2026, 11, 21), now=later) == Span.of(date(2026, 11, 21))


def test_a_school_that_is_closed_for_more_than_a_year_has_each_day_alone(stage: Stage) -> None:
    shut = SchoolCalendar(7, (Closure(OPENED, date(2029, 1, 1)),), while_closed=False)
    assert about(stage, date(2026, 11, 19), calendar=shut, now=NOON + timedelta(days=1)) == Span.of(date(2026, 11, 19))


def test_days_to_come_and_days_before_the_service_are_refused(stage: Stage) -> None:
    with pytest.raises(BadInput, match="is not yet"):
        about(stage, date(2026, 11, 19))
    with pytest.raises(BadInput, match="before the service began"):
        about(stage, date(2026, 11, 17))
    with stage.database.reading() as connection, pytest.raises(BadInput, match="before the service began"):
        span_about(connection, "nowhere", date(2026, 11, 17), calendar=DAILY, now=NOON)

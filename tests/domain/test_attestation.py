"""What was attested of an account, and by when again: R2, R5; and where an account stands between request and end: R1."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.account_state import AccountState, state_of
from moderator.domain.attestation import AccountDates, a_year_after, password_due
from moderator.domain.dues import OVERDUE, Dated, Due
from moderator.domain.times import london_date

SCHOOL = School("oakfield", "Oakfield Primary School", "", "head@oakfield.example", ("oakfield.example",), "Oakfield Learning Trust")
APPROVAL = Approval("A-1", "The Headteacher", date(2026, 9, 1), "News", Mode.HIDE, date(2027, 8, 31))
ACCOUNT = Account(3, SCHOOL, "x", "oakfieldprimary", "7", "office@oakfield.example", 100, APPROVAL)
CHANGED = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("days", "left", "reminder"),
    [
        (0, 60, None),
        (45, 15, None),
        (46, 14, 14),
        (52, 8, 14),
        (53, 7, 7),
        (58, 2, 7),
        (59, 1, 1),
        (60, 0, 1),
        (61, -1, OVERDUE),
        (900, -840, OVERDUE),
    ],
)
def test_r5_a_password_is_due_on_day_60_and_overdue_on_day_61(days: int, left: int, reminder: int | None) -> None:
    due = Due(Dated.PASSWORD, password_due(CHANGED, date(2026, 1, 1)))
    day = CHANGED + timedelta(days=days)
    assert due.days_left(day) == left
    assert due.reminder(day) == reminder
    assert due.overdue(day) is (days > 60)


@pytest.mark.parametrize("changed", [date(2026, 8, 27), date(2026, 10, 24), date(2027, 1, 28), date(2027, 3, 27)])
def test_r5_a_clock_change_in_between_moves_nothing(changed: date) -> None:
    """25 October 2026 and 28 March 2027 have 25 and 23 hours; each of these 60 days holds one of them."""
    due = Due(Dated.PASSWORD, password_due(changed, changed))
    last = changed + timedelta(days=60)
    assert due.on == last
    before_midnight = datetime(last.year, last.month, last.day, 22, 59, 59, tzinfo=UTC)
    summer = london_date(before_midnight + timedelta(minutes=1)) != last
    assert not due.overdue(london_date(before_midnight))
    assert due.overdue(london_date(before_midnight + timedelta(seconds=1) + (timedelta() if summer else timedelta(hours=1))))


@given(some.dates(date(2024, 1, 1), date(2040, 1, 1)), some.integers(0, 80))
def test_r5_reminders_only_grow_more_urgent(changed: date, days: int) -> None:
    due = Due(Dated.PASSWORD, password_due(changed, changed))
    today, tomorrow = (due.reminder(changed + timedelta(days=days + more)) for more in (0, 1))
    order = [None, 14, 7, 1, OVERDUE]
    assert order.index(tomorrow) - order.index(today) in {0, 1}


def test_r5_a_password_that_nobody_spoke_of_is_due_from_the_first_day() -> None:
    assert password_due(None, date(2026, 9, 1)) == date(2026, 9, 1)


def test_r2_nobodys_own_is_asked_again_a_year_on() -> None:
    assert a_year_after(date(2026, 9, 1)) == date(2027, 9, 1)
    assert a_year_after(date(2028, 2, 29)) == date(2029, 2, 28)


def test_an_accounts_dates_come_the_nearest_first() -> None:
    dates = AccountDates(ACCOUNT, date(2026, 9, 1), CHANGED, None)
    assert [(due.what, due.on) for due in dates.dues()] == [
        (Dated.PASSWORD, date(2026, 10, 31)),
        (Dated.APPROVAL, date(2027, 8, 31)),
        (Dated.NOT_PERSONAL, date(2027, 9, 1)),
    ]
    assert len(AccountDates(replace(ACCOUNT, approval=None), CHANGED, None, CHANGED).dues()) == 2


STATES: tuple[tuple[Approval | None, bool, bool, date, AccountState], ...] = (
    (None, False, False, date(2026, 9, 1), AccountState.REQUESTED),
    (None, True, False, date(2026, 9, 1), AccountState.REQUESTED),
    (None, False, True, date(2026, 9, 1), AccountState.DECLINED),
    (APPROVAL, False, False, date(2026, 9, 1), AccountState.APPROVED),
    (APPROVAL, True, False, date(2026, 8, 31), AccountState.APPROVED),
    (APPROVAL, True, False, date(2027, 8, 31), AccountState.LIVE),
    (APPROVAL, True, False, date(2027, 9, 1), AccountState.ENDED),
    (replace(APPROVAL, withdrawn_at=datetime(2026, 9, 2, tzinfo=UTC)), True, False, date(2027, 9, 1), AccountState.WITHDRAWN),
)


def test_r1_only_a_connected_account_with_a_live_approval_is_live() -> None:
    for approval, connected, declined, day, state in STATES:
        account = replace(ACCOUNT, approval=approval)
        assert state_of(account, day, connected=connected, declined=declined) is state, (approval, connected, day)

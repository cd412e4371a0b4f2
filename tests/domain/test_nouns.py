from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import NOON, SCHOOL, approval, comment

from moderator.domain.account import BUSY, QUIET, Account, next_poll_in
from moderator.domain.digest import Digest, DigestCounts, grounds
from moderator.domain.errors import BadInput, RateLimited
from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain, line_hash
from moderator.domain.record import Fault, Verification, record_id
from moderator.domain.review import Review, Verdict
from moderator.domain.score import Guard, Label
from moderator.domain.times import FrozenClock, SystemClock, from_utc_text, london_date, london_day, london_text, utc_text
from moderator.ports import Token


def test_r13_times_are_stated_in_utc_and_london_across_the_clock_change() -> None:
    before = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    after = before + timedelta(hours=1)
    assert utc_text(before) == "2026-10-25T00:30:00.000000Z"
    assert london_text(before) == "2026-10-25 01:30:00+01:00 BST"
    assert london_text(after) == "2026-10-25 01:30:00+00:00 GMT"
    assert from_utc_text(utc_text(after)) == after


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        utc_text(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault under test


@pytest.mark.parametrize("text", ["2026-10-25", "2026-10-25T00:30:00.000000+00:00", "2026-10-25T00:30:00.000000"])
def test_a_time_not_written_by_us_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time as this service writes it"):
        from_utc_text(text)


def test_a_london_day_has_23_or_25_hours_when_the_clock_changes() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        start, end = london_day(day)
        assert (end - start) == timedelta(hours=hours)
        assert london_date(start) == london_date(end - timedelta(microseconds=1)) == day


def test_clocks() -> None:
    clock = FrozenClock(NOON)
    clock.move(timedelta(hours=-2))
    assert clock.now() == NOON - timedelta(hours=2)
    assert SystemClock().now().tzinfo is UTC


def test_an_edit_is_a_new_version_and_a_new_record() -> None:
    first, second = comment(1, "One"), comment(1, "Two")
    assert first.version != second.version
    ids = {record_id("oakfield", "x", each.comment_id, each.version) for each in (first, second, first)}
    assert len(ids) == 2
    assert all(len(each) == 18 for each in ids)


def test_a_version_of_any_text_can_be_made() -> None:
    assert len(comment(1, "\ud800 lone").version) == 16


def test_r1_an_account_is_pollable_only_under_a_live_approval() -> None:
    account = Account(1, SCHOOL, "x", "oakfieldprimary", "9", "office@oakfield.example", 100)
    assert not account.pollable(date(2026, 11, 18))
    live = replace(account, approval=approval())
    assert live.pollable(date(2026, 9, 1))
    assert live.pollable(date(2027, 8, 31))
    assert not live.pollable(date(2027, 9, 1))
    assert not live.pollable(date(2026, 8, 31))
    withdrawn = replace(account, approval=replace(approval(), withdrawn_at=NOON))
    assert not withdrawn.pollable(date(2026, 11, 18))


def test_polling_speeds_up_when_busy_and_slows_when_quiet() -> None:
    month = timedelta(days=20)
    wait = timedelta(minutes=4)
    assert next_poll_in(wait, found=3, reads_left=100, reads_used_per_poll=0, month_left=month) == timedelta(minutes=2)
    assert next_poll_in(wait, found=0, reads_left=100, reads_used_per_poll=0, month_left=month) == timedelta(minutes=6)
    assert next_poll_in(timedelta(seconds=1), found=1, reads_left=9, reads_used_per_poll=0, month_left=month) == BUSY
    assert next_poll_in(timedelta(hours=5), found=0, reads_left=9, reads_used_per_poll=0, month_left=month) == QUIET


@given(left=st.integers(0, 10**6), each=st.floats(0.01, 1000), days=st.floats(0.01, 31))
def test_the_rest_of_the_budget_lasts_for_the_rest_of_the_month(left: int, each: float, days: float) -> None:
    month = timedelta(days=days)
    wait = next_poll_in(BUSY, found=1, reads_left=left, reads_used_per_poll=each, month_left=month)
    assert wait >= BUSY
    assert wait >= min(month / max(left / each, 1), timedelta(days=1)) - timedelta(milliseconds=1)


def test_the_ledger_chains_line_to_line() -> None:
    event = LedgerEvent(Event.SEALED, NOON, "R-1", facts={"manifest_sha256": "ab", "seq": 99})
    line, head = chain(Head(0, GENESIS), "oakfield", event)
    following, after = chain(head, "oakfield", event)
    assert line.startswith('{"seq":1,"prev":"' + GENESIS)
    assert f'"prev":"{line_hash(line)}"' in following
    assert (head.seq, after.seq) == (1, 2)
    assert '"seq":99' not in line


def test_r24_a_review_needs_a_justification() -> None:
    with pytest.raises(BadInput, match="at least 10 characters"):
        Review(1, Verdict.UPHOLD, "HEAD-1", "  ok   ", NOON)
    assert Review(1, Verdict.UPHOLD, "HEAD-1", "It is plainly abuse.", NOON).actor == "HEAD-1"


def test_every_ground_has_words_that_quote_nobody() -> None:
    labels = (*(label.value for label in Label), *(guard.value for guard in Guard), "name", "pii")
    for label in labels:
        assert grounds((label,)).endswith(".")
    assert grounds(("threat", "threat")) == "It threatens somebody."


def test_small_nouns() -> None:
    assert Digest(SCHOOL, date(2026, 11, 18), "head@oakfield.example", DigestCounts(), Head(0, GENESIS)).key == "digest-oakfield-2026-11-18"
    assert Verification(3).ok
    assert not Verification(3, (Fault("x", "y", "z"),)).ok
    assert "wait until" in str(RateLimited(NOON))
    assert repr(Token("secret", "secret", NOON)) == "Token(…)"

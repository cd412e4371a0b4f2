from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderator.mail.clean import cleaned, one_line
from moderator.mail.moments import clock_words, day_words, gap_words, moment_words
from moderator.mail.words import at_handle, mode_words, platform_words, plural, sentence, web_link
from moderator.mail.wrap import wrapped


def test_r13_london_and_utc_stand_side_by_side() -> None:
    assert moment_words(datetime(2026, 7, 1, 12, 5, tzinfo=UTC)) == "Wednesday 1 July 2026, 13:05 BST (12:05 UTC)"
    assert moment_words(datetime(2026, 6, 30, 23, 5, tzinfo=UTC)) == "Wednesday 1 July 2026, 00:05 BST (30 June, 23:05 UTC)"


def test_r13_the_doubled_hour_in_october_is_told_apart() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (clock_words(first), clock_words(second)) == ("01:30 BST", "01:30 GMT")


def test_days_are_written_out() -> None:
    assert day_words(date(2026, 2, 1)) == "Sunday 1 February 2026"
    assert day_words(date(2026, 12, 31)) == "Thursday 31 December 2026"


@pytest.mark.parametrize(
    ("gap", "says"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=2), "2 days"),
    ],
)
def test_gaps_are_given_in_their_largest_unit(gap: timedelta, says: str) -> None:
    assert gap_words(gap) == says


def test_words() -> None:
    assert plural(1, "comment") == "1 comment"
    assert plural(0, "comment") == "0 comments"
    assert plural(1200, "comment") == "1,200 comments"
    assert sentence("held") == "Held."
    assert sentence("Is it? Yes!") == "Is it? Yes!"
    assert mode_words("hide") == "flagged comments are hidden"
    assert [at_handle(name) for name in ("school", "@school", "The School")] == ["@school", "@school", "The School"]
    assert mode_words("paused") == "paused"
    assert [platform_words(name) for name in ("x", "youtube", "bluesky")] == ["X", "YouTube", "Bluesky"]
    assert web_link("http://127.0.0.1:8000/x") == "http://127.0.0.1:8000/x"
    assert not web_link("ftp://x")


@given(st.text())
def test_one_line_is_one_line_and_repeatable(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line
    line.encode()


def test_cleaning_keeps_joined_emoji_and_right_to_left_letters() -> None:
    family = "👨\u200d👩\u200d👧 שלום"
    assert cleaned((family, 3, None)) == (family, 3, None)
    assert cleaned(str) is str, "a class is not a value to walk"


@given(st.text(st.characters(codec="utf-8")))
def test_wrapping_is_repeatable_and_breaks_no_word(text: str) -> None:
    once = wrapped(text)
    assert wrapped(once) == once
    assert once.split() == text.split()
    assert all(len(row) <= 72 or " " not in row.strip().removeprefix("- ") for row in once.splitlines())


def test_bullets_hang_under_their_own_words() -> None:
    rows = wrapped("- " + "word " * 40).splitlines()
    assert rows[0].startswith("- word")
    assert all(row.startswith("  word") for row in rows[1:])

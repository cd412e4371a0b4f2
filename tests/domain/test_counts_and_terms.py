"""Terms, and counts from which nobody can be picked out (R35)."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moderator.domain.small_counts import coarse, exact
from moderator.domain.terms import term_of, terms_back


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 9, 1), "2026-autumn"),
        (date(2026, 12, 31), "2026-autumn"),
        (date(2027, 1, 1), "2027-spring"),
        (date(2027, 3, 31), "2027-spring"),
        (date(2027, 4, 1), "2027-summer"),
        (date(2027, 8, 31), "2027-summer"),
    ],
)
def test_every_day_is_in_one_term(day: date, code: str) -> None:
    term = term_of(day)
    assert term.code == code
    assert term.first <= day <= term.last


@given(some.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_terms_follow_one_another_without_a_gap(day: date) -> None:
    terms = terms_back(day, 7)
    assert len(terms) == 7
    for later, earlier in pairwise(terms):
        assert earlier.last + timedelta(days=1) == later.first
        assert later.months()[0] == later.first
        assert later.months()[-1].month == later.last.month


@pytest.mark.parametrize(
    ("count", "words", "size"),
    [(0, "0", 0), (1, "fewer than 5", 0), (4, "fewer than 5", 0), (5, "about 5", 5), (7, "about 5", 5), (8, "about 10", 10)],
)
def test_r35_small_counts_are_not_told(count: int, words: str, size: int) -> None:
    told = coarse(count)
    assert (told.words, told.size) == (words, size)


@given(some.integers(5, 10_000), some.integers(1, 4))
def test_r35_no_small_count_follows_from_two_others(whole: int, small: int) -> None:
    told = {coarse(whole + each).size - coarse(whole).size for each in range(-2, 3)} | {coarse(whole + small).size - coarse(whole).size}
    assert told <= {-5, 0, 5}


def test_those_who_run_the_school_see_the_count() -> None:
    assert (exact(1234).words, exact(1234).size) == ("1,234", 1234)

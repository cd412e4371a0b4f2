"""Words and name keys."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.text.confusables import fold
from moderator.text.normalise import normalise
from moderator.text.tokens import name_key, words


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_words_lie_in_order_inside_any_text(text: str) -> None:
    found = words(text)
    assert all(word.key and 0 <= word.start < word.end <= len(text) for word in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Siobhán O’Brien-Walsh's class", ["siobhan", "obrien", "walsh", "class"]),
        ("D'Souza, JONES", ["dsouza", "jones"]),
        ("#SarahBegum_7", ["sarahbegum"]),
        ("\u02b3\u02b3\u02b3 12 !", ["r"]),
    ],
)
def test_words_carry_the_form_names_are_compared_by(text: str, keys: list[str]) -> None:
    assert [word.key for word in words(text)] == keys


def test_a_possessive_is_left_out_of_the_span() -> None:
    word = words("Begum's")[0]
    assert (word.start, word.end, word.key) == (0, 5, "begum")


def test_letters_that_fold_to_nothing_are_no_word() -> None:
    assert words("\u3164 \uffa0") == []


def test_a_name_key_joins_hyphens_by_a_space() -> None:
    assert name_key("  Al-Amín ! ") == "al amin"


def test_formatting_characters_fold_to_nothing() -> None:
    assert fold("\xad") == fold("\u2060") == ""


def test_a_word_with_digits_and_drawn_out_letters_is_read() -> None:
    assert normalise("y0uuu said th4ttt") == "you said that"

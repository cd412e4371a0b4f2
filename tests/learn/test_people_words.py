"""Cutting a text as given into tokens, telling how it uses capitals, and the key of a word."""
# ruff: noqa: RUF001 - curly apostrophes and other scripts are what is tested

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.learn.people.words import Case, cut, key_of


def test_a_text_is_cut_where_people_would_cut_it() -> None:
    one = cut("Mrs. O'Brien's mum, J. Kay-Jones & @Mr.Patel #Justice4Kayden won't… see www.example.org/x 😀😀")
    assert one.forms == [
        "Mrs.", "O'Brien", "'s", "mum", ",", "J.", "Kay-Jones", "&", "@Mr.Patel", "#Justice4Kayden", "won't", "…", "see",
        "www.example.org/x", "😀😀",
    ]  # fmt: skip
    assert one.tagged


def test_a_full_stop_at_the_end_of_a_sentence_is_no_part_of_its_last_word() -> None:
    assert cut("Thanks, I. Then dr. Okafor left.").forms == ["Thanks", ",", "I", ".", "Then", "dr.", "Okafor", "left", "."]


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("Well done Jessica", Case.USUAL),
        ("Well done jessica. Great stuff, I'm glad", Case.SPARSE),
        ("well done jessica, i'm glad", Case.NONE),
        ("WELL DONE JESSICA", Case.NONE),
        ("this is NOT on", Case.SPARSE),
        ("@KaydenM well done", Case.NONE),
        ("", Case.NONE),
        ("!!! 😀", Case.NONE),
    ],
)
def test_how_a_text_uses_capitals(text: str, case: Case) -> None:
    assert cut(text).case is case


def test_a_text_that_shouts_is_read_in_lower_case() -> None:
    assert cut("KAYDEN IS HERE @KaydenM").forms == ["kayden", "is", "here", "@KaydenM"]


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("Zoë", "zoe"), ("ŁUKASZ", "lukasz"), ("Işıl", "isil"), ("O’Brien", "o'brien"), ("Mrs.", "mrs"), ("Y10", "y0"), ("@KaydenM", "@x"),
        ("#Kayden", "#x"), ("https://example.org", "//"), ("Kay\u200bden", "kayden"), ("\u200b", "?"), ("@", "@"), ("", "?"),
    ],
)  # fmt: skip
def test_keys_undo_case_accents_and_disguise(form: str, key: str) -> None:
    assert key_of(form) == key


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_unicode_can_be_cut_and_tokens_lie_in_order_where_they_stand(text: str) -> None:
    one = cut(text)
    last = 0
    for form, start, end in zip(one.forms, one.starts, one.ends, strict=True):
        assert last <= start < end
        assert form in {text[start:end], text[start:end].lower()}
        assert key_of(form)
        last = end


def test_remembered_forms_are_forgotten_when_there_are_too_many() -> None:
    for number in range(50_010):
        cut(f"word{number}")
    assert cut("Well done Jessica").case is Case.USUAL

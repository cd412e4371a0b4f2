"""Names inside handles and hashtags."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.learn.people.clusters import Usage
from moderator.learn.people.gazetteer import build_lexicon
from moderator.learn.people.lexicon import Lexicon
from moderator.learn.people.tags import tag_names

FIRST = {"анна": 5.0, "kayden": 9000.0, "aisha": 9000.0, "grace": 90000.0, "callum": 90000.0}
LAST = {"patel": 300.0, "morris": 100.0, "okafor": 10.0, "march": 20.0}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return build_lexicon(FIRST, LAST, Usage({"grace": 1, "march": 2}, {"team": 1}, np.zeros((2, 3), np.uint16)))


@pytest.mark.parametrize(
    ("tag", "name", "whole"),
    [
        ("@MrPatelMaths", "MrPatel", False),
        ("@mrs_okafor", "mrs_okafor", False),
        ("@mrpatel01", "mrpatel", False),
        ("#MISSPATEL", "MISSPATEL", False),
        ("#Justice4Kayden", "Kayden", False),
        ("#JusticeForAisha", "Aisha", False),
        ("#HappyBirthdayAisha", "Aisha", False),
        ("#KaydenIsReady", "Kayden", False),
        ("@kayden_m", "kayden_m", False),
        ("@aisha.k09", "aisha.k", False),
        ("#justiceforkayden", "kayden", False),
        ("#justice4callum", "callum", False),
        ("#TeamAisha", "Aisha", False),
        ("#KaydenMorris", "KaydenMorris", True),
        ("@kayden_morris09", "kayden_morris", True),
        ("#kaydenmorris", "kaydenmorris", True),
        ("@CallumOkaforFC", "CallumOkafor", True),
    ],
)
def test_names_in_tags_are_found(lexicon: Lexicon, tag: str, name: str, *, whole: bool) -> None:
    (found,) = tag_names(tag, lexicon)
    assert (tag[found.start : found.end], found.whole) == (name, whole)
    assert (" " in found.key) is whole


@pytest.mark.parametrize(
    "tag",
    [
        *("@yorkshirelive", "#SaveOurSchool", "#grace", "#amazinggrace", "#savegrace", "@OakfieldAcademy", "#GraceMarch", "@missyou"),
        *("#x", "#", "@", "#2024", "#ThankYou", "@MrB", "#misspelling"),
    ],
)
def test_tags_without_a_name_hold_nobody(lexicon: Lexicon, tag: str) -> None:
    assert tag_names(tag, lexicon) == []


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_tag_can_be_looked_at(text: str) -> None:
    lexicon = build_lexicon(FIRST, LAST, Usage({}, {}, np.zeros((2, 3), np.uint16)))
    for found in tag_names("#" + text, lexicon):
        assert 0 < found.start < found.end <= len(text) + 1

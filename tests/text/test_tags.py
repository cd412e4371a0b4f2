"""Hashtags and handles as words."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.text.tags import tag_words


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("#SackMrPatel", "sack mr patel"),
        ("#sackmrpatel", "sack mr patel"),
        ("#justice4kayden", "justice for kayden"),
        ("#Back2School", "back to school"),
        ("@MrPatelMaths", "mr patel maths"),
        ("@jo_bloggs_07", "jo bloggs 07"),
        ("#Y7Trip", "y7 trip"),
        ("#KS2SATs", "ks2 sats"),
        ("#Year4trip", "year 4 trip"),
        ("#BlackHistoryMonth2024", "black history month 2024"),
        ("#NHSHeroes", "nhs heroes"),
        ("#b1tch", "bitch"),
        ("#1", "1"),
        ("#2", "2"),
        ("#спасибо", "спасибо"),
        ("#Çâké", "cake"),
        ("#qzxvkj", "qzxvkj"),
        ("#\ufb01ne", "\ufb01ne"),
        ("#donatoin", "donatoin"),
        ("#", ""),
    ],
)
def test_a_tag_is_its_words(tag: str, meant: str) -> None:
    assert " ".join(word for _, _, word in tag_words(tag)) == meant


def test_words_say_where_in_the_tag_they_stand() -> None:
    assert tag_words("#sackMrPatel") == [(1, 5, "sack"), (5, 7, "mr"), (7, 12, "patel")]
    assert tag_words("#justice4kayden") == [(1, 8, "justice"), (8, 9, "for"), (9, 15, "kayden")]


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_words_of_any_tag_lie_in_order_inside_it(tag: str) -> None:
    found = tag_words(tag)
    assert all(0 <= start < end <= len(tag) and word for start, end, word in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))

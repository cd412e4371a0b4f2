"""The law as a hint: every ground that has one, none that says it is advice, and few enough to be read."""

import pytest

from moderator.domain import law
from moderator.domain.law import hints, together
from moderator.domain.score import Guard, Label

GROUNDS = (*(each.value for each in (*Label, *Guard)), "name", "pii")


@pytest.mark.parametrize(
    ("ground", "act"),
    [
        ("threat", "Online Safety Act 2023, section 181"),
        ("harassment", "Protection from Harassment Act 1997"),
        ("identity_attack", "Public Order Act 1986"),
        ("accused_teacher", "Education Act 2002, section 141F"),
        ("sexual", "Sexual Offences Act 2003, sections 66A and 66B"),
        ("insult", "Malicious Communications Act 1988, section 1"),
        ("crisis", "Keeping Children Safe in Education"),
        ("disclosure", "Keeping Children Safe in Education"),
        ("pii", "UK GDPR"),
        ("name", "UK GDPR"),
        ("indecent_image", "Protection of Children Act 1978"),
        ("whistleblowing", "Employment Rights Act 1996"),
    ],
)
def test_each_ground_names_its_act(ground: str, act: str) -> None:
    (hint,) = hints((ground,))
    assert act in hint


def test_swearing_complaints_and_the_unknown_have_none() -> None:
    assert hints(("profanity", "complaint", "unheard_of")) == ()


def test_the_gravest_comes_first_and_alone() -> None:
    assert hints(GROUNDS) == hints(("indecent_image", "crisis"))
    assert len(hints(GROUNDS)) == 2
    assert "section 181" in hints(("insult", "threat"))[0]


def test_a_hint_stands_once_and_there_are_few() -> None:
    assert len(hints(("abusive", "insult"))) == 1
    assert len(hints(each.value for each in Label)) == law.MOST
    assert together(((), ("insult",), ("threat", "insult"), ("harassment", "sexual"))) == (
        *hints(("insult",)),
        *hints(("threat",)),
        *hints(("harassment",)),
    )


def test_a_hint_is_one_or_two_short_sentences_that_judge_nobody() -> None:
    for ground in GROUNDS:
        for hint in hints((ground,)):
            assert len(hint) < 200, hint
            assert not any(word in hint.lower() for word in ("guilty", "this author", "you should", "they have committed")), hint
    assert law.BESIDE == "The law is for people to apply: this is a hint, not advice."

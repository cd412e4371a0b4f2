"""Whose name it is: cues round a name, well-known names, places, whole names and lone ones; and how all finders come together."""
# ruff: noqa: RUF001 - curly apostrophes

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.policy import Policy, decide
from moderator.domain.score import Label, PersonKind, PersonSpan, Score
from moderator.learn.names import people
from moderator.learn.people.tagger import Mention
from moderator.learn.people.tiers import is_place, is_public, tier


def mention(text: str, name: str, *, whole: bool | None = None, known: bool = False) -> Mention:
    start = text.index(name)
    return Mention(start, start + len(name), 0.9, " " in name if whole is None else whole, known)


def one(text: str, name: str) -> PersonSpan:
    (person,) = people(text, [mention(text, name)])
    assert text[person.start : person.end] == person.text
    return person


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("Kayden in year 9 did it", "Kayden", PersonKind.PUPIL),
        ("kayleigh in yr9 did it", "kayleigh", PersonKind.PUPIL),
        ("my son Kofi was upset", "Kofi", PersonKind.PUPIL),
        ("my son’s friend Tomasz was there", "Tomasz", PersonKind.PUPIL),
        ("Zuzanna in my daughter's class", "Zuzanna", PersonKind.PUPIL),
        ("Aisha’s mum came to the gate", "Aisha", PersonKind.PUPIL),
        ("so Callum was excluded for that", "Callum", PersonKind.PUPIL),
        ("Oleksandra teaches maths", "Oleksandra", PersonKind.STAFF),
        ("the caretaker Winston fixed it", "Winston", PersonKind.STAFF),
        ("Coach Imran made them run", "Coach Imran", PersonKind.STAFF),
        ("ask Craig the site manager", "Craig", PersonKind.STAFF),
        ("his dad Steve parked there", "Steve", PersonKind.PARENT),
        ("Lorna's son parked there", "Lorna", PersonKind.PARENT),
        ("chair of governors Cath said so", "Cath", PersonKind.GOVERNOR),
        ("Cllr Bagshaw said so", "Cllr Bagshaw", PersonKind.GOVERNOR),
        ("Father Doyle said so", "Father Doyle", PersonKind.OTHER),
        ("watch out for Shaun", "Shaun", PersonKind.OTHER),
        ("Shaun lied to everybody", "Shaun", PersonKind.OTHER),
        ("Shaun is a liar", "Shaun", PersonKind.OTHER),
        ("#Justice4Dylan now", "Dylan", PersonKind.OTHER),
    ],
)
def test_r20_the_words_round_a_name_say_whose_it_is(text: str, name: str, kind: PersonKind) -> None:
    person = one(text, name)
    assert (person.kind, person.strong) == (kind, True)


@pytest.mark.parametrize(
    "text", ["Kayden Morris came", "well done jessica bright", "T. Adeleke said it late on", "@school Priya Shah here"]
)
def test_r20_a_whole_name_on_a_schools_page_is_somebody_connected_with_it(text: str) -> None:
    name = {"K": "Kayden Morris", "w": "jessica bright", "T": "T. Adeleke", "@": "Priya Shah"}[text[0]]
    person = one(text, name)
    assert (person.kind, person.source, person.strong) == (PersonKind.OTHER, "tagger", True)


@pytest.mark.parametrize("text", ["I saw Jessica today", "thanks Jessica", "well done Jessica!", "Jessica said no"])
def test_r6_a_lone_first_name_without_a_cue_is_no_ground(text: str) -> None:
    person = one(text, "Jessica")
    assert (person.kind, person.strong) == (PersonKind.UNKNOWN, False)
    score = Score(dict.fromkeys(Label, 0.0), "test", people=(person,))
    assert decide(score, Policy.bundled()).outcome.value == "clear"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Harry Kane came to the school", "Harry Kane"),
        ("harry kane came", "harry kane"),
        ("the Macbeth trip", "Macbeth"),
        ("J.K. Rowling was dull", "J.K. Rowling"),
        ("Curley’s wife again", "Curley’s wife"),
        ("Sir David Attenborough narrates", "Sir David Attenborough"),
        ("Mr Twit has a beard", "Mr Twit"),
        ("so Mr Bean is on", "Mr Bean"),
    ],
)
def test_well_known_people_and_characters_are_public(text: str, name: str) -> None:
    assert one(text, name).kind is PersonKind.PUBLIC


def test_a_whole_name_that_public_text_often_speaks_of_is_public_unless_a_cue_says_otherwise() -> None:
    text = "Jo Fictional came"
    assert people(text, [mention(text, "Jo Fictional", known=True)])[0].kind is PersonKind.PUBLIC
    text = "my son Jo Fictional came"
    assert people(text, [mention(text, "Jo Fictional", known=True)])[0].kind is PersonKind.PUPIL


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("parked on Charlotte Street", "Charlotte"),
        ("St Mary's is full", "Mary"),
        ("st. mary's is full", "mary"),
        ("the Grace Academy bus", "Grace"),
        ("on charlotte street again", "charlotte"),
    ],
)
def test_places_schools_and_saints_are_nobody(text: str, name: str) -> None:
    assert people(text, [mention(text, name)]) == ()


def test_a_name_before_an_everyday_word_is_no_place() -> None:
    text = "Charlotte street dances"
    assert not is_place(text, 0, 9)
    assert not is_place("Charlotte", 0, 9)


def test_a_title_inside_a_mention_makes_it_staff_and_a_titled_name_grows_with_its_mention() -> None:
    assert one("so miss begum left", "miss begum").kind is PersonKind.STAFF
    text = "Mrs Begum Clarke left"
    (person,) = people(text, [mention(text, "Begum Clarke")])
    assert (person.text, person.kind, person.source) == ("Mrs Begum Clarke", PersonKind.STAFF, "honorific")


def test_a_knight_of_two_names_is_no_teacher() -> None:
    text = "the portrait of Sir Clive Thwaite"
    assert [p.kind for p in people(text, [mention(text, "Sir Clive Thwaite")])] == [PersonKind.OTHER]
    text = "as Mr Peter Parker said"
    assert [p.kind for p in people(text, [mention(text, "Peter Parker")])] == [PersonKind.STAFF]


def test_handles_and_hashtags() -> None:
    text = "@MrPatelMaths is off"
    assert [(p.text, p.kind) for p in people(text, [mention(text, "MrPatel")])] == [("MrPatel", PersonKind.STAFF)]
    text = "#MrBean was on"
    assert people(text, [mention(text, "MrBean")])[0].kind is PersonKind.PUBLIC
    text = "@KaydenMorris hello"
    person = people(text, [mention(text, "KaydenMorris", whole=True)])[0]
    assert (person.kind, person.strong) == (PersonKind.UNKNOWN, False)
    assert people(text, [mention(text, "KaydenMorris", whole=True, known=True)])[0].kind is PersonKind.PUBLIC
    text = "#KaydenMorris"
    assert people(text, [mention(text, "KaydenMorris", whole=True)])[0].kind is PersonKind.OTHER


def roll(text: str, name: str, *, strong: bool) -> PersonSpan:
    start = text.index(name)
    return PersonSpan(start, start + len(name), name, PersonKind.PUPIL, "roll", "p1", strong)


def test_r20_the_roll_wins_over_title_and_tagger() -> None:
    text = "Mr Okafor and Kayden Morris and Harry Kane"
    on_roll = [roll(text, "Mr Okafor", strong=True), roll(text, "Harry Kane", strong=True)]
    found = people(text, [mention(text, "Kayden Morris"), mention(text, "Harry Kane")], on_roll)
    assert [(p.text, p.source) for p in found] == [("Mr Okafor", "roll"), ("Kayden Morris", "tagger"), ("Harry Kane", "roll")]


def test_a_first_name_on_the_roll_stays_weak_until_something_says_whose_it_is() -> None:
    text = "I saw Kayden today"
    weak = roll(text, "Kayden", strong=False)
    assert people(text, [], [weak]) == (weak,)
    assert people(text, [mention(text, "Kayden")], [weak]) == (weak,)
    text = "Kayden is a liar"
    (person,) = people(text, [mention(text, "Kayden")], [roll(text, "Kayden", strong=False)])
    assert (person.kind, person.source, person.strong) == (PersonKind.PUPIL, "tagger", True)
    text = "Harry Kane came"
    (person,) = people(text, [mention(text, "Harry Kane")], [roll(text, "Harry", strong=False)])
    assert person.kind is PersonKind.PUBLIC


def test_public_names_are_known_in_any_writing() -> None:
    assert is_public("BEYONCÉ") or not is_public("BEYONCÉ Smith")
    assert is_public("King  Charles")
    assert not is_public("")
    assert not is_public("Kayden Morris")


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80), st.data())
def test_any_text_can_be_looked_at(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    tier(text, start, end, whole=data.draw(st.booleans()))
    spans = people(text, [Mention(start, end, 0.5)] if end > start else [])
    for before, after in pairwise(spans):
        assert before.end <= after.start
    assert all(text[span.start : span.end] == span.text for span in spans)


@pytest.mark.parametrize(
    "text", ["Kayden in 9B nicked it", "kayden from 10xy is here", "Aisha 7C lost her bag", "9B's Kayden won it", "Malachy P5 has a gecko"]
)
def test_r20_a_class_makes_somebody_a_pupil(text: str) -> None:
    name = next(name for name in ("Kayden", "kayden", "Aisha", "Malachy") if name in text)
    start = text.index(name)
    assert tier(text, start, start + len(name)).kind is PersonKind.PUPIL


@pytest.mark.parametrize(
    "text", ["Sam ran a 5k", "Sam at 9am please", "Sam 3rd in the sack race", "Sam is 10p short", "Sam and the 2d printer"]
)
def test_a_number_with_a_unit_is_no_class(text: str) -> None:
    assert tier(text, 0, 3).kind is PersonKind.UNKNOWN

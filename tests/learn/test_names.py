"""People named with a title: who is found, as whom, and what only looks like a name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.score import PersonKind
from moderator.learn.names import titled


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I asked Mr Smith twice", "Mr Smith"),
        ("Mrs. O'Brien's class", "Mrs. O'Brien"),
        ("thanks Miss Begum!", "Miss Begum"),
        ("Ms Kowalska-Jones is off", "Ms Kowalska-Jones"),
        ("Dr Okafor rang", "Dr Okafor"),
        ("DR OKAFOR RANG", "DR OKAFOR"),
        ("Headteacher Jones spoke", "Headteacher Jones"),
        ("was told by mr patel today", "mr patel"),
        ("taught by miss begum", "miss begum"),
        ("Miss B is great", "Miss B"),
        ("Mr J. Adeyemi left", "Mr J. Adeyemi"),
        ("Mx Nguyen", "Mx Nguyen"),
        ("Mrs Łukaszewska", "Mrs Łukaszewska"),
    ],
)
def test_r20_a_titled_name_on_a_schools_page_is_staff(text: str, name: str) -> None:
    (person,) = titled(text)
    assert (person.text, person.kind, person.source) == (name, PersonKind.STAFF, "honorific")
    assert text[person.start : person.end] == name


@pytest.mark.parametrize(
    "text",
    ["Mr Bean was on", "love Mr Beast", "Dr Who night", "King Charles waved", "Prince William came", "Sir Keir spoke", "Mr Men books"],
)
def test_public_figures_and_made_up_people_are_public(text: str) -> None:
    assert {person.kind for person in titled(text)} == {PersonKind.PUBLIC}


@pytest.mark.parametrize(
    "text",
    [
        "I miss school",
        "Miss you all",
        "don't miss the deadline",
        "MISS YOU LOADS",
        "we had to miss assembly",
        "Dr appointment at nine",
        "yes sir we can",
        "Sir is great",
        "the head is out",
        "the head of year",
        "father and sister came",
        "Mr and Mrs were there",
        "ms paint",
        "@MrSmithFan hello",
        "",
        "Miss I need help",
    ],
)
def test_what_only_looks_like_a_titled_name_is_nobody(text: str) -> None:
    assert titled(text) == ()


def test_several_people_come_in_order() -> None:
    assert [person.text for person in titled("Mr Hughes and Mrs Farah, with King Charles")] == ["Mr Hughes", "Mrs Farah", "King Charles"]


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_looked_at(text: str) -> None:
    for person in titled("Mr " + text):
        assert ("Mr " + text)[person.start : person.end] == person.text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("shout out Sir Adeyemi", PersonKind.STAFF),
        ("so Sir David was on", PersonKind.PUBLIC),
        ("Mrs Fox sewed them all", PersonKind.STAFF),
        ("even Mr Toad was there", PersonKind.PUBLIC),
        ("Father Doyle came", PersonKind.OTHER),
    ],
)
def test_r20_who_carries_a_title(text: str, kind: PersonKind) -> None:
    assert [person.kind for person in titled(text)] == [kind]


def test_a_role_before_a_title_makes_one_person() -> None:
    assert [person.text for person in titled("Nurse Lady Brown came")] == ["Nurse Lady"]

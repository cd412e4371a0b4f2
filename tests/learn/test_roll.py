"""The roll: read with errors by row, kept as keyed digests, matched in every form a comment may use."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.roll import PART, RollMatcher, roll_tokens
from moderator.learn.rollfile import read_roll

KEY = b"k" * 32
PUPIL = RollEntry("P1", PersonKind.PUPIL, "Siobhán", "O'Brien", known_as="Shiv")
STAFF = RollEntry("S1", PersonKind.STAFF, "Amina", "Begum", title="Mrs")
LONG = RollEntry("P2", PersonKind.PUPIL, "Ana Maria", "de Souza-Lima")
ONLY = RollEntry("O1", PersonKind.OTHER, "", "Oakfield")


def _matcher(*entries: RollEntry) -> RollMatcher:
    return RollMatcher([token for entry in entries for token in roll_tokens(entry, KEY)], KEY)


MATCHER = _matcher(PUPIL, STAFF, LONG, ONLY)


@pytest.mark.parametrize(
    ("text", "found", "reference"),
    [
        ("saw Siobhán O'Brien today", "Siobhán O'Brien", "P1"),
        ("saw siobhan obrien today", "siobhan obrien", "P1"),
        ("SIOBHAN O’BRIEN", "SIOBHAN O’BRIEN", "P1"),
        ("O'Brien, Siobhan", "O'Brien, Siobhan", "P1"),
        ("S. O'Brien did it", "S. O'Brien", "P1"),
        ("S O'Brien's bag", "S O'Brien", "P1"),
        ("Shiv O'Brien", "Shiv O'Brien", "P1"),
        ("#SiobhanOBrien", "SiobhanOBrien", "P1"),
        ("@siobhan_obrien lol", "siobhan_obrien", "P1"),
        ("@siobhanobrien99", "siobhanobrien", "P1"),
        ("Siоbhan O'Brien", "Siоbhan O'Brien", "P1"),
        ("Mrs Begum", "Mrs Begum", "S1"),
        ("miss begum", "miss begum", "S1"),
        ("Mrs A Begum", "Mrs A Begum", "S1"),
        ("Amina Begum's lesson", "Amina Begum", "S1"),
        ("Ana Maria de Souza-Lima", "Ana Maria de Souza-Lima", "P2"),
        ("Ana de Souza Lima", "Ana de Souza Lima", "P2"),
    ],
)
def test_r20_every_form_of_a_name_on_the_roll_is_found(text: str, found: str, reference: str) -> None:
    (person,) = MATCHER.find(text)
    assert (person.text, person.reference, person.source, person.strong) == (found, reference, "roll", True)
    assert text[person.start : person.end] == found


@pytest.mark.parametrize("text", ["Siobhan is lovely", "shiv!", "well done amina"])
def test_a_lone_first_name_is_weak_evidence(text: str) -> None:
    (person,) = MATCHER.find(text)
    assert not person.strong


@pytest.mark.parametrize(
    "text",
    [
        "Begum",
        "the O'Briens",
        "Amina. Begum!! no",
        "Amina went out and Begum stayed",
        "Mr O'Brien was a pupil? no",
        "",
        "great match",
        "Maria",
    ],
)
def test_parts_apart_and_surnames_alone_are_no_strong_match(text: str) -> None:
    assert not [person for person in MATCHER.find(text) if person.strong and person.reference != "S1"]


def test_a_form_that_two_people_share_names_neither() -> None:
    twin = RollEntry("S2", PersonKind.STAFF, "Siobhan", "O'Brien")
    (person,) = _matcher(PUPIL, twin).find("Siobhan O'Brien")
    assert (person.kind, person.reference, person.strong) == (PersonKind.PUPIL, "", True)


def test_a_shared_form_is_strong_if_it_is_for_either() -> None:
    (person,) = _matcher(RollEntry("P3", PersonKind.PUPIL, "Oakfield", ""), RollEntry("S4", PersonKind.STAFF, "Oak", "Field")).find(
        "oakfield"
    )
    assert person.strong
    assert person.kind is PersonKind.STAFF


def test_r29_tokens_hold_no_name_and_need_the_key() -> None:
    tokens = roll_tokens(PUPIL, KEY)
    assert not any("brien" in repr(token).lower() for token in tokens)
    assert RollMatcher(tokens, b"another key").find("Siobhan O'Brien") == ()
    assert {token.words for token in tokens} == {PART, 1, 2}
    assert len(roll_tokens(PUPIL, KEY)) == len({(token.digest, token.words) for token in tokens})


def test_most_texts_need_no_look_and_common_words_are_remembered() -> None:
    assert not MATCHER.worth_a_look(["what", "a", "great", "match", "today"])
    assert MATCHER.worth_a_look(["begums"])
    small = _matcher(STAFF)
    small._seen = dict.fromkeys(map(str, range(200_000)), False)  # noqa: SLF001 - a memory that is full
    assert small.worth_a_look(["begum"])
    assert len(small._seen) == 1  # noqa: SLF001 - it was emptied


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_matched(text: str) -> None:
    for person in MATCHER.find(f"Amina Begum {text} amina begum"):
        assert 0 <= person.start < person.end <= len(text) + 24


def test_a_roll_is_read_by_tolerant_headers() -> None:
    text = "\ufeffUPN,Type,Forename,Surname,Title,Preferred Name\nU1,Student,Zofia,Nowak,,Zosia\n,Teacher,Gethin,Pritchard,Mr,\n"
    entries, wrong = read_roll(text)
    assert not wrong
    assert entries == [
        RollEntry("U1", PersonKind.PUPIL, "Zofia", "Nowak", "", "Zosia"),
        RollEntry("line-3", PersonKind.STAFF, "Gethin", "Pritchard", "Mr", ""),
    ]


def test_whole_names_are_split_either_way_round() -> None:
    entries, wrong = read_roll('name,kind\n"Nowak, Zofia",pupil\nAna Maria Costa,parent\nOakfield,other\n')
    assert not wrong
    assert [(entry.first_name, entry.last_name) for entry in entries] == [("Zofia", "Nowak"), ("Ana Maria", "Costa"), ("Oakfield", "")]


def test_errors_are_told_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.write_text("first_name,last_name,kind\nZofia,Nowak,pupil\n,,pupil\nIan,Grant,pirate\n", encoding="utf-8")
    entries, wrong = read_roll(path)
    assert len(entries) == 1
    assert set(wrong) == {3, 4}
    assert "no name" in wrong[3]
    assert "pirate" in wrong[4]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'first_name,last_name\n"broken'])
def test_a_roll_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"header line|not valid CSV"):
        read_roll(text)


def test_a_roll_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_roll(tmp_path / "none.csv")

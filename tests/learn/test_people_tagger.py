"""The tagger that ships, on texts of a school's page: who is found, who is not, and that company changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.learn.load import bundled
from moderator.learn.people import scorer
from moderator.learn.people.tagger import Mention, PersonTagger


@pytest.fixture(scope="module")
def tagger() -> PersonTagger:
    return PersonTagger.load(bundled())


NAMED = [
    ("I asked Mrs Begum twice and nobody rang", "Begum"),
    ("thanks to miss o'connor for the lovely assembly", "o'connor"),
    ("Headteacher Mr Daniel Achterberg is leaving", "Achterberg"),
    ("Kayden Morris is a liar", "Kayden Morris"),
    ("well done jessica bright", "jessica bright"),
    ("kayleigh in yr 9 hit my daughter again", "kayleigh"),
    ("KAYLEIGH IS A BULLY AND EVERYONE KNOWS", "KAYLEIGH"),
    ("my son's friend Tomasz was there too", "Tomasz"),
    ("Well done Zuzanna Wójcik, brilliant result", "Zuzanna Wójcik"),
    ("Chidera Okonkwo scored twice", "Chidera Okonkwo"),
    ("Abdirahman Warsame's mum told us", "Abdirahman Warsame"),
    ("Ioana Popescu got the lead role", "Ioana Popescu"),
    ("so proud of Xiuying Zhang and the choir", "Xiuying Zhang"),
    ("Harpreet Gill won the spelling bee", "Harpreet Gill"),
    ("what has J. Okafor ever done for that school", "Okafor"),
    ("#Justice4Kayden", "Kayden"),
    ("ask @MrPatelMaths about it", "MrPatel"),
    ("Siobhán and Niamh were brilliant", "Niamh"),
    ("Angharad Llewellyn sang at the eisteddfod", "Angharad Llewellyn"),
    ("has anyone seen Grace from year 6?", "Grace"),
]

UNNAMED = [
    "Will the hall be open on Saturday in May?",
    "Mark my words, this will end badly",
    "the rose garden looks lovely this summer",
    "May I ask when the bus comes",
    "we rose early for the march",
    "fill in the form and mark it urgent",
    "Hope everyone had a good half term",
    "joy for all the kids at the fair",
    "Spend a penny before the trip please",
    "the bill for uniform is a joke",
    "A robin in the playground!",
    "An ivy wall and a holly bush",
    "will it rain on sports day",
    "Please can somebody answer the phone",
    "",
    "😀😀😀",
    "!!! ???",
    "#ThankYouTeachers",
    "@OakfieldPrimary thank you",
    "miss you all",
]


@pytest.mark.parametrize(("text", "name"), NAMED)
def test_r20_people_of_a_school_are_found_whatever_their_origin_and_however_written(tagger: PersonTagger, text: str, name: str) -> None:
    start = text.index(name)
    assert any(one.start <= start and one.end >= start + len(name) for one in tagger.find([text])[0])


@pytest.mark.parametrize("text", UNNAMED)
def test_words_that_are_also_names_are_nobody(tagger: PersonTagger, text: str) -> None:
    assert tagger.find([text]) == [[]]


def test_a_mention_says_how_sure_it_is_and_leaves_out_marks_and_possessives(tagger: PersonTagger) -> None:
    text = "Thanks to Kayden Morris's mum and Mrs B."
    first, second = tagger.find([text])[0]
    assert text[first.start : first.end] == "Kayden Morris"
    assert first.whole
    assert 0.5 <= first.chance <= 1
    assert text[second.start : second.end].endswith("B")
    assert not second.whole


def test_a_title_alone_is_nobody_and_doubt_lies_between_nought_and_one(tagger: PersonTagger) -> None:
    for found in tagger.look([text for text, _ in NAMED] + UNNAMED):
        assert 0 <= found.doubt <= 1
    assert tagger.look([""])[0].doubt == 0
    assert tagger.find(["send it back, wrong colour miss"]) == [[]]


def test_the_same_text_gets_the_same_answer_alone_in_any_company_and_again(tagger: PersonTagger) -> None:
    texts = [text for text, _ in NAMED] + UNNAMED
    together = tagger.look(texts)
    assert [tagger.look([text])[0] for text in texts] == together
    assert tagger.look(texts[::-1])[::-1] == together
    many = tagger.look(texts * 30)
    assert many[: len(texts)] == together
    assert many[-len(texts) :] == together
    assert tagger.look([]) == []


def test_forgetting_what_was_worked_out_changes_nothing(tagger: PersonTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for text, _ in NAMED]
    before = tagger.look(texts)
    monkeypatch.setattr(scorer, "_REMEMBERED_AT_MOST", 10)
    monkeypatch.setattr(scorer, "_ROOM", 4)
    assert [tagger.look([text])[0] for text in texts] == before


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet=st.characters(), max_size=80), max_size=6))
def test_any_unicode_can_be_looked_at_and_mentions_lie_in_order(texts: list[str]) -> None:
    for text, mentions in zip(texts, _TAGGER.find(texts), strict=True):
        last = 0
        for one in mentions:
            assert last <= one.start < one.end <= len(text)
            assert isinstance(one, Mention)
            last = one.end


_TAGGER = PersonTagger.load(bundled())


def test_hash_seed_and_threads_change_nothing() -> None:
    program = (
        "from moderator.learn.load import bundled\nfrom moderator.learn.people.tagger import PersonTagger\n"
        "print(PersonTagger.load(bundled()).look(['Kayden Morris and Aisha', 'thanks Mrs Begum', '#Justice4Kayden']))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
        ).stdout
        for seed, threads in (("0", "1"), ("1", "2"))
    }
    assert len(found) == 1


def test_a_very_long_text_takes_linear_time_and_room(tagger: PersonTagger) -> None:
    text = "Kayden Morris said no. " * 4_000
    mentions = tagger.find([text])[0]
    assert len(mentions) == 4_000
    assert np.unique([one.end - one.start for one in mentions]).tolist() == [13]

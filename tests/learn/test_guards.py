"""What must reach a person, and what only sounds like it. Invented and mild."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.score import Guard, PersonKind, PersonSpan
from moderator.learn.guards import RULES, guards
from moderator.text.normalise import normalise

MR_GRANT = PersonSpan(0, 8, "Mr Grant", PersonKind.STAFF, "honorific")


def _found(text: str, *people: PersonSpan) -> set[Guard]:
    return {hit.guard for hit in guards(normalise(text), people)}


@pytest.mark.parametrize(
    "text",
    [
        "my dad hits me when he is drunk",
        "My stepdad keeps hitting my little brother",
        "I'm scared to go home tonight",
        "I am being hurt by my uncle",
        "she doesn't feed me or my brother, she never feeds us",
        "he told me not to tell anyone",
        "my partner hits me in front of the kids",
        "I don't feel safe at home",
        "my mum locked me out again",
        "she is being forced to marry someone",
        "my mom's fine but my mum beats me",
        "they make me carry drugs for them",
    ],
)
def test_r15_a_disclosure_of_harm_is_found(text: str) -> None:
    assert Guard.DISCLOSURE in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "I want to die",
        "i wanna die",
        "I want to kill myself",
        "thinking of ending it all",
        "my son says he wants to die",
        "I've been cutting myself",
        "nobody would miss me",
        "everyone would be better off without me",
        "i cant go on any more",
        "there is no point in living",
        "i took a load of tablets",
        "she is suicidal and CAMHS will not see her",
        "I wish I was dead",
        "my phone died, I want to die lol",
        "Nobody would care if I was gone",
        "I just want it all to stop",
    ],
)
def test_r15_a_crisis_is_found_and_doubt_goes_to_a_person(text: str) -> None:
    assert Guard.CRISIS in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Staff have been told to change the attendance figures",
        "they covered it up",
        "I worked there for years and safeguarding was ignored",
        "the coach never had a DBS check",
        "teachers were falsifying the coursework marks",
        "the business manager is misusing school money",
    ],
)
def test_r16_whistleblowing_is_found(text: str) -> None:
    assert Guard.WHISTLEBLOWING in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The school ignored my emails about the bullying",
        "I have made a formal complaint",
        "my daughter has been bullied for two terms and nothing has been done",
        "no reply to any of my messages",
        "I want an apology from the head",
        "not happy with how my son was treated by the school",
        "the head should resign",
        "I will be going to Ofsted",
    ],
)
def test_r16_a_complaint_is_found(text: str) -> None:
    assert Guard.COMPLAINT in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "someone is sharing nudes of a girl in year 10",
        "he keeps asking me for pictures",
        "naked pics of a pupil going round",
        "boys in Y9 have leaked nudes in the group chat",
        "there are photos of kids in the changing rooms",
    ],
)
def test_r17_a_hint_at_an_indecent_image_is_found(text: str) -> None:
    assert Guard.INDECENT_IMAGE in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Mr Grant grabbed a pupil by the arm",
        "Mr Grant was suspended for shouting",
        "Mr Grant hit my son",
        "Mr Grant has been messaging girls",
    ],
)
def test_r19_a_named_teacher_with_an_allegation_is_found(text: str) -> None:
    assert Guard.ACCUSED_TEACHER in _found(text, MR_GRANT)


def test_r19_a_teacher_need_not_be_named() -> None:
    assert Guard.ACCUSED_TEACHER in _found("the PE teacher slapped my son")
    assert Guard.ACCUSED_TEACHER not in _found("a boy slapped my son")


@pytest.mark.parametrize(
    "text",
    [
        "Lovely concert, well done Year 5",
        "Hit me up if you want tickets",
        "this song hits me hard, my dad loves it",
        "My mum makes me laugh",
        "These cakes are to die for",
        "I nearly died laughing",
        "suicide prevention training is on Tuesday",
        "The match was murder on the knees",
        "my dad beats me at chess",
        "dead proud of my son",
        "Our dads group meets at six",
        "the ref blew the whistle too early",
        "uniform in nude or black tights, nude shoes are fine",
        "photos of the kids at sports day please",
        "the pictures from the trip are great",
        "Mr Grant hit a six in the staff match",
        "teacher of the year, well done",
        "the head hit the nail on the head",
        "I work in the kitchen, lovely place",
        "what time does it start?",
        "cover lessons again this week",
        "",
    ],
)
def test_what_only_sounds_like_it_needs_no_person(text: str) -> None:
    assert not _found(text, MR_GRANT)


def test_one_hit_a_guard_with_a_why_in_plain_english_that_points_at_the_words() -> None:
    text = normalise("Lovely day. I want to die. I want to die.")
    (hit,) = guards(text)
    assert text[hit.start : hit.end] == "i want to die"
    assert hit.why.endswith(".")


OWN_WORDS = sorted({word for rule in RULES for word in re.findall(r"[a-z]+", rule.find.pattern)} | {"me", "i", "my"})


@settings(deadline=None)
@given(st.lists(st.sampled_from(OWN_WORDS), max_size=12).map(" ".join))
def test_the_quick_look_never_hides_a_rule(text: str) -> None:
    hits = {rule.guard for rule in RULES if rule.hit(text, staff_named=True) is not None}
    assert {hit.guard for hit in guards(text, [MR_GRANT])} >= hits


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_looked_at(text: str) -> None:
    normalised = normalise(text)
    assert all(0 <= hit.start <= hit.end <= len(normalised) for hit in guards(normalised, [MR_GRANT]))

"""What must reach a person, and what only sounds like it. Invented and mild."""

import importlib
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, GuardHit, PersonKind, PersonSpan
from moderator.learn.guards import LEAST, guards, merged, rule, rules, trained
from moderator.text.normalise import normalise

_parser = importlib.import_module("re._parser")
"""The standard library's own reader of patterns; typed stubs do not know it."""

MR_GRANT = PersonSpan(0, 8, "Mr Grant", PersonKind.STAFF, "honorific")
RULES = rules().listed


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
        "mums boyfriend slapped me again last night",
        "please dont ring my dad, hell be so angry",
        "they kicked my son again at the bus stop and nobody helped",
        "he has bruises on his arms after his dads weekend",
        "I never told anyone what he did until now, I was eleven and scared of him",
        "a man keeps messaging my daughter and asking her to meet him alone",
        "what that priest did to us in that school",
        "i dont know who to tell",
        "we have no food in the house till friday",
        "nobody sits with me and they bark at me every day",
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
        "tell my mum I love her",
        "he left a note and his phone is off",
        "please someone call the police, hes outside our house",
        "she has sent us all goodbye messages",
        "this is my last post",
        "i dont trust myself tonight",
        "hes got a knife in his bag",
        "my brother went missing from school, last seen near the river",
        "whats the point in being here",
    ],
)
def test_r15_a_crisis_is_found_and_doubt_goes_to_a_person(text: str) -> None:
    assert Guard.CRISIS in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Staff have been told to change the attendance figures",
        "they covered it up and nobody asked",
        "I worked there for years and safeguarding was ignored",
        "the coach never had a DBS check",
        "teachers were falsifying the coursework marks",
        "the business manager is misusing school money",
        "I was told not to log concerns before the inspection",
        "fire doors are chained shut during exams",
        "I have kept copies of the emails and the council has been told",
        "pupils are being off rolled before the census",
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
        "detention for forgetting a pen, really?",
        "how is that fair on the kids who behave",
        "nobody told us parents until the day before",
        "we have no confidence in the governors",
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
        "lads are selling pics of a girl in my class",
        "they used an app that takes the clothes off photos",
        "my nephew is being blackmailed over a video he sent",
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
        "ask Mr Grant why he left his last school",
        "police have been about Mr Grant, he has been arrested",
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
        "can you send me the pics from sports day please",
        "the pictures from the trip are great",
        "Mr Grant hit a six in the staff match",
        "teacher of the year, well done",
        "the head hit the nail on the head",
        "I work in the kitchen, lovely place",
        "what time does it start?",
        "cover lessons again this week",
        "my sister nearly strangled me for borrowing her dress",
        "can't do this anymore knitting, take my needles",
        "county lines assembly was really good",
        "",
    ],
)
def test_what_only_sounds_like_it_needs_no_person(text: str) -> None:
    assert not _found(text, *([MR_GRANT] if "Grant" in text else []))


@pytest.mark.parametrize(
    "text",
    [
        "he hits me at night",
        "my dad hits me with a belt",
        "my dad hits me hard",
        "my mum beats me every night",
        "he nearly strangled me last night",
        "my brother beat me on my legs",
        "I cut myself at night",
        "I hurt myself because I hate it here",
        "I cut myself on purpose",
        "I want to be dead right now",
        "I want to die at school",
        "I want to end it all on Sunday",
        "I can't go on without my nan",
        "I keep thinking about suicide in my room",
    ],
)
def test_r15_a_harmless_reading_never_takes_back_a_cry_for_help(text: str) -> None:
    assert _found(text) & {Guard.DISCLOSURE, Guard.CRISIS}


def test_r15_what_speaks_against_a_wording_takes_back_only_that_wording() -> None:
    (hit,) = guards(normalise("my dad beats me at chess. my dad hits me when he is drunk."))
    assert hit.guard is Guard.DISCLOSURE
    assert hit.start > 20


def test_one_hit_a_guard_with_a_why_in_plain_english_that_points_at_the_words() -> None:
    text = normalise("Lovely day. I want to die. I want to die.")
    (hit,) = guards(text)
    assert text[hit.start : hit.end] == "i want to die"
    assert hit.why.endswith(".")
    assert hit.chance == 1.0


# The trained part.


def test_r15_the_trained_part_says_may_and_gives_its_chance() -> None:
    hits = trained({Guard.CRISIS: 0.4, Guard.DISCLOSURE: LEAST, Guard.COMPLAINT: LEAST / 2, Guard.INDECENT_IMAGE: 1.0001}, 30)
    assert [(hit.guard, hit.start, hit.end, hit.chance) for hit in hits] == [
        (Guard.DISCLOSURE, 0, 30, LEAST),
        (Guard.CRISIS, 0, 30, 0.4),
        (Guard.INDECENT_IMAGE, 0, 30, 1.0),
    ]


@pytest.mark.parametrize("guard", list(Guard))
def test_every_trained_guard_has_a_why(guard: Guard) -> None:
    (hit,) = trained({guard: 0.9}, 5)
    assert " may " in hit.why


def test_merged_hits_point_at_a_rules_words_with_the_highest_chance() -> None:
    found = GuardHit(Guard.CRISIS, 4, 9, "A rule.")
    both = merged((found,), trained({Guard.CRISIS: 0.4, Guard.DISCLOSURE: 0.6}, 20))
    assert [(hit.guard, hit.start, hit.chance) for hit in both] == [(Guard.DISCLOSURE, 0, 0.6), (Guard.CRISIS, 4, 1.0)]
    weak = GuardHit(Guard.CRISIS, 4, 9, "Weak.", 0.3)
    assert merged((weak,), trained({Guard.CRISIS: 0.4}, 20)) == (GuardHit(Guard.CRISIS, 4, 9, "Weak.", 0.4),)
    assert merged() == ()


# The rules as patterns.


def test_a_pattern_without_plain_words_to_be_found_by_is_refused() -> None:
    for pattern in ("anything", "<<two words>> here", "<<plural?s>>"):
        with pytest.raises(BadInput, match="a pattern of crisis has no"):
            rule(Guard.CRISIS, "Why.", pattern, {})


def test_gaps_and_fragments_are_written_out() -> None:
    made = rule(Guard.CRISIS, "Why.", "<who> ~ <<fell>> ~~ down", {"who": "(?:he|<them>)", "them": "they"})
    assert made.hit("they have all fell right off the step and down") is not None
    assert made.hit("they would never ever have fell down") is None
    assert made.words == {"fell"}


_KEYS = re.compile(r"\(\?:([a-z0-9|]+)\)")


def _passes_without(sequence: object) -> bool:
    """Return whether a parsed pattern can match and pass no NUL, which stands for the words it is found by: it would be missed."""
    for op, value in sequence:  # type: ignore[attr-defined]  # the standard library's own parser has no types
        name = str(op)
        if name == "SUBPATTERN" and not _passes_without(value[3]):
            return False
        if name == "BRANCH" and not any(_passes_without(branch) for branch in value[1]):
            return False
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"} and value[0] > 0 and not _passes_without(value[2]):
            return False
        if name == "LITERAL" and value == 0:
            return False
    return True


def test_the_quick_look_can_never_hide_a_rule() -> None:
    for each in RULES:
        mark = _KEYS.sub(lambda group, words=each.words: "\0" if words.issuperset(group[1].split("|")) else group[0], each.find)  # type: ignore[misc]  # a lambda with a default
        assert not _passes_without(_parser.parse(mark)), each.find


OWN_WORDS = sorted({word for each in RULES for word in re.findall(r"[a-z]+", each.find)})


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(OWN_WORDS), max_size=12).map(" ".join))
def test_the_quick_look_finds_what_every_rule_finds(text: str) -> None:
    hits = {each.guard for each in RULES if each.hit(text) is not None}
    assert {hit.guard for hit in guards(text, [MR_GRANT])} == hits


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_any_text_can_be_looked_at(text: str) -> None:
    normalised = normalise(text)
    assert all(0 <= hit.start <= hit.end <= len(normalised) for hit in guards(normalised, [MR_GRANT]))


def _words_at_random() -> str:
    chosen = random.Random(7)  # noqa: S311 - the same text on every run
    return " ".join(chosen.choice(OWN_WORDS) for _ in range(30_000))


LONG = {
    "every word of the rules": _words_at_random(),
    "one word": "x" * 100_000,
    "a word of the rules again and again": "my dad always " * 10_000,
    "beginnings without an end": "i really want to be the little old " * 4_000,
    "long words between": ("they " + "y" * 300 + " touched ") * 400,
    "staff and nothing else": "the teacher hit the the the " * 5_000,
    "pictures of nobody": "pics of a a a a young a a sending " * 4_000,
}


@pytest.mark.parametrize("name", LONG)
def test_time_is_linear_in_the_length_of_the_text(name: str) -> None:
    text = LONG[name][:100_000]
    guards(text)
    took = [_seconds(text[:length]) for length in (25_000, 100_000)]
    assert took[1] < max(8 * took[0], 0.5)
    assert took[1] < 10


def _seconds(text: str) -> float:
    begin = time.process_time()
    guards(text)
    return time.process_time() - begin

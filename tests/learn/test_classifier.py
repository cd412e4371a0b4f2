"""The whole assessor on the bundled model."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.decision import Outcome
from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Guard, Label, PersonKind
from moderator.learn.classifier import BATCH, Assessor, ConstantClassifier
from moderator.learn.explain import reasons
from moderator.learn.load import bundled
from moderator.learn.pii import personal_data
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.ports import Classifier
from moderator.text.normalise import align

SHARED = Assessor(bundled())
POLICY = Policy.bundled()


def _outcomes(texts: Sequence[str], classifier: Classifier = SHARED) -> list[Outcome]:
    return [decide(score, POLICY).outcome for score in classifier.score(texts)]


def test_a_threat_is_a_threat() -> None:
    (score,) = SHARED.score(["I will find out where you live and smash your face in"])
    assert score.labels[Label.THREAT] >= 0.5
    assert decide(score, POLICY).outcome is Outcome.HIDE


@pytest.mark.parametrize(
    "text", ["You are a useless idiot", "What a stupid fat cow you are", "u r all complete m0r0ns", "You absolute ＩＤＩＯＴ"]
)
def test_plain_insults_are_hidden_however_they_are_dressed(text: str) -> None:
    assert _outcomes([text]) == [Outcome.HIDE]


@pytest.mark.parametrize(
    "text",
    [
        "Our gay pride assembly was wonderful",
        "Jewish families at the school are welcome",
        "My son is autistic and loves the quiet room",
        "The Muslim parents brought food to share",
        "As a Black mum I felt at home",
        "The Traveller families came to the fair",
    ],
)
def test_r34_naming_an_identity_is_not_abuse(text: str) -> None:
    assert _outcomes([text]) == [Outcome.CLEAR]


@pytest.mark.parametrize(
    "text",
    [
        "What time does the gate open?",
        "Lovely concert, well done all",
        "The school ignored my emails about the bullying",
        "Not happy with the new uniform",
    ],
)
def test_r16_questions_praise_and_criticism_are_clear(text: str) -> None:
    assert _outcomes([text]) == [Outcome.CLEAR]


SURNAMES = ("Hughes", "Patel", "Begum", "Okafor", "Kowalska", "O'Brien", "Campbell", "Singh", "Chen", "Cohen", "Nguyen", "Yilmaz", "Farah")
KINDLY = ("Thank you {}", "Is {} back after half term?", "{} was lovely with my son", "I emailed {} on Monday")


@pytest.mark.parametrize("kindly", KINDLY)
def test_r34_no_name_is_abuse(kindly: str) -> None:
    scores = SHARED.score([kindly.format(f"Mrs {surname}") for surname in SURNAMES])
    assert [surname for surname, score in zip(SURNAMES, scores, strict=True) if score.labels[Label.ABUSIVE] >= 0.5] == []


def test_r15_a_disclosure_is_routed_even_with_abuse_in_it() -> None:
    assert _outcomes(["my dad hits me he is a useless idiot"]) == [Outcome.ROUTE]


def test_r17_a_hint_at_an_indecent_image_is_withheld() -> None:
    assert _outcomes(["someone is sharing nudes of a girl in year 9"]) == [Outcome.WITHHOLD]


def test_reasons_point_at_the_words_in_the_text_as_given() -> None:
    text = "😡 Honestly, you're such an ｉｄ１ｏｔ!!"
    (score,) = SHARED.score([text])
    spans = {text[reason.start : reason.end] for reason in score.reasons if reason.label == Label.INSULT}
    assert any("ｉｄ１ｏｔ" in span for span in spans)
    assert all(reason.why.endswith(".") for reason in score.reasons)


def test_a_guards_span_points_at_the_text_as_given() -> None:
    text = "please help, I wan't to d1e..."
    (score,) = SHARED.score([text])
    hit = next(hit for hit in score.guards if hit.guard is Guard.CRISIS)
    assert text[hit.start : hit.end] == "I wan't to d1e"


def test_no_weight_gives_no_reason() -> None:
    assert reasons([-1.0, 0.0], align("good day"), Label.INSULT) == ()
    assert reasons([], align(""), Label.INSULT) == ()


def test_neighbouring_words_are_one_reason() -> None:
    (reason,) = reasons([0.0, 1.0, 1.0], align("you utter muppet"), Label.INSULT)
    assert (reason.start, reason.end) == (4, 16)


@settings(deadline=None)
@given(st.lists(st.text(alphabet=st.characters()), max_size=4))
def test_any_unicode_is_scored_the_same_twice(texts: list[str]) -> None:
    first = SHARED.score(texts, parents=texts)
    assert first == [score for text in texts for score in SHARED.score([text], parents=[text])]
    assert len(first) == len(texts)
    for text, score in zip(texts, first, strict=True):
        assert set(score.labels) == set(Label)
        assert all(0 <= reason.start <= reason.end <= len(text) for reason in score.reasons)


def test_order_is_kept_over_many_batches() -> None:
    texts = [f"you utter idiot {n}" if n % 3 == 0 else f"lovely day {n}" for n in range(2 * BATCH + 5)]
    scores = SHARED.score(texts)
    assert [score.labels[Label.ABUSIVE] > 0.5 for score in scores] == [n % 3 == 0 for n in range(len(texts))]
    assert SHARED.score([]) == []


def test_the_version_carries_the_models_hash() -> None:
    screen, people = (json.loads((bundled() / f"{name}.json").read_text(encoding="utf-8")) for name in ("screen", "people"))
    assert SHARED.version == f"encoder-{screen['date']}-{screen['sha256'][:12]}+people-{people['date']}-{people['sha256'][:12]}"
    assert SHARED.score(["x"])[0].model == SHARED.version


@pytest.mark.parametrize("text", ["Grace and hope are what we need", "frank talks with the council"])
def test_r6_a_word_that_may_be_a_name_is_no_ground(text: str) -> None:
    (score,) = SHARED.score([text])
    assert not any(person.strong for person in score.people)
    assert _outcomes([text]) == [Outcome.CLEAR]


KEY = b"0" * 16
ROLL = RollMatcher(
    [
        token
        for entry in (
            RollEntry("S1", PersonKind.STAFF, "Amina", "Begum", "Mrs"),
            RollEntry("P1", PersonKind.PUPIL, "Grant", "Miller"),
        )
        for token in roll_tokens(entry, KEY)
    ],
    KEY,
)


def test_r20_the_roll_beats_a_title_and_a_title_beats_a_lone_first_name() -> None:
    with_roll = Assessor(bundled(), ROLL)
    text = "Mrs Begum and Mr Grant met Mr Hughes and Grant Miller"
    (score,) = with_roll.score([text])
    assert [(person.text, person.source, person.reference) for person in score.people] == [
        ("Mrs Begum", "roll", "S1"),
        ("Mr Grant", "honorific", ""),
        ("Mr Hughes", "honorific", ""),
        ("Grant Miller", "roll", "P1"),
    ]
    assert _outcomes(["Grant Miller was there", "Grant was there", "the grant was refused"], with_roll) == [
        Outcome.HIDE,
        Outcome.CLEAR,
        Outcome.CLEAR,
    ]


def test_personal_data_is_found() -> None:
    text = "ring 020 7946 0018 or +44 7700 900123, mail jo@school.example, live at SW1A 1AA, born 2011"
    assert [(span.kind, text[span.start : span.end]) for span in personal_data(text)] == [
        ("phone", "020 7946 0018"),
        ("phone", "+44 7700 900123"),
        ("email", "jo@school.example"),
        ("postcode", "SW1A 1AA"),
    ]
    assert personal_data("none here") == personal_data("Y7 won 9-1, room B12, 1000 tickets") == ()


def test_a_missing_model_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="manifest is missing"):
        Assessor(tmp_path)


def test_the_constant_classifier_gives_what_it_is_told() -> None:
    classifier: Classifier = ConstantClassifier({Label.ABUSIVE: 0.1}, marks={"BAD": {Label.ABUSIVE: 0.9}})
    calm, bad, crisis = classifier.score(["x", "BAD", "[crisis]"], parents=["", "", ""])
    assert (calm.labels[Label.ABUSIVE], bad.labels[Label.ABUSIVE]) == (0.1, 0.9)
    assert [hit.guard for hit in crisis.guards] == [Guard.CRISIS]
    assert calm.model == classifier.version
    assert set(calm.labels) == set(Label)

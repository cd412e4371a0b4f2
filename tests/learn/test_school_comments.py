"""The shipped assessor on school comments written by another hand than those it learnt from: floors it must not fall under.

The issue's own aims are higher where a floor says so; the model card has the figures reached.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from moderator.domain.decision import Outcome
from moderator.domain.policy import PROTECTED, Policy, decide
from moderator.domain.score import Score
from moderator.learn.classifier import Assessor
from moderator.learn.load import bundled

ROWS = [json.loads(line) for line in Path(__file__).with_name("school_comments.jsonl").read_text(encoding="utf-8").splitlines()]
FEWEST, HARD_NEGATIVES = 600, 1 / 3


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return Assessor(bundled()).score([row["text"] for row in ROWS], parents=[row.get("parent", "") for row in ROWS])


@pytest.fixture(scope="module")
def outcomes(scores: list[Score]) -> dict[str, Counter[Outcome]]:
    policy = Policy.bundled()
    found: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for row, score in zip(ROWS, scores, strict=True):
        found[row["heading"]][decide(score, policy, text=row["text"]).outcome] += 1
    return found


def share(counted: dict[str, Counter[Outcome]], headings: tuple[str, ...], *outcomes: Outcome) -> float:
    """Return the share of comments under the headings that came out as one of the outcomes."""
    together = sum((counted[heading] for heading in headings), Counter[Outcome]())
    return sum(together[outcome] for outcome in outcomes) / together.total()


HARMLESS = ("complaint", "ambiguous", "identity", "public", "harmless")


def test_there_are_enough_comments_and_a_third_are_hard_negatives() -> None:
    assert len(ROWS) >= FEWEST
    assert sum(row["heading"] in HARMLESS for row in ROWS) >= len(ROWS) * HARD_NEGATIVES


def test_r6_abuse_and_naming_are_found(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("abuse",), Outcome.HIDE, Outcome.ROUTE, Outcome.WITHHOLD) >= 0.82  # the issue aims at 0.95
    assert share(outcomes, ("names",), Outcome.HIDE, Outcome.ROUTE, Outcome.WITHHOLD) >= 0.82  # and here


def test_r6_nearly_everybody_named_is_found(scores: list[Score]) -> None:
    named = found = 0
    for row, score in zip(ROWS, scores, strict=True):
        named += len(row["people"])
        found += sum(any(one["start"] < span.end and span.start < one["end"] for span in score.people) for one in row["people"])
    assert found / named >= 0.92  # the issue aims at 0.95


def test_r16_criticism_is_hardly_ever_hidden(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("complaint", "whistleblowing"), Outcome.HIDE) <= 0.045  # the issue aims at 0.01


def test_harmless_comments_are_hardly_ever_hidden(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, HARMLESS, Outcome.HIDE) <= 0.05


def test_r15_disclosures_and_crises_are_not_hidden(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("disclosure", "crisis"), Outcome.HIDE) == 0
    assert share(outcomes, ("disclosure", "crisis"), Outcome.ROUTE, Outcome.WITHHOLD) >= 0.8  # the issue aims at 1


def test_r17_hints_of_indecent_images_are_kept_from_everybody(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("indecent_image",), Outcome.ROUTE, Outcome.WITHHOLD) >= 0.9  # the issue aims at 1


def test_r19_an_accused_teacher_goes_to_a_person(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("accused_teacher",), Outcome.ROUTE, Outcome.WITHHOLD) >= 0.8


def test_words_that_look_like_names_are_nobody(scores: list[Score]) -> None:
    policy = Policy.bundled()
    texts = [
        (row, score)
        for row, score in zip(ROWS, scores, strict=True)
        if row["heading"] == "ambiguous"
        and not row["people"]
        and any(person.kind in PROTECTED and person.strong for person in score.people)
    ]
    assert len(texts) <= 0.03 * sum(row["heading"] == "ambiguous" for row in ROWS)  # the issue aims at 0.02
    assert policy.hide_names


def test_r34_naming_an_identity_is_not_abuse(outcomes: dict[str, Counter[Outcome]]) -> None:
    assert share(outcomes, ("identity",), Outcome.HIDE) <= 0.06

"""Judging names by span and comment, and outcomes by kind of comment."""

import pytest
from stage import WordClassifier

from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label, PersonKind, PersonSpan, Score
from moderator.learn.corpus import Example
from moderator.learn.mentions import mentions
from moderator.learn.outcomes import outcomes


def score(*spans: tuple[int, int]) -> Score:
    people = tuple(PersonSpan(start, end, "x", PersonKind.UNKNOWN, "tagger") for start, end in spans)
    return Score(dict.fromkeys(Label, 0.0), "m", people)


def test_names_are_judged_by_span_and_by_comment() -> None:
    examples = [
        Example("a", {}, "x", people=((0, 5), (10, 15))),
        Example("b", {}, "x", people=((3, 9),)),
        Example("c", {}, "x", people=()),
        Example("d", {}, "x", people=()),
        Example("nobody looked", {}, "x"),
    ]
    scores = [score((0, 5), (11, 15)), score(), score((1, 2)), score(), score((0, 6))]
    exact, touching, comment = mentions(examples, scores)
    assert (exact.marked, exact.found) == (3, 3)
    assert [exact.recall, exact.precision] == pytest.approx([1 / 3, 1 / 3])
    assert [touching.recall, touching.precision, touching.f1] == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert (comment.marked, comment.found, comment.recall, comment.precision) == (2, 2, 0.5, 0.5)
    assert comment.row()["f1"] == 0.5


def test_names_without_any_are_not_divided_by_nothing() -> None:
    assert mentions([Example("a", {}, "x")], [score()]) == []
    exact, _, comment = mentions([Example("a", {}, "x", people=())], [score()])
    assert (exact.precision, exact.recall, exact.f1) == (None, None, None)
    assert (comment.marked, comment.found) == (0, 0)
    wrong, _, _ = mentions([Example("a", {}, "x", people=((0, 1),))], [score((2, 3))])
    assert wrong.f1 == 0


def test_r15_r16_what_is_done_is_told_by_kind_of_comment() -> None:
    examples = [
        Example("You are an idiot", {Label.ABUSIVE: 1}, "x"),
        Example("Lovely", {Label.ABUSIVE: 0}, "x", people=()),
        Example("My dog is an idiot", {Label.ABUSIVE: 0}, "x"),
        Example("disclosure", {Label.ABUSIVE: 0, Guard.DISCLOSURE: 1}, "x"),
        Example("complaint, you idiot", {Label.ABUSIVE: 0, Guard.COMPLAINT: 1}, "x"),
        Example("Tilly Marwood did it", {Label.ABUSIVE: 0}, "x", people=((0, 13),)),
    ]
    scores = WordClassifier().score([example.text for example in examples])
    found = {figure.kind: figure for figure in outcomes(examples, scores, Policy.bundled())}
    assert list(found) == ["abusive", "harmless", "naming people", "disclosure", "complaint"]
    assert (found["abusive"].comments, found["abusive"].hide) == (1, 1)
    assert (found["harmless"].comments, found["harmless"].hide, found["harmless"].clear) == (2, 0.5, 0.5)
    assert (found["disclosure"].route, found["disclosure"].hide) == (1, 0)
    assert found["complaint"].row() == {"kind": "complaint", "comments": 1, "clear": 0, "hide": 0, "route": 1, "withhold": 0}
    assert found["naming people"].hide == 1

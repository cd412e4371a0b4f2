"""Hashed n-grams, and the fast screen that must agree with the scikit-learn pipeline."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from moderator.domain.score import Label
from moderator.learn.abuse import MaskedLogistic, weights_of
from moderator.learn.features import HashedNgrams
from moderator.learn.grams import grams
from moderator.learn.load import ABUSE, bundled, load
from moderator.learn.screen import OUTPUTS, Screen, sigmoid
from moderator.text.normalise import normalise

BITS = 12
PIPELINE, _ = load(bundled(), ABUSE, Pipeline)
SCREEN = Screen(weights_of(PIPELINE))


def _plain_grams(text: str) -> list[str]:
    """Return the n-grams of a text, spelt out the slow way."""
    words = text.split(" ") if text else []
    found = [f"word {word}" for word in words] + [f"pair {left} {right}" for left, right in pairwise(words)]
    for length in (3, 4, 5):
        found += [f"run {run}" for word in words for run in _runs(f" {word} ", length)]
    return found


def _runs(padded: str, length: int) -> list[str]:
    return [padded[place : place + length] for place in range(len(padded) - length + 1)]


@pytest.mark.parametrize("text", ["", "a", "oh no", "well done year 5", "straße 日本 \ufffd", "x" * 90])
def test_every_word_pair_and_run_is_counted_once_and_no_more(text: str) -> None:
    found = grams([text], bits=BITS)
    counted = sum(int((rows < 1 << BITS).sum()) for rows in (*found.runs, found.words, found.pairs))
    assert counted == len(_plain_grams(text))


def test_a_gram_has_one_bucket_wherever_it_stands() -> None:
    alone = grams(["muppet"], bits=18)
    among = grams(["", "you utter muppet you", "x"], bits=18)
    assert alone.words[0] == among.words[2]
    assert set(alone.runs[2].tolist()) <= set(among.runs[2].tolist())
    pair = grams(["utter muppet"], bits=18).pairs[0]
    assert pair == among.pairs[1]
    assert pair != grams(["muppet utter"], bits=18).pairs[0]


@settings(deadline=None)
@given(st.lists(st.text(alphabet=st.characters()), max_size=6))
def test_any_batch_gives_one_row_a_text_in_order_and_alone_the_same(texts: list[str]) -> None:
    normalised = [normalise(text) for text in texts]
    together = SCREEN.screen(normalised).probabilities if normalised else np.zeros((0, len(OUTPUTS)))
    assert together.shape == (len(texts), len(OUTPUTS))
    assert ((together >= 0) & (together <= 1)).all()
    for text, row in zip(normalised, together, strict=True):
        np.testing.assert_allclose(SCREEN.screen([text]).probabilities[0], row, atol=1e-5)


TEXTS = ("", "you utter muppet", "lovely concert well done", "i will find you and hurt you", "no no no no", "a")


def test_the_screen_agrees_with_the_pipeline() -> None:
    np.testing.assert_allclose(SCREEN.screen(TEXTS).probabilities, PIPELINE.predict_proba(list(TEXTS)), atol=2e-3)


def test_word_weights_add_up_to_the_log_odds() -> None:
    text = "you utter muppet go away"
    screened = SCREEN.screen(["lovely day", text, ""])
    nothing = SCREEN.screen([""]).probabilities[0]
    for place, label in enumerate(Label):
        total = sum(screened.word_weights(1, label)) + float(np.log(nothing[place] / (1 - nothing[place])))
        assert float(sigmoid(np.array(total, np.float32))) == pytest.approx(float(screened.probabilities[1, place]), abs=1e-4)
    assert screened.word_weights(2, Label.THREAT) == []


def test_rows_are_normalised_and_rare_grams_weigh_more() -> None:
    texts = ["well done", "well played", "well well", ""]
    features = HashedNgrams(bits=BITS).fit(texts)
    matrix = features.transform(texts)
    assert matrix.shape == (4, 1 << BITS)
    assert matrix.dtype == np.float32
    assert np.sqrt(matrix[0].multiply(matrix[0]).sum()) == pytest.approx(1, abs=0.02)
    assert matrix[3].nnz == 0
    done, well = (grams([word], bits=BITS).words[0] for word in ("done", "well"))
    assert matrix[0, done] > matrix[0, well]
    assert features.transform([]).shape == (0, 1 << BITS)
    with pytest.raises(NotFittedError):
        HashedNgrams().transform(["x"])


def _fit(texts: Sequence[str], truth: object) -> MaskedLogistic:
    matrix = HashedNgrams(bits=BITS).fit(texts).transform(texts)
    return MaskedLogistic().fit(matrix, np.array(truth, np.float32))


def test_an_unknown_label_is_left_out_of_the_fit_and_is_not_nought() -> None:
    texts = ["good day", "good show", "bad show", "bad day", "odd day", "odd show"]
    nan = float("nan")
    masked = _fit(texts, [[0], [0], [1], [1], [nan], [nan]])
    without = _fit(texts[:4], [[0], [0], [1], [1]])
    as_nought = _fit(texts, [[0], [0], [1], [1], [0], [0]])
    odd = HashedNgrams(bits=BITS).fit(texts).transform(["odd"])
    assert masked.decision_function(odd)[0, 0] == pytest.approx(without.decision_function(odd)[0, 0], abs=0.35)
    assert as_nought.decision_function(odd)[0, 0] < masked.decision_function(odd)[0, 0]


def test_a_label_of_one_kind_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="class"):
        _fit(["a b", "c d"], [[1], [1]])


def test_the_bundled_model_is_small() -> None:
    assert sum(path.stat().st_size for path in Path(bundled()).glob("abuse.*")) < 5_000_000

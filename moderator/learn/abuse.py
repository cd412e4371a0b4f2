"""The abuse model: one masked logistic regression a label, and `Screen`, which scores a batch with one gather and one sum."""

import functools
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from moderator.domain.score import Guard, Label
from moderator.learn.grams import Grams, grams

if TYPE_CHECKING:
    from moderator.learn.features import HashedNgrams

UNKNOWN = -10.0
"""The log-odds of an output that nobody labelled: never."""

LABELS = tuple(Label)
GUARDS = tuple(Guard)
OUTPUTS: tuple[Label | Guard, ...] = (*LABELS, *GUARDS)
"""What every model of abuse gives a chance of, in this order: the labels, then the guards."""

Floats = NDArray[np.float32]


class MaskedLogistic(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A logistic regression for each output, each fitted only on the rows where it is known.

    `strength` is scikit-learn's C: larger fits closer. Weights nearer to 0 than `drop` are set to 0 and all are kept in half precision,
    which costs no accuracy that can be measured and a third of the file.
    """

    def __init__(self, strength: float = 1.0, drop: float = 0.02, most_steps: int = 80) -> None:
        """Take C, the smallest weight kept, and the most steps of the solver."""
        self.strength = strength
        self.drop = drop
        self.most_steps = most_steps

    def fit(self, matrix: sp.csr_matrix, known: NDArray[np.float32], sample_weight: Floats | None = None) -> Self:
        """Fit on a CSR matrix and what is known (rows, outputs): 1, 0, or NaN. Raises ValueError for an output of one kind only."""
        columns = known.shape[1]
        self.coef_ = np.zeros((columns, matrix.shape[1]), np.float16)
        self.intercept_ = np.zeros(columns, np.float32)
        for column in range(columns):
            rows = np.flatnonzero(~np.isnan(known[:, column]))
            if not rows.size:
                self.intercept_[column] = UNKNOWN
                continue
            model = LogisticRegression(C=self.strength, max_iter=self.most_steps, tol=1e-6, solver="lbfgs")
            weight = None if sample_weight is None else sample_weight[rows]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is meant: it regularises, and keeps training short
                model.fit(matrix[rows], known[rows, column].astype(np.int8), sample_weight=weight)
            weights = model.coef_[0]
            self.coef_[column] = np.where(np.abs(weights) < self.drop, 0, weights)
            self.intercept_[column] = model.intercept_[0]
        self.slope_ = np.ones(columns, np.float32)
        self.shift_ = np.zeros(columns, np.float32)
        return self

    def decision_function(self, matrix: sp.csr_matrix) -> Floats:
        """Return uncalibrated log-odds, shape (rows, labels)."""
        check_is_fitted(self, "coef_")
        return np.asarray(matrix @ self.coef_.astype(np.float32).T + self.intercept_, np.float32)

    def predict_proba(self, matrix: sp.csr_matrix) -> Floats:
        """Return calibrated probabilities, shape (rows, labels), each from 0 to 1 on its own."""
        return sigmoid(self.decision_function(matrix) * self.slope_ + self.shift_)


def sigmoid(logits: Floats) -> Floats:
    """Return probabilities of log-odds; never overflows."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


class Screened:
    """What `Screen` made of a batch: `logits` and `probabilities`, shape (texts, outputs), and on demand how much each word added."""

    def __init__(self, found: Grams, by_position: Floats, by_word: Floats, base: Floats) -> None:
        """Take the grams of a batch and their table rows by position and by word, and the log-odds of an empty text."""
        self._found = found
        self._by_position = by_position
        self._by_word = by_word
        sums = np.add.reduceat(by_position, found.first, axis=0)
        ends = np.append(found.first_word[1:], len(by_word))
        some = ends > found.first_word
        if some.any():
            sums[some] += np.add.reduceat(by_word, found.first_word[some], axis=0)
        self._scale: Floats = np.sqrt(np.maximum(sums[:, -1], SMALLEST))
        self.logits: Floats = np.asarray(sums[:, :-1] / self._scale[:, None] + base, np.float32)
        self.probabilities = sigmoid(self.logits)

    @functools.cached_property
    def _of_words(self) -> Floats:
        """Table sums of every word of the batch: its own row, that of its pair with the next, and the runs of characters inside it."""
        starts = self._found.word_starts - 1
        weights: Floats = self._by_word + np.add.reduceat(self._by_position, starts, axis=0)
        return weights

    def word_weights(self, text: int, label: Label) -> list[float]:
        """Return how much each word of one text of the batch adds to a label's log-odds, in order."""
        first = self._found.first_word[text]
        last = self._found.first_word[text + 1] if text + 1 < len(self._found.first_word) else len(self._by_word)
        if first == last:
            return []
        column = self._of_words[first:last, LABELS.index(label)] / self._scale[text]
        return [float(weight) for weight in column]


SMALLEST = 1e-9


class Screen:
    """A fitted pipeline laid out for speed: per bucket the weights of every output and the squared rarity, side by side.

    Gives the pipeline's probabilities to within rounding, at a fraction of the time.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Take a fitted pipeline of HashedNgrams and MaskedLogistic."""
        features: HashedNgrams = pipeline.named_steps["features"]
        model: MaskedLogistic = pipeline.named_steps["abuse"]
        idf = features.idf_.astype(np.float32)
        self._bits = features.bits
        self._table = np.zeros(((1 << self._bits) + 1, len(OUTPUTS) + 1), np.float32)
        self._table[:-1, :-1] = (model.coef_.astype(np.float32) * idf).T * model.slope_
        self._table[:-1, -1] = idf * idf
        self._base = model.intercept_ * model.slope_ + model.shift_

    def screen(self, normalised: Sequence[str]) -> Screened:
        """Return what the model makes of one or more normalised texts. Same text, same answer, whatever stands beside it."""
        found = grams(normalised, bits=self._bits)
        three, four, five = found.runs
        by_position = self._table[three]
        by_position += self._table[four]
        by_position += self._table[five]
        by_word = self._table[found.words]
        by_word += self._table[found.pairs]
        return Screened(found, by_position, by_word, self._base)

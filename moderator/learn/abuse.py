"""The abuse model's fit: one masked logistic regression an output, in scikit-learn. `screen` runs what is fitted here; used by training."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from moderator.learn.blend import Blend
from moderator.learn.encoder import Encoder
from moderator.learn.screen import OUTPUTS, Floats, Weights, sigmoid

if TYPE_CHECKING:
    from moderator.learn.features import HashedNgrams

UNKNOWN = -10.0
"""The log-odds of an output that nobody labelled: never."""


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


def weights_of(pipeline: Pipeline, blend: Blend | None = None) -> Weights:
    """Return what the service runs on, from a fitted pipeline of HashedNgrams and MaskedLogistic and the blend fitted beside an encoder."""
    features: HashedNgrams = pipeline.named_steps["features"]
    model: MaskedLogistic = pipeline.named_steps["abuse"]
    base = np.asarray(model.intercept_ * model.slope_ + model.shift_, np.float32)
    return Weights(model.coef_, features.idf_, model.slope_, base, blend.weights_ if blend is not None else np.zeros((0, 3), np.float32))


class EncoderLogits(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """The encoder as a scikit-learn transformer: normalised texts to log-odds, float32 of shape (texts, outputs). Nothing is fitted."""

    def __init__(self, encoder: Encoder) -> None:
        """Take a loaded encoder."""
        self.encoder = encoder

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        """Do nothing: the network was fitted by `models/finetune.py`."""
        del texts, y
        return self

    def transform(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return log-odds by text and output."""
        rows = [self.encoder.read(text).logits for text in texts]
        return np.stack(rows) if rows else np.zeros((0, len(OUTPUTS)), np.float32)

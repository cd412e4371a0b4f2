"""How the two tiers speak together: one small logistic regression an output, over the linear tier's log-odds and the encoder's."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from moderator.learn.screen import Floats, blended

FEWEST = 8
"""An output with fewer rows of either kind keeps the encoder's own log-odds."""


class Blend(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Calibrated chances from both tiers. `strength` is scikit-learn's C: larger fits closer."""

    def __init__(self, strength: float = 1.0) -> None:
        """Take C."""
        self.strength = strength

    def fit(self, linear: Floats, encoded: Floats, known: NDArray[np.float32], sample_weight: Floats) -> Self:
        """Fit on log-odds (rows, outputs) of both tiers and on what is known: 1, 0, or NaN. The rows must be new to both tiers."""
        outputs = known.shape[1]
        self.weights_ = np.tile(np.array([0, 1, 0], np.float32), (outputs, 1))
        for output in range(outputs):
            rows = np.flatnonzero(~np.isnan(known[:, output]))
            truth = known[rows, output].astype(np.int8)
            if min(truth.sum(), truth.size - truth.sum()) < FEWEST:
                continue
            both = np.column_stack([linear[rows, output], encoded[rows, output]]).astype(np.float64)
            model = LogisticRegression(C=self.strength).fit(both, truth, sample_weight=sample_weight[rows])
            self.weights_[output] = [*model.coef_[0], model.intercept_[0]]
        return self

    def predict_proba(self, linear: Floats, encoded: Floats) -> Floats:
        """Return chances, shape (rows, outputs), each 0 to 1 on its own."""
        check_is_fitted(self, "weights_")
        return blended(linear, encoded, self.weights_)

"""Calibration: makes the model's scores probabilities, by Platt's method on text held out of the fit (Platt 1999)."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from moderator.learn.abuse import MaskedLogistic
from moderator.learn.corpus import Example
from moderator.learn.screen import Floats

FEWEST = 8
"""A label with fewer held-out positives keeps the model's own scores."""


def calibrate(model: MaskedLogistic, matrix: sp.csr_matrix, known: NDArray[np.float32], weight: Floats) -> None:
    """Set the model's slope and shift by label from held-out rows. May be repeated; later calls start afresh."""
    scores = model.decision_function(matrix)
    for column in range(known.shape[1]):
        rows = np.flatnonzero(~np.isnan(known[:, column]))
        truth = known[rows, column].astype(np.int8)
        if min(truth.sum(), truth.size - truth.sum()) < FEWEST:
            continue
        platt = LogisticRegression(C=1e6).fit(scores[rows, column, None].astype(np.float64), truth, sample_weight=weight[rows])
        model.slope_[column] = max(float(platt.coef_[0, 0]), 0.05)
        model.shift_[column] = float(platt.intercept_[0])


def even_weights(examples: Sequence[Example], *, calm: float) -> Floats:
    """Return weights by which each source counts the same, and school comments and everyday talk `calm` times as much.

    The public sets were gathered by searching for abuse; a school's page is mostly calm. Without this, probabilities come out too high.
    """
    names = np.array([example.source for example in examples])
    sources, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    of_source = np.array([calm if name in {"school", "goemotions", "cat_wiki"} else 1.0 for name in sources]) / counts
    weights = of_source[place]
    return np.asarray(weights * len(examples) / weights.sum(), np.float32)

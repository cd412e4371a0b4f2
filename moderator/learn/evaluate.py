"""Judging: how well the probabilities tell abuse from the rest, by source and label; used by training and the CLI."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, roc_auc_score

from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label
from moderator.learn.corpus import Example, known
from moderator.learn.screen import LABELS, OUTPUTS, Floats

FEWEST = 5
"""A figure needs at least this many rows of each kind."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How one label or guard does on one source: AUC (0.5 is chance), Brier score, share found and falsely flagged at the threshold."""

    source: str
    label: str
    rows: int
    positives: int
    auc: float | None
    brier: float
    recall: float | None
    false_flags: float | None
    threshold: float

    def row(self) -> dict[str, str | int | float | None]:
        """Return the figure as a plain row, rounded to four places."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}


def judge(examples: Sequence[Example], probabilities: Floats, policy: Policy) -> list[Figure]:
    """Return the figures of every source, label and guard that anybody labelled, in order of source name."""
    truth = known(examples)
    sources = np.array([example.source for example in examples])
    found: list[Figure] = []
    for source in sorted(set(sources.tolist())):
        for column, label in enumerate(OUTPUTS):
            rows = np.flatnonzero((sources == source) & ~np.isnan(truth[:, column]))
            if rows.size:
                found.append(_figure(source, label, truth[rows, column], probabilities[rows, column], {**policy.flag, **policy.guard}))
    return found


def _figure(source: str, label: Label | Guard, truth: Floats, guessed: Floats, flag: Mapping[str, float]) -> Figure:
    positives, rows = int(truth.sum()), truth.size
    threshold = flag.get(label.value, 0.5)
    flagged = guessed >= threshold
    enough = min(positives, rows - positives) >= FEWEST
    return Figure(
        source,
        label.value,
        rows,
        positives,
        float(roc_auc_score(truth, guessed)) if enough else None,
        float(brier_score_loss(truth, np.clip(guessed, 0, 1), pos_label=1)),
        float(flagged[truth == 1].mean()) if positives else None,
        float(flagged[truth == 0].mean()) if rows > positives else None,
        threshold,
    )


def flagged(probabilities: Floats, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows reach any threshold of the policy."""
    limits = np.array([policy.flag.get(label.value, 2.0) for label in LABELS], np.float32)
    return np.asarray((probabilities[:, : len(LABELS)] >= limits).any(axis=1), np.bool_)


def mean_auc(figures: Sequence[Figure]) -> float:
    """Return the mean AUC of `abusive` over the sources that have one; 0 when none has."""
    found = [figure.auc for figure in figures if figure.label == Label.ABUSIVE.value and figure.auc is not None]
    return sum(found) / len(found) if found else 0.0

"""The linear tier as the service runs it, in numpy alone: one gather and one sum a batch. Used by `tiers`; `abuse` fits what it runs on.

Nothing here imports scikit-learn, which takes longer to load than everything else together.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderator.domain.score import Guard, Label
from moderator.learn.grams import Grams, grams

LABELS = tuple(Label)
GUARDS = tuple(Guard)
OUTPUTS: tuple[Label | Guard, ...] = (*LABELS, *GUARDS)
"""What every model of abuse gives a chance of, in this order: the labels, then the guards."""

Floats = NDArray[np.float32]


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


@dataclass(frozen=True, slots=True)
class Weights:
    """What training found, as plain arrays: the linear tier's `coef` (outputs, buckets), `idf` (buckets), `slope` and `base` (outputs), and
    `blend` (outputs, 3), how much both tiers' log-odds count beside a constant; without the encoder tier it has no rows.
    """  # noqa: D205 - one sentence

    coef: NDArray[np.float16]
    idf: NDArray[np.float16]
    slope: Floats
    base: Floats
    blend: Floats


def blended(linear: Floats, encoded: Floats, weights: Floats) -> Floats:
    """Return chances (rows, outputs) of both tiers' log-odds, weighed by `weights` (outputs, 3)."""
    return sigmoid(linear * weights[:, 0] + encoded * weights[:, 1] + weights[:, 2])


class Screen:
    """The linear tier laid out for speed: per bucket the weights of every output and the squared rarity, side by side.

    Gives the fitted pipeline's probabilities to within rounding, at a fraction of the time.
    """

    def __init__(self, weights: Weights) -> None:
        """Take the fitted weights."""
        buckets = len(weights.idf)
        idf = weights.idf.astype(np.float32)
        self._bits = buckets.bit_length() - 1
        self._table = np.zeros((buckets + 1, len(OUTPUTS) + 1), np.float32)
        for output, row in enumerate(weights.coef):
            self._table[:-1, output] = row.astype(np.float32) * idf * weights.slope[output]
        self._table[:-1, -1] = idf * idf
        self._base = weights.base

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

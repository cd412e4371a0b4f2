"""The two tiers as one: the linear model reads every text, the encoder those it is in doubt about. Used by classifier and train."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, Label
from moderator.learn.encoder import Encoder, Reading
from moderator.learn.load import ENCODER, has, load_weights
from moderator.learn.screen import LABELS, OUTPUTS, Floats, Screen, Screened, Weights, blended, sigmoid

IN_DOUBT: dict[Label | Guard, float] = {
    Label.ABUSIVE: 0.18,
    Label.INSULT: 0.12,
    Label.THREAT: 0.06,
    Label.IDENTITY_ATTACK: 0.2,
    Label.SEXUAL: 0.15,
    Label.HARASSMENT: 0.08,
    Guard.DISCLOSURE: 0.05,
    Guard.CRISIS: 0.05,
    Guard.INDECENT_IMAGE: 0.08,
    Guard.ACCUSED_TEACHER: 0.05,
    Guard.WHISTLEBLOWING: 0.15,
}
"""The linear tier's chance from which the encoder reads a text too: below every threshold, so that what would be hidden or routed is read
twice. Measured: two in five everyday comments are, and 19 of 20 abusive ones."""

SURE, UNGUARDED = 0.85, 0.06
"""Abuse the linear tier is this sure of, in a text where no guard comes near this chance, needs no second reading."""


WORDS = 100
"""The most words the linear tier reads at once; of a longer text's windows the worst counts."""


@dataclass(frozen=True)
class Chances:
    """What both tiers make of a batch.

    `probabilities` has shape (texts, outputs), each 0 to 1; `logits` the linear tier's log-odds, of the same shape; `readings` the
    encoder's answer by place in the batch, for the texts it read. `screened` and `first` are the linear tier's windows and where each
    text's windows begin.
    """

    probabilities: Floats
    logits: Floats
    readings: dict[int, Reading]
    screened: Screened
    first: NDArray[np.intp]

    def word_weights(self, place: int, label: Label) -> list[float]:
        """Return how much each word of one text adds to a label's log-odds in the linear tier, in order."""
        last = self.first[place + 1] if place + 1 < len(self.first) else len(self.screened.logits)
        return [weight for window in range(self.first[place], last) for weight in self.screened.word_weights(window, label)]

    @cached_property
    def rows(self) -> list[list[float]]:
        """Return the probabilities as plain numbers, a list a text."""
        return [[float(chance) for chance in row] for row in self.probabilities.tolist()]


class Tiers:
    """The abuse models in memory."""

    def __init__(self, weights: Weights, encoder: Encoder | None = None, version: str = "") -> None:
        """Take the fitted weights, and the encoder that their blend was fitted to, or none."""
        self._screen = Screen(weights)
        self._encoder = encoder if len(weights.blend) else None
        self._blend = weights.blend
        self.version = version
        self._limits = np.array([IN_DOUBT.get(output, 2.0) for output in OUTPUTS], np.float32)

    @classmethod
    def load(cls, folder: Path, *, encoder: bool = True) -> Self:
        """Load the models of a folder; without the encoder tier when the folder has none or `encoder` is False.

        Raises BadInput when a file is missing, damaged, or made for other models than those beside it.
        """
        weights, manifest = load_weights(folder)
        if len(weights.coef) != len(OUTPUTS):
            message = (
                f"{folder / manifest.file}: was made by another version of this service: put the released file back, or run moderator train"
            )
            raise BadInput(message)
        if not (encoder and has(folder, ENCODER) and len(weights.blend)):
            return cls(weights, version=f"linear-{manifest.version}")
        return cls(weights, Encoder.load(folder), f"encoder-{manifest.version}")

    @property
    def reads_twice(self) -> bool:
        """Return whether the encoder tier is there."""
        return self._encoder is not None

    def in_doubt(self, probabilities: Floats) -> NDArray[np.bool_]:
        """Return which rows of the linear tier's chances the encoder is asked about."""
        plain = (probabilities[:, OUTPUTS.index(Label.ABUSIVE)] >= SURE) & (probabilities[:, len(LABELS) :] < UNGUARDED).all(axis=1)
        return np.asarray((probabilities >= self._limits).any(axis=1) & ~plain, np.bool_)

    def read(self, normalised: Sequence[str], parents: Sequence[str] = (), also: Sequence[int] = ()) -> Chances:
        """Return what both tiers make of normalised texts and their normalised parents (none, or one a text).

        `also` are places the encoder reads whatever the linear tier says. Same text, same answer, whatever stands beside it.
        """
        windows, first = _windows(normalised)
        screened = self._screen.screen(windows)
        logits = screened.logits if len(windows) == len(normalised) else np.maximum.reduceat(screened.logits, first, axis=0)
        probabilities = _rounded(sigmoid(logits))
        if self._encoder is None:
            return Chances(probabilities, logits, {}, screened, first)
        places = sorted({*np.flatnonzero(self.in_doubt(probabilities)).tolist(), *also})
        readings = {place: self._encoder.read(normalised[place], parents[place] if parents else "") for place in places}
        if places:
            encoded = np.stack([reading.logits for reading in readings.values()])
            probabilities[places] = _rounded(blended(logits[places], encoded, self._blend))
        return Chances(probabilities, logits, readings, screened, first)


def _windows(normalised: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Return the texts, long ones cut into windows of WORDS words, and where each text's windows begin.

    The linear tier learnt from comments: the sums of a very long text would pass for certainty.
    """
    windows: list[str] = []
    first: list[int] = []
    for text in normalised:
        first.append(len(windows))
        words = text.split(" ") if len(text) > WORDS * 2 else ()
        if len(words) > WORDS:
            windows += [" ".join(words[begin : begin + WORDS]) for begin in range(0, len(words), WORDS)]
        else:
            windows.append(text)
    return windows, np.array(first, np.intp)


def _rounded(probabilities: Floats) -> Floats:
    """Return the chances to four places, never quite 1: beyond them, processors and places in a batch differ."""
    return np.minimum(np.round(probabilities, 4), np.float32(0.9999))

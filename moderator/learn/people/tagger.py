"""`PersonTagger`: finds where people are named in texts, and says how sure it is. Called by the classifier, a batch at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from moderator.learn.people.decode import Decoded, decode
from moderator.learn.people.labels import BEGIN, OUTSIDE, UNIT
from moderator.learn.people.lexicon import word_hash
from moderator.learn.people.model import STEP, Model, load
from moderator.learn.people.scorer import Scorer
from moderator.learn.people.tags import tag_names
from moderator.learn.people.words import TITLES, Cut, cut, key_of

BATCH = 500


@dataclass(frozen=True, slots=True)
class Mention:
    """A person named at `text[start:end]`, code points of the text as given, with the chance (0 to 1) that it is one.

    `whole` says that there are a first name or initial and a surname; `known` that public text often speaks of somebody of that whole name.
    """

    start: int
    end: int
    chance: float
    whole: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The mentions of one text in order, and `doubt`: 1 when some word might as well be a name as not, near 0 when all are plain."""

    mentions: tuple[Mention, ...]
    doubt: float


NOBODY = Found((), 0.0)


class PersonTagger:
    """The trained tagger. Same text, same answer, whatever stands beside it and on whatever machine. Holds about 25 MB."""

    def __init__(self, model: Model) -> None:
        """Take a loaded model."""
        self._lexicon = model.lexicon
        self._known = model.known
        self._moves = model.moves
        self._scorer = Scorer(model.table, model.lexicon)
        self.version = model.version

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the tagger of a folder of models. Raises BadInput when it is missing, damaged or not trusted."""
        return cls(load(folder))

    def find(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions of each text, in order. Never fails on any Unicode; linear in the length of the texts."""
        return [list(found.mentions) for found in self.look(texts)]

    def look(self, texts: Sequence[str]) -> list[Found]:
        """Return mentions and doubt of each text, in order."""
        found: list[Found] = []
        for begin in range(0, len(texts), BATCH):
            found += self._batch([cut(text) for text in texts[begin : begin + BATCH]])
        return found

    def _batch(self, cuts: Sequence[Cut]) -> list[Found]:
        live = [one for one in cuts if one.forms]
        if not live:
            return [NOBODY] * len(cuts)
        lengths = np.array([len(one.forms) for one in live], np.int64)
        decoded = decode(self._scorer.scores(live), self._moves, lengths)
        doubts = _doubts(decoded.margins, lengths)
        named = _named(decoded, lengths)
        found: list[Found] = []
        place = number = 0
        for one in cuts:
            if not one.forms:
                found.append(NOBODY)
                continue
            last = place + len(one.forms)
            spans = _spans(one, decoded, place) if named[number] else []
            mentions = [mention for span in spans if (mention := self._mention(one, *span)) is not None]
            if one.tagged:
                mentions = sorted([*mentions, *self._in_tags(one)], key=lambda mention: mention.start)
            found.append(Found(tuple(mentions), doubts[number]))
            place, number = last, number + 1
        return found

    def _mention(self, one: Cut, first: int, last: int, margin: int) -> Mention | None:
        """Return the mention of a span of tokens; None for a title without a name."""
        forms = one.forms[first : last + 1]
        end = one.ends[last] - (len(forms[-1]) > 1 and forms[-1].endswith("."))
        keys = name_keys(forms)
        if not keys:
            return None
        whole = len(keys) > 1
        return Mention(one.starts[first], end, _chance(margin), whole, whole and self._is_known(" ".join(keys)))

    def _is_known(self, key: str) -> bool:
        wanted = word_hash(key)
        place = int(self._known.searchsorted(np.uint32(wanted)))
        return place < len(self._known) and int(self._known[place]) == wanted

    def _in_tags(self, one: Cut) -> list[Mention]:
        """Return the people named inside handles and hashtags."""
        return [
            Mention(start + name.start, start + name.end, TAG_CHANCE, name.whole, self._is_known(name.key) if name.whole else False)
            for form, start in zip(one.forms, one.starts, strict=True)
            if form[0] in "@#"
            for name in tag_names(form, self._lexicon)
        ]


TAG_CHANCE = 0.9
"""The chance given to a name found in a handle or hashtag by rule."""


def _spans(one: Cut, decoded: Decoded, place: int) -> list[tuple[int, int, int]]:
    """Return (first token, last token, margin) of each name of a text whose first token is at `place` of the batch."""
    count = len(one.forms)
    labels = decoded.labels[place : place + count].tolist()
    margins = decoded.margins[place : place + count].tolist()
    found: list[tuple[int, int, int]] = []
    for token, (label, margin) in enumerate(zip(labels, margins, strict=True)):
        if label in {BEGIN, UNIT}:
            found.append((token, token, margin))
        elif label != OUTSIDE:
            first, _, best = found[-1]
            found[-1] = (first, token, max(best, margin))
    return [span for span in found if one.forms[span[0]][0] not in "@#"]


def name_keys(forms: Sequence[str]) -> list[str]:
    """Return the keys of those of a mention's tokens that are names or initials."""
    return [key for form in forms if form[0].isalpha() and (key := key_of(form)) not in TITLES]


def _chance(margin: int) -> float:
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, margin / STEP)))), 4)


def _doubts(margins: NDArray[np.int32], lengths: NDArray[np.int64]) -> list[float]:
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    nearest = np.minimum.reduceat(np.abs(margins), starts)
    return [round(2 * (1 - _chance(margin)), 4) for margin in nearest.tolist()]


def _named(decoded: Decoded, lengths: NDArray[np.int64]) -> list[bool]:
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return [bool(one) for one in np.maximum.reduceat(decoded.labels, starts) > OUTSIDE]

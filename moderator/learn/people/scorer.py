"""Scores the tokens of a batch: sums of whole-number weights of their features. Called by the tagger and by the judging of a new model.

What a word form adds at each distance does not depend on its company, so it is worked out once a form and remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderator.learn.people.decode import Whole
from moderator.learn.people.features import AFTER, ATTRIBUTES, BEFORE, OFFSETS, PAIRS, bucket, case_hash, pair_buckets, word_features
from moderator.learn.people.labels import LABELS
from moderator.learn.people.lexicon import Lexicon
from moderator.learn.people.words import Case, Cut

_REMEMBERED_AT_MOST = 20_000
_ROOM = 8_000
_SALT = 8


def offset_salt(offset: int) -> int:
    """Return the salt of features seen from `offset` words away."""
    return _SALT + offset


@dataclass(slots=True)
class _Seen:
    """Word forms met so far, for texts with or without case: number by form, and by number what the form adds and its attributes."""

    numbers: dict[str, int]
    adds: NDArray[np.int32]
    attributes: NDArray[np.uint32]


class Scorer:
    """Holds the weight table, shape (rows, LABELS - 1) since outside always scores 0, and what it worked out for the forms met so far."""

    def __init__(self, table: NDArray[np.int16], lexicon: Lexicon) -> None:
        """Take the weights and the lexicon they were trained with."""
        self._table = table
        self._lexicon = lexicon
        self._forget()

    def _forget(self) -> None:
        self._seen = _Seen({}, np.zeros((_ROOM, len(OFFSETS), LABELS - 1), np.int32), np.zeros((_ROOM, ATTRIBUTES), np.uint32))

    def scores(self, cuts: Sequence[Cut]) -> Whole:
        """Return label scores of all tokens of texts that each have at least one, in order: shape (tokens, LABELS)."""
        ids, inner = self._ids(cuts)
        seen = self._seen
        cases = np.zeros(len(ids) - 4, np.uint32)
        cases[inner] = np.repeat(np.array([case_hash(one.case) for one in cuts], np.uint32), [len(one.forms) for one in cuts])
        total = np.zeros((len(inner), LABELS), np.int32)
        names = total[:, 1:]
        for number, offset in enumerate(OFFSETS):
            names += seen.adds[ids[inner + (2 + offset)], number]
        for number in range(PAIRS):
            names += self._table[pair_buckets(seen.attributes, ids, cases, number)[inner]]
        return total

    def _ids(self, cuts: Sequence[Cut]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return (numbers of all forms with two of BEFORE and AFTER round each text, places of the real tokens less 2)."""
        if len(self._seen.numbers) > _REMEMBERED_AT_MOST:
            self._forget()
        row: list[str] = []
        inner: list[NDArray[np.int64]] = []
        for one in cuts:
            inner.append(np.arange(len(row), len(row) + len(one.forms)))
            if one.case is Case.NONE:
                row += [_NO_CASE + BEFORE, _NO_CASE + BEFORE, *(_NO_CASE + form for form in one.forms), _NO_CASE + AFTER, _NO_CASE + AFTER]
            else:
                row += [BEFORE, BEFORE, *one.forms, AFTER, AFTER]
        numbers = self._seen.numbers
        new = [form for form in dict.fromkeys(row) if form not in numbers]
        if new:
            self._learn(new)
        return np.array([numbers[form] for form in row], np.int32), np.concatenate(inner)

    def _learn(self, forms: Sequence[str]) -> None:
        """Work out what forms not met before add."""
        seen = self._seen
        first = len(seen.numbers)
        while first + len(forms) > len(seen.adds):
            seen.adds = np.concatenate((seen.adds, np.zeros_like(seen.adds)))
            seen.attributes = np.concatenate((seen.attributes, np.zeros_like(seen.attributes)))
        made = [word_features(form.removeprefix(_NO_CASE), self._lexicon, no_case=form.startswith(_NO_CASE)) for form in forms]
        last = first + len(forms)
        seen.attributes[first:last] = [one.attributes for one in made]
        for number, offset in enumerate(OFFSETS):
            groups = [one.seen_from(offset) for one in made]
            starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
            rows = bucket(np.array([part for group in groups for part in group], np.uint32), offset_salt(offset))
            seen.adds[first:last, number] = np.add.reduceat(self._table[rows].astype(np.int32), starts, axis=0)
        seen.numbers.update(zip(forms, range(first, last), strict=True))


_NO_CASE = " "
"""Before a form from a text without case: no token of a text begins so."""

"""Turns marked texts into the matrices of a fit, and fitted weights into the whole-number table that serving reads. Training only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from moderator.learn.people.crf import Design, Floats
from moderator.learn.people.features import (
    AFTER,
    BEFORE,
    BITS,
    OFFSETS,
    PAIRS,
    WordFeatures,
    bucket,
    case_hash,
    pair_buckets,
    word_features,
)
from moderator.learn.people.labels import BEGIN, INSIDE, LABELS, LAST, UNIT, Order
from moderator.learn.people.lexicon import Lexicon
from moderator.learn.people.marked import Marked
from moderator.learn.people.model import STEP
from moderator.learn.people.scorer import offset_salt
from moderator.learn.people.words import TITLES, Case, Cut, cut, key_of

_ROWS = 1 << BITS


def labels_of(marked: Marked, one: Cut) -> NDArray[np.int8]:
    """Return the label of each token of a cut text; what is marked inside handles and hashtags is left to `tags`."""
    labels = np.zeros(len(one.forms), np.int8)
    for start, end in marked.spans:
        covered = [
            token
            for token, (first, last, form) in enumerate(zip(one.starts, one.ends, one.forms, strict=True))
            if first < end and last > start and labels[token] == 0 and form[0] not in "@#"
        ]
        if len(covered) == 1:
            labels[covered[0]] = UNIT
        elif covered:
            first, last = covered[0], covered[-1]
            labels[first], labels[first + 1 : last], labels[last] = BEGIN, INSIDE, LAST
    return labels


class _Types:
    """Word forms met, each with its features, numbered in order."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._numbers: dict[tuple[str, bool, bool], int] = {}
        self.features: list[WordFeatures] = []

    def number(self, form: str, *, no_case: bool, strange: bool = False) -> int:
        key = (form, no_case, strange)
        if key not in self._numbers:
            self._numbers[key] = len(self.features)
            self.features.append(word_features(form, self._lexicon, no_case=no_case, strange=strange))
        return self._numbers[key]

    def row(self, one: Cut, named: Sequence[bool]) -> list[int]:
        """Return the numbers of a text's forms with two of BEFORE and AFTER round it; `named` tokens are learnt as strange to all lists."""
        plain = one.case is Case.NONE
        before, after = (self.number(form, no_case=plain) for form in (BEFORE, AFTER))
        forms = (self.number(form, no_case=plain, strange=strange) for form, strange in zip(one.forms, named, strict=True))
        return [before, before, *forms, after, after]


@dataclass(frozen=True, slots=True)
class Laid:
    """A design, and the rows of the weight table that its columns stand for."""

    design: Design
    kept: NDArray[np.int64]


def lay_out(examples: Sequence[tuple[Marked, float]], lexicon: Lexicon, *, fewest: int) -> Laid:
    """Return the design of weighed examples; features of fewer than `fewest` tokens are left out. Texts without tokens are passed over."""
    cuts = [(cut(marked.text), marked, weight) for marked, weight in examples]
    cuts = [row for row in cuts if row[0].forms]
    truths = [labels_of(marked, one) for one, marked, _ in cuts]
    types = _Types(lexicon)
    rows = [types.row(one, _strange(marked, one, truth)) for (one, marked, _), truth in zip(cuts, truths, strict=True)]
    lengths = np.array([len(one.forms) for one, _, _ in cuts])
    order = Order.of(lengths)
    ids = np.array([number for row in rows for number in row], np.int32)
    starts = np.concatenate(([0], np.cumsum(lengths + 4)[:-1]))
    inner = np.concatenate([np.arange(length) + start for length, start in zip(lengths, starts, strict=True)])[order.perm]
    cases = np.zeros(len(ids) - 4, np.uint32)
    cases[inner] = np.repeat(np.array([case_hash(one.case) for one, _, _ in cuts], np.uint32), lengths)[order.perm]
    attributes = np.array([one.attributes for one in types.features], np.uint32)
    pairs = np.stack([pair_buckets(attributes, ids, cases, number)[inner] for number in range(PAIRS)], axis=1)
    type_of = tuple(ids[inner + (2 + offset)] for offset in OFFSETS)
    seen = [_seen_from(types.features, offset) for offset in OFFSETS]
    kept = _kept(pairs, type_of, seen, fewest=fewest)
    column = np.full(_ROWS, -1, np.int32)
    column[kept] = np.arange(len(kept))
    matrices = tuple(_matrix(buckets, edges, column, len(kept)) for buckets, edges in seen)
    every = np.arange(0, pairs.size + 1, PAIRS)
    weight = np.repeat(np.array([weight for _, _, weight in cuts], np.float32), lengths)[order.perm]
    truth = np.concatenate(truths)[order.perm]
    return Laid(Design(matrices, type_of, _matrix(pairs.ravel(), every, column, len(kept)), order, truth, weight), kept)


def _strange(marked: Marked, one: Cut, truth: NDArray[np.int8]) -> list[bool]:
    if not marked.strange:
        return [False] * len(one.forms)
    return [bool(label) and form[0].isalpha() and key_of(form) not in TITLES for form, label in zip(one.forms, truth, strict=True)]


Seen = tuple[NDArray[np.int32], NDArray[np.int64]]
"""Rows of the weight table of all types' features one after another, and where each type's begin (and the last's end)."""


def _seen_from(features: Sequence[WordFeatures], offset: int) -> Seen:
    groups = [one.seen_from(offset) for one in features]
    edges = np.cumsum([0, *(len(group) for group in groups)])
    return bucket(np.array([part for group in groups for part in group], np.uint32), offset_salt(offset)), edges


def _kept(pairs: NDArray[np.int32], type_of: Sequence[NDArray[np.int32]], seen: Sequence[Seen], *, fewest: int) -> NDArray[np.int64]:
    counts = np.bincount(pairs.ravel(), minlength=_ROWS).astype(np.float64)
    for (buckets, edges), types in zip(seen, type_of, strict=True):
        tokens = np.bincount(types, minlength=len(edges) - 1)
        counts += np.bincount(buckets, weights=np.repeat(tokens, np.diff(edges)), minlength=_ROWS)
    return np.flatnonzero(counts >= fewest)


def _matrix(buckets: NDArray[np.int32], edges: NDArray[np.int64], column: NDArray[np.int32], width: int) -> sp.csr_matrix:
    columns = column[buckets]
    there = columns >= 0
    before = np.concatenate(([0], np.cumsum(there)))
    return sp.csr_matrix((np.ones(int(there.sum()), np.float32), columns[there], before[edges]), shape=(len(edges) - 1, width))


def weight_table(laid: Laid, weights: Floats, *, least: float) -> NDArray[np.int16]:
    """Return the table that serving reads: weights against outside, in parts of STEP; rows with none of at least `least` are 0."""
    against = weights[:, 1:] - weights[:, :1]
    against[np.abs(against).max(axis=1) < least] = 0
    table = np.zeros((_ROWS, LABELS - 1), np.int16)
    table[laid.kept] = np.clip(np.rint(against * STEP), -(1 << 14), 1 << 14)
    return table


def move_table(moves: Floats, *, bias: float) -> NDArray[np.int32]:
    """Return transitions in parts of STEP, with `bias` added to whatever leads into a name: above 0 finds more, and more that are none."""
    raised = moves.copy()
    raised[:, [BEGIN, UNIT]] += bias
    return np.asarray(np.rint(raised * STEP), np.int32)

"""Word clusters of our own, and how words are capitalised: learnt from unlabelled comments when the tagger is trained."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.extmath import randomized_svd

from moderator.learn.people.words import Case, Cut, cut, key_of

LEVELS = (40, 160, 640)
"""Clusters at each level, coarse to fine."""

_FEWEST = 4
_CONTEXTS = 6_000
_DIMENSIONS = 80
_NEAR = ((-2, 0.5), (-1, 1.0), (1, 1.0), (2, 0.5))
_USE_BANDS = (0.03, 0.12, 0.3, 0.6, 0.85)
_USE_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Usage:
    """What the corpora say: band of capitals by key, fine cluster by key (1 and up), and the coarser clusters of each fine one."""

    use: dict[str, int]
    fine: dict[str, int]
    coarser: NDArray[np.uint16]


def learn_usage(texts: Iterable[str], *, seed: int) -> Usage:
    """Return the usage of words in texts. Seeded: the same texts and versions give the same clusters."""
    cuts = [cut(text) for text in texts]
    fine, coarser = _clusters([list(map(key_of, one.forms)) for one in cuts], seed=seed)
    return Usage(capital_bands(cuts), fine, coarser)


def capital_bands(cuts: Iterable[Cut]) -> dict[str, int]:
    """Return by key the band of how often it is capitalised where nothing but being a name asks for it."""
    capital: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for one in cuts:
        if one.case is not Case.USUAL:
            continue
        words = [form for form in one.forms if form[0].isalpha()]
        if sum(form[0].isupper() for form in words) * 2 > len(words):
            continue
        for before, form in zip(one.forms, one.forms[1:], strict=False):
            if form[0].isalpha() and before[0] not in ".!?:\"'*-" and not (len(form) > 1 and form.isupper()):
                key = key_of(form)
                seen[key] += 1
                capital[key] += form[0].isupper()
    return {key: sum(capital[key] / count >= bound for bound in _USE_BANDS) for key, count in seen.items() if count >= _USE_FEWEST}


def _clusters(texts: Sequence[Sequence[str]], *, seed: int) -> tuple[dict[str, int], NDArray[np.uint16]]:
    """Return (fine cluster by key, coarser clusters of each), from vectors of which words stand near (PPMI and SVD)."""
    counts = Counter(key for text in texts for key in text)
    vocabulary = [key for key, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if count >= _FEWEST]
    place = {key: number for number, key in enumerate(vocabulary)}
    vectors = _vectors(_near(texts, place), seed=seed)
    model = KMeans(min(LEVELS[-1], len(vocabulary)), n_init=1, random_state=seed, max_iter=30)
    coarser = np.zeros((len(LEVELS) - 1, LEVELS[-1] + 1), np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few words make fewer clusters than asked for, which does no harm
        labels = model.fit_predict(vectors)
        for level, number in enumerate(LEVELS[:-1]):
            groups = KMeans(min(number, len(model.cluster_centers_)), n_init=1, random_state=seed).fit_predict(model.cluster_centers_)
            coarser[level, 1 : len(groups) + 1] = groups + 1
    return {key: int(label) + 1 for key, label in zip(vocabulary, labels, strict=True)}, coarser


def _near(texts: Sequence[Sequence[str]], place: dict[str, int]) -> sp.csr_matrix:
    """Return how often each word stands near each common word, by side and distance: shape (words, contexts by position)."""
    contexts = min(_CONTEXTS, len(place))
    gap = [-1, -1]
    stream = np.array([number for text in texts for number in (*(place.get(key, -1) for key in text), *gap)], np.int64)
    total = sp.csr_matrix((len(place), contexts * len(_NEAR)), dtype=np.float32)
    for number, (distance, weight) in enumerate(_NEAR):
        here, there = (stream[-distance:], stream[:distance]) if distance < 0 else (stream[:-distance], stream[distance:])
        kept = (here >= 0) & (there >= 0) & (there < contexts)
        rows, columns = here[kept], there[kept] + contexts * number
        values = np.full(len(rows), weight, np.float32)
        total += sp.csr_matrix((values, (rows, columns)), shape=total.shape)
    return total


def _vectors(near: sp.csr_matrix, *, seed: int) -> NDArray[np.float32]:
    """Return unit vectors of words: positive pointwise mutual information, smoothed, and its first singular vectors."""
    table = near.tocoo()
    rows = np.asarray(near.sum(axis=1)).ravel() + 1e-9
    columns = np.asarray(near.sum(axis=0)).ravel() ** 0.75 + 1e-9
    value = np.log(table.data * columns.sum() / (rows[table.row] * columns[table.col]))
    positive = sp.csr_matrix((np.maximum(value, 0), (table.row, table.col)), shape=near.shape)
    left, strength, _ = randomized_svd(positive, min(_DIMENSIONS, min(near.shape) - 1), n_iter=4, random_state=seed)
    vectors = left * np.sqrt(strength)
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9), np.float32)

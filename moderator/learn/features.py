"""The scikit-learn transformer from normalised texts to weighted, hashed n-grams; the first step of the abuse pipeline."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from moderator.learn.grams import Grams, grams

_CHUNK = 4_000


class HashedNgrams(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Counts of hashed n-grams, weighted by rarity and divided by the root of the summed squared weights.

    `transform` gives a CSR matrix, float32, one row a text and 2**bits columns. Without repeats this is L2-normalised TF-IDF; repeats
    count linearly in the norm, so that a score is one gather and one sum (see `abuse.Screen`).
    """

    def __init__(self, bits: int = 18) -> None:
        """Take `bits`: the matrix has 2**bits columns."""
        self.bits = bits

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        """Learn how rare each bucket is: `ln((1 + texts) / (1 + texts with it)) + 1`, kept in half precision."""
        del y
        seen = np.zeros(1 << self.bits, np.int64)
        for begin in range(0, len(texts), _CHUNK):
            counted = self._counts(texts[begin : begin + _CHUNK])
            seen += np.bincount(counted.indices, minlength=1 << self.bits)
        self.idf_ = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float16)
        return self

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return the weighted grams, CSR float32 of shape (texts, 2**bits). An empty text is an empty row."""
        check_is_fitted(self, "idf_")
        parts = [self._weighted(texts[begin : begin + _CHUNK]) for begin in range(0, len(texts), _CHUNK)]
        return sp.vstack(parts, format="csr") if parts else sp.csr_matrix((0, 1 << self.bits), dtype=np.float32)

    def _weighted(self, texts: Sequence[str]) -> sp.csr_matrix:
        counted = self._counts(texts)
        idf = self.idf_.astype(np.float32)
        squares = np.asarray(counted @ (idf * idf)).ravel()
        per_row = np.repeat(1 / np.sqrt(np.maximum(squares, 1e-9)), np.diff(counted.indptr))
        counted.data = counted.data * idf[counted.indices] * per_row.astype(np.float32)
        return counted

    def _counts(self, texts: Sequence[str]) -> sp.csr_matrix:
        found = grams(list(texts), bits=self.bits)
        columns, rows = _flat(found, len(texts))
        kept = columns < (1 << self.bits)
        ones = np.ones(int(kept.sum()), np.float32)
        counted = sp.csr_matrix((ones, (rows[kept], columns[kept])), shape=(len(texts), 1 << self.bits))
        counted.sum_duplicates()
        return counted


def _flat(found: Grams, texts: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return bucket and text number of every gram."""
    ids = np.arange(texts, dtype=np.int32)
    of_position = np.repeat(ids, np.diff(found.first, append=found.runs[0].size))
    of_word = np.repeat(ids, np.diff(found.first_word, append=found.words.size))
    return np.concatenate([*found.runs, found.words, found.pairs]), np.concatenate([of_position] * 3 + [of_word] * 2)

"""The labels of tokens, which may follow which, and the order in which all texts of a batch are walked together.

Shared by the fit and by decoding; needs nothing but numpy, so that serving starts fast.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LABELS = 5
OUTSIDE, BEGIN, INSIDE, LAST, UNIT = range(LABELS)
"""BILOU: a name of one word is UNIT; a longer one BEGIN, INSIDE …, LAST."""

ALLOWED = np.array(
    [[1, 1, 0, 0, 1], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [1, 1, 0, 0, 1], [1, 1, 0, 0, 1]],
    bool,
)
"""Which label may follow which: ALLOWED[before, after]."""

MAY_BEGIN = np.array([1, 1, 0, 0, 1], bool)
MAY_END = np.array([1, 0, 0, 1, 1], bool)


@dataclass(frozen=True, slots=True)
class Order:
    """Tokens by place in their text: `perm` sorts text-major tokens so; place t holds tokens `edges[t]:edges[t + 1]`, a prefix of texts."""

    perm: NDArray[np.int64]
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, lengths: NDArray[np.int64]) -> "Order":
        """Return the order of texts of these lengths, each at least 1, that lie one after another."""
        by_length = np.argsort(-lengths, kind="stable")
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))[by_length]
        sizes = lengths[by_length]
        counts = np.searchsorted(-sizes, -np.arange(1, int(sizes[0]) + 1), side="right")
        perm = np.concatenate([starts[:count] + place for place, count in enumerate(counts)])
        return cls(perm, np.concatenate(([0], np.cumsum(counts))))

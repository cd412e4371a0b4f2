"""The linear-chain conditional random field (Lafferty and others 2001): fitted by L-BFGS, laid out so that each step is a few products.

Called by training only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from moderator.learn.people.labels import ALLOWED, LABELS, MAY_BEGIN, MAY_END, Order

LOWEST = -30.0
"""No score counts as further below the best than this: keeps the sums finite whatever step the solver tries."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Design:
    """The data of a fit, tokens in the order's order.

    `types[o]` has a row a word type (features seen from offset o); `type_of[o]` the type at that offset of each token; `pairs` a row a
    token; `truth` its label and `weight` its text's weight, both by token; columns of all matrices are kept features.
    """

    types: tuple[sp.csr_matrix, ...]
    type_of: tuple[NDArray[np.int32], ...]
    pairs: sp.csr_matrix
    order: Order
    truth: NDArray[np.int8]
    weight: Floats


def fit(
    design: Design, *, strength: float, steps: int, start: Floats | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Floats, Floats]:
    """Return (feature weights (features, LABELS), transitions (LABELS, LABELS)) that fit best under an L2 penalty of `strength`."""
    features = design.pairs.shape[1]
    size = features * LABELS
    back = _Back(design)
    gold = np.zeros((len(design.truth), LABELS), np.float32)
    gold[np.arange(len(design.truth)), design.truth] = 1
    calls = 0

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal calls
        calls += 1
        weights = flat[:size].astype(np.float32).reshape(features, LABELS)
        moves = flat[size:].astype(np.float32).reshape(LABELS, LABELS)
        value, error, moved = _expect(emissions(design, weights), moves, design, gold)
        slope = back.gradient(error)
        penalty = 0.5 * strength * float(np.dot(flat, flat))
        gradient = np.concatenate((slope.ravel(), moved.ravel())).astype(np.float64) + strength * flat
        if calls % 20 == 0:
            say(f"step {calls}: loss {value + penalty:.0f}")
        return value + penalty, gradient

    begin = np.zeros(size + LABELS * LABELS) if start is None else start.astype(np.float64)
    found = scipy.optimize.minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 7})
    return found.x[:size].astype(np.float32).reshape(features, LABELS), found.x[size:].astype(np.float32).reshape(LABELS, LABELS)


def emissions(design: Design, weights: Floats) -> Floats:
    """Return label scores of each token, shape (tokens, LABELS)."""
    scores = design.pairs @ weights
    for matrix, type_of in zip(design.types, design.type_of, strict=True):
        scores += (matrix @ weights)[type_of]
    return np.asarray(scores, np.float32)


class _Back:
    """Carries errors by token back to features, with the matrices turned round once."""

    def __init__(self, design: Design) -> None:
        self._pairs = design.pairs.T.tocsr()
        tokens = len(design.truth)
        self._types = []
        for matrix, type_of in zip(design.types, design.type_of, strict=True):
            gather = sp.csr_matrix((np.ones(tokens, np.float32), (type_of, np.arange(tokens))), shape=(matrix.shape[0], tokens))
            self._types.append((matrix.T.tocsr(), gather))

    def gradient(self, error: Floats) -> Floats:
        total = self._pairs @ error
        for matrix, gather in self._types:
            total += matrix @ (gather @ error)
        return np.asarray(total, np.float32)


def _expect(scores: Floats, moves: Floats, design: Design, gold: Floats) -> tuple[float, Floats, Floats]:
    """Return the negative log-likelihood, expected less true labels by token, and expected less true transitions (forward-backward)."""
    edges = design.order.edges
    weight = design.weight
    top = scores.max(axis=1, keepdims=True)
    psi = np.exp(np.maximum(scores - top, LOWEST).astype(np.float64))
    follow = np.where(ALLOWED, np.exp(moves.astype(np.float64)), 0)
    places = len(edges) - 1
    alpha = np.empty_like(psi)
    scale = np.empty(len(psi))
    for place in range(places):
        first, last = edges[place], edges[place + 1]
        if place == 0:
            now = psi[first:last] * MAY_BEGIN
        else:
            now = (alpha[edges[place - 1] : edges[place - 1] + last - first] @ follow) * psi[first:last]
        scale[first:last] = now.sum(axis=1)
        alpha[first:last] = now / scale[first:last, None]
    beta = np.ones_like(psi) * MAY_END
    expected = np.zeros((LABELS, LABELS))
    for place in range(places - 2, -1, -1):
        first = edges[place]
        nxt, last = edges[place + 1], edges[place + 2]
        count = last - nxt
        ahead = psi[nxt:last] * beta[nxt:last] / scale[nxt:last, None]
        share = weight[nxt:last] / (alpha[nxt:last] * beta[nxt:last]).sum(axis=1)
        expected += follow * ((alpha[first : first + count] * share[:, None]).T @ ahead)
        beta[first : first + count] = ahead @ follow.T
    chance = alpha * beta
    total = chance.sum(axis=1, keepdims=True)
    chance /= total
    ends = _is_end(edges)
    truth = design.truth
    moved = np.zeros((LABELS, LABELS))
    likelihood = float((weight * np.log(scale)).sum()) + float((weight * np.log(np.where(ends, total[:, 0], 1))).sum())
    likelihood -= float((weight * (scores[np.arange(len(truth)), truth] - top[:, 0])).sum(dtype=np.float64))
    for place in range(places - 1):
        nxt, last = edges[place + 1], edges[place + 2]
        before = truth[edges[place] : edges[place] + last - nxt]
        np.add.at(moved, (before, truth[nxt:last]), weight[nxt:last])
    likelihood -= float((moved * moves.astype(np.float64)).sum())
    return likelihood, np.asarray((chance - gold) * weight[:, None], np.float32), np.asarray(expected - moved, np.float32)


def _is_end(edges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which tokens are the last of their text."""
    ends = np.ones(int(edges[-1]), bool)
    for place in range(len(edges) - 2):
        count = edges[place + 2] - edges[place + 1]
        ends[edges[place] : edges[place] + count] = False
    return ends

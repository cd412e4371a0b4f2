"""Decoding: the best labels of every token of a batch, and how far each is from the other answer, in whole numbers.

Called by the tagger. Weights are whole numbers, so sums and comparisons come out the same on every machine and in any company.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderator.learn.people.labels import ALLOWED, LABELS, MAY_BEGIN, MAY_END, OUTSIDE, Order

FAR = -(1 << 24)
"""Stands for minus infinity: no sum of real scores comes near it."""

Whole = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Of each token: `labels`, its label on the best path, and `margins`, by how much the best path that has it in a name beats the best
    that has it outside (negative when outside wins)."""  # noqa: D205, D209 - one sentence

    labels: NDArray[np.int8]
    margins: Whole


def decode(scores: Whole, moves: Whole, lengths: NDArray[np.int64]) -> Decoded:
    """Return the decoded tokens of texts that lie one after another; `scores` has shape (tokens, LABELS), each length is at least 1."""
    order = Order.of(lengths)
    edges = order.edges
    places = len(edges) - 1
    sorted_scores = scores[order.perm]
    follow = np.where(ALLOWED, moves, FAR).astype(np.int32)
    ahead = np.empty_like(sorted_scores)
    came = np.zeros(sorted_scores.shape, np.int8)
    for place in range(places):
        first, last = edges[place], edges[place + 1]
        if place == 0:
            ahead[first:last] = sorted_scores[first:last] + np.where(MAY_BEGIN, 0, FAR)
            continue
        before = edges[place - 1]
        paths = ahead[before : before + last - first, :, None] + follow
        came[first:last] = paths.argmax(axis=1)
        ahead[first:last] = paths.max(axis=1) + sorted_scores[first:last]
    back = np.empty_like(sorted_scores)
    back[:] = np.where(MAY_END, 0, FAR)
    labels = np.zeros(len(sorted_scores), np.int8)
    for place in range(places - 1, -1, -1):
        first, last = edges[place], edges[place + 1]
        if place + 1 == places:
            best = np.asarray((ahead[first:last] + back[first:last]).argmax(axis=1))
        else:
            nxt, end = edges[place + 1], edges[place + 2]
            count = end - nxt
            onward = sorted_scores[nxt:end] + back[nxt:end]
            back[first : first + count] = (onward[:, None, :] + follow).max(axis=2)
            best = np.asarray((ahead[first:last] + back[first:last]).argmax(axis=1))
            best[:count] = came[nxt:end][np.arange(count), labels[nxt:end]]
        labels[first:last] = best
    whole = ahead + back
    inside = whole[:, OUTSIDE + 1 : LABELS].max(axis=1)
    margins = np.empty(len(whole), np.int32)
    given = np.empty(len(whole), np.int8)
    margins[order.perm] = inside - whole[:, OUTSIDE]
    given[order.perm] = labels
    return Decoded(given, margins)

"""The random field and its decoding, against sums and searches over every labelling of small texts."""

import itertools
from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from moderator.learn.people import crf
from moderator.learn.people.crf import Design
from moderator.learn.people.decode import decode
from moderator.learn.people.labels import ALLOWED, BEGIN, INSIDE, LABELS, LAST, MAY_BEGIN, MAY_END, OUTSIDE, UNIT, Order

Table = NDArray[np.float64] | NDArray[np.float32] | NDArray[np.int32]

LENGTHS = np.array([3, 1, 4, 2])
TRUTH = np.array([BEGIN, LAST, OUTSIDE, UNIT, OUTSIDE, BEGIN, INSIDE, LAST, OUTSIDE, OUTSIDE], np.int8)


def labellings(length: int) -> Iterator[tuple[int, ...]]:
    for labels in itertools.product(range(LABELS), repeat=length):
        if MAY_BEGIN[labels[0]] and MAY_END[labels[-1]] and all(ALLOWED[pair] for pair in itertools.pairwise(labels)):
            yield labels


def path(scores: Table, moves: Table, labels: tuple[int, ...]) -> float:
    return float(sum(scores[place, label] for place, label in enumerate(labels)) + sum(moves[pair] for pair in itertools.pairwise(labels)))


def texts() -> Iterator[slice]:
    start = 0
    for length in LENGTHS:
        yield slice(start, start + length)
        start += length


def test_the_order_puts_all_texts_side_by_side() -> None:
    order = Order.of(LENGTHS)
    assert order.perm.tolist() == [4, 0, 8, 3, 5, 1, 9, 6, 2, 7]
    assert order.edges.tolist() == [0, 4, 7, 9, 10]


def test_likelihood_and_slope_are_those_of_the_sum_over_all_labellings() -> None:
    random = np.random.default_rng(3)
    scores, moves = random.normal(size=(10, LABELS)).astype(np.float32), random.normal(size=(LABELS, LABELS)).astype(np.float32)
    weight = np.repeat(np.array([1, 0.5, 2, 1], np.float32), LENGTHS)
    order = Order.of(LENGTHS)
    empty = sp.csr_matrix((10, 1), dtype=np.float32)
    design = Design((), (), empty, order, TRUTH[order.perm], weight[order.perm])
    gold = np.eye(LABELS, dtype=np.float32)[TRUTH[order.perm]]

    def exact(some_scores: NDArray[np.float32], some_moves: NDArray[np.float32]) -> float:
        total = 0.0
        for place in texts():
            sums = [path(some_scores[place], some_moves, one) for one in labellings(place.stop - place.start)]
            total += weight[place][0] * (np.logaddexp.reduce(sums) - path(some_scores[place], some_moves, tuple(TRUTH[place])))
        return total

    value, slope, moved = crf._expect(scores[order.perm], moves, design, gold)  # noqa: SLF001 - the sum is the whole point
    assert np.isclose(value, exact(scores, moves), atol=1e-4)
    by_token = np.empty_like(slope)
    by_token[order.perm] = slope
    for token, label in [(0, BEGIN), (3, UNIT), (6, INSIDE), (9, OUTSIDE)]:
        step = np.zeros_like(scores)
        step[token, label] = 0.01
        assert np.isclose((exact(scores + step, moves) - exact(scores - step, moves)) / 0.02, by_token[token, label], atol=1e-3)
    for pair in [(OUTSIDE, OUTSIDE), (BEGIN, LAST), (LAST, OUTSIDE)]:
        step = np.zeros_like(moves)
        step[pair] = 0.01
        assert np.isclose((exact(scores, moves + step) - exact(scores, moves - step)) / 0.02, moved[pair], atol=1e-3)


def test_a_fit_learns_what_its_features_tell() -> None:
    random = np.random.default_rng(5)
    lengths = random.integers(1, 9, 60)
    order = Order.of(lengths)
    truth = (random.random(int(lengths.sum())) < 0.3).astype(np.int8) * UNIT
    columns = (truth[order.perm] == UNIT).astype(np.int32)
    tokens = np.arange(len(truth))
    pairs = sp.csr_matrix((np.ones(len(truth), np.float32), (tokens, columns)), shape=(len(truth), 2))
    types = sp.csr_matrix(np.eye(2, dtype=np.float32))
    said: list[str] = []
    design = Design((types,), (columns,), pairs, order, truth[order.perm], np.ones(len(truth), np.float32))
    weights, _ = crf.fit(design, strength=0.1, steps=40, say=said.append)
    assert (crf.emissions(design, weights).argmax(axis=1) == truth[order.perm]).all()
    assert said


def test_decoding_finds_the_best_labelling_and_by_how_much_it_wins() -> None:
    random = np.random.default_rng(11)
    for _ in range(20):
        scores = random.integers(-60, 60, (10, LABELS)).astype(np.int32)
        moves = random.integers(-30, 30, (LABELS, LABELS)).astype(np.int32)
        decoded = decode(scores, moves, LENGTHS)
        for place in texts():
            sums = {one: path(scores[place], moves, one) for one in labellings(place.stop - place.start)}
            best = tuple(decoded.labels[place].tolist())
            assert sums[best] == max(sums.values())
            for token in range(place.stop - place.start):
                inside = max(total for one, total in sums.items() if one[token] != OUTSIDE) if place.stop - place.start else 0
                outside = max(total for one, total in sums.items() if one[token] == OUTSIDE)
                assert decoded.margins[place.start + token] == inside - outside

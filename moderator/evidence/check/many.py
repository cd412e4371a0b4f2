"""Checking many bags on all cores, a bounded number in flight. Called by `verify`."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing.context import BaseContext

from moderator.evidence.check.bag import BagFound, BagTask, check_bag

_BATCH = 64
_WORTH_IT = 400
"""Fewest bags for which starting processes pays: about a quarter of a second's work (measured)."""
_AHEAD = 4


def check_many(tasks: Iterable[BagTask], *, workers: int | None) -> Iterator[BagFound]:
    """Yield what the check of each bag found, in order. `workers`: processes; None takes one a core, 1 stays in this process."""
    wanted = workers or os.cpu_count() or 1
    stream = iter(tasks)
    first = list(islice(stream, _WORTH_IT))
    if wanted == 1 or len(first) < _WORTH_IT:
        yield from map(check_bag, chain(first, stream))
        return
    try:
        pool = ProcessPoolExecutor(wanted, mp_context=_context())
    except OSError:  # shared memory is closed to this user, as in some containers: slower, and as thorough
        yield from map(check_bag, chain(first, stream))
        return
    with pool:
        running: deque[Future[list[BagFound]]] = deque()
        for batch in _batches(chain(first, stream)):
            running.append(pool.submit(_check_batch, batch))
            if len(running) > wanted * _AHEAD:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()


def _check_batch(batch: list[BagTask]) -> list[BagFound]:
    return [check_bag(task) for task in batch]


def _batches(tasks: Iterable[BagTask]) -> Iterator[list[BagTask]]:
    stream = iter(tasks)
    while batch := list(islice(stream, _BATCH)):
        yield batch


def _context() -> BaseContext:
    """Return how to start processes: by fork where nothing else runs in this one, which is quickest; else afresh, which is safe."""
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if alone else "spawn")

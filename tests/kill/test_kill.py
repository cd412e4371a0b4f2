"""Killed with SIGKILL at random instants: nothing seen is lost, nothing is hidden before its record (promises 1 and 2)."""

import os
import random
from pathlib import Path

import pytest
from world import check, kill_once, warm, world

COMMENTS = 100
LONGEST = 2.2
"""Seconds until a kill, at most: a little less than one run takes, so that kills fall everywhere in it."""


def kill_many(folder: Path, kills: int, seed: int) -> int:
    """Kill demos `kills` times, in as many worlds as that takes; check each finished world; return how many there were."""
    chosen = random.Random(seed)  # noqa: S311 - a test's own repeatable choice
    done = worlds = 0
    with warm(folder / "demo.log") as forks:
        while done < kills:
            worlds += 1
            with world(folder / f"world-{worlds}", count=COMMENTS, seed=seed + worlds) as place:
                while done < kills and kill_once(forks, place, chosen.uniform(0.05, LONGEST)):
                    done += 1
                while kill_once(forks, place, 300):
                    pass
                check(place)
    return worlds


@pytest.mark.slow
def test_r10_forty_kills_lose_nothing_and_hide_nothing_unsealed(tmp_path: Path) -> None:
    assert kill_many(tmp_path, 40, seed=20261122) >= 1


@pytest.mark.soak
@pytest.mark.skipif("SOAK_KILLS" not in os.environ, reason="the long run: make soak")
def test_r10_the_long_run(tmp_path: Path) -> None:
    assert kill_many(tmp_path, int(os.environ["SOAK_KILLS"]), seed=1) >= 1

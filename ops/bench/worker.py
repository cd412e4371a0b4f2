"""What every contender's process runs: load, say so, then work or answer as asked. Called by the ours_*.py and peers_contenders.

Standard library only, since it runs in the peers' environment too. It talks JSON, a line a message: commands on stdin, answers on the
stdout it was started with; what a library prints goes to stderr. Linux only (/proc, sched_setaffinity).
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

FIRST_BATCH, LARGEST_BATCH = 10, 500
"""Comments in the first batch, and in the largest: the service's own. In between a batch is what takes about a second."""


class Contender(Protocol):
    """Something that reads comments."""

    def work(self, texts: Sequence[str]) -> object:
        """Read the texts, as its own users would call it, and return what it makes of them. This alone is timed."""

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return what it makes of each text: `abuse` [chance, flagged], `people` [[start, end], …], `pii` [[start, end], …]."""


def serve(contenders: Mapping[str, Callable[[Sequence[str]], Contender]], arguments: Sequence[str]) -> int:
    """Run the contender named first in `arguments` on the core named second; the rest are its own. Returns when stdin ends."""
    name, core, *own = arguments
    os.sched_setaffinity(0, {int(core)})
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    contender = contenders[name](own)
    contender.work(["ready?"])  # what is loaded on first use belongs to loading
    gc.collect()
    gc.freeze()  # as the service does once its models are loaded; the peers have it too
    _say(said, memory())
    for line in sys.stdin:
        asked = json.loads(line)
        texts = json.loads(Path(asked["texts"]).read_text(encoding="utf-8"))
        if asked["do"] == "work":
            _say(said, {**_timed(contender, texts, float(asked["seconds"])), **memory()})
        else:
            Path(asked["into"]).write_text(json.dumps(contender.answers(texts)), encoding="utf-8")
            _say(said, memory())
    return 0


def _say(said: object, message: Mapping[str, float]) -> None:
    print(json.dumps(message), file=said, flush=True)  # type: ignore[call-overload] # an open text file


def _timed(contender: Contender, texts: Sequence[str], most: float) -> dict[str, float]:
    """Return how many texts were read and the seconds it took; ends with the texts, or with the batch in which `most` seconds are over."""
    done, size, taken = 0, FIRST_BATCH, 0.0
    began = time.perf_counter()
    while done < len(texts) and taken < most:
        batch = texts[done : done + size]
        contender.work(batch)
        done += len(batch)
        taken = time.perf_counter() - began
        size = max(FIRST_BATCH, min(LARGEST_BATCH, int(done / taken)))
    return {"done": done, "seconds": taken}


def memory() -> dict[str, float]:
    """Return the resident memory of this process, now and at its height, in MB (10^6 bytes)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if line.startswith("Vm"))
    return {name: int(lines[key].split()[0]) * 1024 / 1e6 for name, key in (("resident", "VmRSS"), ("height", "VmHWM"))}

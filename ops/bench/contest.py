"""Measures contenders in turns, each alone in a process of its own on one core. Called by bench_assess and bench_roll.

Start-up is measured five times, in turns. Then all stay loaded, and five times (after one turn that does not count) each in its turn reads
comments that it has not seen before, while the others wait. Answers for judging are asked apart, from fresh processes.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
MOST_SECONDS = 5.0
"""A turn ends when all texts are read, or with the batch in which so many seconds are over: slow contenders read fewer texts."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS"), "1")
QUIET = {"TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
OFFLINE = {"TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS": ""}
"""presidio's e-mail recogniser would fetch a list of domains; it carries a copy."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A contender to be started: `python script name CORE arguments…`. `starts` is how often its start-up is measured."""

    name: str
    python: Path
    script: Path
    arguments: tuple[str, ...] = ()
    starts: int = ROUNDS


@dataclass(slots=True)
class Cost:
    """What a contender costs: `starts` in seconds, `rates` in comments a second, one a turn; memory in MB after the last turn."""

    starts: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    resident: float = 0.0
    height: float = 0.0

    @property
    def rate(self) -> float:
        """Return the median rate."""
        return statistics.median(self.rates)

    @property
    def start(self) -> float:
        """Return the median time from the start of the process until it can read."""
        return statistics.median(self.starts)


class _Running:
    """A contender's process."""

    def __init__(self, entrant: Entrant, core: int) -> None:
        self._name = entrant.name
        command = [entrant.python, "-P", "-W", "ignore", entrant.script, entrant.name, str(core), *entrant.arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPACY"))}
        self._began = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - this folder's own scripts
            [str(part) for part in command],
            env={**environment, **ONE_THREAD, **QUIET, **OFFLINE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = ThreadPoolExecutor(1)
        self._errors = self._reader.submit(self._process.stderr.read) if self._process.stderr else None
        self.seconds = 0.0

    def wait(self) -> None:
        """Wait until it is loaded and has read one text."""
        self._answer()
        self.seconds = time.perf_counter() - self._began

    def ask(self, **command: object) -> dict[str, float]:
        """Give a command and wait for what it says."""
        if self._process.stdin is None or self._process.poll() is not None:
            return self._answer()
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.kill()
            last = self._errors.result().strip().splitlines()[-3:] if self._errors else []
            message = f"bench: {self._name} did not answer: {' | '.join(last)}"
            raise SystemExit(message)
        said: dict[str, float] = json.loads(line)
        return said

    def stop(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        self._reader.shutdown()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()


@contextmanager
def _running(entrant: Entrant, core: int) -> Iterator[_Running]:
    process = _Running(entrant, core)
    try:
        process.wait()
        yield process
    finally:
        process.stop()


def costs(entrants: Sequence[Entrant], turns: Sequence[Path]) -> dict[str, Cost]:
    """Return the cost of each entrant by name; `turns` are files of texts, the first of which only warms up."""
    core = max(os.sched_getaffinity(0))
    found = {entrant.name: Cost() for entrant in entrants}
    for turn in range(ROUNDS - 1):
        for entrant in entrants:
            if turn < entrant.starts - 1:
                with _running(entrant, core) as process:
                    found[entrant.name].starts.append(process.seconds)
        _tell(f"start-up {turn + 1} of {ROUNDS} measured")
    with ExitStack() as stack:
        processes = [(found[entrant.name], stack.enter_context(_running(entrant, core))) for entrant in entrants]
        for cost, process in processes:
            cost.starts.append(process.seconds)
        for number, texts in enumerate(turns):
            for cost, process in processes:
                said = process.ask(do="work", texts=str(texts), seconds=MOST_SECONDS)
                cost.resident, cost.height = said["resident"], said["height"]
                if number:
                    cost.rates.append(said["done"] / said["seconds"])
            _tell(f"turn {number} of {len(turns) - 1} measured")
    return found


def answers(asked: Mapping[Entrant, Iterable[Path]], into: Path) -> dict[tuple[str, str], list[dict[str, object]]]:
    """Return what each entrant makes of each file of texts, by (entrant's name, file's stem); as many at once as there are cores."""
    cores = sorted(os.sched_getaffinity(0))
    lanes: list[list[tuple[Entrant, Iterable[Path]]]] = [[] for _ in cores]
    for place, pair in enumerate(asked.items()):
        lanes[place % len(lanes)].append(pair)

    def lane(core: int, pairs: Sequence[tuple[Entrant, Iterable[Path]]]) -> None:
        for entrant, files in pairs:
            with _running(entrant, core) as process:
                for texts in files:
                    process.ask(do="answer", texts=str(texts), into=str(into / f"{entrant.name}--{texts.stem}.json"))
            _tell(f"{entrant.name} judged")

    with ThreadPoolExecutor(len(cores)) as pool:
        for done in [pool.submit(lane, core, pairs) for core, pairs in zip(cores, lanes, strict=True)]:
            done.result()
    return {
        (entrant.name, texts.stem): json.loads((into / f"{entrant.name}--{texts.stem}.json").read_text(encoding="utf-8"))
        for entrant, files in asked.items()
        for texts in files
    }


def _tell(line: str) -> None:
    sys.stdout.write(f"bench:   {line}\n")
    sys.stdout.flush()

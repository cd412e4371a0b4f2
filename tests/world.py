"""One world for the kill tests: a practice network of its own, a demo that is killed at random instants, and what must hold at the end."""

import json
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from moderator.evidence.check.verify import verify

FORKS = Path(__file__).parent / "kill" / "forks.py"

KIND = (
    "Lovely to see the choir out in the sunshine.",
    "What time does the book fair open on Friday?",
    "Our two came home singing, thank you all.",
    "Please could the newsletter go out a day earlier?",
    "The new climbing frame looks wonderful.",
    "Is the car park open for the concert?",
    "Well done to everyone in the cross-country team.",
)
SHARP = (
    "You are a useless idiot and so is your whole office.",
    "Tilly Marwood is a nasty little thief and everyone knows it.",
    "Mr Pemberwick is a stupid pathetic bully.",
    "Shut up you ugly idiots, you disgusting clowns.",
    "My dad hits me when he is drunk and I am scared to go home.",
)


def comments(path: Path, count: int, seed: int) -> None:
    """Write `count` comments, about one in twelve sharp, all different."""
    chosen = random.Random(seed)  # noqa: S311 - a test's own repeatable choice
    lines = [f"{chosen.choice(SHARP if number % 12 == 5 else KIND)} ({number})" for number in range(count)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass
class Forks:
    """The warm process that starts demos."""

    process: "subprocess.Popen[str]"

    def start(self, out: Path, url: str) -> int:
        """Start a demo; return its process number."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{out} {url}\n")
        self.process.stdin.flush()
        return int(self._line())

    def code(self) -> int:
        """Wait for the demo to end; return its exit code, negative for a signal."""
        return int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the forking process died"
        return line


@contextmanager
def warm(log: Path) -> Iterator[Forks]:
    """Yield a warm process to start demos from."""
    command = [sys.executable, str(FORKS)]
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Forks(process)
        finally:
            process.kill()


@dataclass(frozen=True)
class World:
    """A practice network in its own process, and the folder of one demo."""

    folder: Path
    url: str
    count: int

    @property
    def out(self) -> Path:
        """The demo's folder."""
        return self.folder / "out"

    @property
    def log(self) -> Path:
        """The practice network's log."""
        return self.folder / "practice.jsonl"


@contextmanager
def world(folder: Path, *, count: int, seed: int) -> Iterator[World]:
    """Yield a new world whose practice network survives every kill."""
    folder.mkdir(parents=True)
    comments(folder / "comments.txt", count, seed)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moderator", "practice", "--port", str(port)]
    files = ["--comments", str(folder / "comments.txt"), "--log", str(folder / "practice.jsonl"), "--state", str(folder / "practice.db")]
    process = subprocess.Popen([*command, *files], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, "the practice network ended"
                time.sleep(0.1)
        yield World(folder, f"http://127.0.0.1:{port}", count)
    finally:
        process.terminate()
        process.wait()


def kill_once(forks: Forks, place: World, after: float) -> bool:
    """Start the demo and SIGKILL it after that many seconds; return False when it had finished before."""
    number = forks.start(place.out, place.url)
    victim = psutil.Process(number)
    try:
        victim.wait(timeout=after)
    except psutil.TimeoutExpired:
        victim.send_signal(signal.SIGKILL)
    code = forks.code()
    assert code in {0, -signal.SIGKILL}, f"the demo ended with {code}"
    return code != 0


def check(place: World) -> None:
    """Hold the finished world against the promises."""
    with closing(sqlite3.connect(place.out / "moderator.db")) as database:
        items = database.execute("SELECT comment_id, version, state, stage, held_at, record_id, outcome FROM items").fetchall()
    assert len(items) == place.count, "a comment was polled and lost"
    assert [row for row in items if row[3] is not None or row[4] is not None] == [], "something still waits"
    assert {row[2] for row in items} <= {"cleared", "hidden", "recorded", "withheld"}
    flagged = [row for row in items if row[6] in {"hide", "route"}]
    assert len(flagged) >= place.count // 20
    assert all(row[5] for row in flagged), "a flagged item has no record"

    bags = [json.loads(path.read_bytes()) for path in place.out.glob("vault/oakfield/*/*/data/record.json")]
    by_version = {(bag["comment_id"], bag["text"]) for bag in bags}
    assert len(bags) == len(by_version) == len(flagged), "two records for one version, or one missing"
    sealed = {bag["comment_id"]: bag["sealed_utc"] for bag in bags}

    requests = [json.loads(line) for line in place.log.read_text(encoding="utf-8").splitlines()]
    hides = [
        (line["path"].split("/")[3], line["time"]) for line in requests if line["method"] == "PUT" and line["path"].endswith("/hidden")
    ]
    hidden = {row[0] for row in items if row[2] == "hidden"}
    assert {number for number, _ in hides} == hidden
    for number, moment in hides:
        assert moment > sealed[number], f"{number} was hidden at {moment}, before its record was sealed at {sealed[number]}"

    found = verify(place.out / "vault")
    assert found.ok, found.faults
    summary = json.loads((place.out / "summary.json").read_text())
    assert summary["violations"] == 0
    assert summary["polled"] == place.count
    assert summary["digests"] == 1

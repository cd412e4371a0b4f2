#!/usr/bin/env python3
"""Run the project's checks, stopping at the first that fails. Called by `make test` and `make lint`.

    .venv/bin/python ops/check.py lint
    .venv/bin/python ops/check.py test [pytest's arguments]

`test` is: lint beside the built wheel, then every test with branch coverage. Given pytest arguments, it runs only those tests and
asks no coverage of them. pytest's own closing line is the last thing printed when all is well.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COVERAGE = ROOT / ".cache" / "coverage.json"
# Branch coverage: every line and branch of what decides, and 95 % of the whole.
FULL = ("moderator/domain/", "moderator/steps/", "moderator/ports/", "moderator/text/")
OVERALL = 95.0
# Three, though two cores will do: tests wait a good deal for browsers, servers and disks.
WORKERS = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")  # tests/conftest.py puts the longest first
LINT = (
    ("ruff check", ("ruff", "check")),
    ("ruff format", ("ruff", "format", "--check")),
    ("import order", ("lint-imports",)),
)
TYPES = (
    ("mypy", ("mypy", "--explicit-package-bases", "moderator", "tests")),  # several conftest.py, told apart by their folders
    ("mypy of ops", ("mypy", "ops")),
)
# For everything started here. One thread each for what scikit-learn calls: the workers fill the cores, and threads that wait for one
# another in a loop only take them from the next test.
SETTINGS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# A machine may forbid Python to keep what it has compiled; without that each worker reads every test file anew.
FORBIDS_BYTECODE = "PYTHONDONTWRITEBYTECODE"
# Tests that need only what the wheel carries; they run once more against the wheel, installed by itself.
WHEEL_TESTS = ("tests/test_wheel.py",)
# The tests write some 3 GB in small files, each flushed to the disk as the product flushes them: in memory, where there is room for it.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOM = 8 * 1024**3


class StoppedError(Exception):
    """A check failed, or another one did and this one was ended or never begun."""


class Checks:
    """Runs checks from several threads until one fails; then the others are ended."""

    def __init__(self) -> None:
        """Run nothing yet."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._failed = False

    def run(self, name: str, command: list[str], *, env: dict[str, str] | None = None) -> None:
        """Run one check and say that it passed; raise StoppedError, its output shown, when it is the first to fail."""
        started = time.monotonic()
        with self._lock:
            if self._failed:
                raise StoppedError
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._running.add(process)
        told, _ = process.communicate()
        with self._lock:
            self._running.remove(process)
            if self._failed:
                raise StoppedError
            if process.returncode != 0:
                self._fail(name, told)
                raise StoppedError
            sys.stdout.write(f"check: {name} passed ({time.monotonic() - started:.0f} s)\n")
            sys.stdout.flush()

    def _fail(self, name: str, told: str) -> None:
        self._failed = True
        for other in self._running:
            other.terminate()
        sys.stdout.write(told)
        sys.stdout.flush()
        sys.stderr.write(f"check: {name} failed\n")


def at_once(*works: Callable[[Checks], None]) -> None:
    """Do several pieces of work, each with its own checks in order, side by side; end the program with 1 when a check fails."""
    checks = Checks()
    with ThreadPoolExecutor(len(works)) as pool:
        done = [pool.submit(work, checks) for work in works]
    errors = [error for error in (each.exception() for each in done) if error is not None]
    for error in errors:
        if not isinstance(error, StoppedError):
            raise error
    if errors:
        sys.exit(1)


def lint(checks: Checks) -> None:
    """Run each quick linter over the whole tree."""
    for name, (tool, *arguments) in LINT:
        checks.run(name, [str(BIN / tool), *arguments])


def types(checks: Checks) -> None:
    """Check the types of the whole tree."""
    for name, (tool, *arguments) in TYPES:
        checks.run(name, [str(BIN / tool), *arguments])


def read(checks: Checks) -> None:
    """Let pytest read every test once: a file that cannot be read is told at once, and no worker compiles the files again."""
    checks.run("reading the tests", [sys.executable, "-m", "pytest", "--collect-only", "-qq"])


def wheel(checks: Checks) -> None:
    """Build the wheel, install it alone in a scratch environment, and run its tests there.

    The scratch environment sees our dependencies but not the checkout, so whatever the wheel forgot is missed.
    """
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place) / "env"
        checks.run("wheel build", [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", place])
        built = next(Path(place).glob("*.whl"))
        checks.run("scratch environment", [sys.executable, "-m", "venv", "--without-pip", str(scratch)])
        python = scratch / "bin" / "python"
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(built)]
        checks.run("wheel install", install)
        ask = [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        ours = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own command
        theirs = next(scratch.glob("lib/python*/site-packages"))
        (theirs / "dependencies.pth").write_text(f"{ours}\n", encoding="utf-8")
        env = {"MODERATOR_TESTED_WHEEL": str(built), "PATH": f"{scratch / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        checks.run("tests against the built wheel", [str(python), "-P", "-m", "pytest", "-q", *WHEEL_TESTS], env=env)


def _shortfalls(report: dict[str, dict[str, dict[str, dict[str, float]]]]) -> list[str]:
    """List the files and totals under their floor."""
    files = report["files"]
    short = [
        f"{path}: {figures['summary']['percent_covered']:.2f} % covered, and 100 % is the floor"
        for path, figures in sorted(files.items())
        if path.startswith(FULL) and figures["summary"]["percent_covered"] < 100  # noqa: PLR2004 - all of it
    ]
    total = float(report["totals"]["percent_covered"])  # type: ignore[arg-type]  # totals lie one level higher than files
    return short + ([f"overall: {total:.2f} % covered, and {OVERALL:.0f} % is the floor"] if total < OVERALL else [])


def floors() -> None:
    """End the program with 1 when coverage is under a floor; say nothing otherwise."""
    short = _shortfalls(json.loads(COVERAGE.read_text(encoding="utf-8")))
    if short:
        sys.stderr.write("".join(f"check: {line}\n" for line in short))
        sys.exit(1)


@contextlib.contextmanager
def scratch() -> Iterator[list[str]]:
    """Yield pytest's option for a folder in memory, removed afterwards; no option, so a place on the disk, where room is short."""
    if not os.access(IN_MEMORY, os.W_OK) or shutil.disk_usage(IN_MEMORY).free < ROOM:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="moderator-tests-", dir=IN_MEMORY, ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o711)  # the database server of the tests runs as another user
        yield [f"--basetemp={place}/tests"]


def pytest(arguments: list[str]) -> None:
    """Run the tests, all of them with coverage or just those asked for; end the program with pytest's status when it fails."""
    COVERAGE.parent.mkdir(exist_ok=True)
    coverage = ["--cov=moderator", "--cov-branch", "--cov-report=term:skip-covered", f"--cov-report=json:{COVERAGE}"]
    with scratch() as place:
        chosen = arguments or [*WORKERS, *coverage, *place]
        done = subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=ROOT, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        sys.exit(done.returncode)
    if not arguments:
        floors()


def lint_and_wheel(checks: Checks) -> None:
    """Do what needs no types: the quick linters, the wheel, and a first reading of the tests."""
    lint(checks)
    wheel(checks)
    read(checks)


def main(arguments: list[str]) -> int:
    """Run what is asked; 2 for bad use."""
    os.environ.update(SETTINGS)
    os.environ.pop(FORBIDS_BYTECODE, None)
    if arguments == ["lint"]:
        at_once(types, lint)
        return 0
    if arguments[:1] != ["test"]:
        sys.stderr.write("check: say lint or test\n")
        return 2
    if not arguments[1:]:
        at_once(types, lint_and_wheel)
    pytest(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

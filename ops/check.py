#!/usr/bin/env python3
"""Run the project's checks in order, stopping at the first that fails. Called by `make test` and `make lint`.

    .venv/bin/python ops/check.py lint
    .venv/bin/python ops/check.py test [pytest's arguments]

`test` is: lint, the built wheel, then every test with branch coverage. Given pytest arguments, it runs only those tests and asks
no coverage of them. pytest's own closing line is the last thing printed when all is well.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
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
    ("mypy", ("mypy", "--explicit-package-bases", "moderator", "tests")),  # several conftest.py, told apart by their folders
    ("mypy of ops", ("mypy", "ops")),
    ("import order", ("lint-imports",)),
)
# Tests that need only what the wheel carries; they run once more against the wheel, installed by itself.
WHEEL_TESTS = ("tests/test_wheel.py",)


def _run(name: str, command: list[str], *, env: dict[str, str] | None = None) -> None:
    """Run one check, its output going straight through; end the program with its status when it fails."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, check=False)  # noqa: S603 - our own commands
    if done.returncode != 0:
        sys.stderr.write(f"check: {name} failed\n")
        sys.exit(1)
    sys.stdout.write(f"check: {name} passed ({time.monotonic() - started:.0f} s)\n")
    sys.stdout.flush()


def lint() -> None:
    """Run each linter over the whole tree."""
    for name, (tool, *arguments) in LINT:
        _run(name, [str(BIN / tool), *arguments])


def wheel() -> None:
    """Build the wheel, install it alone in a scratch environment, and run its tests there.

    The scratch environment sees our dependencies but not the checkout, so whatever the wheel forgot is missed.
    """
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place) / "env"
        _run("wheel build", [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", place])
        built = next(Path(place).glob("*.whl"))
        _run("scratch environment", [sys.executable, "-m", "venv", "--without-pip", str(scratch)])
        python = scratch / "bin" / "python"
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(built)]
        _run("wheel install", install)
        ask = [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
        ours = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own command
        theirs = next(scratch.glob("lib/python*/site-packages"))
        (theirs / "dependencies.pth").write_text(f"{ours}\n", encoding="utf-8")
        env = {"MODERATOR_TESTED_WHEEL": str(built), "PATH": f"{scratch / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        _run("tests against the built wheel", [str(python), "-P", "-m", "pytest", "-q", *WHEEL_TESTS], env=env)


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


def pytest(arguments: list[str]) -> None:
    """Run the tests, all of them with coverage or just those asked for; end the program with pytest's status when it fails."""
    COVERAGE.parent.mkdir(exist_ok=True)
    coverage = ["--cov=moderator", "--cov-branch", "--cov-report=term:skip-covered", f"--cov-report=json:{COVERAGE}"]
    chosen = arguments or [*WORKERS, *coverage]
    done = subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=ROOT, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        sys.exit(done.returncode)
    if not arguments:
        floors()


def main(arguments: list[str]) -> int:
    """Run what is asked; 2 for bad use."""
    if arguments == ["lint"]:
        lint()
        return 0
    if arguments[:1] != ["test"]:
        sys.stderr.write("check: say lint or test\n")
        return 2
    if not arguments[1:]:
        lint()
        wheel()
    pytest(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""shot-scraper, the peer that `capture_shot_scraper` measures ours against: an environment of its own. Called by bench_capture.

Made on first use under .cache/peers from shot_scraper.lock, apart from ours and its locks. It has a Playwright of its own, and is given
the same Chromium as ours. shot-scraper 1.12 is of 14 September 2026, Apache-2.0.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from setup.say import work

from moderator.evidence.capture.chromium import find_chromium

HERE = Path(__file__).resolve().parent
PLACE = HERE.parents[1] / ".cache" / "peers"
LOCK = HERE / "shot_scraper.lock"
VERSION = "1.12"
_MISSING = re.compile(r"Executable doesn't exist at (?P<place>\S+)")


def program() -> Path:
    """Return the shot-scraper command, installed now if there is none for this lock. Raises SetupFailedError."""
    folder, stamp = PLACE / "shots", PLACE / "shots.stamp"
    wanted = hashlib.sha256(b"\0".join((LOCK.read_bytes(), sys.version.encode(), str(folder).encode()))).hexdigest()
    command = folder / "bin" / "shot-scraper"
    if command.exists() and stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return command
    shutil.rmtree(folder, ignore_errors=True)
    PLACE.mkdir(parents=True, exist_ok=True)
    mend = "Check that this machine reaches a Python package index, then run make bench again."
    work([sys.executable, "-m", "venv", "--without-pip", folder], what="making an environment for shot-scraper in .cache/peers", mend=mend)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"]
    quiet: list[str | Path] = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    locked: list[str | Path] = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", LOCK]
    work([*pip, *quiet, *locked], what="installing shot-scraper, once", mend=mend)
    _lend(command)
    stamp.write_text(wanted, encoding="ascii")
    return command


def shoot(command: Path, address: str, picture: Path, *, width: int, height: int) -> None:
    """Take one picture as a person at a shell would. Raises CalledProcessError."""
    _run(command, address, picture, "--width", str(width), "--height", str(height)).check_returncode()


def _lend(command: Path) -> None:
    """Put our Chromium where shot-scraper's own Playwright looks for its download. It says where, when it finds none."""
    chromium = find_chromium()
    told = _MISSING.search(_run(command, "about:blank", PLACE / "shots.png").stderr)
    if chromium is None or told is None:
        return
    place = Path(told["place"])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f'#!/bin/sh\nexec "{chromium}" "$@"\n', encoding="utf-8")
    place.chmod(0o755)


def _run(command: Path, address: str, picture: Path, *options: str) -> subprocess.CompletedProcess[str]:
    flags = ["--browser-arg", "--no-sandbox"] if os.geteuid() == 0 else []
    env = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(PLACE / "shots-browsers")}
    return subprocess.run([command, address, "-o", picture, *options, *flags], check=False, env=env, capture_output=True, text=True)  # noqa: S603 - a fixed command

"""A stranger with VERIFY.txt, bash, the core utilities and openssl: runs its commands as written. Used by the tests of the guide."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CORE_UTILITIES = (
    "base64", "cat", "cut", "date", "head", "mkdir", "printf", "seq", "sha256sum", "sha512sum", "tail", "tr", "true", "false",
)  # fmt: skip
STEP = re.compile(r"^(\d+)\. ", re.MULTILINE)
COMMAND = re.compile(r"^   \$ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Did:
    """One command: its step in the guide, what was typed, its exit status and what it printed."""

    step: int
    command: str
    status: int
    printed: str


def commands(guide: str) -> list[tuple[int, str]]:
    """Return step number and command, in the order of the guide."""
    marks = [(found.start(), int(found[1])) for found in STEP.finditer(guide)]
    return [(max((mark for mark in marks if mark[0] < found.start()), default=(0, 0))[1], found[1]) for found in COMMAND.finditer(guide)]


def tools(folder: Path) -> Path:
    """Return a folder that holds bash, openssl and the core utilities VERIFY.txt may use, and nothing else."""
    folder.mkdir(exist_ok=True)
    for name in (*CORE_UTILITIES, "bash", "openssl"):
        real = shutil.which(name, path="/usr/bin:/bin")
        if real is not None and not (folder / name).exists():
            (folder / name).symlink_to(real)
    return folder


def follow(guide: str, at: Path, bin_folder: Path) -> list[Did]:
    """Run every command of the guide in the folder `at`, one shell each, with no other program than those in `bin_folder`."""
    environment = {"PATH": str(bin_folder), "LC_ALL": "C", "HOME": str(at)}
    done = []
    for step, command in commands(guide):
        typed = [str(bin_folder / "bash"), "-c", command]
        got = subprocess.run(typed, cwd=at, env=environment, capture_output=True, text=True, errors="replace", timeout=60, check=False)
        done.append(Did(step, command, got.returncode, got.stdout + got.stderr))
    return done


def pack_up(bags: list[Path], ledger: Path, at: Path) -> Path:
    """Copy records and their ledger into an empty folder, links as links; return it."""
    at.mkdir()
    for bag in bags:
        shutil.copytree(bag, at / bag.name, symlinks=True)
    shutil.copy(ledger, at / ledger.name)
    for where, _, _ in os.walk(at):
        Path(where).chmod(0o755)
    return at

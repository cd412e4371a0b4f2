"""Debian packages: installed when root, else fetched and unpacked inside the checkout. Called by pip, browser and database set-up.

The private way needs no right at all: apt keeps its state and cache in our folder, and `dpkg-deb -x` unpacks what it fetched.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from setup.place import ROOT, UNPACKED, WRAPPERS, is_root
from setup.say import SetupFailedError, answer, say, work

STATE = Path("/var/lib/dpkg/status")
LISTS = Path("/var/lib/apt/lists")
MEND = "Check that this machine reaches its Debian mirror (apt-get update), then run make again."
# Held back from the unpacked tree: large parts of a dependency that no program we start ever loads.
UNWANTED = ("libllvm", "perl", "libperl", "systemd", "dbus", "init-system-helpers", "postgresql-common", "adwaita-icon-theme", "ssl-cert")


def at_hand() -> bool:
    """Tell whether this machine is a Debian (or a child of it) whose packages can be used."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb")) and STATE.exists()


def _has_lists(folder: Path) -> bool:
    return any(folder.glob("*_Packages*"))


def _quiet(*arguments: str) -> list[str]:
    return ["apt-get", "-q", "-y", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=120", *arguments]


def _fetch_note(line: str) -> str | None:
    words = line.split()
    if line.startswith("Get:") and len(words) > 4:  # noqa: PLR2004 - "Get:3 mirror suite/part arch package …"
        return f"fetching {words[4]}"
    if line.startswith(("Unpacking", "Setting up")):
        return f"{line.split('(', maxsplit=1)[0].strip().rstrip('.').lower()}"
    return None


def _fetch(names: Iterable[str], *, options: Iterable[str], listed: bool, relist: Iterable[str], what: str) -> None:
    """Run apt-get install; read the package lists first where there are none, or once more where they prove too old."""
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    command = _quiet("install", "--no-install-recommends", *options, *names)
    if listed:
        try:
            work(command, what=what, mend=MEND, env=env, progress=_fetch_note)
        except SetupFailedError:
            say("the package lists may be old; reading fresh ones")
        else:
            return
    work(_quiet("update", *relist), what="reading the Debian package lists", mend=MEND, env=env, progress=_fetch_note)
    work([*command, *relist], what=what, mend=MEND, env=env, progress=_fetch_note)


def install(packages: Iterable[str], *, what: str) -> None:
    """Install packages for the whole machine (root only). Safe to repeat. Raises SetupFailedError."""
    _fetch(packages, options=(), listed=_has_lists(LISTS), relist=(), what=what)


def unpack(packages: Iterable[str], *, what: str, name: str) -> Path:
    """Fetch packages with what they need and unpack them in a folder of their own; return it. Needs no rights. Safe to repeat.

    Raises SetupFailedError.
    """
    private = UNPACKED / "apt"
    target = UNPACKED / name
    archives = private / "cache" / name
    for folder in (private / "lists" / "partial", archives / "partial", private / "log", target):
        folder.mkdir(parents=True, exist_ok=True)
    fresh = ("-o", f"Dir::State::lists={private / 'lists'}")
    own = _has_lists(private / "lists")
    options = [
        *("-o", f"Dir::State={private}", "-o", f"Dir::State::status={STATE}", "-o", f"Dir::Log={private / 'log'}"),
        *("-o", f"Dir::Cache={private / 'cache'}", "-o", f"Dir::Cache::archives={archives}"),
        *("-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", "-o", "APT::Update::Post-Invoke::=", "-o", "DPkg::Post-Invoke::="),
    ]
    there = fresh if own else ("-o", f"Dir::State::lists={LISTS}")
    listed = own or (_has_lists(LISTS) and os.access(LISTS, os.R_OK))
    _fetch(packages, options=[*options, *there, "--download-only"], listed=listed, relist=[*options, *fresh], what=what)
    wanted = [archive for archive in sorted(archives.glob("*.deb")) if not archive.name.startswith(UNWANTED)]
    each = 'for archive in "$@"; do dpkg-deb -x "$archive" "$0" || exit 1; done'
    work(["sh", "-c", each, target, *wanted], what=f"unpacking {len(wanted)} Debian packages in {target.relative_to(ROOT)}", mend=MEND)
    shutil.rmtree(archives)
    return target


def _libraries(tree: Path) -> str:
    triplet = answer(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"]) or "*-linux-gnu*"
    found = [path for lib in ("lib", "usr/lib") for path in sorted(tree.glob(f"{lib}/{triplet}")) if path.is_dir()]
    nested = [path / "pulseaudio" for path in found if (path / "pulseaudio").is_dir()]
    return ":".join(str(path) for path in [*found, *nested])


def wrap(program: Path, *, tree: Path, folder: Path = WRAPPERS, exports: Iterable[str] = ()) -> Path:
    """Write a script that starts an unpacked program with the libraries unpacked beside it; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / program.name
    lines = ["#!/bin/sh", f'export LD_LIBRARY_PATH="{_libraries(tree)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"', *exports]
    script.write_text("\n".join([*lines, f'exec "{program}" "$@"', ""]), encoding="utf-8")
    script.chmod(0o755)
    return script


def obtain(packages: Iterable[str], *, what: str, name: str) -> Path:
    """Install for the machine when root (returns `/`), else unpack inside the checkout (returns that tree)."""
    if is_root():
        install(packages, what=f"installing {what}")
        return Path("/")
    return unpack(packages, what=f"fetching {what} (not installed; unpacked in .cache)", name=name)

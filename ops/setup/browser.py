"""Chromium for the pictures in the records: found, else Debian's package, else Playwright's own. Called by ops/bootstrap.py."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from setup import debian
from setup.place import BROWSERS, PYTHON, WRAPPERS, is_root
from setup.say import SetupFailedError, answer, say, succeeds, work

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The headless shell draws what Chromium draws, and gives each record a fresh context for a third of the work. The Noto fonts have the
# scripts of the languages that UK families write in.
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core", "fonts-noto-core", "fonts-noto-color-emoji")
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{tree}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{tree}/font-cache</cachedir>
</fontconfig>
"""
ASK_NODE = """
from playwright._impl._driver import compute_driver_executable
print(compute_driver_executable()[0])
"""
ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def found() -> Path | None:
    """Return the Chromium this machine already has: the one named by MODERATOR_CHROMIUM first."""
    named = os.environ.get("MODERATOR_CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise SetupFailedError(
                happened=f"MODERATOR_CHROMIUM names {named}, which is no program", mend="Mend or unset it, then run make again."
            )
        return Path(named)
    for name in NAMES:
        place = shutil.which(name)
        if place:
            return Path(place)
    unpacked = WRAPPERS / "chromium"  # by an earlier set-up
    return unpacked if unpacked.exists() and starts(unpacked) else None


def starts(program: Path, *, options: Iterable[str] = ("--no-sandbox",)) -> bool:
    """Tell whether this Chromium can draw a page here (a download may lack the system's libraries)."""
    with tempfile.TemporaryDirectory() as profile:
        arguments = ["--headless", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}", *options]
        return succeeds([program, *arguments, "--dump-dom", "about:blank"], seconds=90)


def _startable(program: Path) -> Path:
    """Return this Chromium, or a script that starts it without its sandbox where the kernel allows it none (a container, a chroot).

    The service itself leaves the sandbox out for root alone, as Chromium demands; there nothing is to be done.
    """
    if is_root() or starts(program, options=()) or not starts(program):
        return program
    say("this machine allows Chromium no sandbox (a container or a chroot does that); it will be started without")
    WRAPPERS.mkdir(parents=True, exist_ok=True)
    script = WRAPPERS / "chromium-without-sandbox"
    script.write_text(f'#!/bin/sh\nexec "{program}" --no-sandbox "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def _from_debian() -> Path | None:
    tree = debian.obtain(PACKAGES, what="Chromium and its fonts", name="chromium")
    if tree == Path("/"):
        return found()
    fonts = tree / "fonts.conf"
    fonts.write_text(FONTS.format(tree=tree), encoding="utf-8")
    program = debian.wrap(tree / "usr/lib/chromium/chromium-headless-shell", tree=tree, exports=[f'export FONTCONFIG_FILE="{fonts}"'])
    return program if starts(program) else None


def _from_playwright() -> Path | None:
    env = {"PLAYWRIGHT_BROWSERS_PATH": str(BROWSERS)}
    mend = "Install Chromium by hand, or name one with MODERATOR_CHROMIUM."
    command: list[str | Path] = [PYTHON, "-m", "playwright", "install", "--no-shell", "chromium"]
    work(command, what="fetching Playwright's own Chromium", mend=mend, env=env)
    place = answer([PYTHON, "-c", ASK_PLAYWRIGHT], env=env)
    return Path(place) if place and starts(Path(place)) else None


def provide_driver() -> Path | None:
    """Return a Node that can run Playwright's driver, or nothing when the one it carries can. Needs `.venv`. Safe to repeat.

    Playwright's own Node wants libatomic, which a bare Debian lacks. Raises SetupFailedError when it cannot be had.
    """
    node = Path(answer([PYTHON, "-c", ASK_NODE]))
    wrapper = WRAPPERS / "node"
    if succeeds([node, "--version"]):
        return None
    if wrapper.exists() and succeeds([wrapper, "--version"]):
        return wrapper
    tree = debian.obtain(["libatomic1"], what="a library for Playwright", name="driver") if debian.at_hand() else Path("/")
    runner = node if tree == Path("/") else debian.wrap(node, tree=tree)
    if not succeeds([runner, "--version"]):
        raise SetupFailedError(happened="Playwright's Node does not start here", mend="Install libatomic, then run make again.")
    return None if runner == node else runner


def provide() -> Path | None:
    """Return a Chromium that starts, fetching one if need be, or nothing when none can be had. Needs `.venv`. Safe to repeat."""
    ways = [_from_debian, _from_playwright] if debian.at_hand() else [_from_playwright]
    program = found()
    while program is None and ways:
        try:
            program = ways.pop(0)()
        except SetupFailedError as error:
            say(str(error))
    return _startable(program) if program else None

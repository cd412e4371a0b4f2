"""Plain lines while set-up works, and the one way it starts another program. Called by every module here."""

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

HEARTBEAT_SECONDS = 10.0
TAIL_LINES = 12
# What is fetched beside the rest, in a thread of its own; its lines say so.
BESIDE = "object store"
# Settings of the caller's shell that would send packages, or imports, somewhere else than our own environment.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")


class SetupFailedError(Exception):
    """Set-up cannot go on. The message is one line that says what happened and how to mend it."""

    def __init__(self, *, happened: str, mend: str) -> None:
        """Keep both halves; `mend` begins with a verb."""
        super().__init__(f"{happened}. {mend}")


def say(line: str) -> None:
    """Print one line of progress at once."""
    sys.stdout.write(f"setup: {line}\n")
    sys.stdout.flush()


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {**kept, "LC_ALL": "C.UTF-8", **(extra or {})}


def succeeds(command: Iterable[str | Path], *, env: Mapping[str, str] | None = None, seconds: float = 60.0) -> bool:
    """Tell whether a short command ends well within its time; say nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are this folder's own
            [str(part) for part in command],
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def answer(command: Iterable[str | Path], *, env: Mapping[str, str] | None = None) -> str:
    """Return what a short command prints, or an empty text where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are this folder's own
            [str(part) for part in command],
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def work(
    command: Iterable[str | Path],
    *,
    what: str,
    mend: str,
    env: Mapping[str, str] | None = None,
    progress: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Run a long command: say what it does, then a line at least every ten seconds until it ends.

    `progress` reads each line the command prints and may return a short note ("12 of 67") for the next line of ours.
    Raises SetupFailedError, after showing the command's last lines, when it ends badly.
    """
    say(what)
    beside = "" if threading.current_thread() is threading.main_thread() else f"{BESIDE}: "
    started = time.monotonic()
    try:
        running = subprocess.Popen(  # noqa: S603 - the commands are this folder's own
            [str(part) for part in command],
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise SetupFailedError(happened=f"{what}: could not start ({error})", mend=mend) from error
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    note = {"text": ""}

    def read() -> None:
        for line in running.stdout or ():
            tail.append(line.rstrip())
            note["text"] = progress(line) or note["text"]

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    while True:
        try:
            code = running.wait(timeout=HEARTBEAT_SECONDS)
            break
        except subprocess.TimeoutExpired:
            say(f"  … {beside}{note['text'] or 'still at it'} ({time.monotonic() - started:.0f} s)")
        except BaseException:
            running.terminate()
            raise
    reader.join(timeout=5)
    if code != 0:
        for line in tail:
            sys.stderr.write(f"  | {line}\n")
        raise SetupFailedError(happened=f"{what}: failed (exit {code})", mend=mend)

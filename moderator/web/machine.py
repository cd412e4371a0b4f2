"""What the machine itself says: room on its disks, the ledger's file, the last backup. Reads only. Called by the Health page."""

import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from moderator.domain.times import from_utc_text

LAST_BACKUP = "last-backup"
"""The file in the data folder in which a backup says when it was made: JSON with `at` (a time as `domain.times.utc_text` writes it)."""

_TAIL = 65_536
"""Bytes of the ledger's file read from its end: a line takes some hundred."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk by what lies on it, with its free and whole bytes."""

    holds: str
    free: int
    total: int


def disks(folders: dict[str, Path]) -> tuple[Disk, ...]:
    """Return the disks of the folders, each disk once with all that lies on it. A folder that cannot be asked is left out."""
    found: dict[tuple[int, int], Disk] = {}
    for name, folder in folders.items():
        try:
            place, usage = folder.stat().st_dev, shutil.disk_usage(folder)
        except OSError:
            continue
        key = (place, usage.total)
        known = found.get(key)
        found[key] = Disk(f"{known.holds} and {name}" if known else name, usage.free, usage.total)
    return tuple(found.values())


def last_backup(folder: Path) -> datetime | None:
    """Return when the last backup was made; None when no backup is known, or the file does not say."""
    try:
        told = json.loads((folder / LAST_BACKUP).read_text(encoding="utf-8"))
        return from_utc_text(str(told["at"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lines_in(file: Path) -> int | None:
    """Return the number of the last whole line of a ledger's file, 0 for an empty or missing one; None when it cannot be read."""
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(size - _TAIL, 0))
            tail = opened.read()
    except FileNotFoundError:
        return 0
    except OSError:
        return None
    whole = tail[: tail.rfind(b"\n") + 1].splitlines()
    if not whole:
        return 0
    try:
        return int(json.loads(whole[-1])["seq"])
    except (ValueError, KeyError, TypeError):
        return None

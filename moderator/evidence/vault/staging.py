"""Where a bag is built before it goes into the vault. Called by the sealing.

Each service holds a locked file `<vault>/.tmp/<token>.lock` and builds in `<vault>/.tmp/<token>/`, on the vault's own filesystem. The
lock dies with its process, however it dies, so the next start knows which leftovers nobody owns and sweeps only those.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moderator.evidence.vault.durable import disk, remove_leftover
from moderator.observe import happened

STAGING = ".tmp"
DRAFT = ".draft"
_STALE = 3600.0
"""Seconds after which a draft of a stamp is nobody's any more: writing one takes milliseconds."""


class Staging:
    """One recorder's own folder of unfinished bags."""

    def __init__(self, vault_root: Path) -> None:
        """Take a fresh place under `vault_root/.tmp` and sweep the places of dead processes. Raises OSError when the vault is away."""
        self._area = vault_root / STAGING
        with suppress(FileExistsError):
            disk.make_folder(self._area, mode=0o700)
        _sweep(self._area)
        self._lock, self._name = _take_place(self._area)
        self._folder = self._area / self._name

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a new folder to build in; whatever is still there afterwards is removed."""
        with suppress(FileExistsError):
            disk.make_folder(self._folder)
        place = self._folder / secrets.token_hex(8)
        disk.make_folder(place)
        try:
            yield place
        finally:
            if place.exists():
                remove_leftover(place)

    def close(self) -> None:
        """Give the place back; may be repeated."""
        if self._lock < 0:
            return
        remove_leftover(self._folder)
        with suppress(OSError):
            (self._area / f"{self._name}.lock").unlink()
        os.close(self._lock)
        self._lock = -1


def _take_place(area: Path) -> tuple[int, str]:
    while True:
        name = f"{os.getpid()}-{secrets.token_hex(8)}"
        path = area / f"{name}.lock"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Another start may have swept the file between the two calls above; then the lock is on a file nobody can see.
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            return handle, name
        os.close(handle)


def _sweep(area: Path) -> None:
    for path in area.glob(f"*{DRAFT}"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > _STALE:
                path.unlink()
    for path in area.glob("*.lock"):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            remove_leftover(area / path.stem)
            with suppress(OSError):
                path.unlink()
            happened("unfinished_record_swept", place=path.stem)
        finally:
            os.close(handle)

"""Files that survive a power cut: write and fsync, fsync a folder, remove a leftover. Called by the bag, the vault and the stamps."""

import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_AT_ONCE = 8
"""Files flushed side by side: the disk's journal then commits them together, which costs about as much as one."""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new read-only file and flush it to the disk. Raises FileExistsError when there is one, OSError when the disk is full."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o444)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all_durably(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file (`name` or `data/name`) under `folder`, then flush each folder. Raises the first OSError met."""
    folders = {folder / Path(name).parent for name in files} | {folder}
    for each in folders:
        each.mkdir(exist_ok=True)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for done in [pool.submit(write_durably, folder / name, content) for name, content in files.items()]:
            done.result()
        sync_folders(sorted(folders, reverse=True), pool)


def sync_folders(folders: Iterable[Path], pool: ThreadPoolExecutor) -> None:
    """Flush several folders side by side."""
    list(pool.map(sync_folder, folders))


def make_folders(root: Path, below: Path) -> None:
    """Make `root/below` step by step, flushing each parent, so that the path itself survives a power cut."""
    current = root
    for part in below.parts:
        current /= part
        if not current.is_dir():
            current.mkdir(exist_ok=True)
            sync_folder(current.parent)


def read_only(folder: Path) -> None:
    """Take the write bits from a finished folder and everything in it. May be repeated."""
    for where, _, names in os.walk(folder, topdown=False):
        for name in names:
            _mode(Path(where, name), 0o444)
        _mode(Path(where), 0o555)


def _mode(path: Path, mode: int) -> None:
    if stat.S_IMODE(path.lstat().st_mode) != mode:
        path.chmod(mode)


def remove_leftover(folder: Path) -> None:
    """Remove an unfinished folder, read-only parts too. Never called on a sealed bag. Errors are left: the next start sweeps again."""
    for where, _, _ in os.walk(folder):
        try:
            Path(where).chmod(0o700)
        except OSError:
            continue
    shutil.rmtree(folder, ignore_errors=True)

"""Files that survive a power cut: write and fsync, fsync a folder, remove a leftover. Called by the recorder, the vault and staging.

Everything that changes a disk goes through `disk`, one narrow seam: the tests write down what it is asked and replay every power cut.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

_AT_ONCE = 8
"""Files flushed side by side: the disk's journal then commits them together, which costs about as much as one."""

_NO_SECOND_NAME = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
"""What a file system answers that gives a file no second name (FAT, some network folders)."""


class Disk:
    """The calls that change a disk, and those that make a change last. Each raises OSError as the system does."""

    def create(self, path: Path) -> int:
        """Open a new read-only file for writing, following no link; return its handle."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o444)

    def write(self, handle: int, part: memoryview) -> int:
        """Write some of `part`; return how many bytes."""
        return os.write(handle, part)

    def flush(self, handle: int) -> None:
        """Make a file's bytes durable."""
        os.fsync(handle)

    def flush_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def make_folder(self, folder: Path, *, mode: int = 0o777) -> None:
        """Make a folder. Raises FileExistsError when there is one."""
        folder.mkdir(mode=mode)

    def rename(self, old: Path, new: Path) -> None:
        """Move a file or folder."""
        old.rename(new)

    def link(self, old: Path, new: Path) -> None:
        """Give a file a second name. Raises FileExistsError: unlike a rename it never replaces."""
        os.link(old, new, follow_symlinks=False)

    def unlink(self, path: Path) -> None:
        """Take a name away."""
        path.unlink()


disk = Disk()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    disk.flush_folder(folder)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new read-only file and flush it to the disk. Raises FileExistsError when there is one, OSError when the disk is full."""
    handle = disk.create(path)
    try:
        view = memoryview(content)
        while view:
            view = view[disk.write(handle, view) :]
        disk.flush(handle)
    finally:
        os.close(handle)


def write_all_durably(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write every file (`name` or `data/name`) under `folder`, then flush each folder. Raises the first OSError met."""
    folders = {folder / Path(name).parent for name in files} | {folder}
    for each in sorted(folders):
        with suppress(FileExistsError):
            disk.make_folder(each)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for done in [pool.submit(write_durably, folder / name, content) for name, content in files.items()]:
            done.result()
        sync_folders(sorted(folders, reverse=True), pool)


def sync_folders(folders: Iterable[Path], pool: ThreadPoolExecutor) -> None:
    """Flush several folders side by side."""
    list(pool.map(sync_folder, folders))


def make_folders(root: Path, below: Path) -> None:
    """Make `root/below` step by step, flushing each parent, so that the path itself survives a power cut.

    The parent of a folder that is there is flushed too: whoever made it may have been cut off before that.
    """
    current = root
    for part in below.parts:
        current /= part
        with suppress(FileExistsError):
            disk.make_folder(current)
        sync_folder(current.parent)


def add_durably(draft: Path, target: Path, content: bytes) -> None:
    """Write `content` at `draft`, flush it, and give it the name `target`, which is never half there and never replaces a file.

    The folder is flushed by the caller. Raises FileExistsError when `target` is there, OSError when the disk is full.
    """
    try:
        write_durably(draft, content)
        try:
            disk.link(draft, target)
        except OSError as error:
            if error.errno not in _NO_SECOND_NAME or target.exists():
                raise
            disk.rename(draft, target)
    finally:
        with suppress(OSError):
            disk.unlink(draft)


def remove_durably(folder: Path, names: Iterable[str]) -> None:
    """Remove files from a folder and flush it. A name that is gone already is passed over: it may be repeated."""
    for name in names:
        with suppress(FileNotFoundError):
            disk.unlink(folder / name)
    sync_folder(folder)


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

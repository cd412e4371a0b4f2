"""The file system's own "never change" flags (`chattr +i`, `+a`), where it has them and we may set them. Called by the folder vault.

On ext4, XFS and btrfs the flags stop root too, until they are lifted. Setting or lifting them needs the right CAP_LINUX_IMMUTABLE.
"""

import errno
import fcntl
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from moderator.observe import went_wrong

IMMUTABLE = 0x10
"""FS_IMMUTABLE_FL of linux/fs.h: no byte, name or mode may change."""
APPEND = 0x20
"""FS_APPEND_FL of linux/fs.h: of a folder, names may be added and none taken away."""
_LONG = struct.calcsize("l")
_GET = (2 << 30) | (_LONG << 16) | (ord("f") << 8) | 1
"""FS_IOC_GETFLAGS of linux/fs.h."""
_SET = (1 << 30) | (_LONG << 16) | (ord("f") << 8) | 2
"""FS_IOC_SETFLAGS of linux/fs.h."""
_NO_FLAGS = {errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def change_flags(path: Path, *, put: int = 0, take: int = 0) -> int:
    """Set and lift flags of a file or folder; return those it had. Raises OSError when there are none here or we may not."""
    handle = os.open(path, _OPEN)
    try:
        held = bytearray(_LONG)
        fcntl.ioctl(handle, _GET, held, True)  # noqa: FBT003 - the call's own form
        had = int(struct.unpack("l", held)[0])
        wanted = (had | put) & ~take
        if wanted != had:
            fcntl.ioctl(handle, _SET, struct.pack("l", wanted))
        return had
    finally:
        os.close(handle)


def why_not(folder: Path) -> str:
    """Return in plain words why the flags cannot be set on files of `folder`, or "" when they can. Tries it on a file of its own."""
    trial = folder / f"{secrets.token_hex(8)}.trial"
    try:
        trial.touch(mode=0o600)
        try:
            change_flags(trial, put=IMMUTABLE)
            change_flags(trial, take=IMMUTABLE)
        finally:
            trial.unlink()
    except OSError as error:
        if error.errno in _NO_FLAGS:
            return "this file system has no such flag"
        if error.errno in {errno.EPERM, errno.EACCES}:
            return "the service has no right to set it (CAP_LINUX_IMMUTABLE)"
        return f"it could not be tried: {error.strerror}"
    return ""


def close_for_good(bag: Path) -> None:
    """Flag a bag's files and its data folder as never to change, and the bag as only to be added to. May be repeated.

    What cannot be flagged is told in the log and left: the record stands, and its files are read-only all the same.
    """
    with os.scandir(bag) as entries:
        files = [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
    data = bag / "data"
    if data.is_dir() and not data.is_symlink():
        with os.scandir(data) as entries:
            files += [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]
        files.append(data)
    try:
        for path in files:
            change_flags(path, put=IMMUTABLE)
        change_flags(bag, put=APPEND)
    except OSError as error:
        went_wrong("record_not_flagged", record=bag.name, reason=error.strerror or type(error).__name__)


@contextmanager
def lifted(*paths: Path) -> Iterator[None]:
    """Lift the flags of files and folders for a lawful change and set them again afterwards on those still there.

    A path without flags costs a look. One that may not be lifted is left: the change itself then says so.
    """
    had: dict[Path, int] = {}
    try:
        for path in paths:
            with suppress(OSError):
                had[path] = change_flags(path, take=IMMUTABLE | APPEND) & (IMMUTABLE | APPEND)
        yield
    finally:
        for path, flags in had.items():
            if flags:
                with suppress(OSError):
                    change_flags(path, put=flags)

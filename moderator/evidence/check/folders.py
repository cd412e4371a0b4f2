"""A bag in a folder, read through folder handles: no link is followed, however it is swapped in. Called by the check; a BagSource."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from moderator.evidence.check.reading import (
    CHUNK,
    MAX_FILE,
    MAX_NAMES,
    MAX_SMALL,
    Digest,
    Listing,
    NotPlain,
    Said,
    hashes,
    shown,
    stream_hashes,
    too_large,
)
from moderator.evidence.vault.names import DATA

_ONE_READ = 64 * 1024
"""Bytes read at first: almost every file is smaller, and is then read with this one call. Asking for 256 KiB takes ten times as long for
a small file, for memory is then fetched from the system and given back each time (measured).
"""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_DATA = -1


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A bag in a folder of this machine; `folder` is its path."""

    folder: str

    @contextmanager
    def open(self) -> Iterator["FolderReader"]:
        """Open the bag. Raises OSError when it is not a folder that can be read, a link included."""
        handle = os.open(self.folder, _FOLDER)
        data = _NO_DATA
        try:
            with suppress(OSError):
                data = os.open("data", _FOLDER, dir_fd=handle)
            yield FolderReader(handle, data)
        finally:
            os.close(handle)
            if data != _NO_DATA:
                os.close(data)


@dataclass(frozen=True, slots=True)
class FolderReader:
    """An open folder and its `data` (-1: there is none that may be opened); implements BagReader."""

    handle: int
    data: int

    def listing(self) -> Listing:
        """Return the plain files; links, devices and other folders are told of and left."""
        faults: list[Said] = []
        tags = _names(self.handle, "", faults, folders={"data"})
        if self.data == _NO_DATA:
            faults.append(("missing", "The folder data is missing or is not a folder.", "data"))
            return Listing(frozenset(tags), frozenset(), tuple(faults))
        payload = _names(self.data, DATA, faults, folders=set())
        return Listing(frozenset(tags), frozenset(payload), tuple(faults))

    def small(self, name: str) -> bytes:
        """Return a small file whole."""
        handle = self._open(name)
        try:
            return _whole(handle, name, MAX_SMALL)
        finally:
            os.close(handle)

    def digest(self, name: str, *, keep: int, sha512: bool) -> Digest:
        """Return the hashes of a file: one read for a small one, a stream for a large one."""
        handle = self._open(name)
        try:
            first = os.read(handle, _ONE_READ)
            if 0 < len(first) < _ONE_READ:
                return hashes(first, keep=keep, sha512=sha512)
            step = min(CHUNK, max(_ONE_READ, _plain(handle, name, MAX_FILE) - len(first)))
            chunks = chain((first,), iter(lambda: os.read(handle, step), b""))
            return stream_hashes(chunks, limit=MAX_FILE, keep=keep, sha512=sha512, name=name)
        finally:
            os.close(handle)

    def _open(self, name: str) -> int:
        if name.startswith(DATA):
            if self.data == _NO_DATA:
                raise FileNotFoundError(2, "No such file or directory")
            return os.open(name[len(DATA) :], _FILE, dir_fd=self.data)
        return os.open(name, _FILE, dir_fd=self.handle)


def folder_source(path: Path) -> FolderSource:
    """Return the source of the bag at `path`."""
    return FolderSource(str(path))


def _names(handle: int, under: str, faults: list[Said], *, folders: set[str]) -> set[str]:
    names: set[str] = set()
    with os.scandir(handle) as entries:
        for count, entry in enumerate(entries):
            if count >= MAX_NAMES:
                faults.append(("too_many", f"More than {MAX_NAMES} files: this is no record.", under.rstrip("/")))
                break
            if entry.is_file(follow_symlinks=False):
                names.add(entry.name)
            elif entry.name not in folders or not entry.is_dir(follow_symlinks=False):
                faults.append(_no_file(under + shown(entry.name), link=entry.is_symlink()))
    return names


def _no_file(name: str, *, link: bool) -> Said:
    if link:
        return "link", f"{name!r} is a link. A record holds none; it was not followed.", name
    return "not_plain", f"{name!r} is not a plain file; it was not opened.", name


def _whole(handle: int, name: str, limit: int) -> bytes:
    """Return a small file whole.

    Asking what every file is would cost as much as reading it. Links are never followed, the caller asks for names that its listing calls
    plain files, and a pipe put in their place since then gives nothing; so only an empty or a large answer is looked into.
    """
    first = os.read(handle, _ONE_READ)
    if 0 < len(first) < _ONE_READ:
        return first
    _plain(handle, name, limit)
    pieces = [first]
    while piece := os.read(handle, CHUNK):
        pieces.append(piece)
    return b"".join(pieces)


def _plain(handle: int, name: str, limit: int) -> int:
    """Return a file's size. Raises NotPlain for anything but a file of at most `limit` bytes."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        message = f"{name} is not a plain file."
        raise NotPlain(message)
    if found.st_size > limit:
        raise too_large(name)
    return found.st_size

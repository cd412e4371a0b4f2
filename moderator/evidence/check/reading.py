"""Reading a folder that nobody vouches for: no link followed, no device opened, memory bounded. Called by the check of a bag."""

import hashlib
import os
import re
import stat
from collections.abc import Callable

MAX_SMALL = 1024 * 1024
"""Bytes of a manifest, tag file or stamp read at most (our choice): a record's are a few kilobytes."""
MAX_FILE = 1024**3
"""Bytes of a payload file hashed at most (our choice): a record's largest is a picture of some megabytes."""
_ONE_READ = 256 * 1024
_CHUNK = 1024 * 1024
_MAX_NAMES = 1000
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]*)")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
Say = Callable[[str, str, str], None]


class NotPlain(OSError):  # noqa: N818 - reads as a sentence where it is raised
    """Not a plain file of a fitting size."""


def listing(handle: int, say: Say, *, folders: set[str]) -> set[str]:
    """Return the names of plain files in an open folder; tell of links, devices and folders other than `folders`."""
    names: set[str] = set()
    with os.scandir(handle) as entries:
        for entry in entries:
            if len(names) >= _MAX_NAMES:
                say("too_many", f"More than {_MAX_NAMES} files: this is no record.", "")
                break
            if entry.is_symlink():
                say("link", f"{entry.name!r} is a link. A record holds none; it was not followed.", entry.name)
            elif entry.is_file(follow_symlinks=False):
                names.add(entry.name)
            elif entry.name not in folders or not entry.is_dir(follow_symlinks=False):
                say("not_plain", f"{entry.name!r} is not a plain file; it was not opened.", entry.name)
    return names


def listed(manifest: bytes, under: str, name: str, say: Say) -> dict[str, str]:
    """Return name (without `under`) to SHA-256 from a manifest; tell of lines that are malformed, repeat, or point outside."""
    found: dict[str, str] = {}
    for line in manifest.removesuffix(b"\n").decode("utf-8", "replace").split("\n", _MAX_NAMES)[:_MAX_NAMES] if manifest else ():
        match = _LINE.fullmatch(line)
        if match is None:
            say("manifest", f"{name} has a line that is not a hash and a file name.", name)
            continue
        digest, path = match.groups()
        plain = path.removeprefix(under)
        if not path.startswith(under) or not _PLAIN.fullmatch(plain):
            say("outside", f"{name} names {path!r}, which is not a file of this record; it was not opened.", name)
        elif plain in found:
            say("manifest", f"{name} names {path} twice.", name)
        else:
            found[plain] = digest
    if manifest.count(b"\n") > _MAX_NAMES:
        say("too_many", f"{name} names more than {_MAX_NAMES} files: this is no record.", name)
    return found


def read_small(folder: int, name: str) -> bytes:
    """Return a small file whole. Raises NotPlain for anything else, OSError when it cannot be read."""
    handle = os.open(name, _FLAGS, dir_fd=folder)
    try:
        size = _size(handle, name, MAX_SMALL)
        return os.read(handle, size)
    finally:
        os.close(handle)


def hash_file(folder: int, name: str, *, keep: int) -> tuple[str, int, bytes]:
    """Return SHA-256, size and, up to `keep` bytes of size, the content of a file. One read for a small file, a stream for a large one."""
    handle = os.open(name, _FLAGS, dir_fd=folder)
    try:
        size = _size(handle, name, MAX_FILE)
        if size <= _ONE_READ:
            content = os.read(handle, _ONE_READ)
            return hashlib.sha256(content).hexdigest(), len(content), content if len(content) <= keep else b""
        digest, whole = hashlib.sha256(), bytearray()
        while chunk := os.read(handle, _CHUNK):
            digest.update(chunk)
            if size <= keep:
                whole += chunk
        return digest.hexdigest(), size, bytes(whole)
    finally:
        os.close(handle)


def _size(handle: int, name: str, limit: int) -> int:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        message = f"{name} is not a plain file."
        raise NotPlain(message)
    if found.st_size > limit:
        message = f"{name} is larger than any file of a record; it was not read."
        raise NotPlain(message)
    return found.st_size

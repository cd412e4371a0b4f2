"""How the check reads a bag that nobody vouches for: in a folder, a ZIP, a bucket. Implemented by the sources, used by `bag`.

A source says where one bag is; it is small and picklable, so that another process can open it. A reader reads one opened bag with bounded
memory: it follows no link, opens no device, writes nothing and raises OSError alone.
"""

import hashlib
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

MAX_SMALL = 1024 * 1024
"""Bytes of a manifest, tag file or stamp read at most (our choice): a record's are a few kilobytes."""
MAX_FILE = 1024**3
"""Bytes of a payload file hashed at most (our choice): a record's largest is a picture of some megabytes."""
MAX_NAMES = 1000
"""Files of a bag looked at (our choice): a record has some twenty."""
CHUNK = 1024 * 1024
"""Bytes read at once."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
"""A file name a record may have."""
_SHOWN = 120
_LINES = {length: re.compile(rf"([0-9a-f]{{{length}}})  ([^\n]*)") for length in (64, 128)}


class NotPlain(OSError):  # noqa: N818 - reads as a sentence where it is raised
    """Not a plain file of a fitting size. Its text is the message."""


Said = tuple[str, str, str]
"""A fault as a source tells it: code, plain sentence, the name it is about ("" for the bag)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The plain files of a bag: `tags` beside the manifests, `payload` in `data` (names without `data/`), at most MAX_NAMES of each.

    `faults` tells of everything else there: links, devices, folders, too many files, a missing `data`.
    """

    tags: frozenset[str]
    payload: frozenset[str]
    faults: tuple[Said, ...] = ()


class Digest(NamedTuple):
    """What reading a file once gave: its hashes in hex (`sha512` only if asked for), its size, its content if that was to be kept."""

    sha256: str
    sha512: str
    size: int
    content: bytes = b""


class BagReader(Protocol):
    """One opened bag. Names are `bagit.txt` or `data/record.json`; each call opens that one file and no other."""

    def listing(self) -> Listing:
        """Return what is there, without opening any file."""
        ...

    def small(self, name: str) -> bytes:
        """Return a tag file whole. Raises FileNotFoundError, NotPlain (a link, a device, over MAX_SMALL), or another OSError."""
        ...

    def digest(self, name: str, *, keep: int, sha512: bool) -> Digest:
        """Return the hashes of one file, read once, and its content when it has at most `keep` bytes. Raises as `small`; over MAX_FILE."""
        ...


class BagSource(Protocol):
    """Where one bag is. A frozen, picklable dataclass."""

    def open(self) -> AbstractContextManager[BagReader]:
        """Open the bag for reading; leaving the block closes it. Raises OSError when there is no bag that can be read."""
        ...


def hashes(content: bytes, *, keep: int, sha512: bool) -> Digest:
    """Return the digest of a file held in memory."""
    return Digest(
        hashlib.sha256(content).hexdigest(),
        hashlib.sha512(content).hexdigest() if sha512 else "",
        len(content),
        content if len(content) <= keep else b"",
    )


def stream_hashes(chunks: Iterable[bytes], *, limit: int, keep: int, sha512: bool, name: str) -> Digest:
    """Return the digest of a file that comes in pieces. Raises NotPlain once it is longer than `limit` bytes."""
    first, second, size, kept = hashlib.sha256(), hashlib.sha512() if sha512 else None, 0, bytearray()
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise too_large(name)
        first.update(chunk)
        if second is not None:
            second.update(chunk)
        if size <= keep:
            kept += chunk
    content = bytes(kept) if size <= keep else b""
    return Digest(first.hexdigest(), second.hexdigest() if second is not None else "", size, content)


def too_large(name: str) -> NotPlain:
    """Return the error for a file that no record has."""
    return NotPlain(f"{shown(name)} is larger than any file of a record; it was not read.")


def shown(name: str) -> str:
    """Return a name from elsewhere so that it can be printed: ASCII, no control letters, not too long."""
    plain = name if name.isascii() and name.isprintable() else ascii(name)[1:-1]
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "..."


def listed(manifest: bytes, under: str, name: str, *, length: int = 64) -> tuple[dict[str, str], list[Said]]:
    """Return file name (without `under`) to hash (`length` hex letters) from a manifest, and the faults of its lines.

    Faults: a line that is malformed, repeats, or points outside; more than MAX_NAMES lines, of which the rest is not read.
    """
    pairs = _good_lines(under, length).findall(manifest)
    found = {plain.decode(): digest.decode() for digest, plain in pairs}
    if len(found) == len(pairs) <= MAX_NAMES and len(manifest) == sum(len(plain) for _, plain in pairs) + len(pairs) * (
        length + len(under) + 3
    ):
        return found, []  # nothing but good lines, each once: by far the commonest, and the quickest to tell
    return _line_by_line(manifest, under, name, length)


@lru_cache(maxsize=8)
def _good_lines(under: str, length: int) -> re.Pattern[bytes]:
    return re.compile(rf"([0-9a-f]{{{length}}})  {under}({NAME.pattern})\n".encode())


def _line_by_line(manifest: bytes, under: str, name: str, length: int) -> tuple[dict[str, str], list[Said]]:
    found: dict[str, str] = {}
    faults: list[Said] = []
    lines = manifest.removesuffix(b"\n").decode("utf-8", "replace").split("\n", MAX_NAMES)[:MAX_NAMES] if manifest else ()
    form = _LINES[length]
    for line in lines:
        match = form.fullmatch(line)
        if match is None:
            faults.append(("manifest", f"{name} has a line that is not a hash and a file name.", name))
            continue
        digest, path = match.groups()
        plain = path.removeprefix(under)
        if not path.startswith(under) or not NAME.fullmatch(plain):
            faults.append(("outside", f"{name} names {shown(path)!r}, which is not a file of this record; it was not opened.", name))
        elif plain in found:
            faults.append(("manifest", f"{name} names {shown(path)} twice.", name))
        else:
            found[plain] = digest
    if manifest.count(b"\n") > MAX_NAMES:
        faults.append(("too_many", f"{name} names more than {MAX_NAMES} files: this is no record.", name))
    return found, faults

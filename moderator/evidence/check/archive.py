"""A ZIP that nobody vouches for, read without unpacking it: no name leaves it, nothing is written, memory is bounded. Called by `pack`.

Written for this one purpose, because a library reads a directory of any size before it can be asked, and takes much that no pack has:
archives in parts, encrypted or linked members, the same name twice, members over one another. Format: PKWARE APPNOTE 6.3.
"""

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.evidence.check.reading import MAX_FILE, NotPlain, Said, shown

MAX_MEMBERS = 10_000
"""Files in a ZIP looked at (our choice): a pack of one record has some forty."""
MAX_TOTAL = 4 * 1024**3
"""Bytes all members may have unpacked (our choice)."""
MAX_RATIO = 200
SMALL_ENOUGH = 10 * 1024 * 1024
"""A member that unpacks to more than this must not unpack to more than MAX_RATIO times its size (our choice): pages reach 20."""
_MAX_DIRECTORY = 4 * 1024 * 1024
_PIECE = 64 * 1024
_END, _ENTRY, _LOCAL = struct.Struct("<4s4H2IH"), struct.Struct("<4s6H3I5H2I"), struct.Struct("<4s5H3I2H")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ ()-]{0,199}")
_MAX_DEPTH = 8
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _MASKED = 0x1 | 0x40, 0x2000
_UNIX = 3
_TOO_LONG = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a ZIP: its name, where it begins and where the next thing begins, its packed and unpacked size, CRC-32 and method."""

    name: str
    offset: int
    end: int
    packed: int
    size: int
    crc: int
    method: int


@dataclass(frozen=True, slots=True)
class Archive:
    """The files of a ZIP that may be read, in the order of their names, and the faults of all others."""

    path: str
    members: tuple[Member, ...]
    faults: tuple[Said, ...]


def open_archive(path: Path) -> Archive:
    """Return what is in a ZIP. Raises BadInput when it is none at all or cannot be read."""
    try:
        with _opened(str(path)) as handle:
            return _archive(str(path), handle)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise BadInput(message) from error


class _opened:  # noqa: N801 - used as a verb
    """An open file that is no link and no device."""

    def __init__(self, path: str) -> None:
        self._path, self._handle = path, -1

    def __enter__(self) -> int:
        self._handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(self._handle).st_mode):
            os.close(self._handle)
            message = f"{shown(self._path)} is not a plain file."
            raise NotPlain(message)
        return self._handle

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _archive(path: str, handle: int) -> Archive:
    size = os.fstat(handle).st_size
    if os.pread(handle, 2, 0) != b"PK":
        message = f"{path} is not a ZIP file: give a record, a school's folder, the vault, or a pack"
        raise BadInput(message)
    end = os.pread(handle, _END.size, max(0, size - _END.size))
    try:
        mark, disk, first, here, count, length, start, comment = _END.unpack(end)
    except struct.error:
        mark = b""
    if mark != b"PK\x05\x06" or disk or first or here != count or comment:
        return _refused(path, "Its end is not that of a whole ZIP: it was cut short, or something was added behind it.")
    if os.pread(handle, 4, max(0, size - _END.size - 20)) == b"PK\x06\x07" or count > MAX_MEMBERS or length > _MAX_DIRECTORY:
        return _refused(path, f"It says that it holds more than {MAX_MEMBERS} files or is larger than any pack; it was not read.")
    if start + length != size - _END.size:
        return _refused(path, "Its directory is not where its end says: it was changed after it was made.")
    faults: list[Said] = []
    members = _members(os.pread(handle, length, start), count, start, faults)
    return Archive(path, tuple(members), tuple(faults))


def _refused(path: str, what: str) -> Archive:
    return Archive(path, (), (("zip", what, ""),))


def _members(directory: bytes, count: int, start: int, faults: list[Said]) -> list[Member]:
    """Return the plain files of the directory; tell of what is left out, and why."""
    found: dict[str, Member] = {}
    spans: list[tuple[int, int, str]] = []
    at = 0
    for _ in range(count):
        try:
            mark, made, _, flags, method, _, _, crc, packed, size, names, extra, comment, disk, _, attributes, offset = _ENTRY.unpack_from(
                directory, at
            )
        except struct.error:
            mark = b""
        if mark != b"PK\x01\x02":
            faults.append(("zip", "Its directory is damaged: not all of its files could be read.", ""))
            break
        raw = directory[at + _ENTRY.size : at + _ENTRY.size + names]
        at += _ENTRY.size + names + extra + comment
        name = raw.decode("ascii", "backslashreplace")
        spans.append((offset, offset + _LOCAL.size + names + packed, name))
        mode = attributes >> 16 if made >> 8 == _UNIX else 0
        member = Member(name, offset, start, packed, size, crc, method)
        why = _why_not(member, flags=flags, mode=mode, disk=disk)
        if why is not None:
            faults.append((why[0], f"{shown(name)!r} {why[1]}; it was not opened.", shown(name)))
        elif name in found:
            faults.append(("zip", f"{shown(name)!r} is in it twice.", shown(name)))
        elif not name.endswith("/"):
            found[name] = member
    return _apart(found, sorted(spans), start, faults)


def _why_not(member: Member, *, flags: int, mode: int, disk: int) -> tuple[str, str] | None:  # noqa: PLR0911 - one line a reason
    """Return code and reason why a member is not to be read, or None."""
    parts = member.name.removesuffix("/").split("/")
    if stat.S_ISLNK(mode):
        return "link", "is a link. A pack holds none"
    if mode and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "not_plain", "is not a plain file"
    if len(parts) > _MAX_DEPTH or not all(_PART.fullmatch(part) and not part.endswith((" ", "..")) for part in parts):
        return "outside", "has a name that no file of a pack has: it could lead outside"
    if flags & (_ENCRYPTED | _MASKED) or disk or member.method not in {_STORED, _DEFLATED}:
        return "zip", "is encrypted, in parts, or packed in a way that packs are not"
    if _TOO_LONG in {member.packed, member.size, member.offset} or member.size > MAX_FILE:
        return "zip", "says that it is larger than any file of a record"
    if member.size > SMALL_ENOUGH and member.size > MAX_RATIO * member.packed:
        return "bomb", f"says that it unpacks to more than {MAX_RATIO} times its size"
    if member.method == _STORED and member.size != member.packed:
        return "zip", "gives two sizes"
    return None


def _apart(found: dict[str, Member], spans: list[tuple[int, int, str]], start: int, faults: list[Said]) -> list[Member]:
    """Return the members that lie apart from all others, each with its end; tell of those that lie over one another."""
    kept: list[Member] = []
    total = 0
    follows = [*(offset for offset, _, _ in spans[1:]), start]
    for (offset, least, name), following in zip(spans, follows, strict=False):  # no files: one end and no span
        member = found.get(name)
        if least > following:
            faults.append(("bomb", f"{shown(name)!r} lies over another file or outside of the ZIP; it was not opened.", shown(name)))
        elif member is not None and member.offset == offset:
            total += member.size
            kept.append(replace(member, end=following))
    if total > MAX_TOTAL:
        faults.append(("bomb", "All together its files are larger than those of any pack; none was opened.", ""))
        return []
    return sorted(kept, key=lambda member: member.name)


def pieces(path: str, member: Member) -> Iterator[bytes]:
    """Yield a member's content unpacked, in pieces of at most 1 MiB or so. Raises NotPlain as soon as it is not what the directory says."""
    with _opened(path) as handle:
        crc = size = 0
        for piece in _unpacked(handle, member):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            if size > member.size:
                raise _lied(member)
            yield piece
        if size != member.size or crc != member.crc:
            raise _lied(member)


def _unpacked(handle: int, member: Member) -> Iterator[bytes]:
    packed = _packed(handle, member)
    if member.method == _STORED:
        yield from packed
        return
    worker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            rest = piece
            while rest and not worker.eof:
                yield worker.decompress(rest, 16 * _PIECE)
                rest = worker.unconsumed_tail
            if worker.unused_data:
                raise _lied(member)
    except zlib.error as error:
        raise _lied(member) from error
    if not worker.eof:
        raise _lied(member)


def _packed(handle: int, member: Member) -> Iterator[bytes]:
    """Yield the packed bytes, once the header before them says what the directory says."""
    header = os.pread(handle, _LOCAL.size, member.offset)
    if len(header) != _LOCAL.size:
        raise _lied(member)
    mark, _, flags, method, _, _, _, _, _, names, extra = _LOCAL.unpack(header)
    begin = member.offset + _LOCAL.size
    name = os.pread(handle, names, begin)
    begin += names + extra
    if mark != b"PK\x03\x04" or flags & _ENCRYPTED or method != member.method or name != member.name.encode():
        raise _lied(member)
    if begin + member.packed > member.end:
        raise _lied(member)
    left = member.packed
    while left:
        piece = os.pread(handle, min(left, _PIECE), begin)
        if not piece:
            raise _lied(member)
        begin, left = begin + len(piece), left - len(piece)
        yield piece


def _lied(member: Member) -> NotPlain:
    return NotPlain(f"{shown(member.name)} is damaged in the ZIP: it is not what the ZIP's directory says.")

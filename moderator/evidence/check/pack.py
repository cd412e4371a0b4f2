"""A pack or a bag as a ZIP: which records, which ledgers and which other files are in it. Called by `scope`; its bags are BagSources."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from moderator.domain.record import RECORD_ID
from moderator.evidence.check.archive import Archive, Member, open_archive, pieces
from moderator.evidence.check.places import Place, Say
from moderator.evidence.check.reading import (
    MAX_FILE,
    MAX_NAMES,
    MAX_SMALL,
    Digest,
    Listing,
    NotPlain,
    Said,
    shown,
    stream_hashes,
    too_large,
)
from moderator.evidence.check.walk import LedgerFile
from moderator.evidence.vault.names import DATA, MANIFEST, SCHOOL, YEAR

SUMS = "sha256sums.txt"
_LEDGER = re.compile(r"ledger[A-Za-z0-9-]*\.jsonl")
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_IN_VAULT = 3


@dataclass(frozen=True, slots=True)
class ZipSource:
    """A bag in a ZIP: the ZIP's path, and the bag's files by their names in the bag. `faults`: what else lies in its folder."""

    path: str
    members: tuple[tuple[str, Member], ...]
    faults: tuple[Said, ...] = ()

    @contextmanager
    def open(self) -> Iterator["ZipReader"]:
        """Open the bag; the ZIP itself is opened anew for each file."""
        yield ZipReader(self.path, dict(self.members), self.faults)


@dataclass(frozen=True, slots=True)
class ZipReader:
    """An opened bag in a ZIP; implements BagReader."""

    path: str
    members: dict[str, Member]
    faults: tuple[Said, ...]

    def listing(self) -> Listing:
        """Return the plain files."""
        payload = [name.removeprefix(DATA) for name in self.members if name.startswith(DATA)]
        tags = [name for name in self.members if not name.startswith(DATA)]
        faults = list(self.faults)
        faults.extend(
            ("too_many", f"More than {MAX_NAMES} files: this is no record.", where)
            for names, where in ((tags, ""), (payload, "data"))
            if len(names) > MAX_NAMES
        )
        return Listing(frozenset(tags[:MAX_NAMES]), frozenset(payload[:MAX_NAMES]), tuple(faults))

    def small(self, name: str) -> bytes:
        """Return a small file whole."""
        member = self._member(name)
        if member.size > MAX_SMALL:
            raise too_large(name)
        return b"".join(pieces(self.path, member))

    def digest(self, name: str, *, keep: int, sha512: bool) -> Digest:
        """Return the hashes of a file, unpacked piece by piece."""
        found = pieces(self.path, self._member(name))
        return stream_hashes(found, limit=MAX_FILE, keep=keep, sha512=sha512, name=name)

    def _member(self, name: str) -> Member:
        found = self.members.get(name)
        if found is None:
            raise FileNotFoundError(2, "No such file or directory")
        return found


def open_pack(path: Path) -> "Pack":
    """Return the pack at `path`. Raises BadInput when it is no ZIP at all."""
    return Pack(open_archive(path))


@dataclass(frozen=True)
class Pack:
    """A ZIP as the check sees it: bags, ledgers, and other files that `sha256sums.txt` vouches for."""

    archive: Archive

    @cached_property
    def _bags(self) -> tuple[str, ...]:
        """The folders in the ZIP that are bags (`R-…/`, or "" for the ZIP itself), outermost only."""
        marks = ("bagit.txt", MANIFEST)
        found = sorted({name.removesuffix(mark) for name in self._names for mark in marks if name == mark or name.endswith(f"/{mark}")})
        return tuple(bag for bag in found if not any(bag != other and bag.startswith(other) for other in found))

    @cached_property
    def _names(self) -> dict[str, Member]:
        return {member.name: member for member in self.archive.members}

    @cached_property
    def _others(self) -> tuple[str, ...]:
        return tuple(name for name in self._names if not name.startswith(self._bags or ("\0",)))

    def ledgers(self) -> tuple[LedgerFile, ...]:
        """Return the ledgers in the ZIP."""
        names = [name for name in self._others if _LEDGER.fullmatch(name.rpartition("/")[2])]
        return tuple(LedgerFile(name, _Opener(self.archive.path, self._names[name])) for name in names)

    def places(self, say: Say) -> Iterator[Place]:
        """Yield every bag; tell of what the ZIP itself has wrong, and of files that are not what its list of hashes says."""
        for code, what, name in self.archive.faults:
            say(code, what, name or Path(self.archive.path).name)
        self._check_sums(say)
        if not self._bags and not self.archive.faults:
            say("no_record", "There is no record in this ZIP.", Path(self.archive.path).name)
        for bag in self._bags:
            yield self._place(bag)

    def _place(self, bag: str) -> Place:
        inside: list[tuple[str, Member]] = []
        faults: list[Said] = []
        for name in self._names:
            if name.startswith(bag):
                plain = name.removeprefix(bag)
                if "/" in plain.removeprefix(DATA):
                    faults.append(("not_plain", f"{plain!r} lies in a folder that a record does not have.", plain))
                else:
                    inside.append((plain, self._names[name]))
        source = ZipSource(self.archive.path, tuple(inside), tuple(faults))
        parts = bag.removesuffix("/").split("/")
        if len(parts) >= _IN_VAULT and all(form.fullmatch(part) for form, part in zip((SCHOOL, YEAR, RECORD_ID), parts[-3:], strict=True)):
            return Place(source, *parts[-3:])
        return Place(source, record=parts[-1])

    def _check_sums(self, say: Say) -> None:
        """Compare every file with `sha256sums.txt`; without one, only bags and ledgers have a place in the ZIP."""
        name = next(
            (each for each in (SUMS, *(other for other in self._others if other.endswith(f"/{SUMS}"))) if each in self._names), None
        )
        if name is None:
            for other in self._others:
                if not _LEDGER.fullmatch(other.rpartition("/")[2]):
                    say("stray", f"{other!r} belongs to no record, and no {SUMS} vouches for it.", other)
            return
        folder = name.removesuffix(SUMS)
        wanted = self._sums(name, say)
        for other in self._names.keys() - wanted.keys() - {name}:
            say("unlisted", f"{SUMS} does not list {other}: it was added later.", other)
        for other, digest in wanted.items():
            self._compare(other, digest, say, folder)

    def _sums(self, name: str, say: Say) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            if self._names[name].size > 4 * MAX_SMALL:
                raise too_large(name)
            text = b"".join(pieces(self.archive.path, self._names[name])).decode("utf-8", "replace")
        except NotPlain as error:
            say("unreadable", str(error), name)
            return found
        folder = name.removesuffix(SUMS)
        for line in text.splitlines():
            match = _LINE.fullmatch(line)
            if match is None:
                say("manifest", f"{SUMS} has a line that is not a hash and a file name.", name)
            else:
                found[folder + match[2].removeprefix("./")] = match[1]
        return found

    def _compare(self, name: str, digest: str, say: Say, folder: str) -> None:
        member = self._names.get(name)
        plain = name.removeprefix(folder)
        if member is None:
            say("missing", f"{shown(plain)!r} is listed in {SUMS} and is not there.", shown(name))
            return
        try:
            found = stream_hashes(pieces(self.archive.path, member), limit=MAX_FILE, keep=0, sha512=False, name=name)
        except NotPlain as error:
            say("unreadable", str(error), name)
            return
        if found.sha256 != digest:
            say("altered", f"{plain!r} is not what was put in the pack: its SHA-256 differs from {SUMS}.", name)


@dataclass(frozen=True, slots=True)
class _Opener:
    """Opens one member as a stream of lines."""

    path: str
    member: Member

    @contextmanager
    def __call__(self) -> Iterator[BinaryIO]:
        with io.BufferedReader(_Stream(pieces(self.path, self.member)), 1024 * 1024) as stream:
            yield stream


class _Stream(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source, self._rest = source, b""

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override] # the standard library asks for any buffer
        """Fill the buffer with what comes next; 0 at the end."""
        while not self._rest:
            piece = next(self._source, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

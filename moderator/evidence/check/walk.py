"""Walking a ledger from its first line to its head. Called by `verify`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.events import GENESIS, Event, Head, line_hash
from moderator.domain.record import Fault
from moderator.domain.times import from_utc_text

MAX_LINE = 64 * 1024
"""Longest line read (our choice): an event takes some hundred bytes."""
UTC_TEXT = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}Z")
"""A time as `domain.times.utc_text` writes it; text order is time order. Ten times quicker than reading it."""
_HIDES = {Event.HIDE_INTENDED.value, Event.HIDDEN.value, Event.HIDE_VERIFIED.value}


@dataclass(frozen=True, slots=True)
class SealedLine:
    """What the ledger says of one record when it was sealed."""

    seq: int
    manifest_sha256: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Restamp:
    """A stamp added later: the ledger line's number, its time, and SHA-256 of the authority's chain."""

    seq: int
    at: datetime
    authority: str
    chain_sha256: str


@dataclass(slots=True)
class Book:
    """A ledger as walked: whose it is, its head, what it says of each record, and every fault."""

    path: Path
    school: str = ""
    public_key: str = ""
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    sealed: dict[str, SealedLine] = field(default_factory=dict)
    captured: set[str] = field(default_factory=set)
    disposed: set[str] = field(default_factory=set)
    restamps: dict[str, list[Restamp]] = field(default_factory=dict)
    hidden_at: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    witnessed: bool = False

    def add(self, code: str, what: str) -> None:
        """Note a fault at the line after the head."""
        self.faults.append(Fault(code, f"{self.path.name} line {self.head.seq + 1}", what))


def walk(path: Path, head: Head | None) -> Book:
    """Return the ledger as walked. `head` is what a digest printed: `witnessed` says whether the ledger has that line.

    A head with number 0 and a hash is a hash alone: any line may have it. Memory grows with the records named, not with the file.
    Stops at the first line that breaks the chain: what follows it proves nothing. Raises BadInput when the file cannot be read.
    """
    book = Book(path)
    try:
        for line in _lines(book):
            if not _take(book, line):
                break
            if head is not None and book.head.hash == head.hash and head.seq in {0, book.head.seq}:
                book.witnessed = True
    except OSError as error:
        message = f"the ledger {path} cannot be read: {error.strerror}"
        raise BadInput(message) from error
    if head == Head(0, GENESIS):
        book.witnessed = True
    return book


def _lines(book: Book) -> Iterator[str]:
    with book.path.open("rb") as file:
        while line := file.readline(MAX_LINE + 1):
            if not line.endswith(b"\n"):
                book.add("ledger_torn", "The ledger's line has no end: it was cut, or is longer than a line may be.")
                return
            try:
                yield line[:-1].decode("ascii")
            except UnicodeDecodeError:
                book.add("ledger_line", "The ledger's line holds letters that a ledger never holds.")
                return


def _take(book: Book, line: str) -> bool:
    """Check one line and note what it says; False when the chain ends here."""
    try:
        row = json.loads(line)
        same = json.dumps(row, ensure_ascii=True, separators=(",", ":")) == line
        event, subject, at, school = row["event"], row["subject"], row["at"], row["school"]
        same = same and UTC_TEXT.fullmatch(at) is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        book.add("ledger_line", "The line is not one that the service writes.")
        return False
    if row.get("seq") != book.head.seq + 1 or row.get("prev") != book.head.hash:
        book.add("ledger_chain", "The chain is broken: this line does not follow from the line before it.")
        return False
    if not isinstance(subject, str) or not isinstance(school, str) or (book.head.seq and school != book.school):
        book.add("ledger_school", f"The line is of another school than the ledger's, which is {book.school}.")
    if not book.head.seq:
        _open(book, row)
    _note(book, row, str(event), str(subject), str(at))
    book.head = Head(book.head.seq + 1, line_hash(line))
    return True


def _open(book: Book, row: dict[str, object]) -> None:
    book.school, book.public_key = str(row["school"]), str(row.get("public_key", ""))
    if row["event"] != Event.OPENED.value or not book.public_key:
        book.add("ledger_first", "The first line must open the ledger and carry the public key.")


def _note(book: Book, row: dict[str, object], event: str, subject: str, at: str) -> None:
    if event == Event.CAPTURED.value:
        book.captured.add(subject)
    elif event == Event.SEALED.value:
        _seal(book, row, subject)
    elif event in _HIDES:
        book.hidden_at.setdefault(subject, at)
        if subject not in book.sealed:
            book.add("hidden_unsealed", f"{subject} was hidden before its record was sealed.")
    elif event == Event.DISPOSED.value:
        book.disposed.add(subject)
    elif event == Event.KEY_ROTATED.value:
        book.public_key = str(row.get("public_key", book.public_key))
    elif event == Event.RESTAMPED.value:
        restamp = Restamp(book.head.seq + 1, from_utc_text(at), str(row.get("authority", "")), str(row.get("chain_sha256", "")))
        book.restamps.setdefault(subject, []).append(restamp)


def _seal(book: Book, row: dict[str, object], subject: str) -> None:
    digest = str(row.get("manifest_sha256", ""))
    known = book.sealed.get(subject)
    if known is not None and known.manifest_sha256 != digest:
        book.add("sealed_twice", f"{subject} was sealed a second time, with another manifest.")
        return
    if known is None and subject not in book.captured:
        book.add("sealed_uncaptured", f"{subject} was sealed without having been captured.")
    book.captured.discard(subject)
    book.sealed.setdefault(subject, SealedLine(book.head.seq + 1, digest, book.public_key))


HEAD = re.compile(r"(?:([0-9]{1,18}):)?([0-9a-f]{64})")


def head_from(text: str) -> Head:
    """Return the head that a digest printed, `NUMBER:HASH` or `HASH` alone (number 0). Raises BadInput for anything else."""
    match = HEAD.fullmatch(text.strip().lower())
    if match is None:
        message = f"{text!r} is not a ledger head: give NUMBER:HASH as the digest prints it, or the 64 letters of the hash"
        raise BadInput(message)
    return Head(int(match[1] or 0), match[2])

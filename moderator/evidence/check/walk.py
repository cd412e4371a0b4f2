"""Walking a ledger from its first line to its head. Called by `verify`."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from moderator.domain.errors import BadInput
from moderator.domain.events import GENESIS, Event, Head, line_hash
from moderator.domain.record import Fault
from moderator.domain.times import from_utc_text
from moderator.evidence.check.index import Index, Restamp
from moderator.evidence.check.reading import shown
from moderator.evidence.seal.signer import public_key_from, signature_holds

MAX_LINE = 64 * 1024
"""Longest line read (our choice): an event takes some hundred bytes."""
UTC_TEXT = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}Z")
"""A time as `domain.times.utc_text` writes it; text order is time order. Not each is one: the 31st of February is none."""
_HIDES = {Event.HIDE_INTENDED.value, Event.HIDDEN.value, Event.HIDE_VERIFIED.value}
_MAX_FAULTS = 1_000
_read, _write = json.JSONDecoder().decode, json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_whole = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """A ledger to be walked: its name for messages, and how to open it. Opening raises OSError."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


def ledger_file(path: Path) -> LedgerFile:
    """Return a ledger that lies in a folder."""
    return LedgerFile(shown(path.name), lambda: path.open("rb"))


@dataclass(slots=True)
class Book:
    """A ledger as walked: whose it is, its head, its public keys in order, and every fault. What it says of records is in the index."""

    file: LedgerFile
    number: int
    school: str = ""
    keys: list[str] = field(default_factory=list)
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    faults: list[Fault] = field(default_factory=list)
    lacking: set[Head] = field(default_factory=set)
    """Those of the heads asked for that no line of this ledger has."""

    def add(self, code: str, what: str) -> None:
        """Note a fault at the line after the head. A hostile ledger could have any number: the first thousand are kept."""
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(code, f"{self.file.name} line {self.head.seq + 1}", what))


def walk(file: LedgerFile, heads: Iterable[Head], index: Index, *, number: int = 0) -> Book:
    """Return the ledger as walked; what it says of each record goes into `index` under `number`.

    `heads` are what digests printed, of any school and in any order; a head with number 0 and a hash is a hash alone, which any line may
    have. Stops at the first line that breaks the chain: what follows it proves nothing. Memory does not grow with the file. Raises
    BadInput when the file cannot be read.
    """
    book = Book(file, number, lacking=set(heads) - {Head(0, GENESIS)})
    try:
        with file.open() as stream:
            for line in _lines(book, stream):
                if not _take(book, line, index):
                    break
                if book.lacking:
                    book.lacking -= {book.head, Head(0, book.head.hash)}
    except OSError as error:
        message = f"the ledger {file.name} cannot be read: {error.strerror or error}"
        raise BadInput(message) from error
    return book


def _lines(book: Book, stream: BinaryIO) -> Iterator[str]:
    while line := stream.readline(MAX_LINE + 1):
        if not line.endswith(b"\n"):
            book.add("ledger_torn", "The ledger's line has no end: it was cut, or is longer than a line may be.")
            return
        try:
            yield line[:-1].decode("ascii")
        except UnicodeDecodeError:
            book.add("ledger_line", "The ledger's line holds letters that a ledger never holds.")
            return


_PLAIN = re.compile(
    r'\{"seq":([1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})","at":"([^"\\]*)","school":"([a-z0-9-]*)","event":"([a-z_]*)",'
    r'"subject":"([A-Za-z0-9._:-]*)","actor":"([A-Za-z0-9._:-]*)","reason":"([a-z0-9_-]*)"\}'
)
_KEYS = ("seq", "prev", "at", "school", "event", "subject", "actor", "reason")


def _row(line: str) -> tuple[dict[str, Any], bool]:
    """Return a line's facts, and whether it stands exactly as the service writes it. Raises what JSON that is none raises.

    Most lines have no facts beyond the eight keys and no escapes: these are told by their form, which is quicker and as strict.
    """
    plain = _PLAIN.fullmatch(line)
    if plain is not None:
        row: dict[str, Any] = dict(zip(_KEYS, plain.groups(), strict=True))
        row["seq"] = int(row["seq"])
        return row, True
    row = _read(line)
    if r"\ud" in line:
        _whole(row).encode()  # half a character is no text: nothing could show it or keep it
    return row, _write(row) == line


def _take(book: Book, line: str, index: Index) -> bool:
    """Check one line and note what it says; False when the chain ends here."""
    try:
        row, same = _row(line)
        event, subject, at, school = row["event"], row["subject"], row["at"], row["school"]
        same = same and UTC_TEXT.fullmatch(at) is not None and from_utc_text(at) is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        same = False
    if not same:
        book.add("ledger_line", "The line is not one that the service writes.")
        return False
    if row.get("seq") != book.head.seq + 1 or row.get("prev") != book.head.hash:
        book.add("ledger_chain", "The chain is broken: this line does not follow from the line before it.")
        return False
    if not isinstance(subject, str) or not isinstance(school, str) or (book.head.seq and school != book.school):
        book.add("ledger_school", f"The line is of another school than the ledger's, which is {shown(book.school)}.")
    if not book.head.seq:
        _open(book, row)
    note = _NOTES.get(str(event))
    if note is not None:
        note(_Line(book, index, row, str(subject), str(at)))
    book.head = Head(book.head.seq + 1, line_hash(line))
    return True


def _open(book: Book, row: dict[str, object]) -> None:
    book.school, key = str(row["school"]), str(row.get("public_key", ""))
    book.keys.append(key)
    if row["event"] != Event.OPENED.value or not key:
        book.add("ledger_first", "The first line must open the ledger and carry the public key.")


@dataclass(slots=True)
class _Line:
    """One good line of a book, with what it is about."""

    book: Book
    index: Index
    row: dict[str, object]
    subject: str
    at: str

    @property
    def seq(self) -> int:
        return self.book.head.seq + 1

    @property
    def key(self) -> int:
        """The number of the key now in force, from 1."""
        return len(self.book.keys)

    def text(self, name: str) -> str:
        """Return one fact as a text, "" when there is none."""
        found = self.row.get(name, "")
        return found if isinstance(found, str) else str(found)


def _note_flagged(line: _Line) -> None:
    said = line.index.note(line.book.number, line.subject)
    said.first_key = said.first_key or line.key


def _note_captured(line: _Line) -> None:
    said = line.index.note(line.book.number, line.subject)
    said.first_key, said.captured_at = said.first_key or line.key, line.at


def _note_sealed(line: _Line) -> None:
    said = line.index.note(line.book.number, line.subject)
    digests = line.text("manifest_sha256"), line.text("manifest_sha512")
    if said.seq:
        if (said.manifest_sha256, said.manifest_sha512) != digests:
            line.book.add("sealed_twice", f"{shown(line.subject)} was sealed a second time, with another manifest.")
        return
    if not said.captured_at:
        line.book.add("sealed_uncaptured", f"{shown(line.subject)} was sealed without having been captured.")
    said.seq, said.key, said.first_key = line.seq, line.key, said.first_key or line.key
    said.manifest_sha256, said.manifest_sha512 = digests
    said.stamped = line.row.get("stamp_pending") is False
    said.found = line.row.get("found") is True


def _note_hide(line: _Line) -> None:
    said = line.index.note(line.book.number, line.subject)
    said.hidden_at = said.hidden_at or line.at
    if not said.seq:
        line.book.add("hidden_unsealed", f"{shown(line.subject)} was hidden before its record was sealed.")


def _note_held(line: _Line) -> None:
    line.index.note(line.book.number, line.subject).holds += 1


def _note_released(line: _Line) -> None:
    said = line.index.note(line.book.number, line.subject)
    said.holds = max(0, said.holds - 1)


def _note_disposed(line: _Line) -> None:
    """Note a disposal. It takes two people, and no legal hold may stand (R30)."""
    said, subject = line.index.note(line.book.number, line.subject), shown(line.subject)
    said.disposed = said.disposed or line.seq
    if line.text("approved_by") in {"", line.text("actor")}:
        line.book.add("disposed_by_one", f"{subject} was disposed of without a second person's approval.")
    if said.holds:
        line.book.add("disposed_under_hold", f"{subject} was disposed of while a legal hold stood.")


def _note_restamped(line: _Line) -> None:
    number = line.row.get("round", 1)
    if type(number) is not int or not 0 < number < 10_000:  # noqa: PLR2004 - rounds have four digits
        line.book.add("ledger_line", "The line tells of a stamp and does not say which.")
        return
    told = Restamp(line.seq, line.at, line.text("authority"), line.text("chain_sha256"), number, line.text("list_sha256"))
    line.index.restamp(line.book.number, line.subject, told)


def _note_rotated(line: _Line) -> None:
    """Take the new key, if the old one signed it."""
    fresh, old = line.text("public_key"), public_key_from(line.book.keys[-1])
    try:
        signature = base64.b64decode(line.text("previous_signature"), validate=True)
    except ValueError:
        signature = b""
    if old is None or not fresh or not signature_holds(old, signature, fresh.encode()):
        line.book.add("key_rotation", "The signing key was changed without the old key's signature over the new one.")
        return
    line.book.keys.append(fresh)


_NOTES: dict[str, Callable[[_Line], None]] = {
    Event.FLAGGED.value: _note_flagged,
    Event.SUBMITTED.value: _note_captured,
    Event.CAPTURED.value: _note_captured,
    Event.SEALED.value: _note_sealed,
    **dict.fromkeys(_HIDES, _note_hide),
    Event.LEGAL_HOLD.value: _note_held,
    Event.LEGAL_HOLD_RELEASED.value: _note_released,
    Event.DISPOSED.value: _note_disposed,
    Event.RESTAMPED.value: _note_restamped,
    Event.KEY_ROTATED.value: _note_rotated,
}


HEAD = re.compile(r"(?:([0-9]{1,18}):)?([0-9a-f]{64})")


def head_from(text: str) -> Head:
    """Return the head that a digest printed, `NUMBER:HASH` or `HASH` alone (number 0). Raises BadInput for anything else."""
    match = HEAD.fullmatch(text.strip().lower())
    if match is None:
        message = f"{text!r} is not a ledger head: give NUMBER:HASH as the digest prints it, or the 64 letters of the hash"
        raise BadInput(message)
    return Head(int(match[1] or 0), match[2])

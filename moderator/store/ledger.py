"""The ledger: chained in the database with the state it tells of, and copied line by line to a file an outsider can read."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain, line_hash
from moderator.domain.record import Fault
from moderator.domain.rotation import LedgerKey
from moderator.store import mirror, people
from moderator.store.engine import READ, insert_new
from moderator.store.tables import LedgerHeadRow, LedgerRow

LEDGER: sa.Table = LedgerRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
HEADS: sa.Table = LedgerHeadRow.__table__  # type: ignore[attr-defined] # as above

SYNC_ROWS = 5000
"""Lines copied to the file at once when it is far behind: bounds memory."""


def head(connection: sa.Connection, school: str) -> Head:
    """Return the school's head; an empty ledger has sequence number 0 and the genesis hash."""
    row = connection.execute(sa.select(HEADS.c.seq, HEADS.c.hash).where(HEADS.c.school == school)).first()
    return Head(row.seq, row.hash) if row else Head(0, GENESIS)


class LedgerWrites:
    """The part of a unit that appends to the ledger."""

    connection: sa.Connection

    def append(self, school: str, *events: LedgerEvent) -> Head:
        """Chain events to the school's ledger, in this transaction; the head's row is locked until it ends."""
        insert_new(self.connection, HEADS, [{"school": school, "seq": 0, "hash": GENESIS}])
        locked = sa.select(HEADS.c.seq, HEADS.c.hash).where(HEADS.c.school == school).with_for_update()
        row = self.connection.execute(locked).one()
        at = Head(row.seq, row.hash)
        rows = []
        for event in events:
            line, at = chain(at, school, event)
            rows.append(
                {
                    "school": school,
                    "seq": at.seq,
                    "at": event.at,
                    "event": event.event.value,
                    "subject": event.subject,
                    "line": line,
                    "hash": at.hash,
                }
            )
        if rows:
            self.connection.execute(sa.insert(LEDGER), rows)
            self.connection.execute(sa.update(HEADS).where(HEADS.c.school == school).values(seq=at.seq, hash=at.hash))
        return at


class LedgerFile:
    """The ledger's file, one a school, under `folder`; implements ports.Ledger."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        """Keep the engine and the folder; nothing is opened yet."""
        self._engine = engine
        self._folder = folder

    def path(self, school: str) -> Path:
        """Return where a school's ledger file is. Raises BadInput when there is no such school."""
        with self._reading() as connection:
            return self._folder / people.school(connection, school).ledger

    def sync(self, school: str) -> Head:
        """Append every line the file lacks, fsync, and return the head.

        1. Lock the file, so that two workers do not both append; only then read, so that no line in the file is newer than what is read.
        2. Cut off a last line that a crash left half-written.
        3. Check that the file's last line is the database's line of that number: a file that says otherwise is never built upon.
        4. Append the missing lines, flush, fsync.

        Raises Transient when the disk is full, EvidenceFailed when file and database disagree.
        """
        path = self.path(school)
        try:
            with _locked(path) as file, self._reading() as connection:
                at = head(connection, school)
                written = _last_line(file)
                _check(connection, school, path, written)
                for lines in _missing(connection, school, written[0] if written else 0):
                    file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            message = f"the ledger file could not be written: {error.strerror}"
            raise Transient(message) from error
        return at

    def differences(self, school: str) -> tuple[Fault, ...]:
        """Return what is wrong between the file and the database, line by line: at most one fault of each sort. Reads only.

        Raises Transient when the file is there and cannot be read.
        """
        path = self.path(school)
        try:
            size = path.stat().st_size if path.exists() else 0
            with self._reading() as connection:
                return mirror.differences(connection, school, path, size=size)
        except OSError as error:
            message = f"the ledger file could not be read: {error.strerror}"
            raise Transient(message) from error

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(**READ)


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _last_line(file: BinaryIO) -> tuple[int, str] | None:
    """Return the sequence number and text of the last whole line, cutting off a half-written one; None for an empty file."""
    size = file.seek(0, os.SEEK_END)
    back = min(size, 65536)
    file.seek(size - back)
    tail = file.read(back)
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        file.truncate(size - len(tail) + whole)
        file.seek(0, os.SEEK_END)
    if whole == 0:
        return None
    line = tail[tail.rfind(b"\n", 0, whole - 1) + 1 : whole - 1].decode()
    seq = line.partition('"seq":')[2].partition(",")[0]
    return (int(seq) if seq.isdigit() else -1), line


def _check(connection: sa.Connection, school: str, path: Path, written: tuple[int, str] | None) -> None:
    if written is None:
        return
    known = connection.execute(sa.select(LEDGER.c.hash).where(LEDGER.c.school == school, LEDGER.c.seq == written[0])).scalar()
    if known != line_hash(written[1]):
        message = f"{path.name} does not agree with the database at line {written[0]}: it was changed from outside. Run moderator verify."
        raise EvidenceFailed(message)


def _missing(connection: sa.Connection, school: str, after: int) -> Iterator[bytes]:
    while True:
        wanted = (
            sa.select(LEDGER.c.seq, LEDGER.c.line)
            .where(LEDGER.c.school == school, LEDGER.c.seq > after)
            .order_by(LEDGER.c.seq)
            .limit(SYNC_ROWS)
        )
        rows = connection.execute(wanted).all()
        if not rows:
            return
        after = rows[-1].seq
        yield "".join(f"{row.line}\n" for row in rows).encode()


def lines_of(connection: sa.Connection, school: str, subject: str) -> list[str]:
    """Return the ledger's lines about one subject (a record id, an item), oldest first."""
    # The school and the order are seen to here: in the statement they would have SQLite walk all of the school's lines.
    rows = connection.execute(sa.select(LEDGER.c.school, LEDGER.c.seq, LEDGER.c.line).where(LEDGER.c.subject == subject))
    return [row.line for row in sorted(rows, key=lambda row: row.seq) if row.school == school]


def chains_of(connection: sa.Connection, school: str, record_id: str) -> frozenset[str]:
    """Return SHA-256 of the authority chains that the ledger vouches for beside a record's own: those of stamps added after the seal."""
    lines = map(json.loads, lines_of(connection, school, record_id))
    return frozenset(line["chain_sha256"] for line in lines if line["event"] == Event.RESTAMPED)


def is_disposed(connection: sa.Connection, school: str, record_id: str) -> bool:
    """Return whether the ledger says that a record was disposed of (R30)."""
    return any(json.loads(line)["event"] == Event.DISPOSED for line in lines_of(connection, school, record_id))


def copied(connection: sa.Connection, school: str) -> Iterator[bytes]:
    """Yield the whole ledger as its file holds it, in pieces of whole lines."""
    yield from _missing(connection, school, 0)


def opened(public_key: str, at: datetime) -> LedgerEvent:
    """Return a ledger's first event, which carries the service's public key."""
    return LedgerEvent(Event.OPENED, at, "ledger", facts={"public_key": public_key})


def public_keys(connection: sa.Connection, school: str) -> tuple[LedgerKey, ...]:
    """Return the ledger's keys, the oldest first; the last one is in force. Empty when the ledger was not opened."""
    tells = LEDGER.c.event.in_([Event.OPENED.value, Event.KEY_ROTATED.value])
    wanted = sa.select(LEDGER.c.line, LEDGER.c.at).where(LEDGER.c.school == school, LEDGER.c.subject == "ledger", tells)
    rows = connection.execute(wanted.order_by(LEDGER.c.seq))
    return tuple(LedgerKey(str(json.loads(row.line)["public_key"]), row.at) for row in rows)

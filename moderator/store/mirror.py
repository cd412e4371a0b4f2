"""The ledger's file against its copy in the database, line by line. Called by the ledger's file for the nightly check."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from moderator.domain.events import GENESIS, Head, line_hash
from moderator.domain.record import Fault
from moderator.domain.times import utc_text
from moderator.store.tables import LedgerHeadRow, LedgerRow

LEDGER: sa.Table = LedgerRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
HEADS: sa.Table = LedgerHeadRow.__table__  # type: ignore[attr-defined] # as above

ROWS = 5000
"""Rows read at once: bounds memory."""

MAX_LINE = 64 * 1024
"""Longest line read (our choice): an event takes some hundred bytes."""


def differences(connection: sa.Connection, school: str, path: Path, *, size: int) -> tuple[Fault, ...]:
    """Return what is wrong, at most one fault of each sort: the first row that is not as it was chained, the first line that differs.

    The file's first `size` bytes are read: its size was taken before this connection began to read, so that every line in them was in
    the database by then. A file that is behind is no fault: it is brought up to date from the database. Flat memory; reads only.
    """
    if size == 0:
        return tuple(_differences(connection, school, None, 0))
    with path.open("rb") as file:
        return tuple(_differences(connection, school, file, size))


def _differences(connection: sa.Connection, school: str, file: BinaryIO | None, size: int) -> Iterator[Fault]:
    found = connection.execute(sa.select(HEADS.c.seq, HEADS.c.hash).where(HEADS.c.school == school)).first()
    head = Head(found.seq, found.hash) if found else Head(0, GENESIS)
    at, sound = Head(0, GENESIS), True
    lines = _lines(file, size)
    for row in _rows(connection, school):
        if sound and (why := _not_as_chained(row, school, at)):
            sound = False
            yield Fault("ledger_row", f"{school} ledger line {at.seq + 1} (database)", why)
        at = Head(row.seq, row.hash)
        line = next(lines, None)
        if line is not None and line != row.line.encode() + b"\n":
            lines = iter(())
            yield Fault("ledger_file", f"{school} ledger line {row.seq} (file)", "The ledger's file has another line than the database.")
        if at.seq >= head.seq and not sound:
            break
    if sound and at != head:
        yield Fault("ledger_row", f"{school} ledger line {at.seq + 1} (database)", "The database's last line is not the ledger's head.")
    if next(lines, None) is not None:
        why = "The ledger's file has lines that the database lacks: the database was put back to an earlier day, or the file added to."
        yield Fault("ledger_longer", f"{school} ledger line {at.seq + 1} (file)", why)


def _rows(connection: sa.Connection, school: str) -> Iterator[Any]:
    after = 0
    columns = (LEDGER.c.seq, LEDGER.c.at, LEDGER.c.event, LEDGER.c.subject, LEDGER.c.line, LEDGER.c.hash)
    while True:
        wanted = sa.select(*columns).where(LEDGER.c.school == school, LEDGER.c.seq > after).order_by(LEDGER.c.seq).limit(ROWS)
        rows = connection.execute(wanted).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].seq


def _lines(file: BinaryIO | None, size: int) -> Iterator[bytes]:
    """Yield the file's lines as far as `size`; a last one that is still being written is left out."""
    left = size
    while file is not None and left > 0:
        line = file.readline(min(MAX_LINE, left))
        left -= len(line)
        if not line or (left == 0 and not line.endswith(b"\n")):
            return
        yield line


def _not_as_chained(row: Any, school: str, before: Head) -> str:  # noqa: ANN401 - a row of the ledger table
    """Return what is wrong with a row, or nothing: its number, its hash, its chain, and the columns that pages and reports read."""
    if row.seq != before.seq + 1:
        return "A line is missing from the database."
    try:
        told = json.loads(row.line)
        said = (told["seq"], told["prev"], told["school"], told["event"], told["subject"], told["at"])
    except (ValueError, KeyError, TypeError):
        return "The database's line is not one that the service writes."
    if row.hash != line_hash(row.line) or said != (row.seq, before.hash, school, row.event, row.subject, utc_text(row.at)):
        return "The database's line is not as it was chained."
    return ""

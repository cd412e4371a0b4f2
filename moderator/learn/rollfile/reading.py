"""The rows of a roll as people, with what was recognised on the way: called by `read_roll` and by `moderator roll import --preview`."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.rollfile.cells import day, kind_of, whole_name
from moderator.learn.rollfile.columns import Columns, columns_of
from moderator.learn.rollfile.decode import delimiter_of, text_of

_HEADER_WITHIN = 12
"""Lines within which the header stands: reports begin with a name, a date, an empty line."""

_HEADERS = "the roll needs a header line with first_name and last_name (or name), and best with reference, kind, title, known_as"


@dataclass(frozen=True, slots=True)
class RollFile:
    """A roll as read. `entries` are (line, person) without lines in error; `repeated` counts rows that say the same person again."""

    numbered: tuple[tuple[int, RollEntry], ...]
    errors: dict[int, str]
    columns: Columns
    encoding: str
    delimiter: str
    repeated: int

    @property
    def entries(self) -> tuple[RollEntry, ...]:
        """The people, in the file's order."""
        return tuple(entry for _, entry in self.numbered)


def read_roll_file(source: Path | str, *, kind: PersonKind | None = None) -> RollFile:
    """Return a roll read from a path or from the CSV text itself; `kind` is for rows that do not say theirs.

    1. Find the encoding and the delimiter. 2. Find the header line, past a report's title. 3. Read each row; one in error is told by its
    line. 4. Leave out rows that repeat a person; a reference that two people bear is an error, unless they are contacts of one pupil.
    Raises BadInput when the file cannot be read, is not valid CSV or has no usable header.
    """
    text, encoding = text_of(source) if isinstance(source, Path) else (source.removeprefix("\ufeff"), "text")
    delimiter = delimiter_of(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _header(rows)
        kept = _Kept()
        for row in rows:
            if any(cell.strip() for cell in row):
                kept.take(rows.line_num, row, columns, kind)
    except csv.Error as error:
        message = f"the roll's line {rows.line_num} is not valid CSV: {error}"
        raise BadInput(message) from error
    return RollFile(tuple(kept.numbered), kept.errors, columns, encoding, delimiter, kept.repeated)


def _header(rows: Iterator[list[str]]) -> Columns:
    for _, row in zip(range(_HEADER_WITHIN), rows, strict=False):
        columns = columns_of(row)
        if columns.usable:
            return columns
    raise BadInput(_HEADERS)


class _Kept:
    """The people read so far, by reference."""

    def __init__(self) -> None:
        self.numbered: list[tuple[int, RollEntry]] = []
        self.errors: dict[int, str] = {}
        self.repeated = 0
        self._lines: dict[str, int] = {}
        self._people: dict[str, RollEntry] = {}

    def take(self, line: int, row: Sequence[str], columns: Columns, kind: PersonKind | None) -> None:
        """Keep the people of one row, or its error."""
        try:
            entry = _entry(row, columns, line, kind)
            self._keep(line, entry)
            for contact in _contacts(row, columns, entry.reference):
                self._keep(line, contact)
        except BadInput as error:
            self.errors[line] = str(error)

    def _keep(self, line: int, entry: RollEntry) -> None:
        before = self._people.get(entry.reference)
        number = 1
        reference = entry.reference
        while before is not None and replace(before, reference=entry.reference) != entry:
            if entry.kind is not PersonKind.PARENT:
                message = f"reference {entry.reference!r} is already that of line {self._lines[entry.reference]}, with another name or kind"
                raise BadInput(message)
            number += 1
            reference = f"{entry.reference}-C{number}"
            before = self._people.get(reference)
        if before is not None:
            self.repeated += 1
            return
        self._people[reference] = replace(entry, reference=reference)
        self._lines[reference] = line
        self.numbered.append((line, self._people[reference]))


def _entry(row: Sequence[str], columns: Columns, line: int, kind: PersonKind | None) -> RollEntry:
    cells = {ours: _first_filled(row, places) for ours, places in columns.fields.items()}
    assumed = kind or (PersonKind(columns.kind) if columns.kind else None)
    word = cells.get("kind", "")
    found = kind_of(word, assumed if columns.kind else None) if word else assumed or PersonKind.PUPIL
    name = whole_name(cells.get("name", ""))
    first = cells.get("first_name") or cells.get("known_as") or ""
    last = cells.get("last_name") or cells.get("other_last_name") or ""
    known_as, other = cells.get("known_as", ""), cells.get("other_last_name", "")
    if not first and not last:
        first, last = name.first, name.last
    if not any(map(str.isalpha, first + last)):
        message = "no name: give first_name and last_name"
        raise BadInput(message)
    return RollEntry(
        cells.get("reference") or f"line-{line}",
        found,
        first,
        last,
        cells.get("title") or name.title,
        known_as if known_as and known_as != first else name.known_as,
        other if other != last else "",
        day(cells.get("left_on", "")),
    )


def _contacts(row: Sequence[str], columns: Columns, reference: str) -> Iterator[RollEntry]:
    """Yield the contacts a pupil's row carries."""
    for number, places in enumerate(columns.contacts.values(), 1):
        cells = {what: _first_filled(row, (place,)) for what, place in places.items()}
        name = whole_name(cells.get("name", ""))
        first, last = cells.get("first_name") or name.first, cells.get("last_name") or name.last
        if any(map(str.isalpha, first + last)):
            yield RollEntry(f"{reference}-C{number}", PersonKind.PARENT, first, last, cells.get("title") or name.title, name.known_as)


def _first_filled(row: Sequence[str], places: Sequence[int]) -> str:
    cells = (row[place].strip() for place in places if place < len(row))
    return next((cell for cell in cells if cell), "")

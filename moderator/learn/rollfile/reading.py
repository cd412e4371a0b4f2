"""The rows of a roll as people, with what was recognised on the way: called by `moderator roll import` and the Roll page."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.rollfile.cells import day, kind_of, whole_name
from moderator.learn.rollfile.columns import Columns, columns_as, columns_of
from moderator.learn.rollfile.decode import delimiter_of, text_of, text_of_bytes

_HEADER_WITHIN = 12
"""Lines within which the header stands: reports begin with a name, a date, an empty line."""

MAX_ROWS = 20_000
"""Rows of one file at most: several times the people of the largest school with their families (our choice)."""

MAX_CELL = 200
"""Characters of one name, reference or date at most (our choice)."""

_FORMULA = ("=", "+", "@")
"""How a cell begins that a spreadsheet would work out: never a name."""

_HEADERS = "the roll needs a header line with first_name and last_name (or name), and best with reference, kind, title, known_as"


class NoHeaderError(BadInput):
    """The file is a CSV, and no line of it says which column is the name."""


@dataclass(frozen=True, slots=True)
class RollFile:
    """A roll as read. `entries` are (line, person) without lines in error; `repeated` counts rows that say the same person again.

    `header` holds the headings as the file has them.
    """

    numbered: tuple[tuple[int, RollEntry], ...]
    errors: dict[int, str]
    columns: Columns
    encoding: str
    delimiter: str
    repeated: int
    header: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[RollEntry, ...]:
        """The people, in the file's order."""
        return tuple(entry for _, entry in self.numbered)


def read_roll_file(source: Path | str, *, kind: PersonKind | None = None) -> RollFile:
    """Return a roll read from a path or from the CSV text itself; `kind` is for rows that do not say theirs.

    1. Find the encoding and the delimiter. 2. Find the header line, past a report's title. 3. Read each row; one in error is told by its
    line. 4. Leave out rows that repeat a person; a reference that two people bear is an error, unless they are contacts of one pupil.
    Raises BadInput when the file cannot be read, is not valid CSV, has too many rows or no usable header (NoHeaderError).
    """
    text, encoding = text_of(source) if isinstance(source, Path) else (source.removeprefix("\ufeff"), "text")
    return _read(text, encoding, kind, ())


def read_roll_bytes(raw: bytes, *, kind: PersonKind | None = None, mapping: Sequence[str] = ()) -> RollFile:
    """Return a roll read from a file's bytes, as `read_roll_file` does.

    `mapping`, when it is given, says what each column is: a field of `columns.FIELDS` or "" a column, in order.
    """
    text, encoding = text_of_bytes(raw)
    return _read(text, encoding, kind, mapping)


@dataclass(frozen=True, slots=True)
class Headings:
    """The line of a file that looks most like its headings: its cells, and the first rows below it."""

    cells: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def headings_of(raw: bytes, *, rows: int = 3) -> Headings:
    """Return the headings of a CSV whose columns nobody knows, with up to `rows` rows, for a person to say what is what.

    Raises BadInput as `read_roll_bytes` does for what is no CSV, and for one that is empty.
    """
    text, _ = text_of_bytes(raw)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        first = [row for _, row in zip(range(_HEADER_WITHIN + rows), reader, strict=False)]
    except csv.Error as error:
        raise _invalid(reader.line_num, error) from error
    place = _titles(first[:_HEADER_WITHIN])
    return Headings(tuple(first[place]), tuple(tuple(row) for row in first[place + 1 : place + 1 + rows]))


def _read(text: str, encoding: str, kind: PersonKind | None, mapping: Sequence[str]) -> RollFile:
    delimiter = delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    kept = _Kept()
    try:
        first = [(reader.line_num, row) for _, row in zip(range(_HEADER_WITHIN), reader, strict=False)]
        place, columns = _mapped([row for _, row in first], mapping) if mapping else _header([row for _, row in first])
        for number, (line, row) in enumerate(chain(first[place + 1 :], ((reader.line_num, row) for row in reader))):
            if number >= MAX_ROWS:
                message = f"the file has more than {MAX_ROWS:,} rows: export only the people of this school"
                raise BadInput(message)
            if any(cell.strip() for cell in row):
                kept.take(line, row, columns, kind)
    except csv.Error as error:
        raise _invalid(reader.line_num, error) from error
    return RollFile(tuple(kept.numbered), kept.errors, columns, encoding, delimiter, kept.repeated, tuple(first[place][1]))


def _invalid(line: int, error: csv.Error) -> BadInput:
    return BadInput(f"the roll's line {line} is not valid CSV: {error}")


def _header(first: Sequence[Sequence[str]]) -> tuple[int, Columns]:
    for place, row in enumerate(first):
        columns = columns_of(row)
        if columns.usable:
            return place, columns
    raise NoHeaderError(_HEADERS)


def _mapped(first: Sequence[Sequence[str]], mapping: Sequence[str]) -> tuple[int, Columns]:
    place = _titles(first)
    columns = columns_as(first[place], mapping)
    if not columns.usable:
        message = "say which column is the name: first name and last name, or the whole name"
        raise NoHeaderError(message)
    return place, columns


def _titles(first: Sequence[Sequence[str]]) -> int:
    """Return which of a file's first rows is the first one that has the most cells filled. Raises BadInput when there is none."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in first]
    if not any(filled):
        message = "the file is empty"
        raise BadInput(message)
    return filled.index(max(filled))


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
    cells = {ours: _checked(_first_filled(row, places)) for ours, places in columns.fields.items()}
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
        cells = {what: _checked(_first_filled(row, (place,))) for what, place in places.items()}
        name = whole_name(cells.get("name", ""))
        first, last = cells.get("first_name") or name.first, cells.get("last_name") or name.last
        if any(map(str.isalpha, first + last)):
            yield RollEntry(f"{reference}-C{number}", PersonKind.PARENT, first, last, cells.get("title") or name.title, name.known_as)


def _first_filled(row: Sequence[str], places: Sequence[int]) -> str:
    cells = (" ".join(row[place].split()) for place in places if place < len(row))
    return next((cell for cell in cells if cell), "")


def _checked(cell: str) -> str:
    """Return a cell. Raises BadInput for one that is far too long, or that a spreadsheet would take for a formula."""
    if len(cell) > MAX_CELL:
        message = f"a cell of this row has {len(cell):,} characters; a name has at most {MAX_CELL}"
        raise BadInput(message)
    if cell.startswith(_FORMULA):
        message = f"a cell of this row begins with {cell[0]}, as a formula does: give the plain name"
        raise BadInput(message)
    return cell

"""Bytes of an exported CSV as text, and its delimiter: called by `reading`."""

import codecs
import csv
from pathlib import Path

from moderator.domain.errors import BadInput

DELIMITERS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT = 4096
_LINES = 10

_EXCEL = "an Excel workbook, not a CSV. Open it in Excel, choose File, Save as, CSV UTF-8, and give the file that makes"
_WEB = "a web page, as some systems export for Excel. Open it in Excel, choose File, Save as, CSV UTF-8, and give the file that makes"
_OTHERS = (
    (b"PK", _EXCEL),
    (b"\xd0\xcf\x11\xe0", _EXCEL),
    (b"%PDF", "a PDF. Export the report as CSV instead"),
    (b"\x1f\x8b", "a compressed file. Unpack it first, then give the CSV"),
)
"""How files begin that people give for a CSV, and what to do with each (the formats' own signatures)."""


def text_of(path: Path) -> tuple[str, str]:
    """Return (text, encoding) of a file: by its mark, else UTF-8, UTF-16 or Windows-1252. Raises BadInput when it is none of them."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"{path}: the roll cannot be read ({error.strerror})"
        raise BadInput(message) from error
    return text_of_bytes(raw, where=str(path))


def text_of_bytes(raw: bytes, *, where: str = "the file") -> tuple[str, str]:
    """Return (text, encoding) of a file's bytes, as `text_of` does. Raises BadInput, which says what to do, for what is no CSV at all."""
    for beginning, said in _OTHERS:
        if raw.startswith(beginning):
            message = f"{where} is {said}"
            raise BadInput(message)
    for encoding in _encodings(raw):
        try:
            text = raw.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
        if text.lstrip().startswith("<"):
            message = f"{where} is {_WEB}"
            raise BadInput(message)
        return text, encoding
    message = f"{where}: the roll cannot be read as text; save it as CSV UTF-8"
    raise BadInput(message)


def _encodings(raw: bytes) -> tuple[str, ...]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return (encoding,)
    nulls = raw[:_LOOKED_AT].count(0)
    if nulls == 0:
        return ("utf-8", "cp1252")
    # A UTF-16 export without a mark: every second byte of plain letters is zero. Anything else with zeros is no text.
    return ("utf-16-le" if raw[1:2] == b"\0" else "utf-16-be",) if 2 * nulls >= min(len(raw), _LOOKED_AT) * 0.8 else ()


def delimiter_of(text: str) -> str:
    """Return the delimiter that parts the first lines into most cells; a comma when none does."""
    lines = text.splitlines()[:_LINES]
    widest = {mark: _widest(lines, mark) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (widest[mark], -DELIMITERS.index(mark)))


def _widest(lines: list[str], delimiter: str) -> int:
    """Return the most cells of one of the lines; 0 where they are no CSV of that delimiter, which reading the rows then tells."""
    try:
        return max((len(row) for row in csv.reader(lines, delimiter=delimiter)), default=0)
    except csv.Error:
        return 0

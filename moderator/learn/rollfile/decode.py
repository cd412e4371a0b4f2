"""Bytes of an exported CSV as text, and its delimiter: called by `reading`."""

import codecs
import csv
from pathlib import Path

from moderator.domain.errors import BadInput

DELIMITERS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOOKED_AT = 4096
_LINES = 10


def text_of(path: Path) -> tuple[str, str]:
    """Return (text, encoding) of a file: by its mark, else UTF-8, UTF-16 or Windows-1252. Raises BadInput when it is none of them."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        message = f"{path}: the roll cannot be read ({error.strerror})"
        raise BadInput(message) from error
    for encoding in _encodings(raw):
        try:
            return raw.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError:
            continue
    message = f"{path}: the roll cannot be read as text; save it as CSV UTF-8"
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
    widest = {mark: max((len(row) for row in csv.reader(lines, delimiter=mark)), default=0) for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (widest[mark], -DELIMITERS.index(mark)))

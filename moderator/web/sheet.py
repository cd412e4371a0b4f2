"""Tables that leave the app as CSV: safe to open in a spreadsheet. Called by every page that gives a copy out."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from fastapi import Response

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - a spreadsheet reads the wide ones too
"""What a cell that a spreadsheet would work out begins with (OWASP, "CSV Injection")."""

_BOM = "\ufeff"
"""Tells a spreadsheet that the file is UTF-8."""

_UNWRITABLE = re.compile("[\\0\ud800-\udfff]")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def safe(cell: object) -> str:
    """Return a cell's text that a spreadsheet shows and never works out: one that reads like a formula gets an apostrophe before it.

    Spaces before the sign do not help it. NUL and lone surrogates, which no CSV file can hold, become U+FFFD. May be repeated: what is
    safe stays as it is.
    """
    text = _UNWRITABLE.sub("\ufffd", str(cell))
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV file (RFC 4180: CRLF, every cell in quotes) in UTF-8 with its mark, every cell safe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([safe(cell) for cell in header])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return (_BOM + out.getvalue()).encode()


def download(content: bytes, *, name: str) -> Response:
    """Return an answer that a browser saves under `name` and never shows; anything but plain letters in the name becomes a hyphen."""
    plain = _ODD.sub("-", name).strip("-.") or "list"
    headers = {"Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(content, media_type="text/csv; charset=utf-8; header=present", headers=headers)

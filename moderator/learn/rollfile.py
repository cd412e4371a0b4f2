"""Reading a roll: a CSV of names and kinds, with errors by row; used by `moderator roll import` and `moderator assess --roll`."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind

_HEADERS = {
    "reference": ("reference", "ref", "id", "upn", "staffcode", "code", "admissionnumber", "adno"),
    "kind": ("kind", "type", "role", "group"),
    "first_name": ("firstname", "forename", "givenname", "first", "legalforename", "legalfirstname"),
    "last_name": ("lastname", "surname", "familyname", "last", "legalsurname", "legallastname"),
    "title": ("title", "salutation", "prefix"),
    "known_as": ("knownas", "preferredname", "preferredforename", "preferredfirstname", "nickname", "chosenname"),
    "name": ("name", "fullname", "displayname"),
}
_KINDS = {
    **{kind.value: kind for kind in PersonKind if kind not in {PersonKind.PUBLIC, PersonKind.UNKNOWN}},
    **dict.fromkeys(("student", "child", "learner"), PersonKind.PUPIL),
    **dict.fromkeys(("teacher", "employee", "headteacher", "head", "ta", "support"), PersonKind.STAFF),
    **dict.fromkeys(("carer", "guardian", "contact"), PersonKind.PARENT),
    **dict.fromkeys(("trustee", "director"), PersonKind.GOVERNOR),
    **dict.fromkeys(("volunteer", "visitor", "school"), PersonKind.OTHER),
}


def read_roll(source: Path | str) -> tuple[list[RollEntry], dict[int, str]]:
    """Return (entries, errors by line number) of a roll: a path, or the CSV text itself.

    Columns by tolerant names: reference, kind, first_name, last_name (or name), title, known_as. Lines with an error are left out.
    Raises BadInput when the file cannot be read or has no usable header.
    """
    text = _text(source) if isinstance(source, Path) else source
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    entries: list[RollEntry] = []
    errors: dict[int, str] = {}
    try:
        columns = _columns(rows.fieldnames or ())
        for row in rows:
            try:
                entries.append(_entry(row, columns, rows.line_num))
            except BadInput as error:
                errors[rows.line_num] = str(error)
    except csv.Error as error:
        message = f"the roll's line {rows.line_num} is not valid CSV: {error}"
        raise BadInput(message) from error
    return entries, errors


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the roll cannot be read as UTF-8 text: {error}"
        raise BadInput(message) from error


def _columns(header: object) -> Mapping[str, str]:
    names = (
        {"".join(part for part in str(name).lower() if part.isalnum()): str(name) for name in header}
        if isinstance(header, (list, tuple))
        else {}
    )
    found = {ours: names[theirs] for ours, known in _HEADERS.items() for theirs in reversed(known) if theirs in names}
    if "name" not in found and not {"first_name", "last_name"} <= found.keys():
        message = "the roll needs a header line with first_name and last_name (or name), and best with reference, kind, title, known_as"
        raise BadInput(message)
    return found


def _entry(row: Mapping[str, object], columns: Mapping[str, str], line: int) -> RollEntry:
    cells = {ours: str(row.get(theirs) or "").strip() for ours, theirs in columns.items()}
    kind_text = cells.get("kind", "").lower() or PersonKind.PUPIL.value
    kind = _KINDS.get(kind_text)
    if kind is None:
        message = f"kind {kind_text!r} is not one of {', '.join(sorted(_KINDS))}"
        raise BadInput(message)
    first, last = cells.get("first_name", ""), cells.get("last_name", "")
    if not first and not last:
        first, last = _whole(cells.get("name", ""))
    if not any(map(str.isalpha, first + last)):
        message = "no name: give first_name and last_name"
        raise BadInput(message)
    return RollEntry(cells.get("reference") or f"line-{line}", kind, first, last, cells.get("title", ""), cells.get("known_as", ""))


def _whole(name: str) -> tuple[str, str]:
    """Return (first, last) of "First Last" or "Last, First"."""
    if "," in name:
        last, first = name.split(",", 1)
        return first.strip(), last.strip()
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")

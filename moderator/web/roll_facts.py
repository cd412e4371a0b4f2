"""What the preview of a roll says: counts by kind, rows in error, what to look at, the first rows. Called by `roll_preview`."""

from collections.abc import Mapping
from dataclasses import dataclass

from moderator.domain.person import RollEntry
from moderator.domain.roll_change import KINDS, LEAVERS_MATCH, RollChange
from moderator.domain.score import PersonKind
from moderator.learn.rollfile import RollFile, doubts, system_of
from moderator.store.roll_uploads import Upload
from moderator.web.roll import KIND_WORDS, kind_given

FIRST_ROWS = 10
MOST_ERRORS = 50
"""Rows shown, and rows in error told (our choice)."""

MANY = 4
"""When more than one in so many people leaves, the page asks whether that is right (our choice)."""

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
FIELD_WORDS: Mapping[str, str] = {
    "first_name": "First name",
    "last_name": "Last name",
    "name": "Whole name in one cell",
    "known_as": "Preferred first name",
    "other_last_name": "Preferred or former last name",
    "title": "Title (Mr, Mrs, Dr)",
    "reference": "Reference (UPN, staff code)",
    "kind": "Kind (pupil, staff, parent, …)",
    "left_on": "Day they left",
}
FIELD_CHOICES = (("", "Not used"), *FIELD_WORDS.items())


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the file as it would be kept."""

    line: int
    kind: str
    name: str
    known_as: str
    reference: str


def kinds_of(upload: Upload, read: RollFile) -> frozenset[PersonKind]:
    """Return the kinds of people a file takes the place of: all, or those it holds and the one it was said to hold."""
    if upload.everybody:
        return frozenset(KINDS)
    said = kind_given(upload.kind)
    return frozenset(entry.kind for entry in read.entries) | (frozenset({said}) if said else frozenset())


def many_leave(change: RollChange) -> bool:
    """Return whether so many people would leave that it is rather a part of the list."""
    return change.leaving * MANY > change.present


def preview_facts(read: RollFile, change: RollChange, upload: Upload) -> dict[str, object]:
    """Return the facts of the preview page."""
    errors = sorted(read.errors.items())
    return {
        "system": system_of(read.header),
        "encoding": read.encoding,
        "delimiter": _DELIMITERS[read.delimiter],
        "recognised": [(heading, _field(ours)) for heading, ours in read.columns.recognised.items()],
        "ignored": read.columns.ignored,
        "people": change.in_file,
        "changes": [(KIND_WORDS[each.kind], each, each.kind in change.kinds) for each in change.by_kind],
        "others_stay": [KIND_WORDS[kind] for kind in KINDS if kind not in change.kinds],
        "leaving": change.leaving,
        "many_leave": many_leave(change),
        "leavers_days": LEAVERS_MATCH.days,
        "errors": errors[:MOST_ERRORS],
        "more_errors": max(len(errors) - MOST_ERRORS, 0),
        "doubts": doubts(read),
        "rows": [_row(line, entry) for line, entry in read.numbered[:FIRST_ROWS]],
        "everybody": upload.everybody,
        "ready": bool(read.numbered) and not errors,
    }


def _field(ours: str) -> str:
    """Return a field in words; a contact's is "guardian2 first_name" and the like."""
    whose, _, what = ours.rpartition(" ")
    return f"{FIELD_WORDS[what]} of {whose}" if whose else FIELD_WORDS[ours]


def _row(line: int, entry: RollEntry) -> Row:
    name = " ".join(part for part in (entry.title, entry.first_name, entry.last_name) if part)
    also = ", ".join(part for part in (entry.known_as, entry.other_last_name) if part)
    return Row(
        line, KIND_WORDS[entry.kind].split(":", maxsplit=1)[0], name, also, "" if entry.reference.startswith("line-") else entry.reference
    )

"""Reports to the police about a comment that may hold an indecent image (R17). Called by the police step and the pages."""

from dataclasses import dataclass
from datetime import datetime

from moderator.domain.errors import BadInput

MAX_REFERENCE = 100
"""Characters of a police reference at most (our choice): an incident number with the force's name takes under 60."""
MAX_NOTE = 4000
"""Characters of a note at most: as of any reason (our choice)."""


@dataclass(frozen=True, slots=True)
class PoliceReport:
    """One entry: who pressed, when, the police reference ("" when there is none yet) and what was done."""

    item_id: int
    by: str
    at: datetime
    reference: str
    note: str


def police_report(item_id: int, *, by: str, at: datetime, reference: str, note: str) -> PoliceReport:
    """Return an entry as it is kept. Raises BadInput when it says nothing, or is too long."""
    reference, note = " ".join(reference.split()), note.replace("\r\n", "\n").strip()
    if not reference and not note:
        message = "Give the police reference, or say what you did. If the police gave no reference, write: none given."
        raise BadInput(message)
    if len(reference) > MAX_REFERENCE:
        message = f"Please keep the police reference under {MAX_REFERENCE} characters."
        raise BadInput(message)
    if len(note) > MAX_NOTE:
        message = f"Please keep your note under {MAX_NOTE} characters."
        raise BadInput(message)
    return PoliceReport(item_id, by, at, reference, note)

"""What the cells of a roll say: names in one cell, kinds, dates. Called by `reading` for each row."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from moderator.domain.errors import BadInput
from moderator.domain.score import PersonKind

KINDS = {
    **{kind.value: kind for kind in PersonKind if kind not in {PersonKind.PUBLIC, PersonKind.UNKNOWN}},
    **dict.fromkeys(("student", "child", "learner"), PersonKind.PUPIL),
    **dict.fromkeys(("teacher", "employee", "headteacher", "head", "ta", "support", "teaching assistant"), PersonKind.STAFF),
    **dict.fromkeys(("carer", "guardian", "contact", "mother", "father", "parent/carer", "grandparent"), PersonKind.PARENT),
    **dict.fromkeys(("trustee", "director", "chair of governors"), PersonKind.GOVERNOR),
    **dict.fromkeys(("volunteer", "visitor", "school"), PersonKind.OTHER),
}
"""What a kind may be called, in lower case; a final s is allowed."""

_TITLE = re.compile(r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|rev|revd|sir|dame|fr|sr)\.?(?=\s)", re.IGNORECASE)
_BRACKETED = re.compile(r"\s*[(\"“]([^)\"”]*)[)\"”]\s*")
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y")
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}.*$")


@dataclass(frozen=True, slots=True)
class Name:
    """A name read from one cell."""

    first: str
    last: str
    title: str = ""
    known_as: str = ""


def whole_name(cell: str) -> Name:
    """Return the name in one cell: "First Last", "Last, First", with a title before it or a preferred name in brackets."""
    bracketed = _BRACKETED.search(cell)
    known_as = bracketed[1].strip() if bracketed else ""
    plain = _BRACKETED.sub(" ", cell).strip()
    title, plain = _title(plain)
    if "," in plain:
        last, first = (part.strip() for part in plain.split(",", 1))
        inner, first = _title(first)
        return Name(first, last, title or inner, known_as)
    first, _, last = plain.rpartition(" ")
    if not first and not title:
        return Name(last, "", known_as=known_as)
    return Name(first.strip(), last, title, known_as)


def _title(name: str) -> tuple[str, str]:
    match = _TITLE.match(name)
    return (match[0], name[match.end() :].strip()) if match else ("", name)


def kind_of(cell: str, otherwise: PersonKind | None) -> PersonKind:
    """Return the kind a cell names; `otherwise` for an unknown word, if given. Raises BadInput for one that is no kind."""
    word = cell.strip().lower()
    found = KINDS.get(word) or KINDS.get(word.removesuffix("s")) or otherwise
    if found is None:
        message = f"kind {word!r} is not one of {', '.join(sorted(KINDS))}"
        raise BadInput(message)
    return found


def day(cell: str) -> date | None:
    """Return the date in a cell, day before month, or None when it is empty. Raises BadInput when it is no date."""
    text = _TIME.sub("", cell.strip())
    if not text:
        return None
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    message = f"leaving date {cell!r} is not a date such as 31/07/2026 or 2026-07-31"
    raise BadInput(message)

"""What a person hands in: screen prints of a post elsewhere, with time, date and place as stated. Called by the submit step and forms.

The trust's policy, section on cyber-bullying: keep records, take screen prints, and "be careful to record the time, date and place".
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from moderator.domain.account import School
from moderator.domain.errors import BadInput
from moderator.domain.record import record_id
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import LONDON

MAX_FILES = 10
"""Files of one submission at most (our choice): a long thread in ten screen prints."""
MAX_BYTES = 20 * 1024 * 1024
"""Bytes of all its files together at most (our choice): a phone's screen print takes one to five million."""
MAX_PLACE, MAX_AUTHOR, MAX_TEXT, MAX_WHY, MAX_NAME = 2000, 200, 25_000, 4000, 200
"""Characters at most (our choices); a text may be as long as the longest post of a platform that we know."""

ORIGIN = "submitted_by_person"
_SLACK = timedelta(minutes=5)
"""How far a stated time may lie ahead of our clock: two clocks never agree."""
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d)?(?: (BST|GMT))?")
_FOLDS = {"BST": 0, "GMT": 1}


class FileKind(StrEnum):
    """What a file is, by its content."""

    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    PDF = "pdf"
    EMAIL = "eml"
    TEXT = "txt"


PICTURES = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.WEBP})


class TwiceThatNightError(BadInput):
    """That time came twice: the clocks went back. Say whether it was before (BST) or after (GMT)."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A file as a person gave it: its own name, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SubmittedFile:
    """A file that was looked over: its name in the record, its own name, what it is, and its bytes as handed in.

    `width` and `height` are pixels of a picture as it is stored, 0 for any other file.
    """

    name: str
    name_given: str
    kind: FileKind
    content: bytes
    width: int = 0
    height: int = 0

    @property
    def sha256(self) -> str:
        """Return SHA-256 of the bytes in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Statement:
    """What the person says of it. Times are aware UTC; `posted_at` is None when the person does not know it.

    `by` is a designation reference. Made by `statement`, which checks it.
    """

    place: str
    seen_at: datetime
    posted_at: datetime | None
    author: str
    text: str
    why: str
    by: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sealed: the files as handed in, and what the person says of them.

    `begun_at` is when this hand-in was first begun, and names its place in the vault; `received_at` when the service had these files: later
    only if the first try was cut short.
    """

    record_id: str
    school: School
    statement: Statement
    files: tuple[SubmittedFile, ...]
    begun_at: datetime
    received_at: datetime
    delegation: str = ""

    @property
    def path(self) -> str:
        """Return the record's place in the vault."""
        return place_in_vault(self.school.slug, self.record_id, self.begun_at)


@dataclass(frozen=True, slots=True)
class SubmissionBegun:
    """What the ledger says of a hand-in that was begun: its record's number, the school, who, and when."""

    record_id: str
    school: str
    by: str
    begun_at: datetime

    @property
    def path(self) -> str:
        """Return the record's place in the vault."""
        return place_in_vault(self.school, self.record_id, self.begun_at)


def place_in_vault(school: str, number: str, begun_at: datetime) -> str:
    """Return where a submission's record lies: by school and the year, in UTC, in which it was begun."""
    return f"{school}/{begun_at.astimezone(UTC):%Y}/{number}"


def statement(  # noqa: PLR0913 - one argument a question of the form
    *, place: str, seen: str, why: str, by: str, now: datetime, posted: str = "", author: str = "", text: str = ""
) -> Statement:
    """Return what a person states, checked. `seen` and `posted` are London times, `YYYY-MM-DD HH:MM`, with BST or GMT where it is needed.

    Raises BadInput that says what to mend; TwiceThatNightError when a time came twice.
    """
    seen_at = stated_time(seen, what="When it was seen", now=now)
    posted_at = stated_time(posted, what="When it was posted", now=now) if posted.strip() else None
    if posted_at is not None and posted_at > seen_at:
        message = "When it was posted: it cannot have been posted after it was seen. Check both times."
        raise BadInput(message)
    if len(why.strip()) < MIN_JUSTIFICATION:
        message = f"Why it is handed in: say why in at least {MIN_JUSTIFICATION} characters. Your reason is kept with the record."
        raise BadInput(message)
    return Statement(
        place=_line(place, "Place", MAX_PLACE),
        seen_at=seen_at,
        posted_at=posted_at,
        author=_line(author, "Author", MAX_AUTHOR, needed=False),
        text=_within(_clean(text), "Text", MAX_TEXT),
        why=_within(_clean(why), "Why it is handed in", MAX_WHY),
        by=_line(by, "Who hands it in", MAX_AUTHOR),
    )


def stated_time(text: str, *, what: str, now: datetime) -> datetime:
    """Return a London time that a person typed, as aware UTC. `what` begins the sentence of a refusal.

    Raises BadInput for what is no time, one that never was (the clocks went forward), one in the future or before 1990;
    TwiceThatNightError for one that came twice and does not say which it was.
    """
    match = _MOMENT.fullmatch(" ".join(text.split()))
    try:
        local = datetime.fromisoformat(f"{match[1]} {match[2]}") if match else None
    except ValueError:
        local = None
    if match is None or local is None:
        message = f"{what}: give date and time as in 2026-11-22 14:05, in UK time"
        raise BadInput(message)
    found = _london(local, match[3] or "", what)
    if found > now + _SLACK:
        message = f"{what}: that time is still to come. Check the date."
        raise BadInput(message)
    if local.year < 1990:  # noqa: PLR2004 - before the web; a mistyped year
        message = f"{what}: check the year"
        raise BadInput(message)
    return found


def _london(local: datetime, which: str, what: str) -> datetime:
    first, second = (local.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(LONDON).replace(tzinfo=None) != local:
        message = f"{what}: that hour never was, the clocks went forward. Check the time."
        raise BadInput(message)
    if first == second:
        return first
    if not which:
        message = f"{what}: that time came twice, since the clocks went back. Say whether it was before (BST) or after (GMT)."
        raise TwiceThatNightError(message)
    return (first, second)[_FOLDS[which]]


def submission_id(school: str, place: str, files: Sequence[SubmittedFile]) -> str:
    """Return the record's id: the same for the same bytes from the same place, in whatever order, so that a repeat finds the first one."""
    content = "\n".join(sorted(file.sha256 for file in files))
    return record_id(school, ORIGIN, place, hashlib.sha256(content.encode()).hexdigest())


def plain_name(name: str) -> str:
    """Return a file's own name for the record: without folders, control and direction marks, and not longer than MAX_NAME."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}).strip()
    return kept[-MAX_NAME:] or "(no name)"


def _line(text: str, what: str, most: int, *, needed: bool = True) -> str:
    line = " ".join(_clean(text).split())
    if needed and not line:
        message = f"{what}: this is needed"
        raise BadInput(message)
    return _within(line, what, most)


def _clean(text: str) -> str:
    """Return typed text without control characters and half characters; line ends are newlines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(letter for letter in lines if letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cs"}).strip()


def _within(text: str, what: str, most: int) -> str:
    if len(text) > most:
        message = f"{what}: please keep it under {most:,} characters"
        raise BadInput(message)
    return text

"""The sheet of a submission: what was handed in, when and by whom, drawn as a picture. It is the record's `screenshot.png`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from moderator.domain.record import CaptureKind
from moderator.domain.submission import Submission, SubmittedFile
from moderator.domain.times import london_text
from moderator.evidence.capture.panel import png
from moderator.evidence.capture.taken import IN_WORDS, MAX_HEIGHT, WIDTH
from moderator.evidence.capture.typeface import Colour, face, right_to_left
from moderator.evidence.seal.canonical import showable

NOT_STATED = "not stated"
EXPLAINED = (
    "This page lists what was handed in. The files themselves are in this record, byte for byte as they were handed in. "
    "Times and words marked \u201cstated\u201d are what the person who handed them in says. The service cannot know whether they are right."
)
_BAND: Colour = (62, 62, 84)
_BACK: Colour = (242, 244, 247)
_INK: Colour = (20, 24, 31)
_SOFT: Colour = (84, 94, 110)
_WHITE: Colour = (255, 255, 255)
_MARGIN, _LABELS, _SIZE, _ROW, _GAP = 24, 190, 16, 25, 10


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: what it is, and what it says."""

    label: str
    text: str


def sheet_rows(submission: Submission) -> tuple[SheetRow, ...]:
    """Return what the sheet says, in order (R13: time, date and place)."""
    said = submission.statement
    return (
        SheetRow("Record", submission.record_id),
        SheetRow("School", submission.school.name),
        SheetRow("Place, stated", said.place),
        SheetRow("Site", site_of(said.place) or NOT_STATED),
        SheetRow("Seen, stated", both_times(said.seen_at)),
        SheetRow("Posted, stated", both_times(said.posted_at) if said.posted_at else NOT_STATED),
        SheetRow("Author, stated", said.author or NOT_STATED),
        SheetRow("Words, stated", said.text or NOT_STATED),
        SheetRow("Handed in by", said.by),
        SheetRow("Handed in", both_times(submission.received_at)),
        SheetRow("Why", said.why),
        *(SheetRow(f"File {number}", _file(each)) for number, each in enumerate(submission.files, 1)),
        SheetRow("Words, stated", said.text or NOT_STATED),
    )


def site_of(place: str) -> str:
    """Return the host of a web address, "" for a place that is none."""
    try:
        parts = urlsplit(place)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme in {"http", "https"} else ""


def both_times(moment: datetime) -> str:
    """Return a moment to the minute's second in UTC and in London."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC   |   {london_text(moment)} (London)"


def _file(each: SubmittedFile) -> str:
    size = f", {each.width} by {each.height} pixels" if each.width else ""
    return f"{each.name}: \u201c{each.name_given}\u201d, {len(each.content):,} bytes{size}\nSHA-256 {each.sha256}"


def draw_sheet(submission: Submission) -> tuple[bytes, bool]:
    """Return the sheet as PNG, and whether it had to be cut short at MAX_HEIGHT."""
    width = WIDTH - 2 * _MARGIN
    lines = [line for row in sheet_rows(submission) for line in _lines(row, width - _LABELS)]
    lines += [("", ""), *(("\0", line) for line in face(_SIZE).wrap(EXPLAINED, width))]
    most = (MAX_HEIGHT - 4 * _MARGIN - _ROW) // _ROW
    kept = lines[:most]
    whole = Image.new("RGB", (WIDTH, _ROW + 4 * _MARGIN + len(kept) * _ROW), _BACK)
    pen = ImageDraw.Draw(whole)
    pen.rectangle((0, 0, WIDTH, _ROW + _MARGIN), fill=_BAND)
    face(_SIZE + 2).draw(pen, (_MARGIN, _MARGIN // 2), IN_WORDS[CaptureKind.SUBMITTED_BY_PERSON], fill=_WHITE)
    y = _ROW + 2 * _MARGIN
    for label, text in kept:
        _draw(pen, label, text, y)
        y += _ROW
    return png(whole), len(kept) < len(lines)


def _lines(row: SheetRow, width: int) -> list[tuple[str, str]]:
    wrapped = face(_SIZE).wrap(showable(row.text), width)
    return [(row.label if at == 0 else "", line) for at, line in enumerate(wrapped)]


def _draw(pen: ImageDraw.ImageDraw, label: str, text: str, y: int) -> None:
    if label == "\0":
        face(_SIZE).draw(pen, (_MARGIN, y), text, fill=_SOFT)
        return
    face(_SIZE).draw(pen, (_MARGIN, y), label, fill=_SOFT)
    left = WIDTH - _MARGIN - face(_SIZE).width(text) if right_to_left(text) else _MARGIN + _LABELS
    face(_SIZE).draw(pen, (round(left), y), text, fill=_INK)

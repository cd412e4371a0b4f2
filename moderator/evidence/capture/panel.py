"""The outer panel round a picture: place, times, record and kind, in the picture itself (R13). Called by the recorder."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from moderator.domain.errors import EvidenceFailed
from moderator.domain.record import CaptureKind, Evidence
from moderator.domain.times import london_text
from moderator.evidence.capture.taken import IN_WORDS, Capture
from moderator.evidence.capture.typeface import Face, face
from moderator.evidence.seal.canonical import showable

MARGIN = 16
_SIZE = 15
_ROW = 23
_LABELS = 132
_BACK = (242, 244, 247)
_INK = (20, 24, 31)
_SOFT = (84, 94, 110)
_BAND = {CaptureKind.LIVE_PAGE: (16, 84, 60), CaptureKind.RENDERED_FROM_API: (122, 62, 0), CaptureKind.SUBMITTED_BY_PERSON: (62, 62, 84)}
_MARK = (217, 119, 6)
_FASTEST = 1
"""zlib level of the picture: half the time of the default for about a tenth more bytes."""


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One row: what it is, and what it says."""

    label: str
    text: str


def panel_rows(evidence: Evidence, capture: Capture) -> tuple[PanelRow, ...]:
    """Return what the panel says about this capture, in order."""
    comment, school = evidence.item.comment, evidence.account.school
    shown = (PanelRow("Shown", _part(capture)),) if capture.comment_at is not None or capture.cut_short else ()
    return (
        PanelRow("Place", showable(comment.place)),
        PanelRow("Site", f"{urlsplit(comment.place).hostname or 'unknown'} ({evidence.item.platform})"),
        PanelRow("Posted", _both_times(comment.posted_at)),
        PanelRow("Captured", _both_times(capture.ended_at)),
        PanelRow("Record", evidence.record_id),
        PanelRow("School", showable(f"{school.name}, account {evidence.account.handle}")),
        *shown,
    )


def _part(capture: Capture) -> str:
    """Return how much of the page the picture shows, and where the comment is in it."""
    part = "The whole page."
    if capture.cut_short:
        part = (
            f"Part of a page {capture.page_height:,} pixels tall, from {capture.page_top:,} pixels down."
            if capture.page_height
            else "Part of a longer page."
        )
    return f"{part} The bar in the left margin marks the comment." if capture.comment_at is not None else part


def _both_times(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC   |   {london_text(moment)} (London)"


def framed(evidence: Evidence, capture: Capture) -> bytes:
    """Return the record's picture as PNG: the panel above the page. Raises EvidenceFailed when the page's picture is broken or blank."""
    page = opened(capture.picture)
    rows = [(row.label, line) for row in panel_rows(evidence, capture) for line in _wrapped(row, page.width - _LABELS - 2 * MARGIN)]
    rows = [(label if at == 0 or rows[at - 1][0] != label else "", text) for at, (label, text) in enumerate(rows)]
    band = _ROW + 14
    top = band + MARGIN + len(rows) * _ROW + MARGIN // 2
    whole = Image.new("RGB", (page.width + 2 * MARGIN, top + page.height + MARGIN), _BACK)
    draw = ImageDraw.Draw(whole)
    draw.rectangle((0, 0, whole.width, band), fill=_BAND[capture.kind])
    face(_SIZE + 2).draw(draw, (MARGIN, 10), IN_WORDS[capture.kind], fill=(255, 255, 255))
    for at, (label, text) in enumerate(rows):
        height = band + MARGIN // 2 + at * _ROW
        face(_SIZE).draw(draw, (MARGIN, height), label, fill=_SOFT)
        face(_SIZE).draw(draw, (MARGIN + _LABELS, height), text, fill=_INK)
    draw.rectangle((MARGIN - 1, top - 1, MARGIN + page.width, top + page.height), outline=(160, 168, 180))
    if capture.comment_at is not None:
        # Beside the photograph, never on it.
        _, first, _, last = capture.comment_at
        draw.rectangle((4, top + max(0, first), 10, top + min(page.height, last)), fill=_MARK)
    whole.paste(page, (MARGIN, top))
    return png(whole)


def png(picture: Image.Image) -> bytes:
    """Return the picture as PNG bytes, quickly rather than small."""
    out = BytesIO()
    picture.save(out, "PNG", compress_level=_FASTEST, compress_type=zlib.Z_RLE)
    return out.getvalue()


def check_picture(picture: bytes, comment_at: tuple[int, int, int, int] | None = None) -> None:
    """Raise EvidenceFailed when a page's picture does not open, is blank, or is blank where the comment's words should be.

    Then the next renderer is tried. `comment_at`: left, top, right, bottom in pixels.
    """
    page = opened(picture)
    if comment_at is not None and page.crop(comment_at).getcolors(1) is not None:
        message = "the picture of the page is blank where the comment should be"
        raise EvidenceFailed(message)


@lru_cache(maxsize=1)
def opened(picture: bytes) -> Image.Image:
    """Return the page's picture; refuse one that does not open or has a single colour: a blank picture proves nothing."""
    try:
        page = Image.open(BytesIO(picture)).convert("RGB")
    except OSError as error:
        message = "the picture of the page does not open"
        raise EvidenceFailed(message) from error
    if page.getcolors(1) is not None:
        message = "the picture of the page is blank"
        raise EvidenceFailed(message)
    return page


def _wrapped(row: PanelRow, width: int) -> list[str]:
    return _lines(face(_SIZE), row.text, width)


@lru_cache(maxsize=256)
def _lines(letters: Face, text: str, width: int) -> list[str]:
    return letters.wrap(text, width)

"""The second renderer: draws the comment under its thread with Pillow, when Chromium cannot. Called by the recorders."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from moderator.domain.record import Evidence
from moderator.domain.times import london_text
from moderator.evidence.capture.panel import png
from moderator.evidence.capture.taken import MAX_HEIGHT, WIDTH
from moderator.evidence.capture.typeface import Colour, Face, face, right_to_left
from moderator.evidence.seal.canonical import showable

_INK: Colour = (20, 24, 31)
_SOFT: Colour = (84, 94, 110)
_MARK: Colour = (180, 83, 9)
_LEFT = 40
_GAP = 14


@dataclass(frozen=True, slots=True)
class _Line:
    """One drawn line: words, letters, colour, and whether it belongs to the comment itself."""

    text: str
    letters: Face
    fill: Colour
    marked: bool

    @property
    def height(self) -> int:
        return round(self.letters.size * 1.5)


def draw_still(evidence: Evidence) -> tuple[bytes, bool]:
    """Return a PNG of the thread with the comment last and marked, and whether it had to be cut short at MAX_HEIGHT."""
    lines = list(_lines(evidence))
    height = _GAP * 2
    kept: list[_Line] = []
    for line in lines:
        if height + line.height > MAX_HEIGHT:
            break
        kept.append(line)
        height += line.height
    picture = Image.new("RGB", (WIDTH, height), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    y = _GAP
    for line in kept:
        if line.marked:
            pen.rectangle((16, y, 21, y + line.height), fill=_MARK)
        left = WIDTH - _LEFT - line.letters.width(line.text) if right_to_left(line.text) else _LEFT
        line.letters.draw(pen, (round(left), y), line.text, fill=line.fill)
        y += line.height
    return png(picture), len(kept) < len(lines)


def _lines(evidence: Evidence) -> Iterator[_Line]:
    for post in evidence.item.comment.thread:
        yield from _post(post.author.name, post.author.handle, post.text, size=17, marked=False)
        if post.posted_at is not None:
            yield _Line(london_text(post.posted_at), face(13), _SOFT, marked=False)
        yield _Line("", face(13), _SOFT, marked=False)
    comment = evidence.item.comment
    yield from _post(comment.author.name, comment.author.handle, comment.text, size=20, marked=True)
    yield _Line(london_text(comment.posted_at), face(13), _SOFT, marked=True)
    for each in comment.media:
        yield _Line(f"{each.count} {each.kind}: not fetched", face(13), _SOFT, marked=True)


def _post(name: str, handle: str, text: str, *, size: int, marked: bool) -> Iterator[_Line]:
    yield _Line(showable(f"{name}  @{handle.lstrip('@')}"), face(14), _SOFT, marked)
    for line in face(size).wrap(showable(text) or "(no text)", WIDTH - 2 * _LEFT):
        yield _Line(line, face(size), _INK, marked)

"""What one capture brings back: the picture of the page, the page itself, and how it came about. Passed from browser to recorder."""

from dataclasses import dataclass, field
from datetime import datetime

from moderator.domain.record import CaptureKind, Evidence
from moderator.evidence.capture.embed import embed_of
from moderator.evidence.seal.canonical import showable

MAX_HEIGHT = 16_000
"""Tallest picture in pixels: a 25,000-character post fits, and an endless page cannot fill the disk (our choice)."""
WIDTH = 1000
HEIGHT = 760
VIEWPORT = f"{WIDTH}x{HEIGHT}"
LOCALE = "en-GB"

IN_WORDS = {
    CaptureKind.LIVE_PAGE: "Photograph of the live page",
    CaptureKind.RENDERED_FROM_API: "Drawn from the platform's data, not a photograph of the site",
    CaptureKind.SUBMITTED_BY_PERSON: "Handed in by a member of staff; the service did not capture it",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page must show before it counts as showing the comment: its text, its author (handle or name), and the parent's text.

    `embed` is the address of the platform's own embed of it, "" where there is none.
    """

    place: str
    text: str
    authors: tuple[str, ...]
    parent: str
    embed: str = ""

    @classmethod
    def of(cls, evidence: Evidence) -> "Wanted":
        """Return what the page of this item must show."""
        comment = evidence.item.comment
        names = tuple(showable(name) for name in (comment.author.handle.lstrip("@"), comment.author.name) if name)
        parent = comment.thread[-1].text if comment.thread else ""
        return cls(comment.place, showable(comment.text), names, showable(parent), embed_of(evidence.item.platform, comment.place))


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture. `picture` is a PNG of the page alone, `page` its DOM in UTF-8; `blocked` counts refused requests by type.

    `why_not_live` is a plain sentence when the live page was not used. `status` and `page_date` are those of the live page, if it answered.
    `parent_shown` is None when there is no parent post to look for; it says whether the picture holds it. `comment_at` is where the
    comment's words are in the picture (left, top, right, bottom; None when not known), `page_top` how far down the page the picture starts,
    `page_height` the whole page's height, all in pixels. `address` is where the page was after its own redirects, `embed` the platform's
    embed used instead. `archive` is the page as WACZ, b"" unless it was asked for.
    """

    kind: CaptureKind
    picture: bytes
    page: bytes
    started_at: datetime
    ended_at: datetime
    browser: str
    user_agent: str
    viewport: str
    why_not_live: str = ""
    status: int | None = None
    request_id: str = ""
    page_date: str = ""
    blocked: dict[str, int] = field(default_factory=dict)
    parent_shown: bool | None = None
    cut_short: bool = False
    comment_at: tuple[int, int, int, int] | None = None
    page_top: int = 0
    page_height: int = 0
    address: str = ""
    embed: str = ""
    archive: bytes = field(default=b"", repr=False)

"""An item: one version of one comment, reply or mention, exactly as the platform showed it."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ItemKind(StrEnum):
    """How the comment reached the account; decides whether the platform lets us hide it."""

    REPLY = "reply"
    MENTION = "mention"
    QUOTE = "quote"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Author:
    """The author as shown. Never resolved further (R27)."""

    id: str
    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class MediaCount:
    """How many attachments of one kind (`photo`, `video`, `animated_gif`, `link`) a comment carries; never fetched (R18)."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Post:
    """A post above the comment, kept as context (R14)."""

    id: str
    author: Author
    text: str
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeenComment:
    """One comment as a platform adapter hands it over.

    `place` is the permalink. `thread` holds the posts above the comment, the account's own post first and the direct parent last;
    it may be empty when the platform does not give them. `text` is the exact text, unescaped.
    """

    comment_id: str
    kind: ItemKind
    author: Author
    text: str
    posted_at: datetime
    place: str
    conversation_id: str = ""
    edited: bool = False
    media: tuple[MediaCount, ...] = ()
    thread: tuple[Post, ...] = ()
    hideable: bool = True

    @property
    def version(self) -> str:
        """Return the version key: the first 16 hex digits of SHA-256 over the text. An edit is a new version."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the platform to one poll request.

    `cursor` is opaque to the core and stored in the same transaction as `comments`; polling again with it goes on where this page ended.
    `more` says whether another page is waiting now. `reads` is how many posts this answer is billed as (0 or more).
    `body` and `headers` are the platform's exact bytes and the answer's headers, tokens removed.
    """

    comments: tuple[SeenComment, ...]
    cursor: str
    more: bool
    reads: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One comment looked up again, at capture: its state now, with the platform's exact bytes."""

    comment: SeenComment
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    request_id: str = ""
    reads: int = 1


@dataclass(frozen=True, slots=True)
class Item:
    """A stored comment version. `id` is ours; `account_id` is the register's."""

    id: int
    account_id: int
    school: str
    platform: str
    comment: SeenComment
    first_seen_at: datetime

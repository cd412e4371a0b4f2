"""X's JSON turned into the service's nouns; called by the adapter. Reads both the old and the new field names (x.fields)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from moderator.domain.errors import Transient
from moderator.domain.item import Author, ItemKind, MediaCount, Post, SeenComment
from moderator.platforms.base import storable
from moderator.platforms.x.fields import EDIT_HISTORY, INCLUDED_POSTS, LONG_TEXT, QUOTED, REFERENCED, REPLIED_TO, SHARED, either

Table = Mapping[str, object]

X_EPOCH_MS: Final = 1_288_834_974_657
"""X's ids carry their time: milliseconds since 4 November 2010, 01:42:54.657 UTC, above the lowest 22 bits (X, "Snowflake")."""

LONGEST_THREAD: Final = 50
"""Posts kept above a comment; only a guard against a loop in what X sends."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that came with an answer, by id."""

    posts: dict[int, Table] = field(default_factory=dict)
    users: dict[str, Table] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)

    def add(self, answer: Table) -> None:
        """Take in one answer: its posts, and the posts, users and media it includes."""
        included = _table(answer.get("includes"))
        for post in [*data_of(answer), *_rows(either(included, INCLUDED_POSTS))]:
            self.posts.setdefault(id_of(post), post)
        self.users.update({str(user.get("id")): user for user in _rows(included.get("users"))})
        self.media.update({str(one.get("media_key")): str(one.get("type")) for one in _rows(included.get("media"))})

    def author(self, user_id: str) -> Author:
        """Return an author as shown; without name and handle when X left the user out."""
        user = self.users.get(user_id, {})
        return Author(user_id, storable(str(user.get("username", ""))), storable(str(user.get("name", ""))))


def data_of(answer: Table) -> list[Table]:
    """Return the posts an answer is about; empty when X sends none."""
    data = answer.get("data")
    return [data] if isinstance(data, dict) else _rows(data)


def billed(answer: Table) -> int:
    """Return how many posts an answer is billed as: those asked for and those included, each counted."""
    return len(data_of(answer)) + len(_rows(either(_table(answer.get("includes")), INCLUDED_POSTS)))


def next_token(answer: Table) -> str:
    """Return the token of the next page, or "" on the last one."""
    token = _table(answer.get("meta")).get("next_token")
    return token if isinstance(token, str) else ""


def problems(answer: Table) -> list[str]:
    """Return the titles of the partial errors that X sends with status 200."""
    return [str(problem.get("title", "")) for problem in _rows(answer.get("errors"))]


def id_of(post: Table) -> int:
    """Return a post's id. Raises Transient when there is none: half an answer must not pass for a whole one."""
    return _number(post.get("id"))


def text_of(post: Table) -> str:
    """Return the exact text: the long one where there is one, with X's three escapes undone (X escapes &, < and > and nothing else)."""
    long = _table(either(post, LONG_TEXT)).get("text")
    text = long if isinstance(long, str) else post.get("text")
    if not isinstance(text, str):
        message = "X sent a post without its text"
        raise Transient(message)
    return storable(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def posted_at(post: Table) -> datetime:
    """Return when a post was made, in UTC; from its id when X left the time out."""
    stated = post.get("created_at")
    if isinstance(stated, str):
        try:
            return datetime.fromisoformat(stated).astimezone(UTC)
        except ValueError:
            pass
    return datetime.fromtimestamp(((id_of(post) >> 22) + X_EPOCH_MS) / 1000, tz=UTC)


def parent_of(post: Table) -> int | None:
    """Return the id of the post this one replies to, or None."""
    return _referenced(post, (REPLIED_TO,))


def conversation_of(post: Table) -> int:
    """Return the id of the conversation's first post."""
    stated = post.get("conversation_id")
    return id_of(post) if stated is None else _number(stated)


def root_author(post: Table, known: Known) -> str | None:
    """Return the id of who began the conversation ("" when its first post is deleted); None when the answer does not tell."""
    conversation = conversation_of(post)
    if conversation in known.posts:
        return str(known.posts[conversation].get("author_id"))
    if conversation in known.gone:
        return ""
    author = post.get("in_reply_to_user_id")
    return author if parent_of(post) == conversation and isinstance(author, str) else None


def is_item(post: Table, account_id: str) -> bool:
    """Return whether a post is a comment to be judged: not the account's own, not a bare share of somebody's post."""
    return post.get("author_id") != account_id and _referenced(post, SHARED) is None


def comment_of(post: Table, known: Known, *, site_url: str, own: bool | None) -> SeenComment:
    """Return one post as a comment. `own` says whether the account began the conversation; None: not known, X will say when asked."""
    kind = kind_of(post)
    author = known.author(str(post.get("author_id", "")))
    return SeenComment(
        comment_id=str(id_of(post)),
        kind=kind,
        author=author,
        text=text_of(post),
        posted_at=posted_at(post),
        place=f"{site_url}/{author.handle or 'i'}/status/{id_of(post)}",
        conversation_id=str(conversation_of(post)),
        edited=_edits(post) > 1,
        media=_media(post, known),
        thread=_thread(post, known),
        hideable=kind is ItemKind.REPLY and own is not False,
    )


def kind_of(post: Table) -> ItemKind:
    """Return how the post reached the account."""
    if parent_of(post) is not None:
        return ItemKind.REPLY
    return ItemKind.MENTION if _referenced(post, (QUOTED,)) is None else ItemKind.QUOTE


def _thread(post: Table, known: Known) -> tuple[Post, ...]:
    """Return the posts above, as far as the answer holds them: the conversation's first post first, the direct parent last."""
    above: list[Post] = []
    seen = {id_of(post)}
    step = parent_of(post) or _referenced(post, (QUOTED,))
    while step in known.posts and step not in seen and len(above) < LONGEST_THREAD:
        seen.add(step)
        above.append(_post(known.posts[step], known))
        step = parent_of(known.posts[step])
    root = conversation_of(post)
    if root in known.posts and root not in seen:
        above.append(_post(known.posts[root], known))
    return tuple(reversed(above))


def _post(post: Table, known: Known) -> Post:
    return Post(str(id_of(post)), known.author(str(post.get("author_id", ""))), text_of(post), posted_at(post))


def _media(post: Table, known: Known) -> tuple[MediaCount, ...]:
    keys = _table(post.get("attachments")).get("media_keys")
    kinds = Counter(known.media.get(str(key), "media") for key in (keys if isinstance(keys, list) else []))
    return tuple(MediaCount(kind, count) for kind, count in sorted(kinds.items()))


def _edits(post: Table) -> int:
    history = either(post, EDIT_HISTORY)
    return len(history) if isinstance(history, list) else 1


def _referenced(post: Table, kinds: Iterable[str]) -> int | None:
    found = (row.get("id") for row in _rows(either(post, REFERENCED)) if row.get("type") in set(kinds))
    first = next(found, None)
    return None if first is None else _number(first)


def _number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    message = "X sent a post without a usable id"
    raise Transient(message)


def _table(value: object) -> Table:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Table]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []

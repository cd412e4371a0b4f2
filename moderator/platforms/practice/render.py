"""Posts as X's API shows them: only the fields that were asked for, everything else in `includes`. Called by the API."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from moderator.platforms.practice.ids import stated
from moderator.platforms.practice.state import State, Stored

SHORT: Final = 280
"""Longer texts are cut in `text` and whole in the long-text field."""

_MEDIA_PREFIX: Final = {"photo": "3", "video": "7"}
_NEW_NAMES: Final = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "note_tweet": "note_post",
    "referenced_tweets": "referenced_posts",
    "tweets": "posts",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asked for, in the old names. `new_names`: answer in the names of API 2.167."""

    fields: frozenset[str]
    expansions: frozenset[str]
    new_names: bool

    def name(self, old: str) -> str:
        """Return the name a field is answered under."""
        return _NEW_NAMES.get(old, old) if self.new_names else old


def answer_for(state: State, posts: Sequence[Stored], wanted: Wanted) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Return the posts, and what they include: posts they refer to, authors and media."""
    included: dict[str, object] = {}
    referred = _referred(state, posts) if "referenced_tweets.id" in wanted.expansions else []
    if referred:
        included[wanted.name("tweets")] = [_post(post, wanted) for post in referred]
    authors = list(posts) if "author_id" in wanted.expansions else []
    if "referenced_tweets.id.author_id" in wanted.expansions:
        authors += referred
    if authors:
        people = {post.author_id: {"id": str(post.author_id), "username": post.handle, "name": escaped(post.name)} for post in authors}
        included["users"] = list(people.values())
    if "attachments.media_keys" in wanted.expansions:
        media = [{"media_key": key, "type": kind} for post in posts for key, kind in media_of(post)]
        included.update({"media": media} if media else {})
    return [_post(post, wanted) for post in posts], included


def media_of(post: Stored) -> list[tuple[str, str]]:
    """Return the media keys of a post with their kinds."""
    return [(f"{_MEDIA_PREFIX[kind]}_{post.id}{place}", kind) for place, kind in enumerate(post.media)]


def escaped(text: str) -> str:
    """Return a text as X sends it: three characters escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _referred(state: State, posts: Iterable[Stored]) -> list[Stored]:
    ids = sorted({one for post in posts for one in (post.parent_id, post.quoted_id) if one is not None})
    if not ids:
        return []
    return state.posts(f"posts.id IN ({', '.join('?' * len(ids))})", ids)


def _post(post: Stored, wanted: Wanted) -> dict[str, object]:
    short = post.text if len(post.text) <= SHORT else post.text[: SHORT - 1] + "…"
    table: dict[str, object] = {"id": str(post.id), "text": escaped(short), "edit_history_tweet_ids": [str(one) for one in post.history]}
    more: dict[str, object | None] = {
        "author_id": str(post.author_id),
        "conversation_id": str(post.conversation_id),
        "created_at": stated(post.created_ms),
        "in_reply_to_user_id": None if post.to_id is None else str(post.to_id),
        "referenced_tweets": _references(post) or None,
        "attachments": {"media_keys": [key for key, _ in media_of(post)]} if post.media else None,
        "note_tweet": {"text": escaped(post.text)} if short != post.text else None,
    }
    table.update({name: value for name, value in more.items() if value is not None and name in wanted.fields})
    return {wanted.name(name): value for name, value in table.items()}


def _references(post: Stored) -> list[dict[str, str]]:
    pairs = (("replied_to", post.parent_id), ("quoted", post.quoted_id))
    return [{"type": kind, "id": str(found)} for kind, found in pairs if found is not None]

"""Fills a practice network: the school's posts, and comments spread over them. Called by `network`.

Ids rise with time, so that an adapter that has polled before meets every comment loaded later.
"""

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from moderator.platforms.practice.comments import Comment, read_comments
from moderator.platforms.practice.ids import LOW_BITS, first_id_at, ms_of, now_ms
from moderator.platforms.practice.school import SCHOOL_HANDLE, SCHOOL_ID, SCHOOL_NAME, commenter
from moderator.platforms.practice.state import Draft, State, write

_HOUR: Final = 3_600_000
OLDEST_POST: Final = 156 * _HOUR
"""The school's posts begin six and a half days ago and the comments six days ago: within the week that recent search covers."""

OLDEST_COMMENT: Final = 144 * _HOUR
NEWEST_COMMENT: Final = 60_000

MOST_MENTIONS: Final = 400
"""Mentions and quotes in one load: half of what X's mentions list holds, so that none of them falls off its end."""

EVERY_MENTION, EVERY_NESTED, EVERY_PHOTO, EVERY_VIDEO = 40, 12, 25, 55
"""Of comments that do not say what they are: one in so many is a mention or a quote, is under another reply, carries a picture, a video."""

_SPREAD: Final = 2_654_435_761
"""Knuth's multiplicative hash: spreads numbers evenly, the same each time."""


def seed(state: State, comments: Path | None) -> int:
    """Fill the state and return how many comments were added: 0 when it holds them already."""
    source = _built_in() if comments is None else comments
    name = f"loaded {hashlib.sha256(source.read_bytes()).hexdigest()}" if source.is_file() else ""
    if name and state.fact(name) is not None:
        return 0
    if comments is None and state.last_id():
        return 0
    found = read_comments(source)
    if comments is None:
        found = [replace(comment, kind=comment.kind or "reply") for comment in found]
    with state.change() as db:
        if not state.last_id():
            _write_people(db)
            _write_school_posts(db)
        _write_comments(state, db, found)
        if name:
            db.execute("INSERT INTO facts VALUES (?, ?)", (name, str(len(found))))
    return len(found)


def _built_in() -> Path:
    return Path(str(resources.files("moderator.platforms.practice").joinpath("comments.jsonl")))


def _write_people(db: sqlite3.Connection) -> None:
    people = [(SCHOOL_ID, SCHOOL_HANDLE, SCHOOL_NAME)]
    people += [(one.id, one.handle, one.name) for one in map(commenter, range(180))]
    db.executemany("INSERT OR IGNORE INTO people VALUES (?, ?, ?)", people)


def _write_school_posts(db: sqlite3.Connection) -> None:
    lines = resources.files("moderator.platforms.practice").joinpath("posts.jsonl").read_text(encoding="utf-8").splitlines()
    start = now_ms() - OLDEST_POST
    step = (OLDEST_POST - 2 * _HOUR) // len(lines)
    for place, line in enumerate(lines):
        table = json.loads(line)
        made = start + place * step
        write(db, first_id_at(made), made, Draft(SCHOOL_ID, table["text"], media=tuple(table.get("media", ()))))


def _write_comments(state: State, db: sqlite3.Connection, comments: Sequence[Comment]) -> None:
    """Write comments in order of time: under a recent post of the school, some under an earlier reply, a few as mentions and quotes."""
    school = [post.id for post in state.posts("author_id = ? AND parent_id IS NULL", [SCHOOL_ID], order="posts.id")]
    earlier: dict[int, list[tuple[int, int]]] = defaultdict(list)
    newest = now_ms() - NEWEST_COMMENT
    comment_before = state.rows("SELECT coalesce(max(id), 0) FROM posts WHERE author_id != ?", [SCHOOL_ID])[0][0]
    start = max(newest - OLDEST_COMMENT, ms_of(int(str(comment_before))) + 1)
    span = max(newest - start, 0)
    mentions, last = 0, 0
    for place, comment in enumerate(comments):
        made = start + span * place // len(comments)
        post_id = max(last + 1, first_id_at(made) + 1 + place % (1 << (LOW_BITS - 2)), first_id_at(start))
        last = post_id
        kind = comment.kind or _kind(place, mentions)
        mentions += kind in {"mention", "quote"}
        out = [root for root in school if root < post_id] or school[:1]
        root = out[-1 - (place * _SPREAD >> 8) % min(len(out), 4)]
        draft = _draft(kind, comment, place, root, earlier[root])
        write(db, post_id, made, draft)
        if draft.parent_id is not None:
            earlier[root] = [*earlier[root][-20:], (post_id, draft.author_id)]


def _draft(kind: str, comment: Comment, place: int, root: int, earlier: list[tuple[int, int]]) -> Draft:
    author = commenter((place * _SPREAD >> 5) % 180).id
    names = kind in {"mention", "quote"} or f"@{SCHOOL_HANDLE}" in comment.text.lower()
    media = comment.media or _media(place) if not comment.kind else comment.media
    if kind == "mention":
        return Draft(author, comment.text, names_school=names, media=media)
    if kind == "quote":
        return Draft(author, comment.text, quoted_id=root, names_school=names, media=media)
    parent, to = (root, SCHOOL_ID) if kind == "reply" or not earlier else earlier[place % len(earlier)]
    return Draft(author, comment.text, parent, root, to_id=to, names_school=names, media=media)


def _kind(place: int, mentions: int) -> str:
    if mentions < MOST_MENTIONS and _falls(place, EVERY_MENTION):
        return "quote" if place // EVERY_MENTION % 2 else "mention"
    return "nested" if _falls(place, EVERY_NESTED) else "reply"


def _media(place: int) -> tuple[str, ...]:
    if _falls(place, EVERY_VIDEO):
        return ("video",)
    return ("photo",) if _falls(place, EVERY_PHOTO) else ()


def _falls(place: int, every: int) -> bool:
    """Return whether a comment's place falls on every so-manieth, beginning in the middle of the first stretch."""
    return place % every == every // 2

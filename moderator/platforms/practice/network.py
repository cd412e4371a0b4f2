"""What can happen on the practice network: write, edit, delete, hide. Called by its API, its pages and the tests."""

import re
from dataclasses import replace
from pathlib import Path

from moderator.domain.errors import BadInput, Gone, Refused
from moderator.platforms.base import storable
from moderator.platforms.practice.codes import Codes
from moderator.platforms.practice.faults import Faults
from moderator.platforms.practice.ids import first_id_at, now_ms
from moderator.platforms.practice.limits import Limits
from moderator.platforms.practice.log import RequestLog
from moderator.platforms.practice.school import SCHOOL_HANDLE, SCHOOL_ID
from moderator.platforms.practice.seed import seed
from moderator.platforms.practice.state import Draft, State, Stored, write
from moderator.platforms.practice.tokens import Pairs

LONGEST_TEXT = 25_000
"""X's limit for a long post."""


class PracticeNetwork:
    """One practice network. `state`, `comments` and `log` are files; without `state` it forgets everything at its end.

    Raises BadInput when a file cannot be used. `added` says how many comments were loaded now. `new_names` makes the API answer with
    the field names of X's API 2.167 (`post…` for `tweet…`).
    """

    def __init__(
        self, *, state: Path | None = None, comments: Path | None = None, log: Path | None = None, new_names: bool = False
    ) -> None:
        """Open the files and fill an empty network."""
        self.log = RequestLog(log)
        self.state = State(state)
        self.faults = Faults()
        self.limits = Limits()
        self.pairs = Pairs(self.state)
        self.codes = Codes()
        self.new_names = new_names
        self.added = seed(self.state, comments)

    def close(self) -> None:
        """Close the files; may be repeated."""
        self.state.close()
        self.log.close()

    def write(  # noqa: PLR0913 - a post's facts
        self,
        text: str,
        *,
        handle: str,
        name: str = "",
        under: int | None = None,
        quotes: int | None = None,
        media: tuple[str, ...] = (),
    ) -> int:
        """Publish a post now and return its id: a comment `under` a post, a quote, or a post of its own. Raises BadInput or Gone."""
        handle = handle.strip().removeprefix("@")
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", handle):
            message = "a handle has up to 15 letters, digits or _"
            raise BadInput(message)
        text = _checked(text)
        author = self.state.person(handle, storable(name.strip()[:50]) or handle)
        draft = Draft(author, text, media=media)
        draft = replace(draft, names_school=f"@{SCHOOL_HANDLE}" in text.lower() and author != SCHOOL_ID)
        if under is not None:
            parent = self.existing(under)
            draft = replace(draft, parent_id=parent.id, conversation_id=parent.conversation_id, to_id=parent.author_id)
        if quotes is not None:
            draft = replace(draft, quoted_id=self.existing(quotes).id)
        return self.state.add(draft)

    def edit(self, post_id: int, text: str) -> int:
        """Publish a new version of a post and return its id; the old version can still be opened by its own id."""
        text = _checked(text)
        old = self.existing(post_id)
        if old.newer_id is not None:
            message = f"post {post_id} has a newer version; edit {old.newer_id}"
            raise BadInput(message)
        moment = now_ms()
        with self.state.change() as db:
            names = db.execute("SELECT names_school FROM posts WHERE id = ?", (post_id,)).fetchone()[0]
            new_id = max(self.state.last_id() + 1, first_id_at(moment))
            draft = Draft(
                old.author_id,
                text,
                old.parent_id,
                old.conversation_id,
                old.quoted_id,
                old.to_id,
                bool(names),
                old.media,
            )
            write(db, new_id, moment, draft, history=old.history)
            db.execute("UPDATE posts SET hidden = ? WHERE id = ?", (old.hidden, new_id))
            db.execute("UPDATE posts SET newer_id = ? WHERE first_id = ? AND id != ?", (new_id, old.first_id, new_id))
            db.execute("UPDATE posts SET history = (SELECT history FROM posts WHERE id = ?) WHERE first_id = ?", (new_id, old.first_id))
        return new_id

    def delete(self, post_id: int) -> None:
        """Delete a post with all its versions. Raises Gone when there is none."""
        post = self.existing(post_id)
        with self.state.change() as db:
            db.execute("UPDATE posts SET gone = 1 WHERE first_id = ?", (post.first_id,))

    def hide(self, post_id: int, *, hidden: bool) -> bool:
        """Set whether a reply is hidden, for all its versions, and return it. Raises Gone; Refused outside the school's conversations."""
        post = self.existing(post_id)
        root = self.state.post(post.conversation_id)
        if post.parent_id is None or root is None or root.author_id != SCHOOL_ID:
            message = "only replies in conversations that the account began can be hidden"
            raise Refused(message)
        with self.state.change() as db:
            db.execute("UPDATE posts SET hidden = ? WHERE first_id = ?", (int(hidden), post.first_id))
        return hidden

    def existing(self, post_id: int) -> Stored:
        """Return a post. Raises Gone when it never was or is deleted."""
        post = self.state.post(post_id)
        if post is None:
            message = f"there is no post {post_id}"
            raise Gone(message)
        return post


def _checked(text: str) -> str:
    text = storable(text)
    if text.strip() and len(text) <= LONGEST_TEXT:
        return text
    message = f"a post has 1 to {LONGEST_TEXT} characters"
    raise BadInput(message)

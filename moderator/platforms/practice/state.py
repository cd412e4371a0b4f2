"""The practice network's memory: one SQLite file, or none. Called by every other module of the package.

It survives restarts and SIGKILL: each change is committed before it is answered, in WAL mode.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moderator.domain.errors import BadInput
from moderator.platforms.practice.ids import first_id_at, now_ms

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, handle TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS posts (
  id INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, author_id INTEGER NOT NULL REFERENCES people, text TEXT NOT NULL,
  created_ms INTEGER NOT NULL, conversation_id INTEGER NOT NULL, parent_id INTEGER, quoted_id INTEGER, to_id INTEGER,
  names_school INTEGER NOT NULL DEFAULT 0, media TEXT NOT NULL DEFAULT '[]', history TEXT NOT NULL,
  hidden INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0, newer_id INTEGER);
CREATE INDEX IF NOT EXISTS posts_conversation ON posts (conversation_id, id);
CREATE INDEX IF NOT EXISTS posts_parent ON posts (parent_id, id);
CREATE INDEX IF NOT EXISTS posts_first ON posts (first_id);
CREATE INDEX IF NOT EXISTS posts_author ON posts (author_id, id);
CREATE INDEX IF NOT EXISTS posts_school ON posts (id) WHERE names_school;
CREATE TABLE IF NOT EXISTS pairs (
  id INTEGER PRIMARY KEY, access TEXT NOT NULL UNIQUE, refresh TEXT NOT NULL UNIQUE, from_id INTEGER, expires_ms INTEGER NOT NULL,
  dead INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one post as the network holds it. `media` are kinds; `history` the ids of its versions, oldest first."""

    id: int
    first_id: int
    author_id: int
    handle: str
    name: str
    text: str
    created_ms: int
    conversation_id: int
    parent_id: int | None
    quoted_id: int | None
    to_id: int | None
    media: tuple[str, ...]
    history: tuple[int, ...]
    hidden: bool
    newer_id: int | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A post before the network gives it an id; `created_ms` 0 means now. `names_school`: it counts as a mention of the school."""

    author_id: int
    text: str
    parent_id: int | None = None
    conversation_id: int | None = None
    quoted_id: int | None = None
    to_id: int | None = None
    names_school: bool = False
    media: tuple[str, ...] = ()


_SELECT: Final = (
    "SELECT posts.id, first_id, author_id, handle, name, text, created_ms, conversation_id, parent_id, quoted_id, to_id, media, history,"
    " hidden, newer_id FROM posts JOIN people ON people.id = author_id WHERE gone = 0 AND "
)


class State:
    """Posts, people, tokens and facts. One thread at a time; every method commits before it returns."""

    def __init__(self, path: Path | None) -> None:
        """Open or make the file. Raises BadInput when it is not one of ours or cannot be written."""
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False, isolation_level=None, timeout=5)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            message = f"{path}: cannot be used as the practice network's state ({error}); name a new file or one it wrote"
            raise BadInput(message) from None

    def close(self) -> None:
        """Close the file; may be repeated."""
        with self._lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Hold the lock and one transaction: all of it or none."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, values: Iterable[object] = ()) -> list[tuple[object, ...]]:
        """Return every row of a query."""
        with self._lock:
            return self._db.execute(sql, tuple(values)).fetchall()

    def posts(self, where: str, values: Iterable[object] = (), *, order: str = "posts.id DESC", limit: int = -1) -> list[Stored]:
        """Return posts that are not deleted. `where` and `order` are SQL of this package, never of a user."""
        return [_stored(row) for row in self.rows(f"{_SELECT}{where} ORDER BY {order} LIMIT ?", [*values, limit])]

    def post(self, post_id: int) -> Stored | None:
        """Return one version of a post, or None when it never was or is deleted."""
        return next(iter(self.posts("posts.id = ?", [post_id])), None)

    def last_id(self) -> int:
        """Return the highest id given out so far, deleted posts included; 0 at first."""
        return int(str(self.rows("SELECT coalesce(max(id), 0) FROM posts")[0][0]))

    def fact(self, name: str) -> str | None:
        """Return a remembered fact, or None."""
        found = self.rows("SELECT value FROM facts WHERE name = ?", [name])
        return str(found[0][0]) if found else None

    def remember(self, name: str, value: str) -> None:
        """Remember a fact."""
        with self.change() as db:
            db.execute("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))

    def person(self, handle: str, name: str) -> int:
        """Return the id of a person with this handle, new or known."""
        with self.change() as db:
            db.execute(
                "INSERT INTO people SELECT coalesce(max(id), 0) + 1, ?, ? FROM people WHERE true ON CONFLICT (handle) DO NOTHING",
                (handle, name),
            )
            return int(db.execute("SELECT id FROM people WHERE handle = ?", (handle,)).fetchone()[0])

    def add(self, draft: Draft) -> int:
        """Store a post that is made now and return its id."""
        moment = now_ms()
        with self.change() as db:
            post_id = max(self.last_id() + 1, first_id_at(moment))
            write(db, post_id, moment, draft)
        return post_id


def write(db: sqlite3.Connection, post_id: int, created_ms: int, draft: Draft, *, history: tuple[int, ...] = ()) -> None:
    """Write one version of a post in an open transaction. `history` are the ids of its earlier versions."""
    versions = (*history, post_id)
    conversation = post_id if draft.conversation_id is None else draft.conversation_id
    values = (
        post_id,
        versions[0],
        draft.author_id,
        draft.text,
        created_ms,
        conversation,
        draft.parent_id,
        draft.quoted_id,
        draft.to_id,
        int(draft.names_school),
        json.dumps(draft.media),
        json.dumps(versions),
    )
    db.execute(
        "INSERT INTO posts (id, first_id, author_id, text, created_ms, conversation_id, parent_id, quoted_id, to_id, names_school, media,"
        " history) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def _stored(row: tuple[object, ...]) -> Stored:
    numbers = [None if value is None else int(str(value)) for value in row[8:11]]
    return Stored(
        id=int(str(row[0])),
        first_id=int(str(row[1])),
        author_id=int(str(row[2])),
        handle=str(row[3]),
        name=str(row[4]),
        text=str(row[5]),
        created_ms=int(str(row[6])),
        conversation_id=int(str(row[7])),
        parent_id=numbers[0],
        quoted_id=numbers[1],
        to_id=numbers[2],
        media=tuple(json.loads(str(row[11]))),
        history=tuple(json.loads(str(row[12]))),
        hidden=bool(row[13]),
        newer_id=None if row[14] is None else int(str(row[14])),
    )

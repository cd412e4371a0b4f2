"""A roll that was handed in and not yet put to use: encrypted, for a quarter of an hour, for the session that brought it (R29).

It lies beside the browser's other errands (`authorisings`): named by the hash of a random word, and gone when its time is over.
"""

import base64
import hashlib
import json
import secrets
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from moderator.store.register_tables import AuthorisingRow
from moderator.store.sealed import Sealer

UPLOADS: sa.Table = AuthorisingRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

LIVES = timedelta(minutes=15)
"""How long an upload waits for somebody to say that it is right (our choice)."""

_OURS = "roll:"
"""How the session begins of an errand that is a roll."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A roll as handed in, for a school (its slug).

    `kind` is what rows are that do not say, "" for what the columns tell; `everybody` whether it takes the place of the whole roll, or only
    of the kinds it holds; `mapping` what each column is, empty for what its heading says.
    """

    school: str
    content: bytes
    kind: str = ""
    everybody: bool = False
    mapping: tuple[str, ...] = ()


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()


def put(connection: sa.Connection, sealer: Sealer, upload: Upload, *, session: str, at: datetime) -> str:
    """Keep an upload for LIVES and return the random word it is found by. `session` names whose it is. Every call keeps another one."""
    word = secrets.token_urlsafe(32)
    values = {"state_sha256": _hash(word), "session": f"{_OURS}{session}", "sealed": _sealed(sealer, upload), "expires_at": at + LIVES}
    connection.execute(sa.insert(UPLOADS).values(values))
    return word


def change(  # noqa: PLR0913 - whose upload, and what it becomes
    connection: sa.Connection, sealer: Sealer, word: str, upload: Upload, *, session: str, at: datetime
) -> bool:
    """Put an upload in place of the one of that word; its time stays as it is. False when there is none any more."""
    found = sa.update(UPLOADS).where(*_live(word, session, at)).values(sealed=_sealed(sealer, upload))
    return connection.execute(found).rowcount == 1


def find(connection: sa.Connection, sealer: Sealer, word: str, *, session: str, at: datetime) -> tuple[Upload, datetime] | None:
    """Return the upload of a word and when it goes; None when there is none for that session, or its time is over.

    Raises BadInput when no key opens it.
    """
    row = connection.execute(sa.select(UPLOADS.c.sealed, UPLOADS.c.expires_at).where(*_live(word, session, at))).one_or_none()
    return None if row is None else (_opened(sealer, row.sealed), row.expires_at)


def drop(connection: sa.Connection, word: str, *, session: str) -> bool:
    """Delete an upload; False when it was gone. Of two at once, one is told True."""
    gone = sa.delete(UPLOADS).where(UPLOADS.c.state_sha256 == _hash(word), UPLOADS.c.session == f"{_OURS}{session}")
    return connection.execute(gone).rowcount == 1


def forget_old(connection: sa.Connection, *, at: datetime) -> int:
    """Delete every upload whose time is over; return how many. May be repeated."""
    old = sa.delete(UPLOADS).where(UPLOADS.c.expires_at <= at, UPLOADS.c.session.startswith(_OURS, autoescape=True))
    return connection.execute(old).rowcount


def _live(word: str, session: str, at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (UPLOADS.c.state_sha256 == _hash(word), UPLOADS.c.session == f"{_OURS}{session}", UPLOADS.c.expires_at > at)


def _sealed(sealer: Sealer, upload: Upload) -> bytes:
    plain = asdict(upload) | {"content": base64.b64encode(zlib.compress(upload.content, 6)).decode()}
    return sealer.seal(json.dumps(plain))


def _opened(sealer: Sealer, sealed: bytes) -> Upload:
    plain = json.loads(sealer.open(sealed))
    content = zlib.decompress(base64.b64decode(plain["content"]))
    return Upload(plain["school"], content, plain["kind"], plain["everybody"], tuple(plain["mapping"]))

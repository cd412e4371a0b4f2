"""Sign-ins by the SHA-256 of their secret, and what the review app asks about the one item a person opens. Called by `web`."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from moderator.store.tables import SignInRow

SIGN_INS: sa.Table = SignInRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

KEEP_ENDED = timedelta(days=7)
"""How long an ended sign-in stays in the table: nobody can use it, an admin may want to see that it was there (our choice)."""


class Purpose(StrEnum):
    """What a secret is good for."""

    LINK = "link"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A live link or session. `reference` is 16 hex digits of the secret's hash: it names the session in the ledger and opens nothing."""

    reference: str
    actor: str
    expires_at: datetime


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def add(connection: sa.Connection, secret: str, *, purpose: Purpose, actor: str, expires_at: datetime) -> SignIn:
    """Store a new link or session; only the hash of its secret is kept. The secret must be new and random."""
    digest = _hash(secret)
    connection.execute(
        sa.insert(SIGN_INS).values(secret_sha256=digest, purpose=purpose.value, actor=actor, expires_at=expires_at, used_at=None)
    )
    return SignIn(digest[:16], actor, expires_at)


def use(connection: sa.Connection, secret: str, *, purpose: Purpose, at: datetime) -> SignIn | None:
    """Use a live secret up and return whose it was; None when it is unknown, used or expired. Of two at once, one gets it."""
    digest = _hash(secret)
    live = sa.update(SIGN_INS).where(
        SIGN_INS.c.secret_sha256 == digest,
        SIGN_INS.c.purpose == purpose.value,
        SIGN_INS.c.used_at.is_(None),
        SIGN_INS.c.expires_at > at,
    )
    row = connection.execute(live.values(used_at=at).returning(SIGN_INS.c.actor, SIGN_INS.c.expires_at)).one_or_none()
    return SignIn(digest[:16], row.actor, row.expires_at) if row else None


def find(connection: sa.Connection, secret: str, *, purpose: Purpose, at: datetime) -> SignIn | None:
    """Return the live sign-in of a secret without using it up; None when it is unknown, ended or expired."""
    digest = _hash(secret)
    wanted = sa.select(SIGN_INS.c.actor, SIGN_INS.c.expires_at).where(
        SIGN_INS.c.secret_sha256 == digest,
        SIGN_INS.c.purpose == purpose.value,
        SIGN_INS.c.used_at.is_(None),
        SIGN_INS.c.expires_at > at,
    )
    row = connection.execute(wanted).one_or_none()
    return SignIn(digest[:16], row.actor, row.expires_at) if row else None


def forget_ended(connection: sa.Connection, *, at: datetime) -> int:
    """Delete sign-ins that expired more than KEEP_ENDED ago; return how many. May be repeated."""
    return connection.execute(sa.delete(SIGN_INS).where(SIGN_INS.c.expires_at < at - KEEP_ENDED)).rowcount

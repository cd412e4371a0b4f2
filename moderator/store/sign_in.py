"""Links, sessions and the like by the SHA-256 of their secret: nothing here opens anything. Called by the gate and the sign-in pages."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from moderator.store.tables import SignInRow

SIGN_INS: sa.Table = SignInRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

KEEP_ENDED = timedelta(days=7)
"""How long an ended sign-in stays in the table: nobody can use it, an admin may want to see that it was there (our choice)."""

_SHOWN = 16
"""Hex digits of the hash that name a sign-in."""


class Purpose(StrEnum):
    """What a secret is good for."""

    LINK = "link"
    """A link from the console that signs a person in once."""
    SESSION = "session"
    HALF = "half"
    """The password was right; the code is still to come."""
    INVITE = "invite"
    """An invitation by e-mail."""
    ENROL = "enrol"
    """Somebody is choosing a password and setting up their app."""
    SET_UP = "set_up"
    """The one-time code on the console for the first CEO or Headteacher."""
    KNOWN = "known"
    """A browser that a person signed in with before; it opens nothing."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A live link or session. `reference` is 16 hex digits of the secret's hash: it names the session in the ledger and opens nothing.

    `actor` is a designation reference, or empty; `person_id` is None for what belongs to nobody yet.
    """

    reference: str
    actor: str
    expires_at: datetime
    person_id: int | None = None
    agent_sha256: str = ""
    seen_at: datetime | None = None
    proved_at: datetime | None = None


_KEPT = tuple(SIGN_INS.c[name] for name in ("secret_sha256", "actor", "expires_at", "person_id", "agent_sha256", "seen_at", "proved_at"))


def digest_of(secret: str) -> str:
    """Return the SHA-256 of a secret, in hex: all that is ever stored of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _made(row: Any) -> SignIn:  # noqa: ANN401 - a row of _KEPT
    return SignIn(row.secret_sha256[:_SHOWN], row.actor, row.expires_at, row.person_id, row.agent_sha256, row.seen_at, row.proved_at)


def add(  # noqa: PLR0913 - the columns of one row
    connection: sa.Connection,
    secret: str,
    *,
    purpose: Purpose,
    actor: str = "",
    expires_at: datetime,
    person_id: int | None = None,
    agent_sha256: str = "",
    seen_at: datetime | None = None,
    proved_at: datetime | None = None,
) -> SignIn:
    """Store a new link or session; only the hash of its secret is kept. The secret must be new and random."""
    values = {
        "secret_sha256": digest_of(secret),
        "purpose": purpose.value,
        "actor": actor,
        "expires_at": expires_at,
        "used_at": None,
        "person_id": person_id,
        "agent_sha256": agent_sha256,
        "seen_at": seen_at,
        "proved_at": proved_at,
    }
    return _made(connection.execute(sa.insert(SIGN_INS).values(values).returning(*_KEPT)).one())


def _live(secret: str, purpose: Purpose, at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SIGN_INS.c.secret_sha256 == digest_of(secret),
        SIGN_INS.c.purpose == purpose.value,
        SIGN_INS.c.used_at.is_(None),
        SIGN_INS.c.expires_at > at,
    )


def use(connection: sa.Connection, secret: str, *, purpose: Purpose, at: datetime) -> SignIn | None:
    """Use a live secret up and return whose it was; None when it is unknown, used or expired. Of two at once, one gets it."""
    taken = sa.update(SIGN_INS).where(*_live(secret, purpose, at)).values(used_at=at).returning(*_KEPT)
    row = connection.execute(taken).one_or_none()
    return _made(row) if row else None


def find(connection: sa.Connection, secret: str, *, purpose: Purpose, at: datetime) -> SignIn | None:
    """Return the live sign-in of a secret without using it up; None when it is unknown, ended or expired."""
    row = connection.execute(sa.select(*_KEPT).where(*_live(secret, purpose, at))).one_or_none()
    return _made(row) if row else None


def seen(connection: sa.Connection, secret: str, *, at: datetime) -> None:
    """Note that a session was used. May be repeated."""
    connection.execute(sa.update(SIGN_INS).where(SIGN_INS.c.secret_sha256 == digest_of(secret)).values(seen_at=at))


def sessions_of(connection: sa.Connection, person_id: int, *, at: datetime) -> list[SignIn]:
    """Return a person's live sessions, the one used last first."""
    wanted = sa.select(*_KEPT).where(
        SIGN_INS.c.person_id == person_id,
        SIGN_INS.c.purpose == Purpose.SESSION.value,
        SIGN_INS.c.used_at.is_(None),
        SIGN_INS.c.expires_at > at,
    )
    return [_made(row) for row in connection.execute(wanted.order_by(SIGN_INS.c.seen_at.desc(), SIGN_INS.c.expires_at.desc()))]


def end_session(connection: sa.Connection, person_id: int, reference: str, *, at: datetime) -> bool:
    """End one of a person's own sessions by its reference; False when they have none of that name. May be repeated."""
    one = sa.update(SIGN_INS).where(
        SIGN_INS.c.person_id == person_id,
        SIGN_INS.c.purpose == Purpose.SESSION.value,
        SIGN_INS.c.used_at.is_(None),
        sa.func.substr(SIGN_INS.c.secret_sha256, 1, _SHOWN) == reference,
    )
    return connection.execute(one.values(used_at=at)).rowcount > 0


def end_sessions(connection: sa.Connection, person_id: int, *, at: datetime, only: Collection[Purpose] = ()) -> int:
    """End everything a person is signed in with, and every link on its way to them; return how many. May be repeated.

    `only` are the purposes to end; none given means every one.
    """
    live = sa.update(SIGN_INS).where(SIGN_INS.c.person_id == person_id, SIGN_INS.c.used_at.is_(None))
    if only:
        live = live.where(SIGN_INS.c.purpose.in_([each.value for each in only]))
    return connection.execute(live.values(used_at=at)).rowcount


def end_set_up(connection: sa.Connection, *, at: datetime) -> int:
    """End every set-up code that is on its way; return how many. May be repeated."""
    live = sa.update(SIGN_INS).where(SIGN_INS.c.purpose == Purpose.SET_UP.value, SIGN_INS.c.used_at.is_(None))
    return connection.execute(live.values(used_at=at)).rowcount


def forget_ended(connection: sa.Connection, *, at: datetime) -> int:
    """Delete sign-ins that expired more than KEEP_ENDED ago; return how many. May be repeated."""
    return connection.execute(sa.delete(SIGN_INS).where(SIGN_INS.c.expires_at < at - KEEP_ENDED)).rowcount

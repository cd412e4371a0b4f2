"""Errands of the browser to another site and back: OAuth, an identity provider, a passkey. Called by the pages that begin and end one.

Whoever holds the state may finish the errand, once. What belongs to it (code verifier, nonce, challenge) stays here, encrypted.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.store.register_tables import AuthorisingRow
from moderator.store.sealed import Sealer

AUTHORISINGS: sa.Table = AuthorisingRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

KEEP_ENDED = timedelta(hours=1)
"""How long an errand is kept after its time (our choice): it holds nothing of use by then."""


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def begin(  # noqa: PLR0913 - the facts of one errand
    connection: sa.Connection,
    sealer: Sealer,
    *,
    payload: Mapping[str, Any],
    account_id: int | None = None,
    session: str = "",
    expires_at: datetime,
) -> str:
    """Return the state of a new errand: 43 random characters, safe in an address. Only its hash is kept.

    `payload` is anything JSON can hold; `session` is what the browser must still show when it comes back, which the caller compares.
    Every call begins another errand.
    """
    state = secrets.token_urlsafe(32)
    connection.execute(
        sa.insert(AUTHORISINGS).values(
            state_sha256=_hash(state),
            account_id=account_id,
            session=session,
            sealed=sealer.seal(json.dumps(dict(payload))),
            expires_at=expires_at,
            used_at=None,
        )
    )
    return state


def finish(connection: sa.Connection, sealer: Sealer, state: str, *, at: datetime) -> tuple[dict[str, Any], int | None, str] | None:
    """Use an errand up and return (payload, account_id, session); None when it is unknown, used or too old. Of two at once, one gets it.

    Raises BadInput when no key of the sealer opens it.
    """
    live = sa.update(AUTHORISINGS).where(
        AUTHORISINGS.c.state_sha256 == _hash(state),
        AUTHORISINGS.c.used_at.is_(None),
        AUTHORISINGS.c.expires_at > at,
    )
    kept = (AUTHORISINGS.c.sealed, AUTHORISINGS.c.account_id, AUTHORISINGS.c.session)
    row = connection.execute(live.values(used_at=at).returning(*kept)).one_or_none()
    return None if row is None else (json.loads(sealer.open(row.sealed)), row.account_id, row.session)


def forget_ended(connection: sa.Connection, *, at: datetime) -> int:
    """Delete errands whose time was over more than KEEP_ENDED ago; return how many. May be repeated."""
    return connection.execute(sa.delete(AUTHORISINGS).where(AUTHORISINGS.c.expires_at < at - KEEP_ENDED)).rowcount

"""OAuth 2.0 pairs of the practice network; called by its API.

As on X, a refresh token is traded once for a new pair. Unlike X, the old one lives on until the new pair is used: a rehearsal may be
killed between the trade and the moment it stores the pair, and there is nobody to authorise it again. On X such an account waits for a
person. The first refresh token of a network always works, so that a rehearsal can begin afresh.
"""

import secrets
from typing import Final

from moderator.platforms.practice.ids import now_ms
from moderator.platforms.practice.school import FIRST_REFRESH_TOKEN
from moderator.platforms.practice.state import State

LASTS_SECONDS: Final = 7200
"""How long X's access tokens last."""

_REVOKED: Final = "revoked"


class Pairs:
    """Issues pairs, and knows which still work."""

    def __init__(self, state: State) -> None:
        """Keep the state."""
        self._state = state

    def trade(self, refresh: str) -> tuple[str, str] | None:
        """Return a new access and refresh token, or None when `refresh` is not accepted."""
        if self._state.fact(_REVOKED):
            return None
        from_id = None
        if not secrets.compare_digest(refresh.encode(), FIRST_REFRESH_TOKEN.encode()):
            found = self._state.rows("SELECT id FROM pairs WHERE refresh = ? AND dead = 0", [refresh])
            if not found:
                return None
            from_id = int(str(found[0][0]))
            self._used(from_id)
        return self._add(from_id)

    def _add(self, from_id: int | None) -> tuple[str, str]:
        access, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        with self._state.change() as db:
            db.execute(
                "INSERT INTO pairs (access, refresh, from_id, expires_ms) VALUES (?, ?, ?, ?)",
                (access, new, from_id, now_ms() + LASTS_SECONDS * 1000),
            )
        return access, new

    def issue(self) -> tuple[str, str]:
        """Return a fresh access and refresh token after somebody has authorised the account; an ended authorisation begins anew."""
        self._state.remember(_REVOKED, "")
        return self._add(None)

    def end(self, token: str) -> None:
        """End the pair that a token is of; an unknown one is no fault. May be repeated."""
        with self._state.change() as db:
            db.execute("UPDATE pairs SET dead = 1 WHERE access = ? OR refresh = ?", (token, token))

    def accepts(self, access: str) -> bool:
        """Return whether an access token works now; its first use ends the pair it was traded from."""
        found = self._state.rows("SELECT id FROM pairs WHERE access = ? AND dead = 0 AND expires_ms > ?", [access, now_ms()])
        if not found:
            return False
        self._used(int(str(found[0][0])))
        return True

    def expire(self) -> None:
        """Let every access token run out now; refresh tokens still work."""
        with self._state.change() as db:
            db.execute("UPDATE pairs SET expires_ms = 0")

    def revoke(self) -> None:
        """End the authorisation: no token works any more, not even the first."""
        self._state.remember(_REVOKED, "yes")
        with self._state.change() as db:
            db.execute("UPDATE pairs SET dead = 1")

    def authorise(self) -> None:
        """Let the first refresh token work again."""
        self._state.remember(_REVOKED, "")

    def _used(self, pair_id: int) -> None:
        """End the pair that this one was traded from, and the others traded from it."""
        before = self._state.rows("SELECT from_id FROM pairs WHERE id = ? AND from_id IS NOT NULL", [pair_id])
        if not before:
            return
        with self._state.change() as db:
            db.execute(
                "UPDATE pairs SET dead = 1 WHERE (id = ? OR from_id = ?) AND id != ? AND dead = 0", (before[0][0], before[0][0], pair_id)
            )
            db.execute("UPDATE pairs SET from_id = NULL WHERE id = ?", (pair_id,))

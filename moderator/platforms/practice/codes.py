"""Authorisation codes of the practice network (RFC 6749 section 4.1, RFC 7636). Called by its permission page and its API."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Final

SCOPES: Final = ("tweet.read", "users.read", "tweet.moderate.write", "offline.access")
"""What a school account can grant here."""

LIVES_SECONDS: Final = 60
"""How long a code works. X's own works for 30 seconds."""


@dataclass(frozen=True, slots=True)
class _Given:
    redirect_uri: str
    challenge: str
    scope: str
    until: float


class Codes:
    """Gives codes, and takes each back once. In memory: a restart ends those on their way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._given: dict[str, _Given] = {}

    def give(self, *, redirect_uri: str, challenge: str, scope: str) -> str:
        """Return a new code for a client that will show the secret behind `challenge` (S256)."""
        code = secrets.token_urlsafe(32)
        self._given[code] = _Given(redirect_uri, challenge, scope, time.monotonic() + LIVES_SECONDS)
        return code

    def use(self, code: str, *, redirect_uri: str, verifier: str) -> str:
        """Return the scope a code grants and use it up; "" for one that is unknown, used, too old, or another client's."""
        given = self._given.pop(code, None)
        if given is None or time.monotonic() > given.until or redirect_uri != given.redirect_uri:
            return ""
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return given.scope if secrets.compare_digest(digest, given.challenge) else ""

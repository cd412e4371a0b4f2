"""Connecting a school account on X: OAuth 2.0 with PKCE (RFC 7636, S256), the least scope, and whose account it is. Built by `build`.

The address of the permission page and the scopes: X, "OAuth 2.0 Authorization Code Flow with PKCE". The app must be registered there
with the review app's `/connect/x/back` as its callback.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import requests

from moderator import ports
from moderator.domain.account import Account
from moderator.domain.connecting import Leaving, Plan, Scope, Way
from moderator.domain.errors import BadInput, Refused, Transient
from moderator.platforms.base import HeldToken
from moderator.platforms.x.adapter import XPlatform
from moderator.platforms.x.errors import BadRequest, from_status, translated
from moderator.platforms.x.tokens import pair_of
from moderator.platforms.x.wire import REVOKE_PATH, TOKEN_PATH, checked_address, open_session

AUTHORISE_PATH: Final = "/i/oauth2/authorize"

PLAN: Final = Plan(
    "X",
    Way.BROWSER,
    (
        Scope("tweet.read", "Read the replies to your posts and the posts that mention you, so that they can be checked."),
        Scope("users.read", "See whose account it is, so that it is really the school's."),
        Scope("tweet.moderate.write", "Hide a reply to your posts, and show it again."),
        Scope("offline.access", "Keep working when you are not signed in, until you disconnect it."),
    ),
)
"""The least that reading, hiding and renewing need. Nothing in it can post, message, like, follow or delete (R25)."""

_AGAIN: Final = "Start again from the account's page"


class XConnector:
    """See `ports.Connector`."""

    def __init__(  # noqa: PLR0913 - each is one fact of the app's registration with X
        self,
        *,
        clock: ports.Clock,
        client_id: str,
        client_secret: str = "",
        api_url: str = "https://api.x.com",
        site_url: str = "https://x.com",
        timeout: float = 20.0,
    ) -> None:
        """Keep the app's facts; no request is made. `timeout` is in seconds a request. Raises BadInput for an address without TLS."""
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._api_url = checked_address(api_url)
        self._site_url = checked_address(site_url)
        self._timeout = timeout

    @property
    def plan(self) -> Plan:
        """X's own page, and four permissions."""
        return PLAN

    def checked_handle(self, handle: str) -> str:
        """Return the handle without its `@`. Raises BadInput for one that X cannot have."""
        bare = handle.strip().removeprefix("@")
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", bare):
            message = "A handle on X has up to 15 letters, digits or _. Copy it from the account's page, with or without @."
            raise BadInput(message)
        return bare

    def begin(self, *, redirect_uri: str) -> Leaving:
        """Return X's permission page for a new secret of 64 random bytes, of which the address holds only the hash."""
        verifier = secrets.token_urlsafe(64)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scope.name for scope in PLAN.scopes),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return Leaving(f"{self._site_url}{AUTHORISE_PATH}?{urlencode(asked)}", {"verifier": verifier, "redirect_uri": redirect_uri})

    def finish(self, payload: Mapping[str, str], given: Mapping[str, str]) -> ports.Token:
        """Trade the code for a pair. X takes a code once."""
        form = {
            "grant_type": "authorization_code",
            "code": given.get("code", ""),
            "redirect_uri": payload["redirect_uri"],
            "code_verifier": payload["verifier"],
        }
        try:
            response = self._post(TOKEN_PATH, form)
        except BadRequest:
            message = f"X did not accept the answer it had sent you back with; it lasts only seconds. {_AGAIN}"
            raise Refused(message) from None
        token = pair_of(response, self._clock.now())
        granted = str(response.json().get("scope", "")).split()
        missing = [scope.name for scope in PLAN.scopes if scope.name not in granted]
        if missing:
            self._give_back(token)
            message = f"X did not give every permission ({', '.join(missing)} is missing). {_AGAIN}, and allow all that X asks you"
            raise Refused(message)
        return token

    def whose(self, account: Account, token: ports.Token) -> tuple[str, ports.Token]:
        """Return X's id of the account the token belongs to. Raises Refused when it is another handle's."""
        held = HeldToken(token)
        adapter = XPlatform(
            platform_id="0",
            handle=account.handle,
            credentials=held,
            clock=self._clock,
            client_id=self._client_id,
            client_secret=self._client_secret,
            api_url=self._api_url,
            timeout=self._timeout,
        )
        return adapter.identity(), held.token

    def revoke(self, token: ports.Token) -> None:
        """Ask X to end the pair: ending the refresh token ends what came from it."""
        self._post(REVOKE_PATH, {"token": token.refresh or token.access})

    def _give_back(self, token: ports.Token) -> None:
        try:
            self.revoke(token)
        except (Refused, Transient):
            return  # it is not stored anywhere, so nobody can use it; X ends it in two hours

    def _post(self, path: str, form: Mapping[str, str]) -> requests.Response:
        basic = (self._client_id, self._client_secret) if self._client_secret else None
        now = self._clock.now()
        with open_session(self._api_url, self._timeout) as session, translated(now):
            response = session.post(self._api_url + path, data={**form, "client_id": self._client_id}, auth=basic)
        if not response.ok:
            raise from_status(response, now)
        return response

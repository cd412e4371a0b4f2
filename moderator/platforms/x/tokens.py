"""The account's OAuth 2.0 pair: when to renew it, and how not to lose it. Called by `x.line`.

tweepy renews nothing, and X takes a refresh token once: the new pair is stored before it is used, one renewal runs at a time in this
process, and whoever comes second, from here or from another process, uses the pair that the first one stored.
"""

import threading
from datetime import datetime, timedelta
from typing import Final

import requests

from moderator import ports
from moderator.domain.errors import Transient, Unauthorised
from moderator.observe import happened, went_wrong
from moderator.platforms.x.errors import BadRequest, from_status, translated
from moderator.platforms.x.wire import TOKEN_PATH

EARLY: Final = timedelta(seconds=60)
"""A token with less than this left is renewed first, so that it does not die on the way."""

_RENEWING: Final = threading.Lock()


class Keys:
    """One account's token, renewed when it must be."""

    def __init__(  # noqa: PLR0913 - each is one fact of the client's registration
        self,
        credentials: ports.Credentials,
        *,
        session: requests.Session,
        clock: ports.Clock,
        api_url: str,
        client_id: str,
        client_secret: str,
    ) -> None:
        """Keep what a renewal needs; nothing is read or sent yet."""
        self._credentials = credentials
        self._session = session
        self._clock = clock
        self._url = api_url + TOKEN_PATH
        self._client_id = client_id
        self._client_secret = client_secret
        self._unsaved: tuple[str, ports.Token] | None = None

    def current(self) -> ports.Token:
        """Return a token that should work. Raises Unauthorised, Transient or RateLimited when it must be renewed and cannot be."""
        token = self._load()
        if token.expires_at - self._clock.now() > EARLY:
            return token
        return self.renewed(token)

    def renewed(self, stale: ports.Token) -> ports.Token:
        """Return a token other than `stale`: the one another caller has stored meanwhile, or a new one, stored before it is returned."""
        with _RENEWING:
            token = self._load()
            if token.access != stale.access:
                return token
            try:
                self._unsaved = token.refresh, self._trade(token.refresh)
            except Unauthorised:
                stored = self._credentials.load()
                if stored.refresh != token.refresh:  # another process was first
                    return stored
                went_wrong("token_refused")
                raise
            token = self._load()
            happened("token_renewed")
            return token

    def _load(self) -> ports.Token:
        """Return the stored pair; first store one that could not be stored when it came (its predecessor is dead).

        It is dropped when a person has connected the account anew meanwhile: theirs is the newer one.
        """
        if self._unsaved is not None:
            traded, pair = self._unsaved
            if self._credentials.load().refresh == traded:
                self._credentials.save(pair)
            self._unsaved = None
        return self._credentials.load()

    def _trade(self, refresh: str) -> ports.Token:
        """Ask X for a new pair. Not repeatable: the old one is dead once X has answered."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": self._client_id}
        basic = (self._client_id, self._client_secret) if self._client_secret else None
        now = self._clock.now()
        with translated(now):
            response = self._session.post(self._url, data=form, auth=basic)
        if not response.ok:
            error = from_status(response, now)
            if isinstance(error, BadRequest):  # X says 400 for a refresh token it does not know
                message = "X no longer accepts this account's authorisation: the account must be authorised again"
                raise Unauthorised(message)
            raise error
        return pair_of(response, now)


def pair_of(response: requests.Response, now: datetime) -> ports.Token:
    """Return the pair of X's answer to a trade. Raises Transient when there is none in it."""
    try:
        table = response.json()
        lasts = timedelta(seconds=float(table["expires_in"]))
        return ports.Token(str(table["access_token"]), str(table["refresh_token"]), now + lasts)
    except (ValueError, TypeError, KeyError, OverflowError):
        message = "X's answer about the token cannot be read"
        raise Transient(message) from None

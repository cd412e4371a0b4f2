"""One authorised request to X and its exact answer. Called by the adapter for everything but the token."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import requests
import tweepy

from moderator import ports
from moderator.domain.errors import Transient, Unauthorised
from moderator.platforms.base import kept_headers
from moderator.platforms.x.errors import translated
from moderator.platforms.x.tokens import Keys

_REQUEST_ID: Final = ("x-transaction-id", "x-request-id")

Request = Callable[[tweepy.Client], requests.Response]
"""One call of a tweepy method."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its JSON object, exact bytes, headers without tokens, status, and X's id of the request ("" if none)."""

    table: dict[str, object]
    body: bytes
    headers: dict[str, str]
    status: int
    request_id: str


class Line:
    """Asks as the account. A dead token is renewed once, then the account is Unauthorised."""

    def __init__(self, session: requests.Session, *, keys: Keys, clock: ports.Clock) -> None:
        """Keep the session, the keys and the clock."""
        self._session = session
        self._keys = keys
        self._clock = clock

    def ask(self, request: Request) -> Answer:
        """Return the answer to one request. Raises the errors of `ports.Platform`; never sleeps."""
        token = self._keys.current()
        try:
            return self._once(request, token)
        except Unauthorised:
            return self._once(request, self._keys.renewed(token))

    def _once(self, request: Request, token: ports.Token) -> Answer:
        client = tweepy.Client(token.access, return_type=requests.Response, wait_on_rate_limit=False)
        client.session.close()
        client.session = self._session
        with translated(self._clock.now()):
            response = request(client)
        return Answer(
            _object(response.content), response.content, kept_headers(response.headers), response.status_code, _request_id(response)
        )


def _object(body: bytes) -> dict[str, object]:
    try:
        table = json.loads(body)
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict):
        message = "X's answer is not the JSON it promised"
        raise Transient(message)
    return table


def _request_id(response: requests.Response) -> str:
    return next((response.headers[name] for name in _REQUEST_ID if name in response.headers), "")

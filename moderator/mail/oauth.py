"""Access tokens for mail servers that take no password (OAuth 2): asked for, kept until shortly before they end. SMTP and IMAP call it.

What each failure decides:
  no route, timeout, certificate not trusted, 5xx, 429, no answer in JSON, a redirect   Transient: the mail waits
  the endpoint says no (invalid_client, invalid_grant, …)                               Refused: a person must mend the settings

No redirect is followed: what is sent there is a secret. Neither a token nor a secret is ever in a message or a log.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from threading import Lock
from typing import Any, Protocol

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped] # authlib carries no types
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped] # as above
from authlib.oauth2.rfc7523 import JWTBearerGrant  # type: ignore[import-untyped] # as above
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey

from moderator.domain.errors import BadInput, ModeratorError, Refused, Transient
from moderator.domain.times import SystemClock
from moderator.ports import Clock

EARLY = timedelta(minutes=5)
"""How long before its end a token is asked for anew (our choice): longer than any one delivery."""

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=12)
"""Bounds of what an endpoint says of a token's life (our choice): its answer is not ours to trust."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
"""A bearer token is visible ASCII (RFC 6750 section 2.1, and room to spare); anything else could break out of the sign-in's line."""

_FOR_NOW = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""The codes by which an endpoint says "later" (RFC 6749 section 4.1.2.1, RFC 8628 section 3.5)."""


class Grant(StrEnum):
    """How tokens are got.

    `client_credentials`: the app in its own name (Microsoft 365, SMTP.SendAsApp). `refresh_token`: a person agreed once (Gmail, Microsoft).
    `service_account`: a signed assertion for a mailbox of the domain (Google Workspace, RFC 7523).
    """

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
    SERVICE_ACCOUNT = "service_account"


@dataclass(frozen=True, slots=True)
class Access:
    """What the token endpoint wants to know.

    `secret` is the client's secret (may be empty for `refresh_token`), or the service account's key: PEM, or Google's JSON file.
    `subject` is the mailbox that a service account acts for.
    """

    kind: Grant
    token_url: str
    client_id: str
    scope: str = ""
    subject: str = ""
    secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


class TokenKeeper(Protocol):
    """Where a refresh token that the endpoint replaced is kept, beside the secret file it began with."""

    def newest(self, given: str) -> str:
        """Return what replaced `given`, or "" when nothing did."""
        ...

    def keep(self, given: str, *, newest: str) -> None:
        """Keep what replaced `given`. May be repeated. Raises OSError when it cannot."""
        ...


class Unkept:
    """Keeps nothing: for endpoints that never replace a refresh token; implements TokenKeeper."""

    def newest(self, given: str) -> str:
        """Return nothing."""
        del given
        return ""

    def keep(self, given: str, *, newest: str) -> None:
        """Let it go."""


class TokenSource:
    """Gives access tokens; one is asked for at a time, and shared by everybody who signs in."""

    def __init__(self, access: Access, *, clock: Clock | None = None, keeper: TokenKeeper | None = None, timeout: float = 20.0) -> None:
        """Keep how to ask; nothing is asked yet. `timeout` is in seconds. Raises BadInput for a service account's key that is none."""
        self._access, self._clock, self._keeper, self._timeout = access, clock or SystemClock(), keeper or Unkept(), timeout
        self._signing = _Signing.read(access) if access.kind is Grant.SERVICE_ACCOUNT else None
        self._lock = Lock()
        if access.kind is Grant.REFRESH_TOKEN and not access.refresh_token:
            message = "mail oauth kind = 'refresh_token': the refresh token is missing"
            raise BadInput(message)
        self._token = ""
        self._until: datetime | None = None

    def token(self) -> str:
        """Return a token that holds for minutes at least. Raises Transient or Refused as the head of this file says."""
        with self._lock:
            if self._until is None or self._clock.now() >= self._until:
                self._token, self._until = self._asked()
            return self._token

    def forget(self) -> None:
        """Ask anew the next time: a server did not take the token. May be repeated."""
        with self._lock:
            self._until = None

    def _asked(self) -> tuple[str, datetime]:
        """Ask the endpoint; return a token and until when it is used."""
        at = self._clock.now()
        answer = self._answer()
        token = answer.get("access_token")
        if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
            message = f"token endpoint {self._access.token_url} gave no token that can be used. Check [mail.oauth]"
            raise Refused(message)
        life = min(max(_life(answer.get("expires_in")), SHORTEST), LONGEST)
        return token, at + max(life - EARLY, life / 2)

    def _answer(self) -> dict[str, Any]:
        if self._access.kind is not Grant.REFRESH_TOKEN:
            return self._fetched(**self._ask())
        given = self._access.refresh_token
        *kept, last = [each for each in (self._keeper.newest(given), given) if each]
        for each in kept:
            try:
                return self._refreshed(each)
            except Refused:  # the one in the secret file may be newer: somebody has agreed again
                continue
        return self._refreshed(last)

    def _refreshed(self, refresh_token: str) -> dict[str, Any]:
        answer = self._fetched(grant_type="refresh_token", refresh_token=refresh_token)
        replaced = answer.get("refresh_token")
        if isinstance(replaced, str) and replaced not in {"", refresh_token}:
            try:
                self._keeper.keep(self._access.refresh_token, newest=replaced)
            except OSError as error:
                message = f"the new refresh token cannot be kept ({error.strerror}). Make room, or see to the data folder"
                raise Transient(message) from error
        return answer

    def _ask(self) -> dict[str, Any]:
        if self._signing is None:
            return {"grant_type": "client_credentials"}
        return {
            "grant_type": JWTBearerGrant.GRANT_TYPE,
            "assertion": self._signing.assertion(self._access, at=self._clock.now()),
            "auth": _as_it_is,
        }

    def _fetched(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - authlib's own shape
        """Post to the endpoint; return its answer. Raises Transient or Refused."""
        access = self._access
        with OAuth2Session(
            access.client_id,
            access.secret,
            scope=access.scope or None,
            token_endpoint_auth_method="client_secret_post" if access.secret else "none",
        ) as session:
            session.register_compliance_hook("access_token_response", _straight)
            try:
                return dict(session.fetch_token(access.token_url, timeout=self._timeout, allow_redirects=False, **asked))
            except (OAuthError, requests.RequestException, ValueError, TypeError) as error:
                # Not chained: these errors carry the request, and with it the secret.
                raise self._translated(error) from None

    def _translated(self, error: Exception) -> ModeratorError:
        place = f"token endpoint {self._access.token_url}"
        if isinstance(error, OAuthError):
            code = error.error if re.fullmatch(r"[a-z_]{1,60}", str(error.error)) else "an error without a code"
            if code in _FOR_NOW:
                return Transient(f"{place} gives no token for now ({code})")
            return Refused(f"{place} refused: {code}. Check [mail.oauth] and its secrets")
        if isinstance(error, requests.exceptions.SSLError):
            return Transient(f"{place}: its certificate is not trusted. Nothing was sent")
        if isinstance(error, requests.HTTPError) and error.response is not None:
            status = error.response.status_code
            lasting = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in {
                HTTPStatus.TOO_MANY_REQUESTS,
                HTTPStatus.REQUEST_TIMEOUT,
            }
            return (
                Refused(f"{place} refused (HTTP {status}). Check [mail.oauth]") if lasting else Transient(f"{place} answers HTTP {status}")
            )
        return Transient(f"{place} gave no answer that can be read ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class _Signing:
    """The key of a service account, whose it is, and its number ("" when not known)."""

    issuer: str
    number: str
    pem: str = field(repr=False)

    @classmethod
    def read(cls, access: Access) -> "_Signing":
        """Return the key in a secret: PEM, or Google's JSON file. Raises BadInput when there is none in it."""
        try:
            told: dict[str, Any] = json.loads(access.secret) if access.secret.startswith("{") else {"private_key": access.secret}
            pem = str(told["private_key"])
            usable = isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
        except (KeyError, ValueError, TypeError):
            usable = False
        if not usable:
            message = "secret smtp-oauth-secret: it holds no RSA key of a service account; put the JSON file there as Google gave it"
            raise BadInput(message)
        return cls(str(told.get("client_email") or access.client_id), str(told.get("private_key_id") or ""), pem)

    def assertion(self, access: Access, *, at: datetime) -> str:
        """Return the signed assertion (RFC 7523 section 3), good for ten minutes."""
        signed: str = JWTBearerGrant.sign(
            RSAKey.import_key(self.pem),
            issuer=self.issuer,
            audience=access.token_url,
            subject=access.subject,
            issued_at=int(at.timestamp()),
            expires_in=600,
            claims={"scope": access.scope},
            header={"alg": "RS256"} | ({"kid": self.number} if self.number else {}),
        )
        return signed


def sign_in_line(username: str, token: str) -> str:
    """Return what XOAUTH2 sends, before base64 (Google's and Microsoft's published form of it)."""
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no client authentication: the assertion is the authentication."""
    return request


def _straight(answer: requests.Response) -> requests.Response:
    """Refuse a redirect, whatever it carries."""
    if answer.is_redirect or HTTPStatus.MULTIPLE_CHOICES <= answer.status_code < HTTPStatus.BAD_REQUEST:
        message = "a redirect"
        raise ValueError(message)
    return answer


def _life(told: object) -> timedelta:
    try:
        return timedelta(seconds=int(str(told)))
    except (ValueError, OverflowError):
        return SHORTEST

"""An identity provider as this service calls it (OpenID Connect Discovery, code exchange, keys), by authlib. Called by the OIDC pages."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped] # authlib carries no types
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped] # as above
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from moderator.domain.errors import Refused, Transient

TIMEOUT_SECONDS = 10
"""For each call (our choice): somebody is waiting at a sign-in page."""
SCOPE = "openid email profile"
_KEEP = timedelta(hours=1)
_LARGEST = 256 * 1024
_OWN_HOSTS = {"accounts.google.com": frozenset({"oauth2.googleapis.com", "www.googleapis.com"})}
"""Hosts besides the issuer's own that an issuer's discovery document may send us to; from Google's document of 2026."""
_SIGNS = frozenset({"RSA", "EC"})


@dataclass(frozen=True, slots=True)
class Provider:
    """One `[[oidc]]` of the settings. `trusts_mfa`: the provider asks everybody for a second factor, so we need not."""

    slug: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    trusts_mfa: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What one sign-in takes along: kept here, encrypted, until the browser is back."""

    verifier: str
    nonce: str

    @classmethod
    def new(cls) -> "Errand":
        """Return a fresh one: a code verifier of 64 characters (RFC 7636 section 4.1) and a nonce of 43."""
        return cls(secrets.token_urlsafe(48), secrets.token_urlsafe(32))


class Directory:
    """A provider's addresses and keys, fetched when first needed and kept for an hour."""

    def __init__(self, provider: Provider) -> None:
        """Keep the provider; calls nobody."""
        self.provider = provider
        self._hosts = _OWN_HOSTS.get(urlsplit(provider.issuer).netloc, frozenset()) | {urlsplit(provider.issuer).netloc}
        self._addresses: dict[str, Any] = {}
        self._keys = KeySet([])
        self._addresses_at: datetime | None = None
        self._keys_at: datetime | None = None

    def leave_for(self, errand: Errand, *, state: str, back: str, now: datetime) -> str:
        """Return the address that asks the person to sign in there and sends them `back`. Raises Transient when the provider is down."""
        with self._session(back) as session:
            url, _ = session.create_authorization_url(
                self._address("authorization_endpoint", now),
                state=state,
                code_verifier=errand.verifier,
                nonce=errand.nonce,
                prompt="select_account",
            )
        return str(url)

    def id_token(self, code: str, errand: Errand, *, back: str, now: datetime) -> str:
        """Return the ID token for a code, not checked yet. Raises Transient when the provider is down, Refused for a code it refuses."""
        address = self._address("token_endpoint", now)
        try:
            with self._session(back) as session:
                token = session.fetch_token(
                    address, code=code, code_verifier=errand.verifier, timeout=TIMEOUT_SECONDS, allow_redirects=False
                )
        except OAuthError as error:
            raise Refused(str(error.error)) from error
        except (requests.RequestException, ValueError) as error:  # the latter: no JSON, or a redirect
            raise Transient from error
        found = token.get("id_token")
        if not isinstance(found, str):
            message = "no_id_token"
            raise Refused(message)
        return found

    def keys(self, *, now: datetime, fresh: bool = False) -> KeySet:
        """Return the provider's signing keys; `fresh` asks again, for when it has new ones. Raises Transient when it is down."""
        if fresh or self._keys_at is None or now - self._keys_at > _KEEP:
            found = self._fetch(self._address("jwks_uri", now)).get("keys")
            usable = [each for each in found if _signs(each)] if isinstance(found, list) else []
            try:
                self._keys = KeySet.import_key_set({"keys": usable})
            except (JoseError, ValueError) as error:
                raise Transient from error
            self._keys_at = now
        return self._keys

    def _session(self, back: str) -> OAuth2Session:
        return OAuth2Session(
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            scope=SCOPE,
            redirect_uri=back,
            code_challenge_method="S256",
        )

    def _address(self, name: str, now: datetime) -> str:
        if self._addresses_at is None or now - self._addresses_at > _KEEP:
            self._addresses = self._discovered()
            self._addresses_at = now
        return str(self._addresses[name])

    def _discovered(self) -> dict[str, Any]:
        """Return the discovery document (OpenID Connect Discovery 1.0 section 4), held to our issuer and its hosts."""
        found = self._fetch(f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.provider.issuer:
            message = "the provider's own document names another issuer"
            raise Transient(message)
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            place = urlsplit(str(found.get(name)))
            if place.netloc not in self._hosts or place.scheme != urlsplit(self.provider.issuer).scheme:
                message = f"the provider's {name} is not on a host of the issuer"
                raise Transient(message)
        return found

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            with requests.get(url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True) as answer:
                if answer.status_code != requests.codes.ok:
                    message = f"the provider answered {answer.status_code}"
                    raise Transient(message)
                return _object(answer)
        except requests.RequestException as error:
            raise Transient from error


def _object(answer: requests.Response) -> dict[str, Any]:
    """Return the JSON object of an answer of at most _LARGEST bytes. Raises Transient for anything else."""
    body = answer.raw.read(_LARGEST + 1, decode_content=True)
    try:
        found = json.loads(body) if len(body) <= _LARGEST else None
    except (ValueError, RecursionError) as error:
        raise Transient from error
    if not isinstance(found, dict):
        message = "the provider's answer cannot be read"
        raise Transient(message)
    return found


def _signs(key: object) -> bool:
    return isinstance(key, dict) and key.get("kty") in _SIGNS and key.get("use", "sig") == "sig"

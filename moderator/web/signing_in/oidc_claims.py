"""Who an ID token says somebody is, and whether to believe it (OpenID Connect Core section 3.1.3.7). Called by the sign-in by OIDC."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from moderator.domain.errors import Refused
from moderator.web.signing_in.oidc_provider import Provider

ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures that are taken: by a private key, never by the client secret, never none."""
LEEWAY_SECONDS = 60
"""How far the two clocks may be apart (our choice)."""
GOOGLE = "https://accounts.google.com"
_MICROSOFT = "login.microsoftonline.com"
_GUEST = 1
_MULTI_FACTOR = "mfa"


@dataclass(frozen=True, slots=True)
class Identity:
    """A believed account: `multi_factor` when the provider says that a second factor was asked (RFC 8176 section 2)."""

    issuer: str
    subject: str
    email: str
    multi_factor: bool


def claims_of(token: str, keys: KeySet) -> dict[str, Any] | None:
    """Return the claims of a token that one of these keys has signed; None when none has."""
    try:
        return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
    except (JoseError, ValueError):
        return None


def identity(claims: Mapping[str, Any], *, provider: Provider, nonce: str, domains: Collection[str], now: datetime) -> Identity:
    """Return who it is.

    `domains` are the schools' e-mail domains, in lower case. Raises Refused with a code: `token` (not for us, too old, or not the answer
    to our question), `unverified` (the provider does not vouch for the address), `domain` (not an address of a school, R26).
    """
    _refuse_unless(_is_for_us(claims, provider=provider, nonce=nonce, now=now), "token")
    email = _address(claims, provider).strip().lower()
    _refuse_unless(_vouched_for(claims, provider), "unverified")
    _refuse_unless(email.rpartition("@")[2] in domains and "@" in email, "domain")
    _refuse_unless(provider.issuer != GOOGLE or str(claims.get("hd", "")).lower() in domains, "domain")
    methods = claims.get("amr")
    return Identity(provider.issuer, claims["sub"], email, isinstance(methods, list) and _MULTI_FACTOR in methods)


def _refuse_unless(holds: bool, code: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Refused(code)


def _is_for_us(claims: Mapping[str, Any], *, provider: Provider, nonce: str, now: datetime) -> bool:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp", provider.client_id if len(audiences) == 1 else None)
    moment = now.timestamp()
    ends, begins = _seconds(claims, "exp"), max(_seconds(claims, "nbf"), _seconds(claims, "iat"))
    return (
        claims.get("iss") == provider.issuer
        and provider.client_id in audiences
        and party == provider.client_id
        and claims.get("nonce") == nonce
        and isinstance(claims.get("sub"), str)
        and 0 < len(claims["sub"]) <= 255  # noqa: PLR2004 - the limit of OpenID Connect Core section 2
        and ends > moment - LEEWAY_SECONDS
        and begins < moment + LEEWAY_SECONDS
    )


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    """Return a time claim; 0, which is long ago, where there is none or no number."""
    value = claims.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _tenant(provider: Provider) -> str:
    """Return the tenant in a Microsoft issuer; "" for every other issuer."""
    place = urlsplit(provider.issuer)
    return place.path.strip("/").split("/")[0] if place.netloc == _MICROSOFT else ""


def _address(claims: Mapping[str, Any], provider: Provider) -> str:
    """Return the address. Microsoft sends `email` only where the directory has one; the sign-in name is an address as well."""
    names = ("email", "preferred_username") if _tenant(provider) else ("email",)
    return next((value for value in map(claims.get, names) if isinstance(value, str)), "")


def _vouched_for(claims: Mapping[str, Any], provider: Provider) -> bool:
    """Return whether the provider vouches for the address.

    Microsoft sends no `email_verified`: its tenant's own administrators do, so the token must be of that tenant and not of its guest.
    """
    tenant = _tenant(provider)
    if not tenant:
        return claims.get("email_verified") is True
    own = claims.get("tid") == tenant and claims.get("acct") != _GUEST
    return own and all(claims.get(name, True) in {True, "true", "1"} for name in ("email_verified", "xms_edov"))

"""Who reads by machine: the bearer token of a request, its scopes and its school. Named by every endpoint; default deny."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import HTTPException, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from moderator.domain.readers import ApiToken, Scope
from moderator.domain.times import london_date
from moderator.store.readers import SEEN_EVERY, find_token, token_used
from moderator.web.site import Site, site_of

A_MINUTE = 240
"""Requests a token may make a minute (our choice): a page of 200 records each, it reads a year's records in seconds."""

_bearer = HTTPBearer(auto_error=False, description="A token made on the page “Machines that read”.")
_limiter = MovingWindowRateLimiter(MemoryStorage())
_LIMIT = RateLimitItemPerMinute(A_MINUTE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that is allowed: at which school, and whether disclosures are among what it reads (R15)."""

    school: str
    safeguarding: bool
    site: Site


class Reads:
    """A dependency: a live token with this scope, for the school in the address.

    401 without one; 403 without the scope; 404 for another school, which for this token does not exist; 429 for too many.
    """

    def __init__(self, scope: Scope) -> None:
        """Keep the scope."""
        self.scope = scope

    def __call__(
        self,
        request: Request,
        school: Annotated[str, Path(pattern="^[a-z0-9-]{1,60}$", description="The school's short name.")],
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> Reading:
        """Return the reading."""
        site = site_of(request)
        token = _live(site, given.credentials if given else "")
        if self.scope not in token.scopes:
            raise HTTPException(403, f"This token does not read {self.scope.value}.")
        known = {each.slug for each in site.database.schools()}
        if school not in known or token.school not in {"", school}:
            raise HTTPException(404, "There is no such school for this token.")
        return Reading(school, Scope.SAFEGUARDING in token.scopes, site)


def _live(site: Site, secret: str) -> ApiToken:
    now = site.clock.now()
    with site.database.reading() as connection:
        token = find_token(connection, secret, day=london_date(now)) if secret else None
    if token is None:
        raise HTTPException(401, "Give a live token: Authorization: Bearer mod_…", headers={"WWW-Authenticate": "Bearer"})
    if not _limiter.hit(_LIMIT, str(token.id)):
        raise HTTPException(429, "Too many requests in a minute.", headers={"Retry-After": str(int(timedelta(minutes=1).total_seconds()))})
    if token.used_at is None or now - token.used_at > SEEN_EVERY:
        with site.database.unit() as unit:
            token_used(unit.connection, token, now)
    return token

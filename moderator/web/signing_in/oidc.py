"""Signing in with the school's own Google or Microsoft account (OpenID Connect, code flow with PKCE).

The way out is a form of ours that answers with a page which goes on to the provider: a form that is answered by a redirect to another
site would be stopped by our own form-action. The way back is a GET from that other site: it brings no cookie of ours (SameSite=Strict)
and, like every GET, changes nothing. Its page holds one form, which a script sends at once and a person can send by hand; that POST is
same-site, so it brings the cookie which shows that this browser set out. Somebody else's code and state are refused there (login CSRF).
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import Refused, Transient
from moderator.observe import went_wrong
from moderator.store import authorising, proofs
from moderator.store.sign_in import Purpose
from moderator.web.cookie import drop_cookie, read_cookie, set_cookie
from moderator.web.need import open_to_all
from moderator.web.signing_in.oidc_claims import Identity, claims_of, identity
from moderator.web.signing_in.oidc_person import person_of
from moderator.web.signing_in.oidc_provider import Directory, Errand
from moderator.web.signing_in.own_path import asking, own_path
from moderator.web.signing_in.session import start_session
from moderator.web.signing_in.step import begin_step, sealer_in
from moderator.web.site import Site, SiteOf

ERRAND = "errand"
"""The cookie that shows that this browser set out."""
ERRAND_LIVES = timedelta(minutes=10)
"""How long the way there and back may take (our choice): a password and a code at the provider."""

router = APIRouter()


@router.post("/sign-in/with/{provider}")
@open_to_all
def leave(request: Request, site: SiteOf, provider: str, next: Annotated[str, Form()] = "") -> Response:  # noqa: A002 - the field's name
    """Send the browser to the provider, and on to `next` afterwards."""
    directory, sealer = _directory(site, provider), sealer_in(site)
    if not site.throttle.asked_from(request.client.host if request.client else ""):
        return _refused(site, directory, "often", 429)
    errand, now, cookie = Errand.new(), site.clock.now(), secrets.token_urlsafe(32)
    until = now + ERRAND_LIVES
    with site.database.unit() as unit:
        authorising.forget_ended(unit.connection, at=now)
        payload = {"for": provider, "verifier": errand.verifier, "nonce": errand.nonce, "to": own_path(next)}
        state = authorising.begin(unit.connection, sealer, payload=payload, session=_hash(cookie), expires_at=until)
    try:
        url = directory.leave_for(errand, state=state, back=_back(site, provider), now=now)
    except Transient:
        return _refused(site, directory, "down", 503)
    response = site.pages.html("oidc_leaving", url=url, called=directory.provider.name)
    set_cookie(response, cookie, origin=site.origin, now=now, until=until, kind=ERRAND)
    return response


@router.get("/sign-in/with/{provider}/back")
@open_to_all
def back(site: SiteOf, provider: str, code: str = "", state: str = "", error: str = "") -> Response:
    """Show the form that finishes the sign-in. Opening this uses nothing up."""
    directory = _directory(site, provider)
    if error or not code or not state:
        return _refused(site, directory, "cancelled", 403)
    return site.pages.html("oidc_back", called=directory.provider.name, slug=provider, code=code, state=state)


@router.post("/sign-in/with/{provider}/finish")
@open_to_all
def finish(
    request: Request, site: SiteOf, provider: str, code: Annotated[str, Form()] = "", state: Annotated[str, Form()] = ""
) -> Response:
    """Sign the person in.

    1. The errand must be ours, live, of this provider and of this browser; it is used up.
    2. The provider gives an ID token for the code, and its keys; the network is never called inside a transaction.
    3. The token's person must be in the register with a live designation.
    4. Without a second factor at the provider, ours is asked for.
    """
    directory = _directory(site, provider)
    try:
        errand, to = _errand(site, request, provider, state)
        found = _identity(site, directory, errand, code)
        response = _welcome(site, directory, request, found, to)
    except Refused as error:
        return _refused(site, directory, str(error), 403)
    except Transient:
        return _refused(site, directory, "down", 503)
    drop_cookie(response, site.origin, kind=ERRAND)
    return response


def _directory(site: Site, slug: str) -> Directory:
    found = next((each for each in site.providers if each.provider.slug == slug), None)
    if found is None:
        raise HTTPException(status_code=404)
    return found


def _back(site: Site, slug: str) -> str:
    """Return where the provider sends the browser: one address a provider, so that answers of two cannot be mixed up (RFC 9700, 4.4)."""
    return f"{site.origin.text}/sign-in/with/{slug}/back"


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()


def _errand(site: Site, request: Request, slug: str, state: str) -> tuple[Errand, str]:
    """Use the errand up and return it, and where to go on to. Raises Refused when it is not of this browser and provider, or too late."""
    with site.database.unit() as unit:
        found = authorising.finish(unit.connection, sealer_in(site), state, at=site.clock.now())
    payload: dict[str, Any] = found[0] if found else {}
    cookie = _hash(read_cookie(request, site.origin, kind=ERRAND))
    if found is None or payload.get("for") != slug or not hmac.compare_digest(found[2], cookie):
        message = "too_late"
        raise Refused(message)
    return Errand(payload["verifier"], payload["nonce"]), str(payload["to"])


def _identity(site: Site, directory: Directory, errand: Errand, code: str) -> Identity:
    """Return whose code it is. Raises Refused, and Transient when the provider is down."""
    now = site.clock.now()
    token = directory.id_token(code, errand, back=_back(site, directory.provider.slug), now=now)
    claims = claims_of(token, directory.keys(now=now))
    if claims is None:  # it may have begun to sign with a new key
        claims = claims_of(token, directory.keys(now=now, fresh=True))
    if claims is None:
        message = "token"
        raise Refused(message)
    domains = {domain for school in site.database.schools() for domain in school.people_domains}
    return identity(claims, provider=directory.provider, nonce=errand.nonce, domains=domains, now=now)


def _welcome(site: Site, directory: Directory, request: Request, found: Identity, to: str) -> Response:
    now = site.clock.now()
    with site.database.unit() as unit:
        acting = person_of(unit, found, now)
        person = acting.person.id
        if found.multi_factor or directory.provider.trusts_mfa:
            return start_session(site, unit, request, person, "oidc", to=to)
        if not proofs.proofs_of(unit.connection, person).has_app:
            message = "no_code"
            raise Refused(message)
        response = RedirectResponse(asking("/sign-in/code", to), status_code=303)
        begin_step(site, unit, request, response, purpose=Purpose.HALF, person_id=person, by="oidc")
        return response


def _refused(site: Site, directory: Directory, why: str, status: int) -> Response:
    went_wrong("sign_in_refused", by="oidc", why=why)
    response = site.pages.html("oidc_refused", status=status, why=why, called=directory.provider.name)
    drop_cookie(response, site.origin, kind=ERRAND)
    return response

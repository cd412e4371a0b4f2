"""The sign-in page: e-mail address and password, then the code of an app or a recovery code. For people, with no session yet."""

from datetime import timedelta
from math import ceil
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from moderator.domain.errors import NotAllowed
from moderator.observe import went_wrong
from moderator.store import proofs
from moderator.store.sign_in import Purpose, SignIn, end_sessions
from moderator.web.need import open_to_all
from moderator.web.noted import synced
from moderator.web.signing_in.own_path import asking, own_path
from moderator.web.signing_in.session import known_here, start_session
from moderator.web.signing_in.step import begin_step, end_step, step_in
from moderator.web.signing_in.trying import Tried, tell, try_code, try_password
from moderator.web.signing_in.ways import ways
from moderator.web.site import Site, SiteOf

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/sign-in")
@open_to_all
def show(site: SiteOf, next: str = "") -> Response:  # noqa: A002 - the field's name in the address
    """Show the form."""
    return _page(site, go_on=own_path(next) if next else "")


@router.post("/sign-in/password")
@open_to_all
def password_given(request: Request, site: SiteOf, email: Text = "", password: Text = "", next: Text = "") -> Response:  # noqa: A002 - as above
    """Go on to the code when the password is right. Wrong, unknown, and not set up all get the same page."""
    tried = try_password(site, request, email=email, password=password)
    if tried.person_id is None:
        page = _again(site, tried, go_on=own_path(next) if next else "", email=email)
        page.background = BackgroundTask(synced, site, *tried.schools)
        return page
    response = RedirectResponse(asking("/sign-in/code", next or "/"), status_code=303)
    with site.database.unit() as unit:
        begin_step(site, unit, request, response, purpose=Purpose.HALF, person_id=tried.person_id)
    return response


@router.get("/sign-in/code")
@open_to_all
def show_code(request: Request, site: SiteOf, next: str = "") -> Response:  # noqa: A002 - as above
    """Ask for the code; whoever has given no password lately starts again."""
    with site.database.reading() as connection:
        if step_in(site, connection, request, purpose=Purpose.HALF) is None:
            return RedirectResponse("/sign-in", status_code=303)
    return site.pages.html("sign_in_code", go_on=own_path(next), problem="")


@router.post("/sign-in/code")
@open_to_all
def code_given(request: Request, site: SiteOf, code: Text = "", next: Text = "") -> Response:  # noqa: A002 - as above
    """Start the session when the code is right; it is good once. After a few wrong ones the password is asked for again.

    In a browser that is not the person's own, after AT_ONCE wrong tries a code is looked at only when the wait after the last wrong one is
    over: whoever knows the password could else begin again and again, and try two codes each time.
    """
    try:
        with site.database.unit() as unit:
            step = step_in(site, unit.connection, request, purpose=Purpose.HALF)
            if step is None:
                return RedirectResponse("/sign-in", status_code=303)
            half, person_id = step
            known, now = known_here(site, unit.connection, request, person_id), site.clock.now()
            kept = proofs.proofs_of(unit.connection, person_id)
            free = bool(known) or kept.failures < AT_ONCE
            wait = timedelta(0) if free else proofs.wait_after(kept.failures, kept.failed_at, at=now)
            if not known and not wait and not proofs.claim_try(unit.connection, kept, now):
                wait = timedelta(seconds=1)  # another try came between: only one is looked at
            how = try_code(site, unit, person_id, code) if not wait else ""
            if how:
                proofs.went_well(unit.connection, person_id)
                end_sessions(unit.connection, person_id, at=site.clock.now(), only=(Purpose.HALF,))
                how = half.actor if half.actor and how == "password" else how  # the step before may have been an identity provider
                response = start_session(site, unit, request, person_id, how, to=own_path(next))
                end_step(site, response)
                return response
    except NotAllowed:
        return site.pages.html("trouble", status=403, title="You are not designated", what=_NOT_DESIGNATED)
    return _wrong_code(site, half, person_id, known, next)


AT_ONCE = 3
"""Wrong tries, of the password too, after which a code must wait (our choice): who mistypes one or the other goes on at once."""
_NOT_DESIGNATED = "Your designation has ended or has not begun. Ask your Headteacher."


def _wrong_code(site: Site, half: SignIn, person_id: int, known: str, go_on: str) -> Response:
    went_wrong("sign_in_refused", by="code")
    if known:
        site.throttle.wrong_in(known)
    schools = tell(site, person_id)
    over = site.throttle.wrong_step(half.reference)
    if over:
        with site.database.unit() as unit:
            end_sessions(unit.connection, person_id, at=site.clock.now(), only=(Purpose.HALF,))
        page = _page(site, status=403, go_on=own_path(go_on), problem="Too many wrong codes. Start again with your password.")
        end_step(site, page)
    else:
        page = site.pages.html("sign_in_code", status=403, go_on=own_path(go_on), problem=WRONG_CODE)
    page.background = BackgroundTask(synced, site, *schools)
    return page


WRONG = "The e-mail address or the password is not right."
WRONG_CODE = "This code is not right, or it was used before. Wait for the next one and type that."


def _page(site: Site, *, status: int = 200, go_on: str = "", **told: str) -> Response:
    facts: dict[str, object] = {"email": "", "problem": "", "wait": "", **told}
    return site.pages.html("sign_in", status=status, go_on=go_on, **facts, **ways(site))


def _again(site: Site, tried: Tried, *, go_on: str, email: str) -> Response:
    if not tried.wait:
        return _page(site, status=403, go_on=go_on, email=email, problem=WRONG)
    response = _page(site, status=429, go_on=go_on, email=email, wait=wait_words(tried.wait))
    response.headers["Retry-After"] = str(ceil(tried.wait.total_seconds()))
    return response


def wait_words(wait: timedelta) -> str:
    """Return how long to wait, for a person."""
    seconds = ceil(wait.total_seconds())
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"

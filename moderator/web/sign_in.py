"""Signing in by a one-time link, and out again. The link is made by the command that starts the service, and printed there."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from moderator.observe import happened, went_wrong
from moderator.store.database import Database
from moderator.store.sign_in import Purpose, add, forget_ended, use
from moderator.web.cookie import drop_cookie, read_cookie, set_cookie
from moderator.web.origin import Origin
from moderator.web.site import SessionOf, SiteOf

LINK_LIVES = timedelta(hours=24)
SESSION_LIVES = timedelta(hours=12)
"""Our choices: a link printed in the morning works all day, a session ends by the evening."""

router = APIRouter()


def new_link(database: Database, *, actor: str, now: datetime, base_url: str) -> str:
    """Return a fresh link that signs `actor` (a designation reference, never a name) in once within LINK_LIVES of `now`.

    Every call makes another link. Raises BadInput for an address the app cannot have.
    """
    origin = Origin.of(base_url)
    secret = secrets.token_urlsafe(32)
    with database.unit() as unit:
        forget_ended(unit.connection, at=now)
        add(unit.connection, secret, purpose=Purpose.LINK, actor=actor, expires_at=now + LINK_LIVES)
    return f"{origin.text}/sign-in/{secret}"


@router.get("/sign-in")
def how_to_sign_in(site: SiteOf) -> Response:
    """Say how to get a link."""
    return site.pages.html("strangers", title="Please sign in", what="", go_on="")


@router.get("/sign-in/{secret}")
def show_button(site: SiteOf, secret: str) -> Response:
    """Show one button. Opening the link uses nothing up: mail scanners open links too."""
    return site.pages.html("sign_in", secret=secret, failed=False)


@router.post("/sign-in")
def sign_in(request: Request, site: SiteOf, secret: Annotated[str, Form()] = "") -> Response:
    """Use the link up and start a session, ending the one this browser had. A link that is used or too old gets a 403 page."""
    now = site.clock.now()
    session = secrets.token_urlsafe(32)
    with site.database.unit() as unit:
        link = use(unit.connection, secret, purpose=Purpose.LINK, at=now)
        if link is None:
            went_wrong("sign_in_refused")
            return site.pages.html("sign_in", status=403, secret="", failed=True)
        use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=now)
        started = add(unit.connection, session, purpose=Purpose.SESSION, actor=link.actor, expires_at=now + SESSION_LIVES)
    happened("signed_in", actor=started.actor, session=started.reference)
    response = RedirectResponse("/", status_code=303)
    set_cookie(response, session, origin=site.origin, now=now, until=started.expires_at)
    return response


@router.post("/sign-out")
def sign_out(request: Request, site: SiteOf, session: SessionOf) -> Response:
    """End the session at once."""
    with site.database.unit() as unit:
        use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=site.clock.now())
    happened("signed_out", actor=session.actor, session=session.reference)
    response = RedirectResponse("/sign-in", status_code=303)
    drop_cookie(response, site.origin)
    return response

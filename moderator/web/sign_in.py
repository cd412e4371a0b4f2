"""Signing in by a one-time link from the console, and signing out. The link is made by the command line, used by a person."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.times import london_date
from moderator.observe import happened, went_wrong
from moderator.store import register
from moderator.store.database import Database
from moderator.store.proofs import has_any
from moderator.store.sign_in import Purpose, add, forget_ended, use
from moderator.web.cookie import drop_cookie, read_cookie
from moderator.web.need import open_to_all, open_to_signed_in
from moderator.web.origin import Origin
from moderator.web.signing_in.session import LINK, SESSION_LIVES, start_session
from moderator.web.signing_in.set_up import is_set_up, new_set_up_code
from moderator.web.site import SessionOf, Site, SiteOf

__all__ = ["LINK_LIVES", "SESSION_LIVES", "is_set_up", "new_link", "new_set_up_code", "router"]

LINK_LIVES = timedelta(hours=24)
"""Our choice: a link printed in the morning works all day."""

router = APIRouter()


def new_link(database: Database, *, actor: str, now: datetime, base_url: str) -> str:
    """Return a fresh link that signs the person of a designation (`HEAD-1`) in once within LINK_LIVES of `now`.

    Every call makes another link. Raises BadInput for an address the app cannot have, or a designation that is not live today.
    """
    origin = Origin.of(base_url)
    secret = secrets.token_urlsafe(32)
    with database.unit() as unit:
        acting = register.acting_by_reference(unit.connection, actor, london_date(now))
        if acting is None:
            message = f"there is no live designation {actor!r}: `moderator person list` shows who is designated"
            raise BadInput(message)
        forget_ended(unit.connection, at=now)
        add(unit.connection, secret, purpose=Purpose.LINK, actor=actor, person_id=acting.person.id, expires_at=now + LINK_LIVES)
    return f"{origin.text}/sign-in/{secret}"


@router.get("/sign-in/{secret}")
@open_to_all
def show_button(site: SiteOf, secret: str) -> Response:
    """Show one button. Opening the link uses nothing up: mail scanners open links too."""
    return site.pages.html("sign_in_link", secret=secret, failed=False)


@router.post("/sign-in")
@open_to_all
def sign_in(request: Request, site: SiteOf, secret: Annotated[str, Form()] = "") -> Response:
    """Use the link up and start a session, ending the one this browser had. A link that is used or too old gets a 403 page.

    The link proves only that its holder could reach the console: whoever has a password or a passkey is asked for it before a
    sensitive act.
    """
    try:
        with site.database.unit() as unit:
            link = use(unit.connection, secret, purpose=Purpose.LINK, at=site.clock.now())
            if link is None or link.person_id is None:
                return _refused(site)
            alone = not has_any(unit.connection, link.person_id)
            return start_session(site, unit, request, link.person_id, LINK, proved=alone)
    except NotAllowed:
        return _refused(site)


def _refused(site: Site) -> Response:
    went_wrong("sign_in_refused", by=LINK)
    return site.pages.html("sign_in_link", status=403, secret="", failed=True)


@router.post("/sign-out")
@open_to_signed_in
def sign_out(request: Request, site: SiteOf, session: SessionOf) -> Response:
    """End the session at once."""
    with site.database.unit() as unit:
        use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=site.clock.now())
    happened("signed_out", actor=session.actor, session=session.reference)
    response = RedirectResponse("/sign-in", status_code=303)
    drop_cookie(response, site.origin)
    return response

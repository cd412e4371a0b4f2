"""The step between: a sign-in that waits for its code, a set-up that waits for its app. A short-lived row and a cookie, never a session."""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

import sqlalchemy as sa
from fastapi import HTTPException, Request, Response

from moderator.store.database import SqlUnit
from moderator.store.sealed import Sealer
from moderator.store.sign_in import Purpose, SignIn, add, find
from moderator.web.cookie import STEP, drop_cookie, read_cookie, set_cookie
from moderator.web.signing_in.session import agent_of
from moderator.web.site import Site

LIVES = {Purpose.HALF: timedelta(minutes=5), Purpose.ENROL: timedelta(minutes=30)}
"""Our choices: a code is typed at once; choosing a password and setting up an app takes a cup of tea."""


class StepOver(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """This took too long, or it was done already."""


def begin_step(  # noqa: PLR0913 - the request and the answer, and what the step is for
    site: Site, unit: SqlUnit, request: Request, response: Response, *, purpose: Purpose, person_id: int, by: str = ""
) -> None:
    """Start a step for a person in this browser; it takes the place of an earlier one.

    `by` is what they have shown already, where that is not their password: `oidc`.
    """
    now, secret = site.clock.now(), secrets.token_urlsafe(32)
    until = now + LIVES[purpose]
    add(unit.connection, secret, purpose=purpose, actor=by, expires_at=until, person_id=person_id, agent_sha256=agent_of(request))
    set_cookie(response, secret, origin=site.origin, now=now, until=until, kind=STEP)


def step_in(site: Site, connection: sa.Connection, request: Request, *, purpose: Purpose) -> tuple[SignIn, int] | None:
    """Return the live step of this browser and whose it is; None when there is none, it is over, or another browser shows it."""
    found = find(connection, read_cookie(request, site.origin, kind=STEP), purpose=purpose, at=site.clock.now())
    if found is None or found.person_id is None or found.agent_sha256 != agent_of(request):
        return None
    return found, found.person_id


def end_step(site: Site, response: Response) -> None:
    """Take the step's cookie back."""
    drop_cookie(response, site.origin, kind=STEP)


def app_secret(site: Site, request: Request) -> str:
    """Return the secret of the app that this set-up is about, base 32.

    It is made from the step's own random secret, which only this browser holds: nothing is stored before the app has shown a right code,
    and a page loaded again shows the same picture. 160 bits, as RFC 4226 (section 4, R6) recommends.
    """
    step = read_cookie(request, site.origin, kind=STEP)
    made = hmac.digest(step.encode("utf-8", "surrogatepass"), b"moderator: secret of an app", hashlib.sha256)
    return base64.b32encode(made[:20]).decode()


def sealer_in(site: Site) -> Sealer:
    """Return what seals a person's secrets. Raises HTTPException 404 in an app that was made without one."""
    if site.sealer is None:
        raise HTTPException(status_code=404)
    return site.sealer

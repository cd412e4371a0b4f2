"""Signing in with a passkey alone: it is something the person has, and it asks for a finger, a face or a PIN. Two factors in one."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from moderator.domain.errors import NotAllowed
from moderator.domain.times import london_date
from moderator.observe import went_wrong
from moderator.store import authorising, passkeys, register
from moderator.store.database import SqlUnit
from moderator.store.passkeys import Passkey
from moderator.store.sealed import Sealer
from moderator.web.need import open_to_all
from moderator.web.noted import synced
from moderator.web.signing_in.own_path import own_path
from moderator.web.signing_in.passkey_check import TIMEOUT_SECONDS, Answered, ask_who, handle, held, looks_copied, named_in, passkeys_work
from moderator.web.signing_in.session import start_session, write_down
from moderator.web.signing_in.step import sealer_in
from moderator.web.site import Site, SiteOf

SIGN_IN = "passkey-sign-in"
"""What a question was asked for; an answer to another one is refused."""
COPIED = "passkey_copied"
"""Reason of the ledger's line when a passkey's count went back: somebody else may hold a copy."""

router = APIRouter()
Text = Annotated[str, Form()]


def sealer_of(site: Site) -> Sealer:
    """Return what seals the challenges. Raises HTTPException 404 where passkeys cannot be used."""
    if not passkeys_work(site.origin):
        raise HTTPException(status_code=404)
    return sealer_in(site)


def until(now: datetime) -> datetime:
    """Return when a question asked now is over."""
    return now + timedelta(seconds=TIMEOUT_SECONDS)


@router.post("/sign-in/passkey/question")
@open_to_all
def ask(request: Request, site: SiteOf) -> Response:
    """Ask any passkey of this site who it is. Good once, for five minutes. One client address may ask this only so often (429)."""
    if not site.throttle.asked_from(request.client.host if request.client else ""):
        return JSONResponse({}, status_code=429)
    sealer, now, asked = sealer_of(site), site.clock.now(), ask_who(site.origin)
    with site.database.unit() as unit:
        authorising.forget_ended(unit.connection, at=now)
        payload = {"for": SIGN_IN, "challenge": asked.challenge}
        state = authorising.begin(unit.connection, sealer, payload=payload, expires_at=until(now))
    return JSONResponse({"state": state, "options": asked.options})


@router.post("/sign-in/passkey")
@open_to_all
def answer(request: Request, site: SiteOf, state: Text = "", answer: Text = "", next: Text = "") -> Response:  # noqa: A002 - the field's name
    """Sign the passkey's person in and go on to `next`, or say why not. Without JavaScript there is no answer: say what to do instead."""
    sealer = sealer_of(site)
    if not answer:
        return site.pages.html("passkey", status=400, why="nothing", back="/sign-in")
    with site.database.unit() as unit:
        passkey, found, why = _judged(site, unit, sealer, state, answer)
        if passkey is not None and found is not None and not why:
            try:
                return start_session(site, unit, request, passkey.person_id, "passkey", to=own_path(next))
            except NotAllowed:
                why = "not_designated"
        schools = _told(site, unit, passkey) if why == COPIED and passkey is not None else []
    went_wrong("sign_in_refused", by="passkey", why=why)
    page = site.pages.html("passkey", status=403, why=why, back="/sign-in")
    page.background = BackgroundTask(synced, site, *schools)
    return page


def _judged(site: Site, unit: SqlUnit, sealer: Sealer, state: str, answer: str) -> tuple[Passkey | None, Answered | None, str]:
    """Return the passkey, its answer where that holds, and why it is refused ("" when it is not).

    1. The question must be ours, live and not answered before.
    2. The passkey must be in the register, and its answer hold.
    3. Its count must have gone on; of two answers at once, one gets in.
    """
    now = site.clock.now()
    asked = authorising.finish(unit.connection, sealer, state, at=now)
    if asked is None or asked[0].get("for") != SIGN_IN:
        return None, None, "too_late"
    credential, whose = named_in(answer)
    passkey = passkeys.find(unit.connection, credential)
    if passkey is None:
        return None, None, "unknown"
    found = held(site.origin, answer, asked[0]["challenge"], passkey)
    if found is None or whose not in {None, handle(passkey.person_id)}:
        return passkey, None, "wrong"
    if looks_copied(passkey, found.sign_count):
        return passkey, found, COPIED
    return passkey, found, "" if passkeys.used(unit.connection, passkey, count=found.sign_count, at=now) else "wrong"


def _told(site: Site, unit: SqlUnit, passkey: Passkey) -> list[str]:
    """Write in the ledgers that a passkey may have been copied; return the schools."""
    now = site.clock.now()
    acting = register.acting(unit.connection, passkey.person_id, london_date(now))
    return write_down(unit, acting, now, subject="passkey", reason=COPIED) if acting is not None else []

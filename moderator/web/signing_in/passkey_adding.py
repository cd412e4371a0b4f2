"""A person's own passkeys: add one with a name, remove one. Its lists and forms stand on the security page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from moderator.domain.errors import BadInput
from moderator.observe import happened, went_wrong
from moderator.store import authorising, passkeys
from moderator.store.database import SqlUnit
from moderator.store.passkeys import Passkey
from moderator.web.need import acting_of, open_to_signed_in
from moderator.web.noted import synced
from moderator.web.signing_in.changed import note_change
from moderator.web.signing_in.fresh import FreshProof
from moderator.web.signing_in.passkey import sealer_of, until
from moderator.web.signing_in.passkey_check import added, ask_to_add
from moderator.web.site import SessionOf, SiteOf

ADD = "passkey-add"
LONGEST_LABEL = 60
MOST = 10
"""Passkeys of one person (our choice): a phone, a tablet, a few computers and a spare key."""

FRESH = Depends(FreshProof("/security"))

router = APIRouter()


@router.post("/security/passkeys/question", dependencies=[FRESH])
@open_to_signed_in
def ask(request: Request, site: SiteOf, session: SessionOf) -> Response:
    """Ask the person's device for a new passkey. Good once, for five minutes, in this session."""
    sealer, now, acting = sealer_of(site), site.clock.now(), acting_of(request)
    with site.database.unit() as unit:
        authorising.forget_ended(unit.connection, at=now)
        asked = ask_to_add(site.origin, acting.person, passkeys.of_person(unit.connection, acting.person.id))
        payload = {"for": ADD, "challenge": asked.challenge}
        state = authorising.begin(unit.connection, sealer, payload=payload, session=session.reference, expires_at=until(now))
    return JSONResponse({"state": state, "options": asked.options})


@router.post("/security/passkeys", dependencies=[FRESH])
@open_to_signed_in
def add(  # noqa: PLR0913, PLR0917 - the form's fields
    request: Request,
    site: SiteOf,
    session: SessionOf,
    state: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    label: Annotated[str, Form()] = "",
) -> Response:
    """Store the new passkey under its name; an answer that does not hold changes nothing."""
    sealer, now, acting = sealer_of(site), site.clock.now(), acting_of(request)
    why = "nothing" if not answer else ""
    with site.database.unit() as unit:
        asked = authorising.finish(unit.connection, sealer, state, at=now)
        if not why and (asked is None or asked[0].get("for") != ADD or asked[2] != session.reference):
            why = "too_late"
        made = added(site.origin, answer, asked[0]["challenge"]) if asked is not None and not why else None
        if made is not None:
            called = " ".join(label.split())[:LONGEST_LABEL] or "Passkey"
            key = Passkey(made.credential_id, acting.person.id, made.public_key, made.sign_count, called, now)
            why = _kept(unit, key)
        else:
            why = why or "wrong"
        schools = note_change(unit, acting, now, reason="passkey_added") if not why else []
    if why:
        went_wrong("passkey_refused", why=why)
        return site.pages.html("passkey", status=400, why=why, back="/security")
    happened("passkey_added", session=session.reference)
    synced(site, *schools)
    return RedirectResponse("/security?done=passkey_added", status_code=303)


@router.post("/security/passkeys/remove", dependencies=[FRESH])
@open_to_signed_in
def remove(request: Request, site: SiteOf, session: SessionOf, credential: Annotated[str, Form()] = "") -> Response:
    """Remove one of the person's own passkeys; the last way in stays."""
    acting = acting_of(request)
    try:
        with site.database.unit() as unit:
            if not passkeys.remove(unit.connection, credential, person_id=acting.person.id):
                raise HTTPException(status_code=404)
            schools = note_change(unit, acting, site.clock.now(), reason="passkey_removed")
    except BadInput:
        return site.pages.html("passkey", status=409, why="last", back="/security")
    happened("passkey_removed", session=session.reference)
    synced(site, *schools)
    return RedirectResponse("/security?done=passkey_removed", status_code=303)


def _kept(unit: SqlUnit, key: Passkey) -> str:
    """Store a passkey; return why it was not ("" when it was)."""
    if len(passkeys.of_person(unit.connection, key.person_id)) >= MOST:
        return "too_many"
    try:
        passkeys.add(unit.connection, key)
    except BadInput:
        return "known"
    return ""

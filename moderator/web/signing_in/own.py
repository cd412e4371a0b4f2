"""The security page: a person's own password, app, recovery codes, passkeys and sessions. Each change needs a fresh proof."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.password import LONGEST, SHORTEST
from moderator.observe import happened
from moderator.store import passkeys, people, proofs
from moderator.store.sign_in import Purpose, SignIn, end_session, end_sessions, sessions_of
from moderator.web.cookie import drop_cookie
from moderator.web.need import Visit, acting_of, open_to_signed_in
from moderator.web.noted import synced
from moderator.web.signing_in.changed import note_change
from moderator.web.signing_in.enrol import password_fault
from moderator.web.signing_in.fresh import FreshProof
from moderator.web.signing_in.oidc_forget import known_at
from moderator.web.signing_in.session import SESSION_LIVES, renew_session
from moderator.web.signing_in.step import begin_step
from moderator.web.signing_in.ways import ways
from moderator.web.site import SessionOf, Site, SiteOf
from moderator.web.words import done_words

router = APIRouter()
Text = Annotated[str, Form()]
PAGE = "/security"
PROVED = [Depends(FreshProof(PAGE))]


@dataclass(frozen=True, slots=True)
class Device:
    """One browser the person is signed in with. `here` is this one."""

    reference: str
    since: datetime
    used: datetime
    here: bool


@router.get(PAGE)
@open_to_signed_in
def show(request: Request, site: SiteOf, session: SessionOf, done: str = "") -> Response:
    """Show what the person signs in with, and where they are signed in."""
    return _page(site, request, session, done=done_words(done))


@router.post(f"{PAGE}/password", dependencies=PROVED)
@open_to_signed_in
def change_password(request: Request, site: SiteOf, session: SessionOf, password: Text = "", again: Text = "") -> Response:
    """Store a new password; every other session of the person ends, and this one gets a new secret."""
    acting = acting_of(request)
    fault = password_fault(site, acting.person, password, again)
    if fault:
        return _page(site, request, session, problem=fault)
    with site.throttle.hashing():
        made = proofs.hashed(password)
    response = _back("password_changed")
    with site.database.unit() as unit:
        proofs.set_password(unit.connection, acting.person.id, made)
        end_sessions(unit.connection, acting.person.id, at=site.clock.now(), only=(Purpose.SESSION, Purpose.HALF, Purpose.LINK))
        renew_session(site, unit, request, response, session)
        schools = note_change(unit, acting, site.clock.now(), reason="password_changed")
    synced(site, *schools)
    return response


@router.post(f"{PAGE}/app", dependencies=PROVED)
@open_to_signed_in
def change_app(request: Request, site: SiteOf) -> Response:
    """Go on to set up an app: the old one stays good until the new one has shown a code. Without a password, that comes first."""
    person_id = acting_of(request).person.id
    response = RedirectResponse("/enrol/app", status_code=303)
    with site.database.unit() as unit:
        begin_step(site, unit, request, response, purpose=Purpose.ENROL, person_id=person_id)
    return response


@router.post(f"{PAGE}/codes", dependencies=PROVED)
@open_to_signed_in
def change_codes(request: Request, site: SiteOf) -> Response:
    """Show a new sheet of recovery codes, once; the old ones end. Loading the answer again makes another sheet."""
    acting, now = acting_of(request), site.clock.now()
    with site.database.unit() as unit:
        codes = proofs.new_recovery_codes(unit.connection, acting.person.id, at=now)
        schools = note_change(unit, acting, now, reason="recovery_codes_made")
    synced(site, *schools)
    return site.pages.html("recovery_codes", codes=codes, back=PAGE, actor=acting.designations[0].reference)


@router.post(f"{PAGE}/sessions/{{reference}}/end")
@open_to_signed_in
def end_one(request: Request, site: SiteOf, reference: str) -> Response:
    """End one of the person's own sessions. Nobody else's can be named here."""
    with site.database.unit() as unit:
        ended = end_session(unit.connection, acting_of(request).person.id, reference, at=site.clock.now())
    if not ended:
        raise HTTPException(status_code=404)
    happened("session_ended", session=reference)
    return _back("session_ended")


@router.post(f"{PAGE}/everywhere")
@open_to_signed_in
def end_all(request: Request, site: SiteOf, session: SessionOf) -> Response:
    """End every session of the person, this one too, and forget the browsers they are known in."""
    with site.database.unit() as unit:
        end_sessions(unit.connection, acting_of(request).person.id, at=site.clock.now())
    happened("signed_out_everywhere", actor=session.actor)
    response = RedirectResponse("/sign-in", status_code=303)
    drop_cookie(response, site.origin)
    return response


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"{PAGE}?done={done}", status_code=303)


def _page(site: Site, request: Request, session: SignIn, *, done: str = "", problem: str = "") -> Response:
    acting = acting_of(request)
    with site.database.reading() as connection:
        kept = proofs.proofs_of(connection, acting.person.id)
        live = sessions_of(connection, acting.person.id, at=site.clock.now())
        keys = passkeys.of_person(connection, acting.person.id)
        theirs = next((each for each in people.schools(connection) if acting.belongs_to(each.slug)), None)
    return site.pages.html(
        "security",
        status=400 if problem else 200,
        visit=Visit(acting, session, theirs, session.actor) if theirs else None,
        section="security",
        person=acting.person,
        kept=kept,
        passkeys=keys if ways(site)["passkeys"] else None,
        keyed=bool(keys),
        known_at=known_at(site, acting),
        devices=[
            Device(
                each.reference,
                each.expires_at - SESSION_LIVES,
                each.seen_at or each.expires_at - SESSION_LIVES,
                each.reference == session.reference,
            )
            for each in live
        ],
        done=done,
        problem=problem,
        shortest=SHORTEST,
        longest=LONGEST,
    )

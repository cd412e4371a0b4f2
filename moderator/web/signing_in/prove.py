"""Proving again who one is, before a sensitive act: password and code, without leaving the session. `FreshProof` sends people here."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from moderator.observe import went_wrong
from moderator.store import proofs
from moderator.store.sign_in import Purpose, SignIn, use
from moderator.web.cookie import read_cookie
from moderator.web.need import acting_of, open_to_signed_in
from moderator.web.noted import synced
from moderator.web.signing_in.own_path import own_path
from moderator.web.signing_in.session import renew_session
from moderator.web.signing_in.trying import tell, try_code
from moderator.web.signing_in.ways import ways
from moderator.web.site import SessionOf, Site, SiteOf

router = APIRouter()
Text = Annotated[str, Form()]
WRONG = "The password or the code is not right. Wait for the next code, then try both again."


@router.get("/prove")
@open_to_signed_in
def show(request: Request, site: SiteOf, next: str = "") -> Response:  # noqa: A002 - the field's name in the address
    """Ask for password and code."""
    return _page(site, request, own_path(next))


@router.post("/prove")
@open_to_signed_in
def take(request: Request, site: SiteOf, session: SessionOf, password: Text = "", code: Text = "", next: Text = "") -> Response:  # noqa: A002, PLR0913, PLR0917 - the form's fields
    """Renew the session with a new secret when both are right. After too many wrong ones in this session, it ends."""
    person_id, go_on = acting_of(request).person.id, own_path(next)
    response = RedirectResponse(go_on, status_code=303)
    if site.throttle.browser_full(session.reference):
        return _over(site, request)
    with site.database.reading() as connection:
        kept = proofs.proofs_of(connection, person_id)
    with site.throttle.hashing():
        right = kept.complete and proofs.matches(kept.password_hash, password)
    with site.database.unit() as unit:
        if right and try_code(site, unit, person_id, code):
            renew_session(site, unit, request, response, session)
            return response
    return _wrong(site, request, session, person_id, go_on)


def _wrong(site: Site, request: Request, session: SignIn, person_id: int, go_on: str) -> Response:
    went_wrong("proof_refused", actor=session.actor, session=session.reference)
    site.throttle.wrong_in(session.reference)
    schools = tell(site, person_id)
    page = _over(site, request) if site.throttle.browser_full(session.reference) else _page(site, request, go_on, WRONG)
    page.background = BackgroundTask(synced, site, *schools)
    return page


def _over(site: Site, request: Request) -> Response:
    """End the session: whoever sits here is perhaps not its person."""
    with site.database.unit() as unit:
        use(unit.connection, read_cookie(request, site.origin), purpose=Purpose.SESSION, at=site.clock.now())
    return RedirectResponse("/sign-in", status_code=303)


def _page(site: Site, request: Request, go_on: str, problem: str = "") -> Response:
    with site.database.reading() as connection:
        person_id = acting_of(request).person.id
        kept, alone = proofs.proofs_of(connection, person_id), not proofs.has_any(connection, person_id)
    facts = {"go_on": go_on, "problem": problem, "complete": kept.complete, "alone": alone}
    return site.pages.html(
        "prove", status=403 if problem else 200, actor=acting_of(request).designations[0].reference, **facts, **ways(site)
    )

"""Setting up a sign-in: a password, an app with its first code, recovery codes. After an invitation, the first set-up, or for a new app."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.account import School
from moderator.domain.errors import NotAllowed
from moderator.domain.password import LONGEST, SHORTEST, refusal
from moderator.domain.register import Person
from moderator.store import proofs, register
from moderator.store.database import SqlUnit
from moderator.store.sign_in import Purpose, end_sessions
from moderator.web.need import open_to_all
from moderator.web.signing_in.app_picture import app_address, in_fours, picture
from moderator.web.signing_in.session import session_in, start_session
from moderator.web.signing_in.step import StepOver, app_secret, end_step, sealer_in, step_in
from moderator.web.site import Site, SiteOf

router = APIRouter()
Text = Annotated[str, Form()]


def _person(site: Site, request: Request) -> Person:
    """Return who is setting up a sign-in in this browser. Raises StepOver when nobody is."""
    with site.database.reading() as connection:
        step = step_in(site, connection, request, purpose=Purpose.ENROL)
        if step is None:
            raise StepOver
        return register.person(connection, step[1])


def about(person: Person, schools: list[School]) -> list[str]:
    """Return the words that a person's password must not be made of."""
    return [person.name, person.email, *(word for school in schools for word in (school.name, school.trust))]


def password_fault(site: Site, person: Person, password: str, again: str) -> str:
    """Return what is wrong with a new password, as a sentence; an empty text when it can be taken."""
    if password != again:
        return "The two are not the same. Type the new password twice."
    return refusal(password, about=about(person, site.database.schools()))


@router.get("/enrol/password")
@open_to_all
def ask_password(request: Request, site: SiteOf) -> Response:
    """Ask for a new password."""
    return _password_page(site, _person(site, request))


@router.post("/enrol/password")
@open_to_all
def take_password(request: Request, site: SiteOf, password: Text = "", again: Text = "") -> Response:
    """Take the password and go on to the app. May be repeated until the app is set up."""
    person = _person(site, request)
    fault = password_fault(site, person, password, again)
    if fault:
        return _password_page(site, person, fault)
    with site.throttle.hashing():
        made = proofs.hashed(password)
    with site.database.unit() as unit:
        proofs.set_password(unit.connection, person.id, made)
    return RedirectResponse("/enrol/app", status_code=303)


def _password_page(site: Site, person: Person, problem: str = "") -> Response:
    return site.pages.html(
        "enrol_password", status=400 if problem else 200, email=person.email, problem=problem, shortest=SHORTEST, longest=LONGEST
    )


@router.get("/enrol/app")
@open_to_all
def show_app(request: Request, site: SiteOf) -> Response:
    """Show what the app needs, and ask for its first code; the password comes first."""
    person = _person(site, request)
    if _without_password(site, person):
        return RedirectResponse("/enrol/password", status_code=303)
    return _app_page(site, request, person)


@router.get("/enrol/totp.svg")
@open_to_all
def show_picture(request: Request, site: SiteOf) -> Response:
    """Show the QR code."""
    person = _person(site, request)
    return Response(picture(app_address(app_secret(site, request), person)), media_type="image/svg+xml")


@router.post("/enrol/app")
@open_to_all
def take_app(request: Request, site: SiteOf, code: Text = "") -> Response:
    """Take the app once its code is right, and show the recovery codes: the only time anybody sees them.

    1. The app's secret is stored, sealed; the code is not good again.
    2. Invitations and set-ups on their way to this person end.
    3. Whoever is not signed in yet is from now on. Whoever is stays so; the person's other sessions end.
    """
    person = _person(site, request)
    if _without_password(site, person):
        return RedirectResponse("/enrol/password", status_code=303)
    secret, now = app_secret(site, request), site.clock.now()
    step = proofs.code_of_app(secret, code, at=now)
    if step is None:
        return _app_page(site, request, person, "This code is not right. Wait for the next one in the app and type that.")
    signed_in = session_in(site, request)
    try:
        with site.database.unit() as unit:
            proofs.set_app(unit.connection, sealer_in(site), person.id, secret, step=step)
            proofs.went_well(unit.connection, person.id)
            codes = proofs.new_recovery_codes(unit.connection, person.id, at=now)
            end_sessions(unit.connection, person.id, at=now, only=(Purpose.INVITE, Purpose.ENROL, Purpose.HALF, Purpose.SESSION))
            page = site.pages.html("recovery_codes", codes=codes, back="/security" if signed_in else "/")
            _sign_in(site, unit, request, page, person.id)
    except NotAllowed:
        raise StepOver from None
    end_step(site, page)
    return page


def _sign_in(site: Site, unit: SqlUnit, request: Request, page: Response, person_id: int) -> None:
    """Start the session and let the page carry its cookies."""
    started = start_session(site, unit, request, person_id, "password")
    page.raw_headers.extend((name, value) for name, value in started.raw_headers if name == b"set-cookie")
    page.background = started.background


def _without_password(site: Site, person: Person) -> bool:
    with site.database.reading() as connection:
        return not proofs.proofs_of(connection, person.id).password_hash


def _app_page(site: Site, request: Request, person: Person, problem: str = "") -> Response:
    secret = app_secret(site, request)
    facts = {"secret": in_fours(secret), "address": app_address(secret, person), "problem": problem}
    return site.pages.html("enrol_app", status=400 if problem else 200, **facts)

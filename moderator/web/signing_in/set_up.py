"""The first set-up: whoever holds the one-time code on the console names the first CEO or Headteacher. Gone once there is one (404)."""

from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import ROLE_WORDS, SIGNS_FOR, Role
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import EVERY_SCHOOL, Designation
from moderator.domain.times import london_date
from moderator.observe import happened, went_wrong
from moderator.store import people, register
from moderator.store.database import Database, SqlUnit
from moderator.store.proofs import new_code, read_code
from moderator.store.sign_in import Purpose, add, end_set_up, find, use
from moderator.web.need import open_to_all
from moderator.web.noted import synced
from moderator.web.signing_in.step import begin_step
from moderator.web.site import Site, SiteOf

CODE_LIVES = timedelta(hours=24)
"""Our choice: long enough for the Headteacher to come to the machine, short enough not to be forgotten in a drawer."""
CONSOLE = "console"
"""Who signs the first designation, for the ledger and the register: whoever started the service."""

router = APIRouter()
Text = Annotated[str, Form()]


def is_set_up(connection: sa.Connection, now: datetime) -> bool:
    """Return whether a CEO or Headteacher is designated today, anywhere in the trust: then they designate everybody else (R3)."""
    schools = [each.slug for each in people.schools(connection)]
    return any(register.someone_is(connection, tuple(SIGNS_FOR), slug, london_date(now)) for slug in (*schools, EVERY_SCHOOL))


def new_set_up_code(database: Database, *, now: datetime) -> str:
    """Return a new one-time code for the first set-up, good for CODE_LIVES; earlier ones end. Every call makes another one.

    Raises BadInput when somebody is designated already: they, not the console, say who may sign in.
    """
    code = new_code()
    with database.unit() as unit:
        if is_set_up(unit.connection, now):
            message = "a CEO or Headteacher is designated already; for a sign-in link: moderator link --person HEAD-1"
            raise BadInput(message)
        end_set_up(unit.connection, at=now)
        add(unit.connection, read_code(code), purpose=Purpose.SET_UP, expires_at=now + CODE_LIVES)
    return code


def _refuse_when_done(site: Site) -> None:
    with site.database.reading() as connection:
        if is_set_up(connection, site.clock.now()):
            raise HTTPException(status_code=404)


@router.get("/set-up")
@open_to_all
def show(site: SiteOf) -> Response:
    """Ask who is first."""
    _refuse_when_done(site)
    return _page(site, {"code": "", "who": "", "name": "", "email": ""})


@router.post("/set-up")
@open_to_all
def take(request: Request, site: SiteOf, code: Text = "", who: Text = "", name: Text = "", email: Text = "") -> Response:  # noqa: PLR0913, PLR0917 - the form's fields
    """Designate the first person and go on to their password.

    1. A wrong code is counted by client address; it has 80 bits, so this is for the log.
    2. Person and designation are stored and the code is used up, in one transaction with the ledger's lines.
    """
    _refuse_when_done(site)
    typed = {"code": code, "who": who, "name": name, "email": email}
    address, now = request.client.host if request.client else "", site.clock.now()
    response = RedirectResponse("/enrol/password", status_code=303)
    try:
        with site.database.unit() as unit:
            if site.throttle.address_full(address) or find(unit.connection, read_code(code), purpose=Purpose.SET_UP, at=now) is None:
                site.throttle.wrong_from(address)
                went_wrong("set_up_refused")
                return _page(site, typed, "This code is not right, or it is too old. `moderator set-up` prints a new one.", status=403)
            first = _designate(unit, who, name, email, now)
            use(unit.connection, read_code(code), purpose=Purpose.SET_UP, at=now)
            begin_step(site, unit, request, response, purpose=Purpose.ENROL, person_id=first.person_id)
    except BadInput as error:
        return _page(site, typed, str(error))
    happened("set_up", actor=first.reference)
    synced(site, *(each.slug for each in site.database.schools() if first.covers(each.slug)))
    return response


def _designate(unit: SqlUnit, who: str, name: str, email: str, now: datetime) -> Designation:
    role_code, _, school = who.partition(":")
    role = next((role for role in SIGNS_FOR if role.value == role_code), None)
    known = [each.slug for each in people.schools(unit.connection)]
    if role is None or (role is Role.CEO) == bool(school) or (school and school not in known):
        message = "say which of these you are"
        raise BadInput(message)
    person = register.person_by_email(unit.connection, email) or register.add_person(unit.connection, name=name, email=email, at=now)
    today = london_date(now)
    made = register.designate(
        unit.connection, person_id=person.id, role=role, school=school, signed_by=CONSOLE, signed_on=today, begins_on=today
    )
    for slug in known:
        if made.covers(slug):
            unit.append(slug, LedgerEvent(Event.REGISTERED, now, made.reference, actor=CONSOLE, reason="designated"))
    return made


def _page(site: Site, typed: dict[str, str], problem: str = "", *, status: int = 400) -> Response:
    roles = [("ceo", ROLE_WORDS[Role.CEO])]
    roles += [(f"head:{school.slug}", f"{ROLE_WORDS[Role.HEAD]}, {school.name}") for school in site.database.schools()]
    return site.pages.html("set_up", status=status if problem else 200, typed=typed, problem=problem, roles=roles)

"""Designating somebody: role, name, school address, dates, place on the roll, invitation (R3, R21, R26). Linked from People."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action, Role
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.signing import Appointment
from moderator.domain.times import london_date
from moderator.store import appoint, proofs, register
from moderator.web.accounts_form import as_sentence, day_of
from moderator.web.need import Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.people_facts import choices
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.signing_in.invited import invite
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/people/designate"
LASTS = timedelta(days=365)
"""How long the form offers (our choice): looked at once a year, like the policy itself (R33)."""
_OF_THE_TRUST = "-trust"

router = APIRouter()
Designates = Annotated[Visit, Depends(Need(Action.DESIGNATE, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(PAGE))]


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as typed."""

    role: str = ""
    name: str = ""
    email: str = ""
    roll_reference: str = ""
    begins_on: str = ""
    ends_on: str = ""
    takes_over: str = ""
    send: str = ""


def _typed(  # noqa: PLR0913 - the fields of one form
    *,
    role: Annotated[str, Form()] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    email: Annotated[str, Form(max_length=200)] = "",
    roll_reference: Annotated[str, Form(max_length=100)] = "",
    begins_on: Annotated[str, Form()] = "",
    ends_on: Annotated[str, Form()] = "",
    takes_over: Annotated[str, Form()] = "",
    send: Annotated[str, Form()] = "",
) -> Typed:
    return Typed(role, name, email, roll_reference, begins_on, ends_on, takes_over, send)


@router.get(PAGE)
def ask(site: SiteOf, visit: Designates, school: str, proved: Proved) -> Response:
    """Show the form."""
    del school, proved
    day = london_date(site.clock.now())
    return _form(site, visit, Typed(begins_on=day.isoformat(), ends_on=(day + LASTS).isoformat(), send="yes"))


@router.post(PAGE)
def designate(site: SiteOf, visit: Designates, school: str, proved: ProvedForForm, typed: Annotated[Typed, Depends(_typed)]) -> Response:
    """Designate the person and, if asked, invite them; then show People (303). 400 or 409 with what was typed if it cannot be.

    Whoever has a sign-in already keeps it: an invitation would end it, and they need none.
    """
    del proved
    now, invited = site.clock.now(), False
    try:
        wanted = _wanted(visit, typed)
        with site.database.unit() as unit:
            made = appoint.appoint(unit, wanted, by=visit.acting, at=now)
            if typed.send == "yes" and not proofs.has_any(unit.connection, made.person_id):
                invite(unit, site, register.person(unit.connection, made.person_id), by=made.signed_by)
                invited = True
            schools = appoint.concerned(unit.connection, made.school)
    except BadInput as error:
        return _form(site, visit, typed, problem=as_sentence(error), status=400)
    except NotAllowed as error:
        return _form(site, visit, typed, problem=as_sentence(error), status=409)
    synced(site, *schools)
    return RedirectResponse(f"/schools/{school}/people?done={'invited' if invited else 'designated'}", status_code=303)


def _wanted(visit: Visit, typed: Typed) -> Appointment:
    """Return what the form asks for. Raises BadInput for a role that is none of those offered, or a day that is none."""
    if typed.role not in dict(choices(visit.acting, visit.school.slug, visit.school.name)):
        message = "Choose a role."
        raise BadInput(message)
    return Appointment(
        name=typed.name,
        email=typed.email,
        role=Role(typed.role.removesuffix(_OF_THE_TRUST)),
        school=EVERY_SCHOOL if typed.role.endswith(_OF_THE_TRUST) else visit.school.slug,
        begins_on=day_of(typed.begins_on, what="the first day"),
        ends_on=day_of(typed.ends_on, what="the last day") if typed.ends_on.strip() else None,
        roll_reference=typed.roll_reference,
        takes_over=typed.takes_over == "yes",
    )


def _form(site: Site, visit: Visit, typed: Typed, *, problem: str = "", status: int = 200) -> Response:
    roles = choices(visit.acting, visit.school.slug, visit.school.name)
    return site.pages.html(
        "people_designate",
        status=status,
        visit=visit,
        section="people",
        typed=typed,
        problem=problem,
        roles=roles,
        head=Role.HEAD.value in dict(roles),
        domains=visit.school.people_domains,
    )

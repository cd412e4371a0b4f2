"""One person: name, school address, place on the roll, days away, a new invitation (R21, R26). Linked from People."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import Person
from moderator.domain.times import london_date
from moderator.store import absences, appoint, proofs, register
from moderator.web.accounts_form import as_sentence, day_of
from moderator.web.need import LARGEST, NOT_YOURS, Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.people_facts import DONE, changeable
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.signing_in.invited import invite
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/people/{person_id}"
CONFIRM = "Tick the box first: whatever they sign in with now ends at once."

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Designates = Annotated[Visit, Depends(Need(Action.DESIGNATE, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(PAGE))]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in one of the page's forms, as typed; None where the form is another one."""

    name: str | None = None
    email: str | None = None
    roll_reference: str | None = None
    first_day: str = ""
    last_day: str = ""


@router.get(PAGE)
def one(  # noqa: PLR0913 - what the address and the query hold
    *, site: SiteOf, visit: Designates, school: str, person_id: Number, proved: Proved, done: str = ""
) -> Response:
    """Show the person's details with the forms that change them."""
    del school, proved
    return _page(site, visit, _person(site, visit, person_id), done=DONE.get(done, ""))


@router.post(f"{PAGE}/details")
def change(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Designates,
    school: str,
    person_id: Number,
    proved: ProvedForForm,
    name: Annotated[str, Form(max_length=200)] = "",
    email: Annotated[str, Form(max_length=200)] = "",
    roll_reference: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Keep name, address and place on the roll, then show the person (303). 400 or 409 with what was typed if it cannot be."""
    del proved
    known = _person(site, visit, person_id)
    try:
        with site.database.unit() as unit:
            appoint.change_details(unit, Person(person_id, name, email, roll_reference), by=visit.acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, person_id)
    except (BadInput, NotAllowed) as error:
        return _page(site, visit, known, problem=as_sentence(error), status=_status(error), typed=Typed(name, email, roll_reference))
    synced(site, *schools)
    return RedirectResponse(f"/schools/{school}/people/{person_id}?done=details", status_code=303)


@router.post(f"{PAGE}/invite")
def send_invitation(  # noqa: PLR0913 - what the address and the form hold
    *, site: SiteOf, visit: Designates, school: str, person_id: Number, proved: ProvedForForm, confirm: Annotated[str, Form()] = ""
) -> Response:
    """Send a new invitation: whatever the person signs in with now ends. Then show People (303); 400 without the tick."""
    del proved
    known = _person(site, visit, person_id)
    try:
        if confirm != "yes":
            raise BadInput(CONFIRM)  # noqa: TRY301 - told on the same page as every other refusal
        with site.database.unit() as unit:
            schools = invite(unit, site, known, by=visit.actor)
    except BadInput as error:
        return _page(site, visit, known, problem=as_sentence(error), status=400)
    synced(site, *schools)
    return RedirectResponse(f"/schools/{school}/people?done=invitation", status_code=303)


@router.post(f"{PAGE}/away")
def away(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Designates,
    school: str,
    person_id: Number,
    first_day: Annotated[str, Form()] = "",
    last_day: Annotated[str, Form()] = "",
) -> Response:
    """Note days away, then show the person (303). 400 or 409 with what was typed if it cannot be."""
    known = _person(site, visit, person_id)
    try:
        with site.database.unit() as unit:
            first, last = day_of(first_day, what="the first day away"), day_of(last_day, what="the last day away")
            appoint.note_away(unit, person_id, first_day=first, last_day=last, by=visit.acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, person_id)
    except (BadInput, NotAllowed) as error:
        typed = Typed(first_day=first_day, last_day=last_day)
        return _page(site, visit, known, problem=as_sentence(error), status=_status(error), typed=typed)
    synced(site, *schools)
    return RedirectResponse(f"/schools/{school}/people/{person_id}?done=away", status_code=303)


@router.post(f"{PAGE}/away/{{absence_id}}/cancel")
def back(*, site: SiteOf, visit: Designates, school: str, person_id: Number, absence_id: Number) -> Response:
    """Take days away back, then show the person (303). 400 when they are not noted any more."""
    known = _person(site, visit, person_id)
    try:
        with site.database.unit() as unit:
            appoint.cancel_away(unit, absence_id, person_id=person_id, by=visit.acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, person_id)
    except (BadInput, NotAllowed) as error:
        return _page(site, visit, known, problem=as_sentence(error), status=_status(error))
    synced(site, *schools)
    return RedirectResponse(f"/schools/{school}/people/{person_id}?done=back", status_code=303)


def _status(error: Exception) -> int:
    return 400 if isinstance(error, BadInput) else 409


def _person(site: Site, visit: Visit, person_id: int) -> Person:
    """Return the person. A 404 for one who is nothing at this school; a 403 for one whom somebody else signs for."""
    with site.database.reading() as connection:
        found = next((each for each, _ in register.people_of(connection, visit.school.slug) if each.id == person_id), None)
        if found is None:
            raise HTTPException(status_code=404)
        held = appoint.held_by(connection, person_id)
    if not changeable(visit, found, held, london_date(site.clock.now())):
        raise HTTPException(status_code=403, detail=NOT_YOURS)
    return found


def _page(  # noqa: PLR0913 - the state of the page's forms
    site: Site, visit: Visit, person: Person, *, problem: str = "", status: int = 200, typed: Typed | None = None, done: str = ""
) -> Response:
    day, typed = london_date(site.clock.now()), typed or Typed()
    with site.database.reading() as connection:
        days = absences.absences_of(connection, [person.id], since=day).get(person.id, ())
        able = proofs.has_any(connection, person.id)
    return site.pages.html(
        "people_person",
        status=status,
        visit=visit,
        section="people",
        person=person,
        typed=Typed(
            person.name if typed.name is None else typed.name,
            person.email if typed.email is None else typed.email,
            person.roll_reference if typed.roll_reference is None else typed.roll_reference,
            typed.first_day,
            typed.last_day,
        ),
        days=days,
        day=day,
        able=able,
        problem=problem,
        done=done,
    )

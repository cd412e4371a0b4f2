"""A person's own days away, and who they are on the roll (R21). Everybody who is signed in; linked from People."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.times import london_date
from moderator.store import absences, appoint, register
from moderator.web.accounts_form import as_sentence, day_of
from moderator.web.need import LARGEST, acting_of, open_to_signed_in
from moderator.web.noted import synced
from moderator.web.site import SessionOf, Site, SiteOf

PAGE = "/my/days"
DONE = {
    "away": "Noted. On these days whoever stands in for you is told instead.",
    "back": "Taken back.",
    "roll": "Kept. A comment that names you goes to somebody else from now on.",
}
WHO = "give your reference on the school's roll, as the school office has it"

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=LARGEST)]


@router.get(PAGE)
@open_to_signed_in
def show(request: Request, site: SiteOf, session: SessionOf, done: str = "") -> Response:
    """Show the days this person is away."""
    return _page(site, request, session.actor, done=DONE.get(done, ""))


@router.post(PAGE)
@open_to_signed_in
def away(
    request: Request, site: SiteOf, session: SessionOf, first_day: Annotated[str, Form()] = "", last_day: Annotated[str, Form()] = ""
) -> Response:
    """Note days away (303); 400 with what was typed if it cannot be."""
    acting = acting_of(request)
    try:
        with site.database.unit() as unit:
            first, last = day_of(first_day, what="the first day away"), day_of(last_day, what="the last day away")
            appoint.note_away(unit, acting.person.id, first_day=first, last_day=last, by=acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, acting.person.id)
    except BadInput as error:
        return _page(site, request, session.actor, problem=as_sentence(error), typed=(first_day, last_day))
    synced(site, *schools)
    return RedirectResponse(f"{PAGE}?done=away", status_code=303)


@router.post(f"{PAGE}/{{absence_id}}/cancel")
@open_to_signed_in
def back(request: Request, site: SiteOf, session: SessionOf, absence_id: Number) -> Response:
    """Take days away back (303); 400 when they are not noted any more. Nobody else's can be named here."""
    acting = acting_of(request)
    try:
        with site.database.unit() as unit:
            appoint.cancel_away(unit, absence_id, person_id=acting.person.id, by=acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, acting.person.id)
    except BadInput as error:
        return _page(site, request, session.actor, problem=as_sentence(error))
    synced(site, *schools)
    return RedirectResponse(f"{PAGE}?done=back", status_code=303)


@router.post("/my/roll")
@open_to_signed_in
def on_the_roll(request: Request, site: SiteOf, session: SessionOf, roll_reference: Annotated[str, Form(max_length=100)] = "") -> Response:
    """Keep who this person is on the roll, once: later only whoever signs for them changes it (303). 400 if it cannot be."""
    acting = acting_of(request)
    try:
        if not roll_reference.strip():
            raise BadInput(WHO)  # noqa: TRY301 - told on the same page as every other refusal
        with site.database.unit() as unit:
            known = register.person(unit.connection, acting.person.id)
            appoint.change_details(unit, replace(known, roll_reference=roll_reference.strip()), by=acting, at=site.clock.now())
            schools = appoint.schools_of(unit.connection, acting.person.id)
    except (BadInput, NotAllowed) as error:
        return _page(site, request, session.actor, problem=as_sentence(error))
    synced(site, *schools)
    return RedirectResponse(f"{PAGE}?done=roll", status_code=303)


def _page(  # noqa: PLR0913 - the state of the page's forms
    site: Site, request: Request, actor: str, *, done: str = "", problem: str = "", typed: tuple[str, str] = ("", "")
) -> Response:
    person, day = acting_of(request).person, london_date(site.clock.now())
    with site.database.reading() as connection:
        days = absences.absences_of(connection, [person.id], since=day).get(person.id, ())
    return site.pages.html(
        "people_own",
        status=400 if problem else 200,
        actor=actor,
        person=person,
        days=days,
        day=day,
        typed=typed,
        done=done,
        problem=problem,
    )

"""Rehearse a route: who would get a mail, and sending it (R21). Linked from each route on the Routes page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import Person
from moderator.domain.routes import KIND_WORDS, RouteKind, references
from moderator.domain.times import london_date
from moderator.steps.rehearse import NO_ALERTS, Rehearsal, reached, rehearse
from moderator.web.accounts_form import as_sentence
from moderator.web.need import LARGEST, Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/routes/{kind}/rehearse"

router = APIRouter()
Signs = Annotated[Visit, Depends(Need(Action.SIGN, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(PAGE))]
Named = Annotated[int, Query(ge=0, le=LARGEST)]


@router.get(PAGE)
def ask(  # noqa: PLR0913 - the parts of one address
    *, site: SiteOf, visit: Signs, school: str, kind: RouteKind, proved: Proved, named: Named = 0
) -> Response:
    """Show who would get a mail, as if it were about the person of that number (0: nobody); a button sends it."""
    del school, proved
    return _page(site, visit, kind, named)


@router.post(PAGE)
def send(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Signs,
    school: str,
    kind: RouteKind,
    proved: ProvedForForm,
    named: Annotated[int, Form(ge=0, le=LARGEST)] = 0,
    seen: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Send the rehearsal to those who were shown, then show the routes (303). 400 when it cannot be, with who it would be now."""
    del proved
    about = _people(site, visit).get(named)
    try:
        _refuse_unplaced(about)
        rehearse(site.tools, Rehearsal(visit.school, kind, _references(about), visit.actor), seen=seen or ())
    except (BadInput, NotAllowed) as error:
        return _page(site, visit, kind, named, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/routes?done=rehearsed", status_code=303)


def _page(site: Site, visit: Visit, kind: RouteKind, named: int, *, problem: str = "") -> Response:
    people = _people(site, visit)
    about = people.get(named)
    return site.pages.html(
        "rehearse",
        status=400 if problem else 200,
        visit=visit,
        section="people",
        kind=kind.value,
        title=KIND_WORDS[kind],
        readers=reached(site.tools, Rehearsal(visit.school, kind, _references(about), visit.actor)),
        people=sorted(people.values(), key=lambda person: person.name),
        about=about,
        unplaced=about is not None and not references(about),
        no_alert=kind in NO_ALERTS,
        problem=problem,
    )


def _people(site: Site, visit: Visit) -> dict[int, Person]:
    """Return everybody of the school and the trust by number; a mailbox is nobody."""
    duty = site.tools.store.on_duty(visit.school.slug, london_date(site.clock.now()))
    return {person.id: person for people in duty.holders.values() for person in people if person.id}


def _refuse_unplaced(about: Person | None) -> None:
    """Raise BadInput for somebody whom a real alert could not be kept from: nobody has said who they are on the roll."""
    if about is not None and not references(about):
        message = f"nobody has said who {about.name} is on the roll: say so first, under People or Your days away"
        raise BadInput(message)


def _references(about: Person | None) -> frozenset[str]:
    return references(about) if about is not None else frozenset()

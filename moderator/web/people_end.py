"""Ending a designation, and renewing one (R3). Linked from People."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import ROLE_WORDS, Action
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import Designation, Person
from moderator.domain.signing import signs_as
from moderator.domain.times import london_date
from moderator.store import appoint, register
from moderator.web.accounts_form import as_sentence, day_of
from moderator.web.need import LARGEST, NOT_YOURS, Need, Visit, of_designation
from moderator.web.noted import synced
from moderator.web.people_designate import LASTS
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Designates = Annotated[Visit, Depends(Need(Action.DESIGNATE, of_designation))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof("/designations/{designation_id}"))]
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A designation and whose it is, for somebody who may sign for it."""

    designation: Designation
    person: Person


@router.get("/designations/{designation_id}")
def one(site: SiteOf, visit: Designates, designation_id: Number, proved: Proved) -> Response:
    """Show a designation with the forms that end and renew it."""
    del proved
    return _page(site, visit, _shown(site, visit, designation_id))


@router.post("/designations/{designation_id}/end")
def end(
    site: SiteOf, visit: Designates, designation_id: Number, proved: ProvedForForm, reason: Annotated[str, Form(max_length=600)] = ""
) -> Response:
    """End it now; the person is signed out in the same moment. Then show People (303); 400 or 409 with what was typed if it cannot be."""
    del proved
    shown = _shown(site, visit, designation_id)
    try:
        with site.database.unit() as unit:
            ended = appoint.end(unit, designation_id, reason=reason, by=visit.acting, at=site.clock.now())
            schools = appoint.concerned(unit.connection, ended.school)
    except (BadInput, NotAllowed) as error:
        return _page(site, visit, shown, problem=as_sentence(error), status=_status(error), reason=reason)
    synced(site, *schools)
    return RedirectResponse(f"/schools/{visit.school.slug}/people?done=ended", status_code=303)


@router.post("/designations/{designation_id}/renew")
def renew(site: SiteOf, visit: Designates, designation_id: Number, proved: ProvedForForm, ends_on: Annotated[str, Form()] = "") -> Response:
    """Designate the same person again from the day after its last one. Then show People (303); 400 or 409 if it cannot be."""
    del proved
    shown = _shown(site, visit, designation_id)
    try:
        with site.database.unit() as unit:
            last = day_of(ends_on, what="the new last day")
            made = appoint.renew(unit, designation_id, ends_on=last, by=visit.acting, at=site.clock.now())
            schools = appoint.concerned(unit.connection, made.school)
    except (BadInput, NotAllowed) as error:
        return _page(site, visit, shown, problem=as_sentence(error), status=_status(error), ends_on=ends_on)
    synced(site, *schools)
    return RedirectResponse(f"/schools/{visit.school.slug}/people?done=renewed", status_code=303)


def _status(error: Exception) -> int:
    return 400 if isinstance(error, BadInput) else 409


def _shown(site: Site, visit: Visit, designation_id: int) -> _Shown:
    """Return the designation. A 403 for one that somebody else signs for: a Headteacher neither ends nor renews the trust's people."""
    with site.database.reading() as connection:
        found = register.designation(connection, designation_id)
        if found is None or signs_as(visit.acting, found.role, found.school) is None:
            raise HTTPException(status_code=403, detail=NOT_YOURS)
        return _Shown(found, register.person(connection, found.person_id))


def _page(  # noqa: PLR0913 - the state of two forms
    site: Site, visit: Visit, shown: _Shown, *, problem: str = "", status: int = 200, reason: str = "", ends_on: str = ""
) -> Response:
    held, day = shown.designation, london_date(site.clock.now())
    offered = max(min(held.ends_on, day + 9 * LASTS) + DAY, day) + LASTS if held.ends_on is not None else None
    return site.pages.html(
        "people_end",
        status=status,
        visit=visit,
        section="people",
        held=held,
        role=ROLE_WORDS[held.role],
        person=shown.person,
        problem=problem,
        reason=reason,
        renewable=held.ended_at is None and held.ends_on is not None and shown.person.id != visit.acting.person.id,
        ends_on=ends_on or (offered.isoformat() if offered else ""),
        longest=appoint.LONGEST_REASON,
    )

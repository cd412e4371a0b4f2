"""People: who is designated at a school, since when, signed by whom, away when (R3, R21). In the menu."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from moderator.domain.access import Action
from moderator.domain.times import london_date
from moderator.web.need import Need, Visit, of_path
from moderator.web.people_facts import DONE, choices, listed
from moderator.web.site import SiteOf

router = APIRouter()
Sees = Annotated[Visit, Depends(Need(Action.SEE_PEOPLE, of_path))]


@router.get("/schools/{school}/people")
def people(site: SiteOf, visit: Sees, school: str, done: str = "") -> Response:
    """Show everybody who is or was designated at the school or for the whole trust."""
    del school
    here, trust = listed(site, visit)
    return site.pages.html(
        "people",
        visit=visit,
        section="people",
        may_designate=bool(choices(visit.acting, visit.school.slug, visit.school.name)),
        may_sign=visit.may(Action.SIGN),
        day=london_date(site.clock.now()),
        done=DONE.get(done, ""),
        here=here,
        trust=trust,
    )

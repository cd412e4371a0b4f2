"""Trustees: a term's counts without names (R35), of one school or of the whole trust. A trustee who signs in lands here.

Nothing on it leads to a comment. Trustees see no small number; those who run the school see the exact ones.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response

from moderator.domain.access import MAY, Action, Role
from moderator.domain.terms import Term, terms_back
from moderator.domain.times import london_date
from moderator.store.counting import counts
from moderator.web.need import Need, Visit, of_path, of_trust
from moderator.web.site import Site, SiteOf
from moderator.web.trustees_facts import report

TERMS = 6
"""Terms that can be chosen (our choice): two years."""

router = APIRouter()
_of_school = APIRouter(prefix="/schools/{school}")
SeesSchool = Annotated[Visit, Depends(Need(Action.SEE_COUNTS, of_path))]
SeesTrust = Annotated[Visit, Depends(Need(Action.SEE_COUNTS, of_trust))]


@_of_school.get("/trustees")
def of_school(site: SiteOf, visit: SeesSchool, term: str = "") -> Response:
    """Show a term of one school; the present term unless another is named."""
    return _page(site, visit, [visit.school.slug], term, visit.school.name)


@router.get("/trust/trustees")
def of_whole_trust(site: SiteOf, visit: SeesTrust, term: str = "") -> Response:
    """Show a term of every school together."""
    schools = [school.slug for school in site.database.schools()]
    return _page(site, visit, schools, term, visit.school.trust)


router.include_router(_of_school)


def _page(site: Site, visit: Visit, schools: Sequence[str], code: str, name: str) -> Response:
    offered = terms_back(london_date(site.clock.now()), TERMS)
    term = _term(offered, code)
    with site.database.reading() as connection:
        counted = counts(connection, schools, term)
    every = [school.slug for school in site.database.schools()]
    whole = len(schools) > 1 or len(every) == 1
    return site.pages.html(
        "trustees",
        visit=visit,
        section="trustees",
        titled=name,
        report=report(term, counted, plain=all(_runs(visit, school) for school in schools)),
        terms=offered,
        trust=visit.school.trust,
        whole=whole,
        may_see_trust=not whole and all(visit.acting.may(Action.SEE_COUNTS, slug) for slug in every),
        now=site.clock.now(),
    )


def _term(offered: Sequence[Term], code: str) -> Term:
    """Return the term of a code, the newest for "". Raises HTTPException 404 for any other."""
    found = next((term for term in offered if not code or term.code == code), None)
    if found is None:
        raise HTTPException(status_code=404)
    return found


def _runs(visit: Visit, school: str) -> bool:
    """Return whether the person sees exact counts: by a role that has more to do with the school than a trustee's."""
    return bool(visit.acting.roles(school) & (MAY[Action.SEE_COUNTS] - {Role.TRUSTEE}))

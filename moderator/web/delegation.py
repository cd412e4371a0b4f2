"""The Headteacher's delegation to the service, signed and dated; every record shows it (R8). Linked from People."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import london_date
from moderator.store import appoint, register, signed
from moderator.web.accounts_form import MOST_WORDS, as_sentence, day_of, words_of
from moderator.web.need import LARGEST, Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/delegation"
LASTS = timedelta(days=365)
WORDS = (
    "I delegate to the moderator service, on this school's official accounts: making the sealed record of every flagged comment, in my "
    "name and before anything is hidden; hiding what the policy says is to be hidden; and telling me at once. Deciding stays with people."
)
"""What the form offers; the Headteacher changes it as they like."""
DONE = {"signed": "Signed. Every record made from now on shows it.", "withdrawn": "Withdrawn."}

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Sees = Annotated[Visit, Depends(Need(Action.SEE_PEOPLE, of_path))]
Signs = Annotated[Visit, Depends(Need(Action.SIGN, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(f"{PAGE}/sign"))]
ProvedForPage = Annotated[None, Depends(FreshProof(PAGE))]


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as typed. `name` is the signature."""

    words: str = ""
    ends_on: str = ""
    name: str = ""
    agree: str = ""


@router.get(PAGE)
def delegation(site: SiteOf, visit: Sees, school: str, done: str = "") -> Response:
    """Show the delegation that holds, and the earlier ones."""
    del school
    return _page(site, visit, done=DONE.get(done, ""))


@router.get(f"{PAGE}/sign")
def ask(site: SiteOf, visit: Signs, school: str, proved: Proved) -> Response:
    """Show the form that signs one."""
    del school, proved
    ends = london_date(site.clock.now()) + LASTS
    return _form(site, visit, Typed(WORDS, ends.isoformat()))


@router.post(f"{PAGE}/sign")
def sign(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Signs,
    school: str,
    proved: ProvedForForm,
    words: Annotated[str, Form()] = "",
    ends_on: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    agree: Annotated[str, Form()] = "",
) -> Response:
    """Keep the signed delegation, then show it (303). 400 with what was typed if it cannot be."""
    del proved
    at, typed = site.clock.now(), Typed(words, ends_on, name, agree)
    try:
        _signature(visit, typed)
        with site.database.unit() as unit:
            made = signed.delegate(
                unit.connection,
                school=visit.school.slug,
                words=words_of(words, what="what is delegated"),
                signed_by=visit.actor,
                signed_on=london_date(at),
                ends_on=day_of(ends_on, what="the last day"),
            )
            appoint.noted(unit, visit.school.slug, made.reference, "delegation_signed", by=visit.actor, at=at)
    except BadInput as error:
        return _form(site, visit, typed, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/delegation?done=signed", status_code=303)


@router.post(f"{PAGE}/{{delegation_id}}/withdraw")
def withdraw(*, site: SiteOf, visit: Signs, school: str, delegation_id: Number, proved: ProvedForPage) -> Response:
    """Withdraw a delegation of this school, then show what holds (303); 400 when it does not stand any more."""
    del proved
    at = site.clock.now()
    try:
        with site.database.unit() as unit:
            gone = signed.withdraw_delegation(unit.connection, delegation_id, school=visit.school.slug, by=visit.actor, at=at)
            appoint.noted(unit, visit.school.slug, gone.reference, "delegation_withdrawn", by=visit.actor, at=at)
    except BadInput as error:
        return _page(site, visit, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/delegation?done=withdrawn", status_code=303)


def _signature(visit: Visit, typed: Typed) -> None:
    """Raise BadInput unless the person typed their own name and ticked the box."""
    if " ".join(typed.name.split()).casefold() != visit.acting.person.name.casefold():
        message = f"Sign with your own name as it is in the register: {visit.acting.person.name}."
        raise BadInput(message)
    if typed.agree != "yes":
        message = "Tick the box: without it nothing is signed."
        raise BadInput(message)


def _page(site: Site, visit: Visit, *, done: str = "", problem: str = "") -> Response:
    day = london_date(site.clock.now())
    with site.database.reading() as connection:
        found = signed.delegations(connection, visit.school.slug)
        who = register.names_by_reference(connection)
    return site.pages.html(
        "delegation",
        status=400 if problem else 200,
        visit=visit,
        section="people",
        holds=next((each for each in found if each.live_on(day)), None),
        found=found,
        day=day,
        who=who,
        fallback=site.tools.delegation,
        may_sign=visit.may(Action.SIGN),
        done=done,
        problem=problem,
    )


def _form(site: Site, visit: Visit, typed: Typed, *, problem: str = "") -> Response:
    return site.pages.html(
        "delegation_sign",
        status=400 if problem else 200,
        visit=visit,
        section="people",
        typed=typed,
        problem=problem,
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )

"""Today: what needs a decision, severe first; what was flagged today; counts; how each account stands. Never a name or comment text."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.domain.review import Review, Verdict
from moderator.observe import went_wrong
from moderator.steps.review import uphold_together
from moderator.store.queue import Wanted, all_shown
from moderator.web.filters import address, place_from, wanted_from
from moderator.web.menu import first_page
from moderator.web.need import LARGEST, Need, Visit, acting_of, of_path, of_query, open_to_all, open_to_signed_in
from moderator.web.policy_due import to_be_attested
from moderator.web.seen import seen
from moderator.web.site import Site, SiteOf
from moderator.web.today_facts import A_PAGE, MAX_JUSTIFICATION, Asked, today_facts

TOO_LONG = f"Please keep your reason under {MAX_JUSTIFICATION} characters."
TOO_MANY = f"Please decide on {A_PAGE} comments at a time at most."
UNFINISHED = "The service could not finish storing this. Look at the list before you decide again: your decisions may be there already."

router = APIRouter()
SEES_FIRST = Need(Action.SEE_ITEMS, of_query)
BELONGS = Need(Action.SEE_COUNTS, of_query)
Sees = Annotated[Visit, Depends(Need(Action.SEE_ITEMS, of_path))]
Decides = Annotated[Visit, Depends(Need(Action.DECIDE, of_path))]


def _narrowed(  # noqa: PLR0913, PLR0917 - one argument a field of the form
    severity: Annotated[str, Form()] = "",
    grounds: Annotated[str, Form()] = "",
    about: Annotated[str, Form()] = "",
    state: Annotated[str, Form()] = "",
    account: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
) -> Wanted:
    """Return the filters that the list had when the form was sent."""
    fields = {"severity": severity, "grounds": grounds, "about": about, "state": state, "account": account, "since": since}
    return wanted_from(fields)


@router.get("/")
@open_to_signed_in
def home(request: Request, site: SiteOf) -> Response:
    """Show the first school's day, or the one of `?school=`. Who sees no items lands on the first page they may open."""
    slugs = [each.slug for each in site.database.schools()]
    if not acting_of(request).among(Action.SEE_ITEMS, slugs):
        return RedirectResponse(first_page(BELONGS(request)), status_code=303)
    return _page(site, SEES_FIRST(request), _asked(request))


@router.get("/schools/{school}/today")
def today(request: Request, site: SiteOf, visit: Sees, school: str) -> Response:
    """Show one school's day.

    The query narrows it: `severity`, `grounds`, `about`, `state`, `account`, `since`; `filters=1` shows the choices with their counts;
    `after` and `before` go on where a page ended.
    """
    del school
    return _page(site, visit, _asked(request))


@router.get("/cover")
@open_to_all
def cover(site: SiteOf) -> Response:
    """Show a page that says nothing, for when somebody looks over your shoulder."""
    return site.pages.html("cover")


@router.post("/schools/{school}/uphold")
def uphold(  # noqa: PLR0913 - one argument a field of the form
    *,
    site: SiteOf,
    visit: Decides,
    school: str,
    items: Annotated[list[int] | None, Form()] = None,
    justification: Annotated[str, Form()] = "",
    wanted: Annotated[Wanted, Depends(_narrowed)],
) -> Response:
    """Uphold the ticked items for one reason, then show the list (303): all of them, or none with why and what was typed kept.

    400 mend it, 409 one of them is decided on its own page only or has changed, 503 try again. An item that the visitor may not be shown
    is a 404, like one that does not exist.
    """
    del school
    chosen, why = list(dict.fromkeys(items or ())), justification.replace("\r\n", "\n").strip()
    _refuse_foreign(site, visit, chosen)
    try:
        if len(chosen) > A_PAGE:
            raise BadInput(TOO_MANY)  # noqa: TRY301 - told on the same page as every other refusal
        if len(why) > MAX_JUSTIFICATION:
            raise BadInput(TOO_LONG)  # noqa: TRY301 - as above
        at = site.clock.now()
        uphold_together(site.tools, [Review(number, Verdict.UPHOLD, visit.actor, why, at) for number in chosen])
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = str(error), 409
    except ModeratorError as error:
        went_wrong("reviews_unfinished", count=len(chosen), error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        return RedirectResponse(address(visit.school.slug, wanted, kept=len(chosen)), status_code=303)
    return _page(site, visit, Asked(wanted, typed=why, ticked=frozenset(chosen), problem=problem), status=status)


def _refuse_foreign(site: Site, visit: Visit, numbers: Sequence[int]) -> None:
    """Raise HTTPException 404 when one of the items is another school's, or not for this person (R15, R21)."""
    if not all(0 < number <= LARGEST for number in numbers):
        raise HTTPException(status_code=404)
    with site.database.reading() as connection:
        if not all_shown(connection, visit.school.slug, numbers, seen=seen(site, visit)):
            raise HTTPException(status_code=404)


def _asked(request: Request) -> Asked:
    """Return what the address asks for; what is no choice, place or number in it is passed over."""
    query = request.query_params
    return Asked(
        wanted_from(query),
        after=place_from(query.get("after", "")),
        before=_number(query.get("before", "")),
        kept=_number(query.get("kept", "")),
        open=query.get("filters") == "1",
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - a 32-bit number


def _page(site: Site, visit: Visit, asked: Asked, *, status: int = 200) -> Response:
    facts = today_facts(site, visit, asked)
    return site.pages.html(
        "today",
        status=status,
        visit=visit,
        section="today",
        school=visit.school,
        policy_overdue=to_be_attested(site, visit),
        **facts,
    )

"""The item page, and the decision form on it. Linked from Today, from alerts and from digests."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.domain.review import MIN_JUSTIFICATION, Review, Verdict
from moderator.observe import went_wrong
from moderator.steps.review import review as take_review
from moderator.steps.wishes import note_wishes
from moderator.web.concern_facts import NOTHING_NOTED, NoteForm, concern_facts
from moderator.web.item_facts import facts_of
from moderator.web.keeping import keeping_of
from moderator.web.need import Need, Visit, of_item
from moderator.web.opened import Opened, open_item
from moderator.web.police_facts import NOTHING_TYPED, PoliceForm, police_facts
from moderator.web.site import Site, SiteOf
from moderator.web.words import done_words

MAX_JUSTIFICATION = 4000
"""Characters of a reason at most (our choice)."""

UNFINISHED = (
    "The service could not finish storing this. Read the history below before you decide again: your decision may be there already."
)
TOO_LONG = f"Please keep your reason under {MAX_JUSTIFICATION} characters."
NO_CHOICE = "Choose one of the buttons."
_CODES = frozenset(each.value for each in Verdict)

router = APIRouter()
Number = Annotated[int, Path(ge=1, le=2_147_483_647)]
Sees = Annotated[Visit, Depends(Need(Action.SEE_ITEMS, of_item))]
Decides = Annotated[Visit, Depends(Need(Action.DECIDE, of_item))]


@router.get("/items/{item_id}")
def item(site: SiteOf, visit: Sees, item_id: Number, done: str = "") -> Response:
    """Show an item; `done` is the decision that was just taken."""
    return page(site, visit, open_item(site, visit, item_id), done=done_words(done))


@router.post("/items/{item_id}/review")
def decide(  # noqa: PLR0913 - one argument a field of the form
    *,
    site: SiteOf,
    visit: Decides,
    item_id: Number,
    verdict: Annotated[str, Form()] = "",
    justification: Annotated[str, Form()] = "",
    wishes: Annotated[str, Form()] = "",
    police: Annotated[str, Form()] = "",
) -> Response:
    """Take a decision, then show the item (303). Where the target's wishes are asked for first (R23), the same form brings them.

    When it is not taken, the page says why and keeps what was typed: 400 mend it, 409 it is too late or not possible, 503 try again.
    """
    open_item(site, visit, item_id)
    why = justification.replace("\r\n", "\n").strip()
    try:
        review = _review(site, visit.actor, item_id, verdict, why)
        if review.verdict is not Verdict.RETRY and site.database.wishes_missing(item_id):
            note_wishes(site.tools, item_id, by=visit.actor, wishes=wishes, police=police)
        take_review(site.tools, review)
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = _as_sentence(error), 409
    except ModeratorError as error:
        went_wrong("review_unfinished", item=item_id, error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        return RedirectResponse(f"/items/{item_id}?done={verdict}", status_code=303)
    asked = NoteForm("decide", wishes.replace("\r\n", "\n").strip(), police)
    return page(site, visit, open_item(site, visit, item_id), typed=why, problem=problem, status=status, note=asked)


def _review(site: Site, actor: str, item_id: int, verdict: str, why: str) -> Review:
    """Return the decision. Raises BadInput, with the words to show, when the form does not hold one."""
    if verdict not in _CODES:
        raise BadInput(NO_CHOICE)
    if len(why) > MAX_JUSTIFICATION:
        raise BadInput(TOO_LONG)
    return Review(item_id, Verdict(verdict), actor, why, site.clock.now())


def _as_sentence(error: NotAllowed) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def page(  # noqa: PLR0913 - the forms' state
    site: Site,
    visit: Visit,
    opened: Opened,
    *,
    done: str = "",
    typed: str = "",
    problem: str = "",
    status: int = 200,
    police: PoliceForm = NOTHING_TYPED,
    note: NoteForm = NOTHING_NOTED,
) -> Response:
    """Return the page of an item, with what was typed in its forms and why it was not taken."""
    form: dict[str, object] = {
        "done": done,
        "typed": typed,
        "problem": problem or (note.problem if opened.withheld else ""),
        "shortest": MIN_JUSTIFICATION,
        "longest": MAX_JUSTIFICATION,
    }
    if opened.withheld and typed:
        # Sent by a form that was open before the comment was withheld: what was typed is not lost.
        police = replace(police, note=police.note or typed)
    form |= police_facts(site, opened.work, police)
    form["may_decide"] = visit.may(Action.DECIDE)
    if opened.withheld:
        return site.pages.html(
            "withheld", status=status, visit=visit, item=opened.work.item, noted=not opened.standing.needs_review, **form
        )
    keeping = keeping_of(site, opened.work.record)
    shown = "disposed" if keeping is not None and keeping.disposed else "item"
    told = facts_of(site, visit, opened) | concern_facts(site, opened, note) | form
    return site.pages.html(shown, status=status, visit=visit, section="today", keeping=keeping, **told)

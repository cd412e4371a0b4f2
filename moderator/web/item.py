"""The item page, and the decision form on it. Linked from Today, from alerts and from digests."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.domain.review import MIN_JUSTIFICATION, Review, Verdict
from moderator.observe import went_wrong
from moderator.steps.review import review as take_review
from moderator.web.item_facts import facts_of
from moderator.web.keeping import keeping_of
from moderator.web.opened import Opened, open_item
from moderator.web.police_facts import NOTHING_TYPED, PoliceForm, police_facts
from moderator.web.site import SessionOf, Site, SiteOf
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


@router.get("/items/{item_id}")
def item(site: SiteOf, session: SessionOf, item_id: Number, done: str = "") -> Response:
    """Show an item; `done` is the decision that was just taken."""
    return page(site, session.actor, open_item(site, session, item_id), done=done_words(done))


@router.post("/items/{item_id}/review")
def decide(
    *, site: SiteOf, session: SessionOf, item_id: Number, verdict: Annotated[str, Form()] = "", justification: Annotated[str, Form()] = ""
) -> Response:
    """Take a decision, then show the item (303).

    When it is not taken, the page says why and keeps what was typed: 400 mend it, 409 it is too late or not possible, 503 try again.
    """
    open_item(site, session, item_id)
    why = justification.replace("\r\n", "\n").strip()
    try:
        take_review(site.tools, _review(site, session.actor, item_id, verdict, why))
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = _as_sentence(error), 409
    except ModeratorError as error:
        went_wrong("review_unfinished", item=item_id, error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        return RedirectResponse(f"/items/{item_id}?done={verdict}", status_code=303)
    return page(site, session.actor, open_item(site, session, item_id), typed=why, problem=problem, status=status)


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
    actor: str,
    opened: Opened,
    *,
    done: str = "",
    typed: str = "",
    problem: str = "",
    status: int = 200,
    police: PoliceForm = NOTHING_TYPED,
) -> Response:
    """Return the page of an item, with what was typed in its forms and why it was not taken."""
    form: dict[str, object] = {
        "done": done,
        "typed": typed,
        "problem": problem,
        "shortest": MIN_JUSTIFICATION,
        "longest": MAX_JUSTIFICATION,
    }
    if opened.withheld and typed:
        # Sent by a form that was open before the comment was withheld: what was typed is not lost.
        police = replace(police, note=police.note or typed)
    form |= police_facts(site, opened.work, police)
    if opened.withheld:
        return site.pages.html(
            "withheld", status=status, actor=actor, item=opened.work.item, noted=not opened.standing.needs_review, **form
        )
    keeping = keeping_of(site, opened.work.record)
    shown = "disposed" if keeping is not None and keeping.disposed else "item"
    return site.pages.html(shown, status=status, actor=actor, keeping=keeping, **facts_of(site, opened) | form)

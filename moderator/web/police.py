"""The two buttons of R17: withhold a comment, and keep what was done with the police. On the item page and the withheld page."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.domain.lifecycle import State
from moderator.domain.police import police_report
from moderator.observe import went_wrong
from moderator.steps.police import report, withhold
from moderator.web.item import UNFINISHED, Decides, Number, page
from moderator.web.opened import open_item
from moderator.web.police_facts import PoliceForm
from moderator.web.site import SiteOf

CONFIRM = "Tick the box first: it cannot be undone here."

router = APIRouter()


@router.post("/items/{item_id}/withhold")
def press(*, site: SiteOf, visit: Decides, item_id: Number, confirm: Annotated[str, Form()] = "") -> Response:
    """Withhold an item, or mark a recorded one for the police; then show it (303).

    When it is not done, the page says why: 400 the box is not ticked, 409 it is too late or not now, 503 try again.
    """
    opened = open_item(site, visit, item_id)
    try:
        if confirm != "yes":
            raise BadInput(CONFIRM)  # noqa: TRY301 - told on the same page as every other refusal
        state = withhold(site.tools, item_id, by=visit.actor)
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = _sentence(error), 409
    except ModeratorError as error:
        went_wrong("withhold_unfinished", item=item_id, error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        done = "withheld" if state is State.WITHHELD else "marked"
        return RedirectResponse(f"/items/{item_id}?done={done}", status_code=303)
    return page(site, visit, opened, problem=problem, status=status)


@router.post("/items/{item_id}/police")
def keep(
    *, site: SiteOf, visit: Decides, item_id: Number, reference: Annotated[str, Form()] = "", note: Annotated[str, Form()] = ""
) -> Response:
    """Keep a police reference and a note, then show the item (303). 400, 409 and 503 as above, with what was typed kept."""
    open_item(site, visit, item_id)
    try:
        report(site.tools, police_report(item_id, by=visit.actor, at=site.clock.now(), reference=reference, note=note))
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = _sentence(error), 409
    except ModeratorError as error:
        went_wrong("police_report_unfinished", item=item_id, error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        return RedirectResponse(f"/items/{item_id}?done=police", status_code=303)
    typed = PoliceForm(reference.strip(), note.strip(), problem)
    return page(site, visit, open_item(site, visit, item_id), status=status, police=typed)


def _sentence(error: NotAllowed) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")

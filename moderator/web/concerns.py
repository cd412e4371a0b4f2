"""The forms beside the decision: hand an item up, ask HR, note their advice, note the target's wishes. On the item page."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.observe import went_wrong
from moderator.steps.advice import ask_advice, note_advice
from moderator.steps.escalate import escalate
from moderator.steps.wishes import note_wishes
from moderator.web.concern_facts import NoteForm
from moderator.web.item import UNFINISHED, Decides, Number, page
from moderator.web.need import Visit
from moderator.web.opened import open_item
from moderator.web.site import Site, SiteOf

router = APIRouter()
Words = Annotated[str, Form()]


@router.post("/items/{item_id}/escalate")
def hand_up(*, site: SiteOf, visit: Decides, item_id: Number, role: Words = "", why: Words = "") -> Response:
    """Hand the item up to a role, whose holders get a mail; then show it (303). 400, 409 and 503 keep what was typed."""
    form = NoteForm("escalate", why, role)
    return _kept(site, visit, item_id, form, lambda: escalate(site.tools, item_id, role=role, by=visit.actor, why=why))


@router.post("/items/{item_id}/advice")
def ask(*, site: SiteOf, visit: Decides, item_id: Number, why: Words = "") -> Response:
    """Note that HR is asked: until their advice is noted nobody judges the item (R22). Answers as above."""
    return _kept(site, visit, item_id, NoteForm("advice", why), lambda: ask_advice(site.tools, item_id, by=visit.actor, why=why))


@router.post("/items/{item_id}/advice/received")
def receive(*, site: SiteOf, visit: Decides, item_id: Number, advice: Words = "") -> Response:
    """Keep what HR advised: the item may be judged again. Answers as above."""
    form = NoteForm("received", advice)
    return _kept(site, visit, item_id, form, lambda: note_advice(site.tools, item_id, by=visit.actor, advice=advice))


@router.post("/items/{item_id}/wishes")
def wish(*, site: SiteOf, visit: Decides, item_id: Number, wishes: Words = "", police: Words = "") -> Response:
    """Keep what the member of staff who is the target wishes, and their own decision on the police (R23). Answers as above."""
    form = NoteForm("wishes", wishes, police)
    return _kept(site, visit, item_id, form, lambda: note_wishes(site.tools, item_id, by=visit.actor, wishes=wishes, police=police))


def _kept(site: Site, visit: Visit, item_id: int, form: NoteForm, keep: Callable[[], object]) -> Response:
    """Do what a form asks for and show the item; when it is not done, the page says why and keeps what was typed."""
    open_item(site, visit, item_id)
    try:
        keep()
    except BadInput as error:
        problem, status = str(error), 400
    except NotAllowed as error:
        problem, status = str(error), 409
    except ModeratorError as error:
        went_wrong("note_unfinished", item=item_id, form=form.form, error=type(error).__name__)
        problem, status = UNFINISHED, 503
    else:
        return RedirectResponse(f"/items/{item_id}?done={form.form}", status_code=303)
    typed = NoteForm(form.form, form.words.replace("\r\n", "\n").strip(), form.choice, problem)
    return page(site, visit, open_item(site, visit, item_id), status=status, note=typed)

"""Handing in a screen print of a post elsewhere: first the question of R17, then the form. Linked from Today."""

from dataclasses import asdict, dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from moderator.domain.access import Action
from moderator.domain.errors import BadInput, ModeratorError, NotAllowed
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.submission import (
    MAX_AUTHOR,
    MAX_BYTES,
    MAX_FILES,
    MAX_PLACE,
    MAX_TEXT,
    MAX_WHY,
    Handed,
    Statement,
    TwiceThatNightError,
    statement,
)
from moderator.observe import went_wrong
from moderator.steps.submit import submit
from moderator.store import submitted
from moderator.web.need import Need, Visit, of_query
from moderator.web.site import Site, SiteOf
from moderator.web.uploaded import files_of, read_form, words_of

RECENT = 20
"""Records listed below the form (our choice)."""
ASK = "Answer the question first."
UNFINISHED = "The service could not keep it just now. Please send it again: it is never kept twice."

router = APIRouter()
HandsIn = Annotated[Visit, Depends(Need(Action.HAND_IN, of_query))]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the form was not taken, and the answer's status; `twice`: a stated time came twice that night, so the form asks which."""

    problem: str = ""
    status: int = 200
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in the form, as typed."""

    school: str = ""
    place: str = ""
    seen: str = ""
    seen_which: str = ""
    posted: str = ""
    posted_which: str = ""
    author: str = ""
    text: str = ""
    why: str = ""


TAKEN = Refusal()


@router.get("/submit")
def ask(site: SiteOf, visit: HandsIn, indecent: str | None = None) -> Response:
    """Ask the question of R17. `no` leads to the form, `yes` to what to do: then there is no form, and nothing to send a picture with."""
    if indecent == "yes":
        return _police(site, visit)
    if indecent == "no":
        return _form(site, visit, Typed(school=visit.school.slug))
    with site.database.reading() as connection:
        kept = submitted.recent(connection, visit.school.slug, limit=RECENT)
    problem = "" if indecent is None else ASK
    return site.pages.html(
        "submit", status=400 if problem else 200, visit=visit, step="ask", problem=problem, school=visit.school.slug, recent=kept
    )


@router.post("/submit")
async def take(request: Request, site: SiteOf, visit: HandsIn) -> Response:
    """Take the form, then show the record (303).

    When it is not taken nothing is kept of it; the page says why: 400 mend it, 409 not possible, 503 try again.
    """
    typed = Typed()
    try:
        form = await read_form(request)
        try:
            if words_of(form, "indecent") == "yes":
                return _police(site, visit)
            typed = _typed(form)
            files = await files_of(form, "files")
        finally:
            await form.close()
        if words_of(form, "indecent") != "no":
            raise BadInput(ASK)  # noqa: TRY301 - told on the same page as every other refusal
        record_id = await run_in_threadpool(_keep, site, visit, typed, files)
    except TwiceThatNightError as error:
        return await run_in_threadpool(_form, site, visit, typed, Refusal(str(error), 400, twice=True))
    except BadInput as error:
        return await run_in_threadpool(_form, site, visit, typed, Refusal(str(error), 400))
    except NotAllowed as error:
        return await run_in_threadpool(_form, site, visit, typed, Refusal(str(error), 409))
    except ModeratorError as error:
        went_wrong("submission_unfinished", error=type(error).__name__)
        return await run_in_threadpool(_form, site, visit, typed, Refusal(UNFINISHED, 503))
    return RedirectResponse(f"/submitted/{record_id}?done=submitted", status_code=303)


def _keep(site: Site, visit: Visit, typed: Typed, files: list[Handed]) -> str:
    if not visit.acting.may(Action.HAND_IN, typed.school):
        raise HTTPException(status_code=404)
    actor = visit.acting.reference(Action.HAND_IN, typed.school)
    return submit(site.tools, school=typed.school, files=files, statement=_statement(site, actor, typed)).record_id


def _statement(site: Site, actor: str, typed: Typed) -> Statement:
    return statement(
        place=typed.place,
        seen=f"{typed.seen} {typed.seen_which}",
        posted=f"{typed.posted} {typed.posted_which}" if typed.posted.strip() else "",
        author=typed.author,
        text=typed.text,
        why=typed.why,
        by=actor,
        now=site.clock.now(),
    )


def _typed(form: FormData) -> Typed:
    return replace(Typed(), **{name: words_of(form, name) for name in asdict(Typed())})


def _form(site: Site, visit: Visit, typed: Typed, refusal: Refusal = TAKEN) -> Response:
    return site.pages.html(
        "submit",
        status=refusal.status,
        visit=visit,
        step="form",
        problem=refusal.problem,
        twice=refusal.twice,
        typed=typed,
        school=typed.school,
        schools=[each for each in site.database.schools() if visit.acting.may(Action.HAND_IN, each.slug)],
        most={"files": MAX_FILES, "megabytes": MAX_BYTES // (1024 * 1024), "place": MAX_PLACE, "author": MAX_AUTHOR, "text": MAX_TEXT},
        shortest=MIN_JUSTIFICATION,
        longest=MAX_WHY,
    )


def _police(site: Site, visit: Visit) -> Response:
    return site.pages.html("submit", visit=visit, step="police", problem="", school="")

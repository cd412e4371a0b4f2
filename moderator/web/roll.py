"""The Roll page: how many people the school protects, and handing in a new list. Linked from the menu (R20, R29)."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.roll_change import KINDS, LEAVERS_MATCH
from moderator.domain.score import PersonKind
from moderator.domain.times import london_date
from moderator.learn.rollfile import NoHeaderError, headings_of, read_roll_bytes
from moderator.store import register
from moderator.store import roll as kept
from moderator.store.roll_uploads import Upload, put
from moderator.web.need import Need, Visit, of_path
from moderator.web.site import Site, SiteOf
from moderator.web.uploaded import files_of, read_form, words_of
from moderator.web.words import done_words

MAX_FILE = 4 * 1024 * 1024
"""Bytes of a roll at most: the largest secondary school's pupils with their families take one (our choice)."""
TOO_LARGE = f"The file is too large: {MAX_FILE // (1024 * 1024)} MB at most. Export only the people of this school."
NO_FILE = "Choose the file first."
ONE_FILE = "Choose one file at a time."
NO_KEY = "Rolls cannot be imported here: this service has no roll key. Ask your IT lead to run moderator doctor."

KIND_WORDS: Mapping[PersonKind, str] = {
    PersonKind.PUPIL: "Pupils",
    PersonKind.STAFF: "Staff",
    PersonKind.PARENT: "Parents and carers",
    PersonKind.GOVERNOR: "Governors and trustees",
    PersonKind.OTHER: "Others: volunteers, visitors, bodies",
}

router = APIRouter()
SEE = Need(Action.SEE_ROLL, of_path)
CHANGE = Need(Action.CHANGE_ROLL, of_path)


@router.get("/schools/{school}/roll")
def roll(site: SiteOf, visit: Annotated[Visit, Depends(SEE)], done: str = "") -> Response:
    """Show how many people are on the roll, by kind; `done` is what was just done."""
    return page(site, visit, done=done_words(done))


@router.post("/schools/{school}/roll/upload")
async def upload(request: Request, site: SiteOf, visit: Annotated[Visit, Depends(CHANGE)]) -> Response:
    """Take a file, and show what it would change (303). Nothing is changed yet; a file that is no roll is refused (400)."""
    try:
        form = await read_form(request, most=MAX_FILE + 64 * 1024, too_large=TOO_LARGE)
        try:
            files = await files_of(form, "file")
            kind, everybody = words_of(form, "kind"), words_of(form, "everybody") == "yes"
        finally:
            await form.close()
        if len(files) != 1:
            raise BadInput(ONE_FILE if files else NO_FILE)  # noqa: TRY301 - told on the same page as every other refusal
        return await run_in_threadpool(_kept, site, visit, Upload(visit.school.slug, files[0].content, kind, everybody))
    except BadInput as error:
        return await run_in_threadpool(page, site, visit, problem=str(error), status=400)


def _kept(site: Site, visit: Visit, given: Upload) -> Response:
    """Keep a file that can be read, encrypted and for a quarter of an hour, and lead on. Raises BadInput."""
    if site.sealer is None or site.rolls is None:
        raise BadInput(NO_KEY)
    if len(given.content) > MAX_FILE:
        raise BadInput(TOO_LARGE)
    next_page = "" if _by_heading(given) else "/columns"
    with site.database.unit() as unit:
        word = put(unit.connection, site.sealer, given, session=visit.session.reference, at=site.clock.now())
    return RedirectResponse(f"/schools/{visit.school.slug}/roll/upload/{word}{next_page}", status_code=303)


def _by_heading(given: Upload) -> bool:
    """Return whether the headings say which column is the name. Raises BadInput for what is no CSV."""
    try:
        read_roll_bytes(given.content, kind=kind_given(given.kind))
    except NoHeaderError:
        headings_of(given.content)
        return False
    return True


def kind_given(word: str) -> PersonKind | None:
    """Return the kind chosen on the form, None for "the file says". Raises BadInput for a word that is none."""
    if not word:
        return None
    known = {kind.value: kind for kind in KINDS}
    if word not in known:
        message = "Choose who is in the file from the list."
        raise BadInput(message)
    return known[word]


def page(site: Site, visit: Visit, *, done: str = "", problem: str = "", status: int = 200) -> Response:
    """Return the Roll page, with why a file was not taken."""
    slug = visit.school.slug
    with site.database.reading() as connection:
        counts = kept.counts_by_kind(connection, slug, on=london_date(site.clock.now()))
        last = kept.last_replaced(connection, slug)
        names = register.names_by_reference(connection)
    return site.pages.html(
        "roll",
        status=status,
        visit=visit,
        section="roll",
        done=done,
        problem=problem,
        counts=[(KIND_WORDS[kind], *counts.get(kind, (0, 0))) for kind in KINDS],
        people=sum(here for here, _ in counts.values()),
        last=None if last is None else {"at": last[0], "by": names.get(last[1], "the console"), "reference": last[1]},
        kinds=[(kind.value, KIND_WORDS[kind]) for kind in KINDS],
        model=site.tools.classifier.version,
        may_change=visit.may(Action.CHANGE_ROLL),
        megabytes=MAX_FILE // (1024 * 1024),
        leavers_days=LEAVERS_MATCH.days,
    )

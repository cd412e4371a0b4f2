"""What a new roll would change, and putting it to use: from the Roll page. Nothing of the file is ever on a disk in clear (R29)."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput
from moderator.domain.roll_change import RollChange
from moderator.domain.times import london_date
from moderator.learn.rollfile import NoHeaderError, RollFile, fields_of, headings_of, read_roll_bytes
from moderator.store import roll_uploads
from moderator.store.roll_uploads import Upload
from moderator.store.sealed import Sealer
from moderator.web.need import Visit
from moderator.web.noted import synced
from moderator.web.roll import CHANGE, kind_given, page
from moderator.web.roll_facts import FIELD_CHOICES, kinds_of, many_leave, preview_facts
from moderator.web.site import Site, SiteOf

if TYPE_CHECKING:
    from moderator.build.rolls import Rolls

GONE = "That file is gone. It waits for 15 minutes, for the person who chose it. Choose it again."
NOT_SURE = "Tick the box first, if these people really leave. If they do not, the file is not the whole list: do not use it."
IN_ERROR = "Some rows cannot be used. Mend them in the file, then choose it again: a list is taken whole or not at all."
EMPTY = "There is nobody in this file."

router = APIRouter()
Changing = Annotated[Visit, Depends(CHANGE)]
AT = "/schools/{school}/roll/upload/{word}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits, found again, with all that is needed to read it."""

    word: str
    upload: Upload
    goes_at: datetime
    rolls: "Rolls"
    sealer: Sealer

    def read(self) -> RollFile:
        """Return the file as read. Raises BadInput, NoHeaderError among it."""
        return read_roll_bytes(self.upload.content, kind=kind_given(self.upload.kind), mapping=self.upload.mapping)

    def change(self, site: Site, read: RollFile) -> RollChange:
        """Return what it would change now."""
        kinds = kinds_of(self.upload, read)
        return self.rolls.change(self.upload.school, read.entries, kinds=kinds, day=london_date(site.clock.now()))


@router.get(AT)
def preview(site: SiteOf, visit: Changing, word: str) -> Response:
    """Show what the file would change. The names in it are covered until somebody asks for them."""
    found = _find(site, visit, word)
    return _gone(site, visit) if found is None else _preview(site, visit, found)


@router.get(AT + "/columns")
def ask_columns(site: SiteOf, visit: Changing, word: str) -> Response:
    """Ask what each column is."""
    found = _find(site, visit, word)
    return _gone(site, visit) if found is None else _columns(site, visit, found)


@router.post(AT + "/columns")
def take_columns(*, site: SiteOf, visit: Changing, word: str, column: Annotated[list[str] | None, Form()] = None) -> Response:
    """Take what each column is, then show what the file would change (303); the form again when no column is the name (400)."""
    found = _find(site, visit, word)
    if found is None:
        return _gone(site, visit)
    told = replace(found, upload=replace(found.upload, mapping=tuple(column or ())))
    try:
        told.read()
    except BadInput as error:
        return _columns(site, visit, told, problem=str(error), status=400)
    with site.database.unit() as unit:
        session, at = visit.session.reference, site.clock.now()
        roll_uploads.change(unit.connection, found.sealer, word, told.upload, session=session, at=at)
    return RedirectResponse(f"/schools/{visit.school.slug}/roll/upload/{word}", status_code=303)


@router.post(AT + "/replace")
def use(*, site: SiteOf, visit: Changing, word: str, sure: Annotated[str, Form()] = "") -> Response:
    """Put the file to use (303), once; the page again, with why, when it cannot be (400, 409)."""
    found = _find(site, visit, word)
    if found is None:
        return _gone(site, visit)
    try:
        read = found.read()
    except NoHeaderError as error:
        return _columns(site, visit, found, problem=str(error), status=400)
    change = found.change(site, read)
    if read.errors or not read.numbered:
        return _preview(site, visit, found, problem=IN_ERROR if read.errors else EMPTY, status=409)
    if many_leave(change) and sure != "yes":
        return _preview(site, visit, found, problem=NOT_SURE, status=400)
    with site.database.unit() as unit:
        if not roll_uploads.drop(unit.connection, word, session=visit.session.reference):
            return _gone(site, visit)
        change = found.rolls.change_in(
            unit.connection, visit.school.slug, read.entries, kinds=kinds_of(found.upload, read), day=london_date(site.clock.now())
        )
        found.rolls.replace(unit, visit.school.slug, change, by=visit.actor, at=site.clock.now())
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{visit.school.slug}/roll?done=roll_replaced", status_code=303)


@router.post(AT + "/drop")
def drop(site: SiteOf, visit: Changing, word: str) -> Response:
    """Forget the file now (303). May be repeated."""
    with site.database.unit() as unit:
        roll_uploads.drop(unit.connection, word, session=visit.session.reference)
    return RedirectResponse(f"/schools/{visit.school.slug}/roll?done=roll_dropped", status_code=303)


def _find(site: Site, visit: Visit, word: str) -> Waiting | None:
    """Return the file that waits under a word, for this person and this school; old ones go."""
    if site.sealer is None or site.rolls is None:
        return None
    at = site.clock.now()
    with site.database.unit() as unit:
        roll_uploads.forget_old(unit.connection, at=at)
        found = roll_uploads.find(unit.connection, site.sealer, word, session=visit.session.reference, at=at)
    if found is None or found[0].school != visit.school.slug:
        return None
    return Waiting(word, *found, site.rolls, site.sealer)


def _gone(site: Site, visit: Visit) -> Response:
    return page(site, visit, problem=GONE, status=410)


def _preview(site: Site, visit: Visit, found: Waiting, *, problem: str = "", status: int = 200) -> Response:
    try:
        read = found.read()
    except NoHeaderError:
        return _columns(site, visit, found)
    facts = preview_facts(read, found.change(site, read), found.upload)
    return site.pages.html(
        "roll_preview",
        status=status,
        visit=visit,
        section="roll",
        problem=problem,
        word=found.word,
        goes_at=found.goes_at,
        **facts,
    )


def _columns(site: Site, visit: Visit, found: Waiting, *, problem: str = "", status: int = 200) -> Response:
    headings = headings_of(found.upload.content)
    mapping = found.upload.mapping or fields_of(headings.cells)
    samples = [[row[place] for row in headings.rows if place < len(row)] for place in range(len(headings.cells))]
    return site.pages.html(
        "roll_columns",
        status=status,
        visit=visit,
        section="roll",
        problem=problem,
        word=found.word,
        columns=list(zip(headings.cells, (*mapping, *[""] * len(headings.cells)), samples, strict=False)),
        choices=FIELD_CHOICES,
    )

"""The record of something handed in: its facts, its pictures drawn anew, its check. Linked from alerts and from the submit page."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Response

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.submission import PICTURES, FileKind
from moderator.domain.times import from_utc_text
from moderator.evidence.capture.taken import IN_WORDS
from moderator.evidence.submission.pictures import copy_for_screen
from moderator.store.ledger import lines_of
from moderator.store.submitted import HandedIn, handed_in
from moderator.web.checked import check_record
from moderator.web.need import Need, Visit, of_record
from moderator.web.opened import note_view
from moderator.web.site import Site, SiteOf
from moderator.web.words import done_words

router = APIRouter()
SeesRecord = Annotated[Visit, Depends(Need(Action.SEE_ITEMS, of_record))]
Record = Annotated[str, Path(pattern=r"^R-[A-Z2-7]{16}$")]
Number = Annotated[int, Path(ge=1, le=99)]


@router.get("/submitted/{record_id}")
def record(site: SiteOf, visit: SeesRecord, record_id: Record, done: str = "") -> Response:
    """Show the record, after writing in the ledger that this session opened it (once a London day)."""
    found = _found(site, record_id)
    note_view(site, visit, found.school, record_id)
    with site.database.reading() as connection:
        history = [json.loads(line) for line in lines_of(connection, found.school, record_id)]
    facts = _facts(site, found)
    return site.pages.html(
        "submitted",
        visit=visit,
        done=done_words(done),
        handed=found,
        facts=facts,
        seen_at=_moment(facts, "seen_utc"),
        posted_at=_moment(facts, "posted_utc"),
        files=_files(facts),
        kind_words=IN_WORDS[found.record.capture_kind],
        check=check_record(site, found.record),
        history=[(line["event"], from_utc_text(line["at"]), line["actor"]) for line in history],
    )


@router.get("/submitted/{record_id}/{number}.png")
def picture(site: SiteOf, visit: SeesRecord, record_id: Record, number: Number) -> Response:
    """Show one picture drawn anew. The file as handed in never goes to a browser: it may hold a place, a name, or worse."""
    found = _found(site, record_id)
    note_view(site, visit, found.school, record_id)
    named = [each for each in _files(_facts(site, found)) if each["number"] == number and each["picture"]]
    if not named:
        raise HTTPException(status_code=404)
    name = str(named[0]["name"])
    try:
        content = site.tools.vault.open(found.record.path, f"data/{name}")
        drawn = copy_for_screen(content, FileKind(str(named[0]["kind"])), name=name)
    except BadInput:
        raise HTTPException(status_code=404) from None
    return Response(drawn, media_type="image/png")


def _found(site: Site, record_id: str) -> HandedIn:
    with site.database.reading() as connection:
        found = handed_in(connection, record_id)
    if found is None:
        raise HTTPException(status_code=404)
    return found


def _facts(site: Site, found: HandedIn) -> Mapping[str, Any]:
    """Return record.json; nothing when the record was disposed of or cannot be read: the check says so."""
    try:
        facts: Mapping[str, Any] = json.loads(site.tools.vault.open(found.record.path, "data/record.json"))
    except (BadInput, ValueError):
        return {}
    return facts


def _moment(facts: Mapping[str, Any], name: str) -> datetime | None:
    return from_utc_text(facts[name]) if facts.get(name) else None


def _files(facts: Mapping[str, Any]) -> list[dict[str, object]]:
    pictures = {kind.value for kind in PICTURES}
    return [{**each, "number": at, "picture": each["kind"] in pictures} for at, each in enumerate(facts.get("submitted_files", []), 1)]

"""Records: searching what is kept, and taking the list away as CSV. Never a name or comment text. Linked from the menu."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from moderator.domain.access import Action
from moderator.domain.account import School
from moderator.domain.errors import BadInput
from moderator.domain.lifecycle import State
from moderator.domain.times import from_utc_text, london_text, utc_text
from moderator.mail.words import platform_words
from moderator.store import people
from moderator.store.finding import Found, Keeping, Position, Search, find
from moderator.web.given_out import give_out
from moderator.web.need import Need, Visit, of_path
from moderator.web.reader import reader_of
from moderator.web.records_search import (
    CHOICES,
    CLASSES,
    KEEPINGS,
    OUTCOMES,
    SEVERITIES,
    VERIFIED,
    Typed,
    position_from,
    position_text,
    typed,
)
from moderator.web.site import Site, SiteOf

A_PAGE = 50
MOST = 5000
"""Rows of one copy at most (our choice): more is asked for in parts, by days."""

router = APIRouter(prefix="/schools/{school}")
Sees = Annotated[Visit, Depends(Need(Action.SEE_RECORDS, of_path))]
Exports = Annotated[Visit, Depends(Need(Action.EXPORT, of_path))]

REMOVED = "removed when the record was disposed of"
STATES = {
    State.FLAGGED: "Being recorded",
    State.RECORDED: "Recorded, still showing",
    State.HIDDEN: "Recorded, then hidden",
    State.UPHELD: "Decision kept",
    State.RESTORED: "Showing again",
    State.GONE: "Deleted on the platform, record kept",
}
HEADER = (
    *("Record", "School", "Account", "Platform", "Posted (UTC)", "Posted (London)", "Captured (UTC)", "Captured (London)"),
    *("Sealed (UTC)", "Sealed (London)", "Place", "Service decided", "How serious", "Where it stands", "Class", "Review on"),
    *("Kept", "Check", "Handed in by"),
)


@router.get("/records")
def records(request: Request, site: SiteOf, visit: Sees, after: str = "") -> Response:
    """Show one page of what was looked for; 400 with the form as it was typed when that cannot be understood."""
    return _page(site, visit, _asked(request, site, visit), after=position_from(after))


@router.post("/records.csv")
def copy(request: Request, site: SiteOf, visit: Exports) -> Response:
    """Give the list that the address asks for as CSV, with time, date and place (R13) and no text, after a line in the ledger."""
    asked = _asked(request, site, visit)
    with site.database.reading() as connection:
        found = [] if asked.problems else find(connection, asked.search, limit=MOST + 1)
    if len(found) > MOST:
        asked = replace(asked, problems=(f"That is more than {MOST:,} records. Copy fewer days at a time.",))
    if asked.problems:
        return _page(site, visit, asked, after=None)
    return give_out(site, visit, "records", header=HEADER, rows=[_cells(site, visit.school, each) for each in found])


def _asked(request: Request, site: Site, visit: Visit) -> Typed:
    return typed(request.query_params, Search(visit.school.slug, reader_of(site, visit)))


def _page(site: Site, visit: Visit, asked: Typed, *, after: Position | None) -> Response:
    with site.database.reading() as connection:
        found = [] if asked.problems else find(connection, asked.search, limit=A_PAGE + 1, after=after)
        accounts = [each for each in people.accounts(connection) if each.school.slug == visit.school.slug]
    rows = found[:A_PAGE]
    following = f"{asked.address}&after={position_text(rows[-1])}".lstrip("&") if len(found) > A_PAGE else ""
    return site.pages.html(
        "records",
        status=400 if asked.problems else 200,
        visit=visit,
        section="records",
        rows=[(each, _words(each)) for each in rows],
        typed=asked,
        choices=CHOICES,
        accounts=accounts,
        first=after is None,
        following=following,
        may_export=visit.may(Action.EXPORT),
    )


def _words(found: Found) -> dict[str, str]:
    """Return how a record stands, in words."""
    return {
        "state": STATES.get(found.state, "") if found.state else "",
        "outcome": OUTCOMES.get(found.outcome, found.outcome),
        "severity": SEVERITIES.get(found.severity.value, ""),
        "class": CLASSES.get(found.record_class, "not set yet"),
        "keeping": KEEPINGS[found.keeping.value],
        "verified": VERIFIED[found.verified.value],
    }


def _cells(site: Site, school: School, found: Found) -> tuple[object, ...]:
    said = _words(found)
    place, posted = (found.place, found.posted_at) if found.item_id is not None else _stated(site, found)
    gone = found.keeping is Keeping.DISPOSED
    return (
        *(found.record_id, school.name, found.account, platform_words(found.platform), *_both(posted)),
        *(*_both(found.captured_at), *_both(found.sealed_at), REMOVED if gone else place, said["outcome"], said["severity"]),
        *(said["state"], said["class"], found.review_on or "", said["keeping"], said["verified"], found.by),
    )


def _both(moment: datetime | None) -> tuple[str, str]:
    """Return a time in UTC and in London (R13)."""
    return (utc_text(moment), london_text(moment)) if moment is not None else ("", "")


def _stated(site: Site, found: Found) -> tuple[str, datetime | None]:
    """Return place and time of a post as whoever handed it in stated them; nothing when the record cannot be read."""
    try:
        facts = json.loads(site.tools.vault.open(found.path, "data/record.json"))
    except (BadInput, ValueError):
        return "", None
    return str(facts.get("place", "")), from_utc_text(facts["posted_utc"]) if facts.get("posted_utc") else None

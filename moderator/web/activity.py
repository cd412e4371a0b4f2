"""Activity: who did what and when, as the ledger has it, in plain words. Linked from the menu.

Names come from the register and stand on the page only; the copy has the references that the ledger has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from moderator.domain.access import Action
from moderator.domain.events import Event
from moderator.domain.times import london_text, utc_text
from moderator.mail.moments import day_words
from moderator.store.activity import Asked, Line, Stretch, stretch
from moderator.store.register import names_by_reference, people_of
from moderator.web.activity_words import KINDS, actor_words, happened_words
from moderator.web.given_out import give_out
from moderator.web.need import Need, Visit, of_path
from moderator.web.reader import reader_of
from moderator.web.records_search import day
from moderator.web.site import Site, SiteOf

A_PAGE = 50
MOST = 10_000
"""Lines of one copy at most (our choice): more is asked for in parts, by days."""
A_READ = 1000
"""Lines read at once for a copy."""

HEADER = ("Line", "Time (UTC)", "Time (London)", "Who", "What", "Code", "Reason", "About")

router = APIRouter(prefix="/schools/{school}")
Sees = Annotated[Visit, Depends(Need(Action.SEE_ACTIVITY, of_path))]
Seq = Annotated[int, Query(ge=0, le=2_147_483_647)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, and what is wrong with it; `asked` is what could be understood."""

    who: str
    kind: str
    since: str
    until: str
    asked: Asked
    problems: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Return the query that asks for the same again; "" when nothing was asked for."""
        given = {"who": self.who, "kind": self.kind, "since": self.since, "until": self.until}
        return urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    """One line in words. `name` is a person's, from the register; `href` leads to what it is about, "" when there is nothing to open."""

    line: Line
    what: str
    who: str
    name: str
    about: str
    href: str


@router.get("/activity")
def activity(request: Request, site: SiteOf, visit: Sees, before: Seq = 0) -> Response:
    """Show one page of the ledger, newest first; 400 with the form as it was typed when that cannot be understood."""
    return _page(site, visit, _typed(request), before=before)


@router.post("/activity.csv")
def copy(request: Request, site: SiteOf, visit: Sees) -> Response:
    """Give the lines that the address asks for as CSV, without names, after a line in the ledger. Whoever sees them may copy them."""
    typed = _typed(request)
    rows = [] if typed.problems else _all(site, visit, typed.asked)
    if len(rows) > MOST:
        typed = Typed(*_fields(request), typed.asked, (f"That is more than {MOST:,} lines. Copy fewer days at a time.",))
    if typed.problems:
        return _page(site, visit, typed, before=0)
    return give_out(site, visit, "activity", header=HEADER, rows=[_cells(line) for line in rows])


def _fields(request: Request) -> tuple[str, str, str, str]:
    given = request.query_params
    who, kind, since, until = (given.get(name, "").strip()[:64] for name in ("who", "kind", "since", "until"))
    return who, kind, since, until


def _typed(request: Request) -> Typed:
    who, kind, since, until = _fields(request)
    problems: list[str] = []
    events = frozenset(event.value for event in KINDS[kind].events) if kind in KINDS else frozenset[str]()
    asked = Asked(who, events, day(since, problems), day(until, problems))
    if asked.since is not None and asked.until is not None and asked.until < asked.since:
        problems.append("The last day is before the first day.")
    return Typed(who, kind, since, until, asked, tuple(problems))


def _read(site: Site, visit: Visit, asked: Asked, *, before: int, limit: int) -> Stretch:
    reader = reader_of(site, visit)
    with site.database.reading() as connection:
        return stretch(
            connection,
            visit.school.slug,
            asked,
            references=reader.references,
            safeguarding=reader.safeguarding,
            limit=limit,
            before=before,
        )


def _all(site: Site, visit: Visit, asked: Asked) -> list[Line]:
    """Return every line asked for, up to one more than MOST."""
    found: list[Line] = []
    before = 0
    while len(found) <= MOST:
        part = _read(site, visit, asked, before=before, limit=A_READ)
        found += part.lines
        before = part.before
        if before == 0:
            break
    return found[: MOST + 1]


def _page(site: Site, visit: Visit, typed: Typed, *, before: int) -> Response:
    found = Stretch((), 0) if typed.problems else _read(site, visit, typed.asked, before=before, limit=A_PAGE)
    with site.database.reading() as connection:
        names = names_by_reference(connection)
        known = people_of(connection, visit.school.slug)
    return site.pages.html(
        "activity",
        status=400 if typed.problems else 200,
        visit=visit,
        section="activity",
        rows=tuple(_rows(found.lines, names, visit.school.slug)),
        typed=typed,
        kinds={code: kind.title for code, kind in KINDS.items()},
        people=[(each.reference, person.name) for person, designations in known for each in designations],
        first=before == 0,
        following=f"{typed.address}&before={found.before}".lstrip("&") if found.before else "",
    )


def _rows(lines: tuple[Line, ...], names: dict[str, str], school: str) -> Iterator[Row]:
    for line in lines:
        about, href = _about(line, school)
        said = actor_words(line.actor)
        yield Row(line, happened_words(line.event, line.reason), said or line.actor, names.get(line.actor, ""), about, href)


def _about(line: Line, school: str) -> tuple[str, str]:
    """Return what a line is about, and where that can be opened."""
    if line.record_id:
        return line.record_id, f"/records/{line.record_id}"
    if line.item_id is not None:
        return f"item {line.item_id}", f"/items/{line.item_id}"
    if line.event == Event.SIGNED_IN:
        return "", ""
    found = re.match(rf"digest-{re.escape(school)}-([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:-|$)", line.subject)
    if found is not None:
        return f"digest of {day_words(date.fromisoformat(found[1]))}", f"/schools/{school}/digests/{found[1]}"
    return line.subject, ""


def _cells(line: Line) -> tuple[object, ...]:
    said = happened_words(line.event, line.reason)
    return (line.seq, utc_text(line.at), london_text(line.at), line.actor, said, line.event, line.reason, line.subject)

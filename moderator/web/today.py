"""Today: what needs a decision, severe first; what was flagged today; counts; how each account stands. Never a name or comment text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Response

from moderator.domain.account import School
from moderator.domain.digest import AccountLine
from moderator.domain.times import london_date, london_day
from moderator.store import today as read
from moderator.store.today import Listed, outcome_words, state_words
from moderator.web.site import SessionOf, Site, SiteOf

A_PAGE = 50
"""Items on one page of a list."""

router = APIRouter()
Number = Annotated[int, Query(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Row:
    """One item in a list, in words."""

    listed: Listed
    state: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, with the addresses of its neighbours (empty: there is none)."""

    rows: tuple[Row, ...]
    number: int
    previous: str = ""
    following: str = ""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """How an account stands, with how long ago it was last read well (None: never)."""

    line: AccountLine
    ago: timedelta | None
    troubled: bool


@router.get("/")
def today(site: SiteOf, session: SessionOf, school: str = "", waiting: Number = 1, flagged: Number = 1) -> Response:
    """Show one school's day. `waiting` and `flagged` are the page numbers of the two lists, from 1."""
    schools = site.database.schools()
    if not schools:
        return site.pages.html("no_school", actor=session.actor)
    chosen = next((each for each in schools if each.slug == school or not school), None)
    if chosen is None:
        raise HTTPException(status_code=404)
    return site.pages.html(
        "today", status=200, actor=session.actor, school=chosen, schools=schools, **_facts(site, chosen, waiting, flagged)
    )


def _facts(site: Site, school: School, waiting: int, flagged: int) -> dict[str, object]:
    now = site.clock.now()
    day = london_date(now)
    start, end = london_day(day)
    with site.database.reading() as connection:
        needing = read.needing_review(connection, school.slug, limit=A_PAGE + 1, after=(waiting - 1) * A_PAGE)
        of_day = read.flagged_on(connection, school.slug, day, limit=A_PAGE + 1, after=(flagged - 1) * A_PAGE)
        counts = read.counts(connection, school.slug, start, end)
        lines = read.account_lines(connection, school.slug, now)
    return {
        "day": day,
        "now": now,
        "counts": counts,
        "needing": _listing(needing, waiting, lambda page: _address(school.slug, page, flagged, "waiting")),
        "flagged": _listing(of_day, flagged, lambda page: _address(school.slug, waiting, page, "flagged")),
        "accounts": [_account(line, now, site.tools.silence) for line in lines],
    }


def _listing(found: Sequence[Listed], number: int, address: Callable[[int], str]) -> Listing:
    """Return a page of a list; one row more than A_PAGE was asked for, to know whether another page follows."""
    return Listing(
        rows=tuple(Row(each, state_words(each), outcome_words(each)) for each in found[:A_PAGE]),
        number=number,
        previous=address(number - 1) if number > 1 else "",
        following=address(number + 1) if len(found) > A_PAGE else "",
    )


def _address(school: str, waiting: int, flagged: int, part: str) -> str:
    return "/?" + urlencode({"school": school, "waiting": waiting, "flagged": flagged}) + f"#{part}"


def _account(line: AccountLine, now: datetime, silence: timedelta) -> AccountFacts:
    ago = None if line.last_good_poll is None else now - line.last_good_poll
    quiet = ago is None or ago > silence
    return AccountFacts(line, ago, troubled=bool(line.trouble) or (quiet and line.mode != "not approved"))

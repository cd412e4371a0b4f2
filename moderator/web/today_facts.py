"""What Today shows, gathered from the store: the queue and its counts, the day, how each account stands. Called by `today`."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from moderator.domain.decision import Severity
from moderator.domain.digest import grounds
from moderator.domain.lifecycle import State
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.score import PersonKind
from moderator.domain.times import london_date
from moderator.store import queue
from moderator.store.listed import Listed, outcome_words, state_words
from moderator.store.people import ACCOUNTS
from moderator.store.queue import Place, Wanted, place_of
from moderator.web.accounts_facts import listed
from moderator.web.filters import address, asked_by, filters
from moderator.web.need import Visit
from moderator.web.seen import seen
from moderator.web.site import Site

A_PAGE = 50
"""Items on one page of what waits."""
OF_THE_DAY = 10
"""Items on one page of what was flagged today: most of it stands above already."""
MAX_JUSTIFICATION = 4000
"""Characters of a reason at most (our choice)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item in a list, in words. `tick`: it may be upheld together with others; `ticked`: the form had it ticked."""

    listed: Listed
    state: str
    outcome: str
    grounds: str
    tick: bool = False
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, with the addresses of its beginning and of the page after it (empty: there is none, or this is it)."""

    rows: tuple[Row, ...]
    first: str = ""
    following: str = ""

    @property
    def tickable(self) -> bool:
        """Return whether any of them can be ticked."""
        return any(row.tick for row in self.rows)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor asks of Today: the filters, where the lists go on, and what they typed in the form that was not taken."""

    wanted: Wanted
    after: Place | None = None
    before: int = 0
    kept: int = 0
    typed: str = ""
    ticked: frozenset[int] = frozenset()
    problem: str = ""
    open: bool = False

    @property
    def filters(self) -> bool:
        """Return whether the filters are shown: asked for, or in use."""
        return self.open or self.wanted != Wanted()


NOTHING_ASKED = Asked(Wanted())


def today_facts(site: Site, visit: Visit, asked: Asked) -> dict[str, object]:
    """Return everything the template `today` names. Reads only; nothing that the visitor may not be shown is listed or counted."""
    now, school = site.clock.now(), visit.school.slug
    day = london_date(now)
    condition = seen(site, visit)
    with site.database.reading() as connection:
        found = queue.waiting(connection, school, seen=condition, now=now, limit=A_PAGE + 1, wanted=asked.wanted, after=asked.after)
        first = _first(found) if asked == NOTHING_ASKED else queue.next_after(connection, school, seen=condition, but=0)
        tallies = (
            queue.tallies(connection, school, seen=condition, now=now)
            if asked.filters
            else queue.totals(connection, school, seen=condition)
        )
        of_day = queue.flagged_on(connection, school, day, seen=condition, limit=OF_THE_DAY + 1, before=asked.before)
        counts = queue.day_counts(connection, school, day, seen=condition)
        handles = _handles(connection, school) if len(tallies.account) > 1 or asked.wanted.account else {}
    return {
        "day": day,
        "now": now,
        "counts": counts,
        "tallies": tallies,
        "serious": tallies.severity[Severity.SEVERE],
        "first": first,
        "filters": filters(asked.wanted, tallies, handles) if asked.filters else (),
        "narrowed": asked_by(asked.wanted),
        "asked": asked,
        "needing": _needing(school, found, asked),
        "flagged": _of_day(school, of_day, asked),
        "accounts": listed(site, visit),
        "shortest": MIN_JUSTIFICATION,
        "longest": MAX_JUSTIFICATION,
    }


def _first(found: Sequence[Listed]) -> Listed | None:
    """Return the first item that somebody can decide on now; if none of a page can be, its first."""
    return next((each for each in found if not each.awaits_advice and not each.working), found[0] if found else None)


def _handles(connection: sa.Connection, school: str) -> dict[int, str]:
    rows = connection.execute(sa.select(ACCOUNTS.c.id, ACCOUNTS.c.handle).where(ACCOUNTS.c.school == school))
    return {row.id: f"@{row.handle.removeprefix('@')}" for row in rows}


def _needing(school: str, found: Sequence[Listed], asked: Asked) -> Listing:
    """Return a page of what waits; one row more than A_PAGE was asked for, to know whether another page follows."""
    rows = found[:A_PAGE]
    return Listing(
        rows=tuple(_row(each, tick=_together(each), ticked=each.id in asked.ticked) for each in rows),
        first=address(school, asked.wanted) if asked.after else "",
        following=address(school, asked.wanted, after=place_of(rows[-1])) if len(found) > A_PAGE else "",
    )


def _of_day(school: str, found: Sequence[Listed], asked: Asked) -> Listing:
    rows = found[:OF_THE_DAY]
    return Listing(
        rows=tuple(_row(each) for each in rows),
        first=address(school, asked.wanted) + "#flagged" if asked.before else "",
        following=address(school, asked.wanted, before=rows[-1].id) + "#flagged" if len(found) > OF_THE_DAY else "",
    )


def _row(each: Listed, *, tick: bool = False, ticked: bool = False) -> Row:
    return Row(each, state_words(each), outcome_words(each), grounds(each.grounds), tick, ticked)


def _together(each: Listed) -> bool:
    """Return whether the list offers a tick: the step refuses every other item too (`steps.review.uphold_together`)."""
    plain = each.severity is Severity.ORDINARY and each.state in {State.RECORDED, State.HIDDEN}
    return plain and not each.held and not each.awaits_advice and PersonKind.STAFF.value not in each.about

"""What needs a person, a page at a time by key, with filters and their counts. Called by Today and the item page.

Every query walks an index and stops after a page (`waiting`, `flagged_on`) or after MOST rows (`tallies`): a table of a million items
costs what one of a thousand does. `seen` is the condition of `seen_by`: what the reader may be shown (R15, R21).
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from moderator.domain.about import unpacked
from moderator.domain.decision import Outcome, Severity
from moderator.domain.digest import DigestCounts
from moderator.domain.events import Event
from moderator.domain.lifecycle import State
from moderator.domain.score import PersonKind
from moderator.domain.times import london_day
from moderator.store.codec import SEVERITY_RANK
from moderator.store.items import ITEMS
from moderator.store.ledger import LEDGER
from moderator.store.listed import LIST, Listed, listed
from moderator.store.today import POLICE

MOST = 5000
"""Waiting items that are counted at most (our choice): with more, the page says that there are more."""

NOT_FLAGGED = SEVERITY_RANK[Severity.NONE]


class Situation(StrEnum):
    """How a waiting item stands, as the filter names it."""

    STOPPED = "stopped"
    HR = "hr"
    HIDDEN = "hidden"
    SHOWING = "showing"
    POLICE = "police"


_SITUATION: dict[Situation, sa.ColumnElement[bool]] = {
    Situation.STOPPED: ITEMS.c.held_at.is_not(None),
    Situation.HR: ITEMS.c.awaits_advice,
    Situation.HIDDEN: ITEMS.c.state == State.HIDDEN.value,
    Situation.SHOWING: ITEMS.c.state == State.RECORDED.value,
    Situation.POLICE: ITEMS.c.state == State.WITHHELD.value,
}

WAITING_SINCE = {1: timedelta(days=1), 3: timedelta(days=3), 7: timedelta(days=7)}
"""How long an item can be asked to have waited, by the number of days the filter names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; the default is everything. `days` is a key of WAITING_SINCE, `account` a number of the register."""

    severity: Severity | None = None
    ground: str = ""
    situation: Situation | None = None
    account: int = 0
    days: int = 0
    about: PersonKind | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the queue ended: the next one goes on after it."""

    rank: int
    id: int


def waiting(  # noqa: PLR0913 - the facts of one page
    connection: sa.Connection,
    school: str,
    *,
    seen: sa.ColumnElement[bool],
    now: datetime,
    limit: int,
    wanted: Wanted = Wanted(),
    after: Place | None = None,
) -> list[Listed]:
    """Return items that need a person, severe first, oldest first, from the one after `after` on."""
    asked = sa.select(*LIST).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen, *_narrowed(wanted, now))
    asked = asked.order_by(ITEMS.c.rank, ITEMS.c.id)
    if after is None:
        parts = [asked]
    else:
        # Two walks of the index, each from its own place on: one comparison of both columns would walk the whole rank from its start.
        parts = [asked.where(ITEMS.c.rank == after.rank, ITEMS.c.id > after.id)]
        if wanted.severity is None:
            parts.append(asked.where(ITEMS.c.rank > after.rank))
    found: list[Listed] = []
    for part in parts:
        if len(found) < limit:
            found += [listed(row) for row in connection.execute(part.limit(limit - len(found)))]
    return found


def _narrowed(wanted: Wanted, now: datetime) -> list[sa.ColumnElement[bool]]:
    parts: list[sa.ColumnElement[bool]] = []
    if wanted.severity is not None:
        parts.append(ITEMS.c.rank == SEVERITY_RANK[wanted.severity])
    if wanted.ground:
        parts.append(ITEMS.c.grounds.contains(f",{wanted.ground},", autoescape=True))
    if wanted.situation is not None:
        parts.append(_SITUATION[wanted.situation])
    if wanted.account:
        parts.append(_unindexed(ITEMS.c.account_id == wanted.account))
    if wanted.days:
        parts.append(_unindexed(ITEMS.c.first_seen_at <= now - WAITING_SINCE[wanted.days]))
    if wanted.about is not None:
        parts.append(ITEMS.c.about.contains(f",{wanted.about.value},"))
    return parts


def _unindexed(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return a condition that tempts no database to walk an index of all time instead of the short one of what waits."""
    return sa.case((condition, 1), else_=0) == 1


def place_of(row: Listed) -> Place:
    """Return where a page ends whose last item this is."""
    return Place(SEVERITY_RANK[row.severity], row.id)


def next_after(connection: sa.Connection, school: str, *, seen: sa.ColumnElement[bool], but: int) -> Listed | None:
    """Return the first item that somebody can decide on now, other than `but`; None when all that wait, wait for HR or the service."""
    free = sa.and_(~ITEMS.c.awaits_advice, ITEMS.c.stage.is_(None))
    wanted = sa.select(*LIST).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen, free, ITEMS.c.id != but)
    row = connection.execute(wanted.order_by(ITEMS.c.rank, ITEMS.c.id).limit(1)).one_or_none()
    return listed(row) if row else None


def all_shown(connection: sa.Connection, school: str, numbers: Collection[int], *, seen: sa.ColumnElement[bool]) -> bool:
    """Return whether each of these items is the school's and one that the reader may be shown."""
    known = sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.id.in_(list(numbers)), ITEMS.c.school == school, seen)
    return connection.execute(known).scalar_one() == len(set(numbers))


@dataclass(frozen=True, slots=True)
class Tallies:
    """How many wait, in all and for each choice of a filter. `more`: there are more than MOST, and only the first were counted."""

    total: int = 0
    more: bool = False
    severity: Counter[Severity] = field(default_factory=Counter)
    ground: Counter[str] = field(default_factory=Counter)
    situation: Counter[Situation] = field(default_factory=Counter)
    account: Counter[int] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)
    about: Counter[PersonKind] = field(default_factory=Counter)


def tallies(connection: sa.Connection, school: str, *, seen: sa.ColumnElement[bool], now: datetime) -> Tallies:
    """Return how many items need a person, for each choice of each filter. Reads the index of what waits and no row of the table."""
    waited: sa.ColumnElement[int] = sum(
        (sa.case((ITEMS.c.first_seen_at <= now - since, 1), else_=0) for since in WAITING_SINCE.values()), sa.literal_column("0")
    )
    columns = (
        ITEMS.c.rank,
        ITEMS.c.account_id,
        ITEMS.c.grounds,
        ITEMS.c.about,
        ITEMS.c.state,
        sa.type_coerce(ITEMS.c.awaits_advice, sa.Integer()),
        sa.case((ITEMS.c.held_at.is_(None), 0), else_=1),
        waited,
    )
    wanted = sa.select(*columns).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen).order_by(ITEMS.c.rank, ITEMS.c.id)
    # Counted here: grouping in the database would sort them first, which takes longer than to hand them over.
    found = Counter(map(tuple, connection.execute(wanted.limit(MOST + 1)).all()))
    total = sum(found.values())
    made = Tallies(total=min(total, MOST), more=total > MOST)
    for (rank, account, grounds, about, state, hr, stopped, waited_for), count in found.items():
        made.severity[_SEVERITIES[rank]] += count
        made.account[account] += count
        for ground in unpacked(grounds):
            made.ground[ground] += count
        for kind in unpacked(about):
            made.about[PersonKind(kind)] += count
        for days in tuple(WAITING_SINCE)[:waited_for]:
            made.days[days] += count
        for situation in _situations(state, hr=bool(hr), stopped=bool(stopped)):
            made.situation[situation] += count
    return made


def totals(connection: sa.Connection, school: str, *, seen: sa.ColumnElement[bool]) -> Tallies:
    """Return how many items need a person, in all and by severity alone: what `tallies` returns, for a page without its filters."""
    first = sa.select(ITEMS.c.rank).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen).order_by(ITEMS.c.rank, ITEMS.c.id)
    some = first.limit(MOST + 1).subquery()
    rows = connection.execute(sa.select(some.c.rank, sa.func.count()).group_by(some.c.rank)).all()
    total = sum(count for _, count in rows)
    return Tallies(min(total, MOST), more=total > MOST, severity=Counter({_SEVERITIES[rank]: count for rank, count in rows}))


_SEVERITIES = {rank: severity for severity, rank in SEVERITY_RANK.items()}
_BY_STATE = {State.HIDDEN.value: Situation.HIDDEN, State.RECORDED.value: Situation.SHOWING, State.WITHHELD.value: Situation.POLICE}


def _situations(state: str, *, hr: bool, stopped: bool) -> list[Situation]:
    """Return the choices of that filter under which an item is found, as _SITUATION has them."""
    found = [_BY_STATE[state]] if state in _BY_STATE else []
    return found + [Situation.HR] * hr + [Situation.STOPPED] * stopped


def flagged_on(  # noqa: PLR0913 - the facts of one page
    connection: sa.Connection,
    school: str,
    day: date,
    *,
    seen: sa.ColumnElement[bool],
    limit: int,
    before: int = 0,
    last: date | None = None,
) -> list[Listed]:
    """Return the flagged items first seen on a London day, newest first, from the one before item `before` on (0: from the newest).

    With `last`, those of all days from `day` to `last`.
    Items get their numbers in the order in which they are seen, so the number alone is the key.
    """
    start, end = london_day(day)[0], london_day(last or day)[1]
    wanted = sa.select(*LIST).where(
        ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end, ITEMS.c.rank < NOT_FLAGGED, seen
    )
    if before:
        then = sa.select(ITEMS.c.first_seen_at).where(ITEMS.c.id == before).scalar_subquery()
        wanted = wanted.where(ITEMS.c.first_seen_at <= then, ITEMS.c.id < before)
    wanted = wanted.order_by(ITEMS.c.first_seen_at.desc(), ITEMS.c.id.desc())
    return [listed(row) for row in connection.execute(wanted.limit(limit))]


def day_counts(
    connection: sa.Connection, school: str, day: date, *, seen: sa.ColumnElement[bool], last: date | None = None
) -> DigestCounts:
    """Return the counts of the items first seen on a London day, and of what was done on it, among what the reader may be shown.

    With `last`, those of all days from `day` to `last`.
    """
    start, end = london_day(day)[0], london_day(last or day)[1]
    stopped = ITEMS.c.held_at.is_not(None).label("stopped")
    sealed = ITEMS.c.record_id.is_not(None).label("sealed")
    of_day = (
        sa.select(ITEMS.c.state, ITEMS.c.outcome, sealed, stopped, sa.func.count().label("n"))
        .where(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end, seen)
        .group_by(ITEMS.c.state, ITEMS.c.outcome, sealed, stopped)
    )
    rows = connection.execute(of_day).all()
    done = _done(connection, school, start, end, seen)
    return DigestCounts(
        seen=sum(row.n for row in rows),
        cleared=sum(row.n for row in rows if row.state == State.CLEARED),
        flagged=sum(row.n for row in rows if row.outcome in {Outcome.HIDE, Outcome.ROUTE, Outcome.WITHHOLD}),
        recorded=sum(row.n for row in rows if row.sealed),
        hidden=done[Event.HIDE_VERIFIED.value],
        routed=sum(row.n for row in rows if row.outcome == Outcome.ROUTE),
        withheld=sum(row.n for row in rows if row.outcome == Outcome.WITHHOLD),
        restored=done[Event.RESTORED.value],
        upheld=max(done[Event.REVIEWED.value] - done[Event.RESTORED.value], 0),
        held=sum(row.n for row in rows if row.stopped),
    )


def _done(connection: sa.Connection, school: str, start: datetime, end: datetime, seen: sa.ColumnElement[bool]) -> Counter[str]:
    """Return how often each thing was done, told by the ledger, without what was done to items that the reader may not be shown."""
    kept_back = sa.select(ITEMS.c.id).where(ITEMS.c.school == school, ITEMS.c.record_id == LEDGER.c.subject, ~seen).exists()
    told = (
        sa.select(LEDGER.c.event, sa.func.count().label("n"))
        .where(LEDGER.c.school == school, LEDGER.c.at >= start, LEDGER.c.at < end)
        .where(LEDGER.c.event.in_([Event.HIDE_VERIFIED.value, Event.RESTORED.value, Event.REVIEWED.value]))
        .where(~LEDGER.c.line.contains(f'"reason":"{POLICE}"'), ~kept_back)
        .group_by(LEDGER.c.event)
    )
    return Counter({row.event: row.n for row in connection.execute(told)})

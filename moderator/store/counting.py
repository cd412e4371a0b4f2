"""Counts without names (R35): what was read, flagged, hidden, decided, by month and by ground. Called by the Trustees page and reports."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa

from moderator.domain.about import unpacked
from moderator.domain.decision import Outcome
from moderator.domain.lifecycle import State
from moderator.domain.review import Verdict
from moderator.domain.terms import Term
from moderator.domain.times import london_date, london_day
from moderator.store import submitted
from moderator.store.items import ITEMS, REVIEWS

_DECIDES = (Verdict.UPHOLD.value, Verdict.RESTORE.value)


@dataclass(slots=True)
class Counts:
    """What happened in a term. `hidden`, `showing`, `routed` and `withheld` add up to `flagged`; so do `kept`, `restored`, `undecided`.

    `showing` was to be hidden and is not: the account only observes, the platform cannot, or the comment is gone. `restored` are the false
    flags. `waits` are the times from first sight to a person's first decision. `by_month` is keyed by the month's first day, `by_ground`
    by the label; a comment can have several.
    """

    read: int = 0
    flagged: int = 0
    hidden: int = 0
    showing: int = 0
    routed: int = 0
    withheld: int = 0
    kept: int = 0
    restored: int = 0
    undecided: int = 0
    handed_in: int = 0
    waits: list[timedelta] = field(default_factory=list)
    read_by_month: Counter[date] = field(default_factory=Counter)
    flagged_by_month: Counter[date] = field(default_factory=Counter)
    by_ground: Counter[str] = field(default_factory=Counter)

    @property
    def median_wait(self) -> timedelta | None:
        """Return the middle time to a decision; None when there was none."""
        return timedelta(seconds=median(wait.total_seconds() for wait in self.waits)) if self.waits else None


def counts(connection: sa.Connection, schools: Sequence[str], term: Term, *, seen: sa.ColumnElement[bool] | None = None) -> Counts:
    """Return the counts of a term for one school or several: of the comments first seen in it. Walks its flagged comments alone.

    `seen` is the condition on ITEMS of what the reader may be told of; without it, of everything.
    """
    made, seen = Counts(), sa.true() if seen is None else seen
    for school in schools:
        _count_read(connection, school, term, made, seen)
        for row in connection.execute(_flagged(school, *_span(term.first, term.last)).where(seen)):
            _count_flagged(row, made)
        made.handed_in += submitted.count(connection, school, *_span(term.first, term.last))
    return made


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return london_day(first)[0], london_day(last)[1]


def _count_read(connection: sa.Connection, school: str, term: Term, made: Counts, seen: sa.ColumnElement[bool]) -> None:
    months = term.months()
    for month, following in zip(months, (*months[1:], term.last + timedelta(days=1)), strict=True):
        start, end = _span(max(month, term.first), following - timedelta(days=1))
        of_month = sa.and_(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end, seen)
        number = connection.execute(sa.select(sa.func.count()).select_from(ITEMS).where(of_month)).scalar_one()
        made.read += number
        made.read_by_month[month] += number


def _flagged(school: str, start: datetime, end: datetime) -> sa.Select[Any]:
    first = sa.select(sa.func.min(REVIEWS.c.at)).where(REVIEWS.c.item_id == ITEMS.c.id, REVIEWS.c.verdict.in_(_DECIDES))
    hidden = ITEMS.c.hidden_at.is_not(None).label("was_hidden")
    columns = (ITEMS.c.first_seen_at, ITEMS.c.outcome, ITEMS.c.state, hidden, ITEMS.c.grounds)
    of_term = sa.and_(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end)
    # A number in the statement, not a parameter: only so does SQLite use the index of what is flagged.
    return sa.select(*columns, first.scalar_subquery().label("decided_at")).where(of_term, ITEMS.c.rank < sa.literal_column("9"))


def _count_flagged(row: Any, made: Counts) -> None:  # noqa: ANN401 - a row of `_flagged`
    made.flagged += 1
    made.flagged_by_month[london_date(row.first_seen_at).replace(day=1)] += 1
    made.by_ground.update(unpacked(row.grounds))
    if row.outcome == Outcome.WITHHOLD:
        made.withheld += 1
    elif row.outcome == Outcome.ROUTE:
        made.routed += 1
    elif row.was_hidden:
        made.hidden += 1
    else:
        made.showing += 1
    if row.decided_at is None:
        made.undecided += 1
        return
    made.waits.append(row.decided_at - row.first_seen_at)
    if row.state == State.RESTORED:
        made.restored += 1
    else:
        made.kept += 1

"""The ledger as people read it: newest first, by person, kind and day. Called by the Activity page and its copy."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.record import RECORD_ID, record_id
from moderator.domain.times import london_day
from moderator.store import ledger
from moderator.store.items import ITEMS
from moderator.store.ledger import LEDGER
from moderator.store.seen_by import seen_by

LOOK = 20_000
"""Lines one page looks through at most (our choice): a rare line of a long ledger is found page by page, never in one long wait."""

ASTRAY = 1000
"""How many lines the order of times may differ from the order of lines (our choice): a step takes its time before it waits for its turn."""

_ITEM = "item-"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: of one actor ("" everybody), of some events (empty: all), of London days, both included."""

    actor: str = ""
    events: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the ledger. `subject`, `actor` and `reason` are references and codes, never a name."""

    seq: int
    at: datetime
    event: str
    subject: str
    actor: str
    reason: str

    @property
    def item_id(self) -> int | None:
        """Return the number of the item it is about, where it is about one that has no record."""
        number = self.subject.removeprefix(_ITEM)
        return int(number) if number != self.subject and number.isdigit() else None

    @property
    def record_id(self) -> str:
        """Return the number of the record it is about, "" where it is about none."""
        return self.subject if RECORD_ID.fullmatch(self.subject) else ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the ledger, newest first. `before` is where the next, older one begins; 0 when there is none."""

    lines: tuple[Line, ...]
    before: int


def stretch(  # noqa: PLR0913 - what is asked, and for whom
    connection: sa.Connection,
    school: str,
    asked: Asked,
    *,
    references: frozenset[str],
    safeguarding: bool,
    limit: int,
    before: int = 0,
) -> Stretch:
    """Return up to `limit` lines before line `before` (0: from the newest on) of those asked for.

    Lines about comments that this person may not see (R15, R21) are left out; so a stretch can be short, even empty, with older ones
    to come.
    """
    first = _bottom(connection, school, asked.since)
    newest = _top(connection, school, asked.until)
    top = min(before or newest, newest)
    bottom = first if asked == Asked() else max(first, top - LOOK)
    wanted = (
        sa.select(LEDGER.c.seq, LEDGER.c.at, LEDGER.c.event, LEDGER.c.subject, LEDGER.c.line)
        .where(LEDGER.c.school == school, LEDGER.c.seq < top, LEDGER.c.seq >= bottom, *_conditions(asked))
        .order_by(LEDGER.c.seq.desc())
        .limit(limit + 1)
    )
    rows = connection.execute(wanted).all()
    found = [_line(row) for row in rows[:limit]]
    looked_to = found[-1].seq if len(rows) > limit else bottom
    unseen = _unseen(connection, school, found, references=references, safeguarding=safeguarding)
    return Stretch(tuple(line for line in found if line.subject not in unseen), looked_to if looked_to > first else 0)


def _conditions(asked: Asked) -> Iterable[sa.ColumnElement[bool]]:
    # A further message of a day tells that there was something about somebody: its own lines are in the ledger, not on this page.
    yield ~sa.or_(LEDGER.c.subject.like("digest-%-safeguarding-%"), LEDGER.c.subject.like("digest-%-conflict-%"))
    if asked.actor:
        yield LEDGER.c.line.contains(f'"actor":{json.dumps(asked.actor)}', autoescape=True)
    if asked.events:
        yield LEDGER.c.event.in_(sorted(asked.events))
    if asked.since is not None:
        yield LEDGER.c.at >= london_day(asked.since)[0]
    if asked.until is not None:
        yield LEDGER.c.at < london_day(asked.until)[1]


def _top(connection: sa.Connection, school: str, until: date | None) -> int:
    """Return a line number that every line of the days up to and with `until` is before."""
    if until is None:
        return ledger.head(connection, school).seq + 1
    wanted = sa.select(LEDGER.c.seq).where(LEDGER.c.school == school, LEDGER.c.at < london_day(until)[1]).order_by(LEDGER.c.at.desc())
    return (connection.execute(wanted.limit(1)).scalar() or 0) + ASTRAY


def _bottom(connection: sa.Connection, school: str, since: date | None) -> int:
    """Return a line number that no line of the days from `since` on is before."""
    if since is None:
        return 1
    wanted = sa.select(LEDGER.c.seq).where(LEDGER.c.school == school, LEDGER.c.at >= london_day(since)[0]).order_by(LEDGER.c.at)
    first = connection.execute(wanted.limit(1)).scalar()
    return max((first if first is not None else ledger.head(connection, school).seq) - ASTRAY, 1)


def _line(row: Any) -> Line:  # noqa: ANN401 - a row of LEDGER
    told = json.loads(row.line)
    return Line(row.seq, row.at, row.event, row.subject, str(told["actor"]), str(told["reason"]))


def _unseen(
    connection: sa.Connection, school: str, lines: Collection[Line], *, references: frozenset[str], safeguarding: bool
) -> frozenset[str]:
    """Return the subjects among the lines that this person may not see."""
    hidden = sa.not_(seen_by(references=references, safeguarding=safeguarding))
    numbers = {line.item_id for line in lines if line.item_id is not None}
    records = {line.record_id for line in lines if line.record_id}
    of_items = sa.select(ITEMS.c.id).where(ITEMS.c.id.in_(numbers), ITEMS.c.school == school, hidden)
    of_records = sa.select(ITEMS.c.record_id).where(ITEMS.c.record_id.in_(records), ITEMS.c.school == school, hidden)
    items = {f"{_ITEM}{number}" for number in connection.execute(of_items).scalars()} if numbers else set()
    kept = set(connection.execute(of_records).scalars()) if records else set()
    return frozenset(items | kept | (_unsealed(connection, school, hidden) if records else set()))


def _unsealed(connection: sa.Connection, school: str, hidden: sa.ColumnElement[bool]) -> set[str]:
    """Return the numbers that the records of comments in hand will have, of those this person may not see: the ledger has them already."""
    wanted = sa.select(ITEMS.c.platform, ITEMS.c.comment_id, ITEMS.c.version)
    rows = connection.execute(
        wanted.where(ITEMS.c.school == school, ITEMS.c.rank < sa.literal_column("9"), ITEMS.c.record_id.is_(None), hidden)
    )
    return {record_id(school, *row) for row in rows}

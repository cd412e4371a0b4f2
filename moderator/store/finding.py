"""Searching a school's records, those handed in among them: by number, day, account, and how they stand. Called by the Records page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from moderator.domain.decision import Severity
from moderator.domain.events import Event
from moderator.domain.lifecycle import State
from moderator.domain.times import london_day
from moderator.store.disposals import HOLDS
from moderator.store.items import ITEMS, RECORDS
from moderator.store.ledger import LEDGER
from moderator.store.people import ACCOUNTS
from moderator.store.retention import DISPOSALS, RETENTION, SUBMITTED
from moderator.store.seen_by import seen_by
from moderator.store.stamps import STAMPS

Position = tuple[datetime, str]
"""Where a list stands: when a record was sealed, and its number."""

HANDED_IN = "handed_in"
"""Stands where a decision's outcome does, for what a person handed in."""


class Keeping(StrEnum):
    """Whether a record is kept, under legal hold, or lawfully disposed of (R30)."""

    KEPT = "kept"
    HELD = "held"
    DISPOSED = "disposed"


class Verified(StrEnum):
    """What is known of a record's soundness: a fault in the service's own last checks, no time stamp yet, or neither."""

    SOUND = "sound"
    PENDING = "pending"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is looked: who they are on the roll (R21), whether they see disclosures (R15); and the records known to be at fault."""

    references: frozenset[str]
    safeguarding: bool
    faulty: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, at which school, for whom; an empty part asks for nothing. Days are London days of sealing, both included."""

    school: str
    reader: Reader
    number: str = ""
    since: date | None = None
    until: date | None = None
    account: int = 0
    outcome: str = ""
    severity: str = ""
    record_class: str = ""
    keeping: Keeping | None = None
    verified: Verified | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One record as a list shows it: no name and no text. `place` and `posted_at` (empty after disposal) are for the copy alone (R13).

    `item_id` is None for what was handed in: then `by` is the designation reference of who did, and account, state and place are empty.
    """

    record_id: str
    path: str
    captured_at: datetime
    sealed_at: datetime
    item_id: int | None
    account: str
    platform: str
    outcome: str
    severity: Severity
    state: State | None
    record_class: str
    review_on: date | None
    keeping: Keeping
    verified: Verified
    place: str = ""
    posted_at: datetime | None = None
    by: str = ""

    @property
    def position(self) -> Position:
        """Return where a list goes on after this one."""
        return (self.sealed_at, self.record_id)


def find(connection: sa.Connection, search: Search, *, limit: int, after: Position | None = None) -> list[Found]:
    """Return up to `limit` records of a school, the newest seal first, from the one after the position `after` on.

    A record that any of its comments keeps from the reader is left out. Reads at most the school's records, by their index.
    """
    found = [*_captured(connection, search, limit, after), *_handed_in(connection, search, limit, after)]
    return sorted(found, key=lambda each: each.position, reverse=True)[:limit]


def _captured(connection: sa.Connection, search: Search, limit: int, after: Position | None) -> Iterator[Found]:
    if search.outcome == HANDED_IN:
        return
    pending = RECORDS.c.stamp_pending
    wanted = (
        sa.select(
            *(*_common(RECORDS, pending), ITEMS.c.id, ITEMS.c.platform, ITEMS.c.outcome, ITEMS.c.severity, ITEMS.c.state),
            *(ITEMS.c.place, ITEMS.c.posted_at, ACCOUNTS.c.handle, sa.literal("").label("by")),
        )
        .join(ITEMS, ITEMS.c.id == RECORDS.c.item_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == ITEMS.c.account_id)
        .where(*_of_all(RECORDS, search, pending, after), ~_kept_from(search.reader))
    )
    asked = {ITEMS.c.outcome: search.outcome, ITEMS.c.severity: search.severity}
    wanted = wanted.where(*(column == value for column, value in asked.items() if value))
    if search.account:
        wanted = wanted.where(_of_record(ITEMS.c.account_id == search.account).exists())
    for row in connection.execute(_in_order(wanted, RECORDS, limit)):
        yield _found(row, search.reader)


def _handed_in(connection: sa.Connection, search: Search, limit: int, after: Position | None) -> Iterator[Found]:
    if search.account or search.severity or search.outcome not in {"", HANDED_IN}:
        return
    line = sa.select(LEDGER.c.seq).where(
        LEDGER.c.school == SUBMITTED.c.school,
        LEDGER.c.subject == SUBMITTED.c.record_id,
        LEDGER.c.event == Event.SEALED.value,
        LEDGER.c.line.contains('"stamp_pending":true'),
    )
    stamped = sa.select(STAMPS.c.record_id).where(STAMPS.c.record_id == SUBMITTED.c.record_id)
    pending = sa.and_(~stamped.exists(), line.exists())
    none = sa.null()
    wanted = sa.select(
        *(*_common(SUBMITTED, pending), none.label("id"), sa.literal("").label("platform"), sa.literal(HANDED_IN).label("outcome")),
        *(none.label("severity"), none.label("state"), sa.literal("").label("place"), none.label("posted_at")),
        *(sa.literal("").label("handle"), SUBMITTED.c.by),
    ).where(*_of_all(SUBMITTED, search, pending, after))
    for row in connection.execute(_in_order(wanted, SUBMITTED, limit)):
        yield _found(row, search.reader)


def _common(table: sa.Table, pending: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[Any], ...]:
    return (
        table.c.record_id,
        table.c.path,
        table.c.captured_at,
        table.c.sealed_at,
        pending.label("pending"),
        _retention(table, RETENTION.c.record_class).label("record_class"),
        _retention(table, RETENTION.c.review_on).label("review_on"),
        _disposed(table).label("disposed"),
        _on_hold(table).label("on_hold"),
    )


def _of_all(table: sa.Table, search: Search, pending: sa.ColumnElement[bool], after: Position | None) -> Iterator[sa.ColumnElement[bool]]:
    yield table.c.school == search.school
    if after is not None:
        yield sa.tuple_(table.c.sealed_at, table.c.record_id) < sa.tuple_(
            sa.literal(after[0], table.c.sealed_at.type), sa.literal(after[1])
        )
    if search.number:
        yield table.c.record_id == search.number
    if search.since is not None:
        yield table.c.sealed_at >= london_day(search.since)[0]
    if search.until is not None:
        yield table.c.sealed_at < london_day(search.until)[1]
    if search.record_class:
        yield _retention(table, RETENTION.c.record_class) == search.record_class
    if search.keeping is not None:
        gone = _disposed(table)
        held = sa.and_(~gone, _on_hold(table))
        yield {Keeping.DISPOSED: gone, Keeping.HELD: held, Keeping.KEPT: ~gone}[search.keeping]
    if search.verified is not None:
        fault = table.c.record_id.in_(sorted(search.reader.faulty))
        waits = sa.and_(~fault, pending)
        yield {Verified.FAULT: fault, Verified.PENDING: waits, Verified.SOUND: sa.and_(~fault, ~pending)}[search.verified]


def _of_record(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the comments of the outer record that meet a condition: two accounts of a school can share a record."""
    return sa.select(ITEMS.c.id).where(ITEMS.c.record_id == RECORDS.c.record_id, condition).correlate(RECORDS)


def _kept_from(reader: Reader) -> sa.ColumnElement[bool]:
    shown = seen_by(references=reader.references, safeguarding=reader.safeguarding)
    return _of_record(sa.not_(shown)).exists()


def _retention(table: sa.Table, column: sa.Column[Any]) -> sa.ScalarSelect[Any]:
    newest = sa.select(column).where(RETENTION.c.record_id == table.c.record_id).order_by(RETENTION.c.id.desc()).limit(1)
    return newest.correlate(table).scalar_subquery()


def _disposed(table: sa.Table) -> sa.Exists:
    gone = sa.select(DISPOSALS.c.id).where(DISPOSALS.c.record_id == table.c.record_id, DISPOSALS.c.approved_at.is_not(None))
    return gone.correlate(table).exists()


def _on_hold(table: sa.Table) -> sa.Exists:
    return sa.select(HOLDS.c.id).where(HOLDS.c.record_id == table.c.record_id, HOLDS.c.released_at.is_(None)).correlate(table).exists()


def _in_order(wanted: sa.Select[Any], table: sa.Table, limit: int) -> sa.Select[Any]:
    return wanted.order_by(table.c.sealed_at.desc(), table.c.record_id.desc()).limit(limit)


def _found(row: Any, reader: Reader) -> Found:  # noqa: ANN401 - a row of `_captured` or `_handed_in`
    gone = bool(row.disposed)
    return Found(
        record_id=row.record_id,
        path=row.path,
        captured_at=row.captured_at,
        sealed_at=row.sealed_at,
        item_id=row.id,
        account=row.handle,
        platform=row.platform,
        outcome=row.outcome or "",
        severity=Severity(row.severity or "none"),
        state=State(row.state) if row.state else None,
        record_class=row.record_class or "",
        review_on=row.review_on,
        keeping=Keeping.DISPOSED if gone else Keeping.HELD if row.on_hold else Keeping.KEPT,
        verified=_verified(row, reader),
        place="" if gone else row.place,
        posted_at=None if gone else row.posted_at,
        by=row.by,
    )


def _verified(row: Any, reader: Reader) -> Verified:  # noqa: ANN401 - as above
    if row.record_id in reader.faulty:
        return Verified.FAULT
    return Verified.PENDING if row.pending else Verified.SOUND

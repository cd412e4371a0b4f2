"""What machines may read: records, decisions and counts without names, handles, addresses or words. Called by the API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain import about
from moderator.domain.decision import Outcome
from moderator.store.items import DISPOSALS, ITEMS, RECORDS, REVIEWS
from moderator.store.seen_by import seen_by


@dataclass(frozen=True, slots=True)
class RecordOut:
    """One record of an item, as machines see it."""

    record_id: str
    item: int
    platform: str
    kind: str
    state: str
    outcome: str
    severity: str
    grounds: tuple[str, ...]
    posted_at: datetime
    first_seen_at: datetime
    captured_at: datetime
    sealed_at: datetime
    hidden_at: datetime | None
    capture_kind: str
    stamp_pending: bool
    manifest_sha256: str
    disposed: bool


@dataclass(frozen=True, slots=True)
class DecisionOut:
    """One decision by a person. Its reason is not given out: people write names in it."""

    id: int
    item: int
    record_id: str | None
    verdict: str
    actor: str
    at: datetime
    done_at: datetime | None


_DISPOSAL = sa.select(DISPOSALS.c.id).where(DISPOSALS.c.record_id == RECORDS.c.record_id, DISPOSALS.c.approved_at.is_not(None))
_OF_RECORD = ("record_id", "item_id", "captured_at", "sealed_at", "capture_kind", "stamp_pending", "manifest_sha256")
_OF_ITEM = ("platform", "kind", "state", "outcome", "severity", "grounds", "posted_at", "first_seen_at", "hidden_at")


def _record(row: Any) -> RecordOut:  # noqa: ANN401 - a row of the query below
    return RecordOut(
        record_id=row.record_id,
        item=row.item_id,
        platform=row.platform,
        kind=row.kind,
        state=row.state,
        outcome=row.outcome or "",
        severity=row.severity or "none",
        grounds=about.unpacked(row.grounds),
        posted_at=row.posted_at,
        first_seen_at=row.first_seen_at,
        captured_at=row.captured_at,
        sealed_at=row.sealed_at,
        hidden_at=row.hidden_at,
        capture_kind=row.capture_kind,
        stamp_pending=row.stamp_pending,
        manifest_sha256=row.manifest_sha256,
        disposed=row.gone,
    )


def _records(school: str, *, safeguarding: bool) -> sa.Select[Any]:
    columns = (*(RECORDS.c[name] for name in _OF_RECORD), *(ITEMS.c[name] for name in _OF_ITEM), _DISPOSAL.exists().label("gone"))
    joined = sa.select(*columns).join(ITEMS, ITEMS.c.id == RECORDS.c.item_id)
    may_be_read = seen_by(references=frozenset(), safeguarding=safeguarding)
    return joined.where(RECORDS.c.school == school, ITEMS.c.outcome != Outcome.WITHHOLD.value, may_be_read)


def records(connection: sa.Connection, school: str, *, safeguarding: bool, after: int, limit: int) -> list[RecordOut]:
    """Return a school's records by item number, those after the item `after` (0: from the first)."""
    wanted = _records(school, safeguarding=safeguarding).where(RECORDS.c.item_id > after).order_by(RECORDS.c.item_id).limit(limit)
    return [_record(row) for row in connection.execute(wanted)]


def record(connection: sa.Connection, school: str, record_id: str, *, safeguarding: bool) -> RecordOut | None:
    """Return one record; None when there is none at that school, or none that may be read."""
    row = connection.execute(_records(school, safeguarding=safeguarding).where(RECORDS.c.record_id == record_id)).one_or_none()
    return _record(row) if row else None


def decisions(connection: sa.Connection, school: str, *, safeguarding: bool, after: int, limit: int) -> list[DecisionOut]:
    """Return what people decided about a school's items, in order, those after the decision `after` (0: from the first)."""
    columns = (REVIEWS.c.id, REVIEWS.c.item_id, ITEMS.c.record_id, REVIEWS.c.verdict, REVIEWS.c.actor, REVIEWS.c.at, REVIEWS.c.done_at)
    wanted = sa.select(*columns).join(ITEMS, ITEMS.c.id == REVIEWS.c.item_id).where(ITEMS.c.school == school, REVIEWS.c.id > after)
    wanted = wanted.where(seen_by(references=frozenset(), safeguarding=safeguarding)).order_by(REVIEWS.c.id).limit(limit)
    return [DecisionOut(*row) for row in connection.execute(wanted)]

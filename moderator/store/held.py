"""What the books know of a sealed record: its place, its history, and how the service stood around it. Called for exports."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.digest import AlertKind
from moderator.domain.errors import BadInput
from moderator.domain.events import Event
from moderator.domain.pack import NEARBY, Around, Checked, Happened, Held, Trouble, Witnessed
from moderator.store import people
from moderator.store.items import ITEMS, RECORDS, REVIEWS
from moderator.store.ledger import LEDGER, lines_of
from moderator.store.outbox import ALERTS, DIGESTS
from moderator.store.record_tables import RetentionRow, SubmittedRow

SUBMITTED: sa.Table = SubmittedRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
RETENTION: sa.Table = RetentionRow.__table__  # type: ignore[attr-defined] # as above

ABOUT_THE_SERVICE = (AlertKind.SYSTEM, AlertKind.ACCOUNT, AlertKind.EVIDENCE)
MOST_TROUBLES = 50
"""Most alerts one statement lists (our choice): a day with more is told by its count."""


def find(connection: sa.Connection, record_id: str) -> Held:
    """Return a record as the books know it. Raises BadInput when there is none of that number."""
    for table in (RECORDS, SUBMITTED):
        row = connection.execute(sa.select(table).where(table.c.record_id == record_id)).mappings().one_or_none()
        if row is not None:
            return _held(connection, row)
    message = f"there is no record {record_id}: give its number as the record page or the digest shows it, R- and 16 letters and digits"
    raise BadInput(message)


def numbers(connection: sa.Connection, school: str) -> Iterator[str]:
    """Yield the numbers of a school's records, those handed in among them, in order of sealing."""
    kept = sa.union_all(
        *(sa.select(table.c.record_id, table.c.sealed_at).where(table.c.school == school) for table in (RECORDS, SUBMITTED))
    ).subquery()
    yield from connection.execute(sa.select(kept.c.record_id).order_by(kept.c.sealed_at, kept.c.record_id)).scalars()


def _held(connection: sa.Connection, row: Any) -> Held:  # noqa: ANN401 - a row of RECORDS or SUBMITTED
    school = people.school(connection, row["school"])
    lines = [json.loads(line) for line in lines_of(connection, school.slug, row["record_id"])]
    item = row.get("item_id")
    account = connection.execute(sa.select(ITEMS.c.account_id).where(ITEMS.c.id == item)).scalar() if item else None
    review_on = sa.select(RETENTION.c.review_on).where(RETENTION.c.record_id == row["record_id"]).order_by(RETENTION.c.id.desc()).limit(1)
    return Held(
        record_id=row["record_id"],
        school=school,
        path=row["path"],
        manifest_sha256=row["manifest_sha256"],
        captured_at=row["captured_at"],
        sealed_at=row["sealed_at"],
        item_id=item,
        account_id=account,
        submitted_by=row.get("by", ""),
        ledger_seq=next((line["seq"] for line in lines if line["event"] == Event.SEALED), 0),
        disposed_at=next((_at(line) for line in lines if line["event"] == Event.DISPOSED), None),
        review_on=connection.execute(review_on).scalar(),
        history=_history(connection, lines, item),
        exports=tuple((str(line["pack"]), _at(line)) for line in lines if line["event"] == Event.EXPORTED),
    )


def _history(connection: sa.Connection, lines: list[dict[str, Any]], item: int | None) -> tuple[Happened, ...]:
    told = [Happened(_at(line), line["event"], line["actor"], line["reason"]) for line in lines if line["event"] != Event.REVIEWED]
    if item is not None:
        reviews = connection.execute(sa.select(REVIEWS).where(REVIEWS.c.item_id == item).order_by(REVIEWS.c.id))
        told += [Happened(row.at, row.verdict, row.actor, why=row.justification) for row in reviews]
    return tuple(sorted(told, key=lambda each: each.at))


def _at(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


def around(connection: sa.Connection, held: Held) -> Around:
    """Return how the service stood around the capture of a record."""
    since, until = held.captured_at - NEARBY, held.captured_at + NEARBY
    school = held.school.slug
    of_account = ITEMS.c.account_id == held.account_id
    first_seen = ITEMS.c.first_seen_at
    nearby = sa.select(sa.func.count()).where(of_account, first_seen >= since, first_seen <= until)
    sealed = sa.select(sa.func.count()).where(RECORDS.c.school == school, RECORDS.c.sealed_at >= since, RECORDS.c.sealed_at <= until)
    before = sa.select(sa.func.max(first_seen)).where(of_account, first_seen <= held.captured_at, ITEMS.c.id != held.item_id)
    after = sa.select(sa.func.min(first_seen)).where(of_account, first_seen > held.captured_at)
    known = held.account_id is not None
    return Around(
        since=since,
        until=until,
        comments=connection.execute(nearby).scalar() if known else None,
        sealed=connection.execute(sealed).scalar_one(),
        seen_before=connection.execute(before).scalar() if known else None,
        seen_after=connection.execute(after).scalar() if known else None,
        troubles=_troubles(connection, school, since, until),
        last_check=_last_check(connection, school),
        witnessed=_witnessed(connection, held),
    )


def _troubles(connection: sa.Connection, school: str, since: datetime, until: datetime) -> tuple[Trouble, ...]:
    wanted = (
        sa.select(ALERTS.c.at, ALERTS.c.kind, ALERTS.c.what)
        .where(ALERTS.c.school == school, ALERTS.c.at >= since, ALERTS.c.at <= until)
        .where(ALERTS.c.kind.in_([kind.value for kind in ABOUT_THE_SERVICE]))
        .order_by(ALERTS.c.at, ALERTS.c.id)
        .limit(MOST_TROUBLES)
    )
    return tuple(Trouble(row.at, row.kind, row.what) for row in connection.execute(wanted))


def _last_check(connection: sa.Connection, school: str) -> Checked | None:
    wanted = sa.select(LEDGER.c.line).where(LEDGER.c.school == school, LEDGER.c.event == Event.VERIFIED.value)
    line = connection.execute(wanted.order_by(LEDGER.c.seq.desc()).limit(1)).scalar()
    if line is None:
        return None
    told = json.loads(line)
    return Checked(_at(told), str(told.get("kind", "")), int(told.get("checked", 0)), int(told.get("faults", 0)))


def _witnessed(connection: sa.Connection, held: Held) -> Witnessed | None:
    """Return the first digest whose head already held the record's `sealed` line."""
    if not held.ledger_seq:
        return None
    wanted = sa.select(DIGESTS).where(DIGESTS.c.school == held.school.slug, DIGESTS.c.head_seq >= held.ledger_seq)
    row = connection.execute(wanted.order_by(DIGESTS.c.head_seq).limit(1)).mappings().first()
    return Witnessed(row["day"], row["composed_at"], row["head_seq"], row["head_hash"]) if row else None

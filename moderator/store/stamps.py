"""Which stamps each record holds, and which it lacks. Called by the units and the store for the record and stamp steps."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.lifecycle import Stage
from moderator.domain.record import Stamp
from moderator.domain.stamping import ToRenew, ToStamp
from moderator.store.engine import insert_if_new
from moderator.store.record_tables import RecordRow, RecordStampRow, SubmittedRow
from moderator.store.tables import ItemRow

STAMPS: sa.Table = RecordStampRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
RECORDS: sa.Table = RecordRow.__table__  # type: ignore[attr-defined] # as above
SUBMITTED: sa.Table = SubmittedRow.__table__  # type: ignore[attr-defined] # as above
ITEMS: sa.Table = ItemRow.__table__  # type: ignore[attr-defined] # as above

_ALL = sa.union_all(
    *(
        sa.select(
            table.c.record_id,
            table.c.school,
            table.c.path,
            table.c.captured_at,
            table.c.sealed_at,
            pending.label("stamp_pending"),
        )
        for table, pending in ((RECORDS, RECORDS.c.stamp_pending), (SUBMITTED, sa.false()))
    )
).subquery("kept")
"""Every record, those handed in among them."""


def put(connection: sa.Connection, record_id: str, school: str, stamp: Stamp) -> bool:
    """Store a stamp that a record holds; return whether it is new. One that is known is left alone."""
    row = {
        "record_id": record_id,
        "authority": stamp.authority,
        "round": stamp.round,
        "school": school,
        "at": stamp.at,
        "expires_at": stamp.expires_at,
    }
    return insert_if_new(connection, STAMPS, row)


class StampWrites:
    """The part of a unit that notes stamps; implements ports.StampingWrites."""

    connection: sa.Connection

    def stamped(self, record_id: str, school: str, stamp: Stamp, at: datetime) -> bool:
        """Note a stamp; the record is no longer pending, and its item, if it waits to be hidden, is due now. False when it was known."""
        new = put(self.connection, record_id, school, stamp)
        pending = sa.update(RECORDS).where(RECORDS.c.record_id == record_id, RECORDS.c.stamp_pending)
        if self.connection.execute(pending.values(stamp_pending=False)).rowcount:
            waits = sa.update(ITEMS).where(
                ITEMS.c.record_id == record_id,
                ITEMS.c.stage == Stage.HIDE.value,
                ITEMS.c.lease_until.is_(None),
                ITEMS.c.hide_called_at.is_(None),
                ITEMS.c.due_at > at,
            )
            self.connection.execute(waits.values(due_at=at))
        return new


class StampReads:
    """The part of the store that tells which records want a stamp; implements ports.StampingReads."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]

    def lacking_stamp(self, authority: str, *, after: ToStamp | None, limit: int) -> list[ToStamp]:
        """Return records without any stamp of that authority, the oldest first, from the one after `after` on."""
        wanted = sa.select(_ALL).where(_lacks(authority))
        if after is not None:
            wanted = wanted.where(sa.tuple_(_ALL.c.sealed_at, _ALL.c.record_id) > sa.tuple_(*_bound(after.sealed_at, after.record_id)))
        wanted = wanted.order_by(_ALL.c.sealed_at, _ALL.c.record_id).limit(limit)
        with self.reading() as connection:
            return [ToStamp(**row) for row in connection.execute(wanted).mappings()]

    def to_renew(self, *, before: datetime, after: ToRenew | None, limit: int) -> list[ToRenew]:
        """Return records whose newest round has a chain that ends before then, the most urgent first, from the one after `after` on."""
        later = STAMPS.alias("later")
        newest = ~sa.exists().where(later.c.record_id == STAMPS.c.record_id, later.c.round > STAMPS.c.round)
        ends = (
            sa.select(STAMPS.c.record_id, STAMPS.c.round, sa.func.min(STAMPS.c.expires_at).label("ends_at"))
            .where(STAMPS.c.expires_at < before, newest)
            .group_by(STAMPS.c.record_id, STAMPS.c.round)
            .subquery("ends")
        )
        wanted = sa.select(_ALL.c.record_id, _ALL.c.school, _ALL.c.path, ends.c.round, ends.c.ends_at).join(
            _ALL, _ALL.c.record_id == ends.c.record_id
        )
        if after is not None:
            wanted = wanted.where(sa.tuple_(ends.c.ends_at, ends.c.record_id) > sa.tuple_(*_bound(after.ends_at, after.record_id)))
        wanted = wanted.order_by(ends.c.ends_at, ends.c.record_id).limit(limit)
        with self.reading() as connection:
            return [ToRenew(**row) for row in connection.execute(wanted).mappings()]

    def last_stamp(self, authority: str) -> datetime | None:
        """Return the time of the newest stamp by that authority."""
        with self.reading() as connection:
            found: datetime | None = connection.execute(sa.select(sa.func.max(STAMPS.c.at)).where(STAMPS.c.authority == authority)).scalar()
            return found

    def waiting_for_stamp(self, authority: str) -> dict[str, datetime]:
        """Return, by school, when the oldest record without that authority's stamp was sealed."""
        oldest = sa.select(_ALL.c.school, sa.func.min(_ALL.c.sealed_at).label("oldest")).where(_lacks(authority)).group_by(_ALL.c.school)
        with self.reading() as connection:
            return {row.school: row.oldest for row in connection.execute(oldest)}


def _lacks(authority: str) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(STAMPS.c.record_id == _ALL.c.record_id, STAMPS.c.authority == authority)


def _bound(at: datetime, record_id: str) -> Iterator[sa.ColumnElement[object]]:
    """Yield a place to go on from, as the database stores its two parts."""
    yield sa.literal(at, STAMPS.c.at.type)
    yield sa.literal(record_id)

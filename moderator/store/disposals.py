"""Legal holds and disposals: who asked, who decided, and the blanking of what the database holds (R30). Called by the steps' units."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from moderator.domain.decision import Decision
from moderator.domain.disposal import Disposal, Ground, Kept, LegalHold
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.record import CaptureKind, Stamp
from moderator.store import codec, record_keys
from moderator.store.items import ITEMS, RECORDS
from moderator.store.record_tables import LegalHoldRow, RecordStampRow
from moderator.store.retention import DISPOSALS, SUBMITTED, RetentionWrites, retention_of

HOLDS: sa.Table = LegalHoldRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
STAMPS: sa.Table = RecordStampRow.__table__  # type: ignore[attr-defined] # as above

_DECIDED_BEFORE = "somebody has decided about this disposal meanwhile: look again"


def kept(connection: sa.Connection, record_id: str, *, lock: bool = False) -> Kept:
    """Return how a record is kept. Raises BadInput when there is none.

    `lock` keeps the record and its items as they are until the transaction ends; SQLite's one writer needs no more than that it writes.
    """
    row = _row(connection, record_id, lock=lock)
    items = _items(connection, record_id, lock=lock)
    stamps = sa.select(STAMPS).where(STAMPS.c.record_id == record_id).order_by(STAMPS.c.round, STAMPS.c.authority)
    holds = sa.select(HOLDS).where(HOLDS.c.record_id == record_id).order_by(HOLDS.c.id)
    disposals = sa.select(DISPOSALS).where(DISPOSALS.c.record_id == record_id).order_by(DISPOSALS.c.id)
    return Kept(
        record_id=record_id,
        school=row["school"],
        path=row["path"],
        capture_kind=CaptureKind(row.get("capture_kind", CaptureKind.SUBMITTED_BY_PERSON.value)),
        sealed_at=row["sealed_at"],
        stamp_pending=row.get("stamp_pending", False),
        item_id=row.get("item_id"),
        working=any(item["stage"] is not None for item in items),
        undecided=any(item["needs_review"] for item in items),
        hidden=any(item["state"] in {"hidden", "upheld"} and item["hide_called_at"] is not None for item in items),
        stamps=tuple(
            Stamp(each["authority"], each["round"], each["at"], each["expires_at"]) for each in connection.execute(stamps).mappings()
        ),
        retention=retention_of(connection, record_id),
        holds=tuple(_hold(each) for each in connection.execute(holds).mappings()),
        disposals=tuple(_disposal(each) for each in connection.execute(disposals).mappings()),
    )


def _row(connection: sa.Connection, record_id: str, *, lock: bool) -> codec.Row:
    for table in (RECORDS, SUBMITTED):
        wanted = sa.select(table).where(table.c.record_id == record_id)
        row = connection.execute(wanted.with_for_update() if lock else wanted).mappings().one_or_none()
        if row is not None:
            return row
    message = f"there is no record {record_id}: give its number as its page or the digest shows it, R- and 16 letters and digits"
    raise BadInput(message)


def _items(connection: sa.Connection, record_id: str, *, lock: bool) -> Sequence[codec.Row]:
    """Return how the record's items stand: mostly one; none for what a person handed in; two when two accounts saw the same comment."""
    columns = (ITEMS.c.stage, ITEMS.c.needs_review, ITEMS.c.state, ITEMS.c.hide_called_at)
    wanted = sa.select(*columns).where(ITEMS.c.record_id == record_id).order_by(ITEMS.c.id)
    return connection.execute(wanted.with_for_update() if lock else wanted).mappings().all()


def _hold(row: codec.Row) -> LegalHold:
    return LegalHold(**{name: row[name] for name in LegalHold.__slots__})


def _disposal(row: codec.Row) -> Disposal:
    return Disposal(**{name: row[name] for name in Disposal.__slots__ if name != "ground"}, ground=Ground(row["ground"]))


def kept_with_decision(connection: sa.Connection, record_id: str) -> tuple[Kept, Decision | None]:
    """Return how a record is kept, and the decision about its comment; None for one that a person handed in."""
    found = kept(connection, record_id)
    text = connection.execute(sa.select(ITEMS.c.decision).where(ITEMS.c.id == found.item_id)).scalar()
    return found, codec.decision_from(text) if text else None


def disposal_of(connection: sa.Connection, record_id: str) -> Disposal | None:
    """Return the approved disposal of a record, carried out or not; None while it is kept."""
    wanted = sa.select(DISPOSALS).where(DISPOSALS.c.record_id == record_id, DISPOSALS.c.approved_at.is_not(None))
    row = connection.execute(wanted).mappings().one_or_none()
    return _disposal(row) if row else None


def disposals_to_finish(connection: sa.Connection, *, limit: int) -> list[Disposal]:
    """Return approved disposals that are not carried out yet, oldest first."""
    wanted = sa.select(DISPOSALS).where(DISPOSALS.c.approved_at.is_not(None), DISPOSALS.c.done_at.is_(None))
    return [_disposal(row) for row in connection.execute(wanted.order_by(DISPOSALS.c.id).limit(limit)).mappings()]


def holds_not_stored(connection: sa.Connection, *, limit: int) -> list[str]:
    """Return the ids of records whose hold, or its lifting, the storage has not taken yet."""
    late = sa.or_(HOLDS.c.stored_at.is_(None), HOLDS.c.stored_at < HOLDS.c.released_at)
    return list(connection.execute(sa.select(HOLDS.c.record_id).where(late).distinct().order_by(HOLDS.c.record_id).limit(limit)).scalars())


class DisposalWrites(RetentionWrites):
    """The part of a unit that holds records and disposes of them."""

    def kept(self, record_id: str) -> Kept:
        """Return how a record is kept; it and its item are locked until the transaction ends. Raises BadInput when there is none."""
        return kept(self.connection, record_id, lock=True)

    def hold_placed(self, hold: LegalHold) -> None:
        """Add a legal hold."""
        row = {name: getattr(hold, name) for name in LegalHold.__slots__} | {"why": codec.storable(hold.why)}
        self.connection.execute(sa.insert(HOLDS).values(row))

    def hold_released(self, hold: LegalHold) -> None:
        """Store who released the standing holds of that record and reference, when and why."""
        same = (HOLDS.c.record_id == hold.record_id, HOLDS.c.reference == hold.reference, HOLDS.c.released_at.is_(None))
        values = {"released_by": hold.released_by, "released_why": codec.storable(hold.released_why), "released_at": hold.released_at}
        self.connection.execute(sa.update(HOLDS).where(*same).values(values))

    def hold_stored(self, record_id: str, *, on: bool, at: datetime) -> None:
        """Note that the storage has taken a record's hold, or its lifting; nothing is noted when the books say otherwise by now."""
        if bool(self.kept(record_id).standing_holds) is on:
            self.connection.execute(sa.update(HOLDS).where(HOLDS.c.record_id == record_id).values(stored_at=at))

    def disposal_asked(self, disposal: Disposal) -> None:
        """Add a disposal that waits for a second person."""
        asked = ("record_id", "school", "asked_by", "asked_at")
        row = {name: getattr(disposal, name) for name in asked} | {"ground": disposal.ground.value, "why": codec.storable(disposal.why)}
        self.connection.execute(sa.insert(DISPOSALS).values(row))

    def disposal_decided(self, disposal: Disposal) -> None:
        """Store an approval or a refusal. Raises NotAllowed when somebody decided before, or one person would be both."""
        names = ("approved_by", "approved_why", "approved_at", "refused_by", "refused_why", "refused_at")
        waits = (DISPOSALS.c.id == disposal.id, DISPOSALS.c.approved_at.is_(None), DISPOSALS.c.refused_at.is_(None))
        values = {name: codec.storable(value) if isinstance(value := getattr(disposal, name), str) else value for name in names}
        try:
            decided = self.connection.execute(sa.update(DISPOSALS).where(*waits).values(values)).rowcount
        except IntegrityError as error:
            message = "two different people must decide about a disposal"
            raise NotAllowed(message) from error
        if decided != 1:
            raise NotAllowed(_DECIDED_BEFORE)

    def destroy_key(self, record_id: str, at: datetime) -> None:
        """Destroy the record's key, if it has one. May be repeated."""
        record_keys.destroy(self.connection, record_id, at)

    def disposal_done(self, disposal: Disposal, at: datetime) -> None:
        """Note that an approved disposal is carried out. May be repeated: the first time stays."""
        self.connection.execute(sa.update(DISPOSALS).where(DISPOSALS.c.id == disposal.id, DISPOSALS.c.done_at.is_(None)).values(done_at=at))

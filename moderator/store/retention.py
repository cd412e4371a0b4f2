"""Review dates: one row a change, the newest counts (R30). Called by the units of the record and retain steps, and by what people read."""

from datetime import date

import sqlalchemy as sa

from moderator.domain.retention import RecordClass, Retention
from moderator.store import codec
from moderator.store.items import RECORDS
from moderator.store.record_tables import DisposalRow, RetentionRow, SubmittedRow

RETENTION: sa.Table = RetentionRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
SUBMITTED: sa.Table = SubmittedRow.__table__  # type: ignore[attr-defined] # as above
DISPOSALS: sa.Table = DisposalRow.__table__  # type: ignore[attr-defined] # as above


def retention_of(connection: sa.Connection, record_id: str) -> Retention | None:
    """Return the review date in force; None when there is none yet."""
    wanted = sa.select(RETENTION).where(RETENTION.c.record_id == record_id).order_by(RETENTION.c.id.desc()).limit(1)
    row = connection.execute(wanted).mappings().one_or_none()
    return _retention(row) if row else None


def due_for_review(connection: sa.Connection, *, before: date, school: str = "") -> list[Retention]:
    """Return the review dates in force up to and with `before` of records that are kept, oldest first; of one school, or of all."""
    wanted = sa.select(RETENTION).where(_due(before, school)).order_by(RETENTION.c.review_on, RETENTION.c.record_id)
    return [_retention(row) for row in connection.execute(wanted).mappings()]


def count_due(connection: sa.Connection, *, before: date, school: str) -> int:
    """Return how many records of a school `due_for_review` would list."""
    return connection.execute(sa.select(sa.func.count()).select_from(RETENTION).where(_due(before, school))).scalar_one()


def oldest_due(connection: sa.Connection, *, before: date, school: str) -> date | None:
    """Return the oldest review date of those; None when there is none."""
    found: date | None = connection.execute(sa.select(sa.func.min(RETENTION.c.review_on)).where(_due(before, school))).scalar()
    return found


def _due(before: date, school: str) -> sa.ColumnElement[bool]:
    later = RETENTION.alias()
    newer = sa.select(later.c.id).where(later.c.record_id == RETENTION.c.record_id, later.c.id > RETENTION.c.id)
    gone = sa.select(DISPOSALS.c.id).where(DISPOSALS.c.record_id == RETENTION.c.record_id, DISPOSALS.c.approved_at.is_not(None))
    due = sa.and_(RETENTION.c.review_on <= before, ~newer.exists(), ~gone.exists())
    return sa.and_(due, RETENTION.c.school == school) if school else due


def without_review_date(connection: sa.Connection, *, limit: int) -> list[str]:
    """Return the ids of up to `limit` records, captured or handed in, that have no review date."""
    found: list[str] = []
    for table in (RECORDS, SUBMITTED):
        dated = sa.select(RETENTION.c.id).where(RETENTION.c.record_id == table.c.record_id)
        wanted = sa.select(table.c.record_id).where(~dated.exists()).order_by(table.c.sealed_at).limit(limit - len(found))
        found += connection.execute(wanted).scalars()
    return found


def _retention(row: codec.Row) -> Retention:
    return Retention(
        record_id=row["record_id"],
        school=row["school"],
        record_class=RecordClass(row["record_class"]),
        review_on=row["review_on"],
        by=row["by"],
        why=row["why"],
        at=row["at"],
    )


class RetentionWrites:
    """The part of a unit that sets review dates."""

    connection: sa.Connection

    def retain(self, retention: Retention) -> None:
        """Add a review date; the newest counts."""
        row = {
            "record_id": retention.record_id,
            "school": retention.school,
            "record_class": retention.record_class.value,
            "review_on": retention.review_on,
            "by": retention.by,
            "why": codec.storable(retention.why),
            "at": retention.at,
        }
        self.connection.execute(sa.insert(RETENTION).values(row))

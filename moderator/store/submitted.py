"""Records of what people handed in. Called by the submit step's unit, the digest and the pages."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.events import Event
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.domain.submission import SubmissionBegun
from moderator.store.engine import insert_new
from moderator.store.ledger import LEDGER
from moderator.store.record_tables import RecordStampRow, SubmittedRow

SUBMITTED: sa.Table = SubmittedRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
STAMPS: sa.Table = RecordStampRow.__table__  # type: ignore[attr-defined] # as above


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One record as a list shows it: no name but the designation reference of who handed it in, no words of the post."""

    record: SealedRecord
    school: str
    by: str


def handed_in(connection: sa.Connection, record_id: str) -> HandedIn | None:
    """Return one record; None when there is none of that number."""
    row = connection.execute(sa.select(SUBMITTED).where(SUBMITTED.c.record_id == record_id)).mappings().one_or_none()
    return _handed_in(connection, row) if row else None


def recent(connection: sa.Connection, school: str, *, limit: int) -> list[HandedIn]:
    """Return a school's newest records, newest first."""
    wanted = sa.select(SUBMITTED).where(SUBMITTED.c.school == school).order_by(SUBMITTED.c.sealed_at.desc(), SUBMITTED.c.record_id)
    return [_handed_in(connection, row) for row in connection.execute(wanted.limit(limit)).mappings().all()]


def count(connection: sa.Connection, school: str, start: datetime, end: datetime) -> int:
    """Return how many were handed in from `start` to before `end`."""
    wanted = sa.select(sa.func.count()).select_from(SUBMITTED)
    return connection.execute(
        wanted.where(SUBMITTED.c.school == school, SUBMITTED.c.captured_at >= start, SUBMITTED.c.captured_at < end)
    ).scalar_one()


def notes(connection: sa.Connection, school: str, start: datetime, end: datetime) -> tuple[str, ...]:
    """Return the digest's line on what staff handed in that day; none when there was nothing."""
    number = count(connection, school, start, end)
    if number == 0:
        return ()
    return (f"{number} record{'' if number == 1 else 's'} of screen prints {'was' if number == 1 else 'were'} handed in by staff.",)


def _handed_in(connection: sa.Connection, row: sa.RowMapping) -> HandedIn:
    stamped = connection.execute(sa.select(STAMPS.c.authority).where(STAMPS.c.record_id == row["record_id"]).limit(1)).first()
    sealed = sa.select(LEDGER.c.line).where(
        LEDGER.c.school == row["school"], LEDGER.c.subject == row["record_id"], LEDGER.c.event == Event.SEALED.value
    )
    line = connection.execute(sealed.order_by(LEDGER.c.seq).limit(1)).scalar()
    facts = json.loads(line) if line else {}
    record = SealedRecord(
        record_id=row["record_id"],
        path=row["path"],
        manifest_sha256=row["manifest_sha256"],
        captured_at=row["captured_at"],
        sealed_at=row["sealed_at"],
        capture_kind=CaptureKind.SUBMITTED_BY_PERSON,
        stamp_pending=bool(facts.get("stamp_pending")) and stamped is None,
        manifest_sha512=str(facts.get("manifest_sha512", "")),
    )
    return HandedIn(record, row["school"], row["by"])


class SubmittedReads:
    """The part of the store that tells of what was handed in; implements that part of ports.Store."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]

    def submitted_record(self, record_id: str) -> SealedRecord | None:
        """Return the record of something handed in; None when there is none."""
        with self.reading() as connection:
            found = handed_in(connection, record_id)
        return found.record if found else None

    def submissions_unfinished(self, school: str, *, since: datetime) -> list[SubmissionBegun]:
        """Return a school's hand-ins begun since then that have no record in the books yet, oldest first."""
        known = sa.select(SUBMITTED.c.record_id).where(SUBMITTED.c.record_id == LEDGER.c.subject)
        wanted = (
            sa.select(LEDGER.c.subject, LEDGER.c.school, LEDGER.c.line, LEDGER.c.at)
            .where(LEDGER.c.school == school, LEDGER.c.at >= since, LEDGER.c.event == Event.SUBMITTED.value, ~known.exists())
            .order_by(LEDGER.c.seq)
        )
        with self.reading() as connection:
            rows = connection.execute(wanted).all()
        return [SubmissionBegun(row.subject, row.school, json.loads(row.line)["actor"], row.at) for row in rows]


class SubmittedWrites:
    """The part of a unit that stores what was handed in."""

    connection: sa.Connection

    def submitted(self, record: SealedRecord, *, school: str, by: str) -> bool:
        """Store the sealed record; False, and nothing stored, when it is there already."""
        row = {
            "record_id": record.record_id,
            "school": school,
            "path": record.path,
            "manifest_sha256": record.manifest_sha256,
            "captured_at": record.captured_at,
            "sealed_at": record.sealed_at,
            "by": by,
        }
        if not insert_new(self.connection, SUBMITTED, [row]):
            return False
        stamps = [
            {
                "record_id": record.record_id,
                "authority": stamp.authority,
                "round": stamp.round,
                "school": school,
                "at": stamp.at,
                "expires_at": stamp.expires_at,
            }
            for stamp in record.stamps
        ]
        insert_new(self.connection, STAMPS, stamps)
        return True

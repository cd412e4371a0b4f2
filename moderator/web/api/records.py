"""`/schools/{school}/records`: a school's records, by item, without names."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel

from moderator.domain.readers import Scope
from moderator.store import given_out
from moderator.web.api.access import Reading, Reads
from moderator.web.api.refusals import REFUSALS

router = APIRouter(responses=REFUSALS)
ReadsRecords = Annotated[Reading, Depends(Reads(Scope.RECORDS))]
After = Annotated[int, Query(ge=0, le=2_147_483_647, description="The `next` of the page before; 0 for the first.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


class Record(BaseModel):
    """A sealed record. `manifest_sha256` is what the ledger's `sealed` line says; `grounds` are codes of why it was flagged."""

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


class Records(BaseModel):
    """A page of records; `next` is the `after` of the following page, null on the last."""

    records: list[Record]
    next: int | None


@router.get("/schools/{school}/records")
def records(reading: ReadsRecords, after: After = 0, limit: Limit = 100) -> Records:
    """Return records in the order of their items."""
    with reading.site.database.reading() as connection:
        found = given_out.records(connection, reading.school, safeguarding=reading.safeguarding, after=after, limit=limit + 1)
    page = [Record(**asdict(each)) for each in found[:limit]]
    return Records(records=page, next=page[-1].item if len(found) > limit else None)


@router.get("/schools/{school}/records/{record_id}")
def record(reading: ReadsRecords, record_id: Annotated[str, Path(pattern="^R-[A-Z2-7]{16}$")]) -> Record:
    """Return one record."""
    with reading.site.database.reading() as connection:
        found = given_out.record(connection, reading.school, record_id, safeguarding=reading.safeguarding)
    if found is None:
        raise HTTPException(404, "There is no such record for this token.")
    return Record(**asdict(found))

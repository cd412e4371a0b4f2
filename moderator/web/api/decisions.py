"""`/schools/{school}/decisions`: what people decided, in order, without their reasons."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from moderator.domain.readers import Scope
from moderator.store import given_out
from moderator.web.api.access import Reading, Reads
from moderator.web.api.records import After, Limit
from moderator.web.api.refusals import REFUSALS

router = APIRouter(responses=REFUSALS)


class Decision(BaseModel):
    """One decision. `actor` is a designation's reference, never a name; `done_at` is null while a restore is under way."""

    id: int
    item: int
    record_id: str | None
    verdict: str
    actor: str
    at: datetime
    done_at: datetime | None


class Decisions(BaseModel):
    """A page of decisions; `next` is the `after` of the following page, null on the last."""

    decisions: list[Decision]
    next: int | None


@router.get("/schools/{school}/decisions")
def decisions(reading: Annotated[Reading, Depends(Reads(Scope.DECISIONS))], after: After = 0, limit: Limit = 100) -> Decisions:
    """Return decisions by people, the oldest first."""
    with reading.site.database.reading() as connection:
        found = given_out.decisions(connection, reading.school, safeguarding=reading.safeguarding, after=after, limit=limit + 1)
    page = [Decision(**asdict(each)) for each in found[:limit]]
    return Decisions(decisions=page, next=page[-1].id if len(found) > limit else None)

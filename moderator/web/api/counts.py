"""`/schools/{school}/counts/{day}` and `/accounts`: a day in numbers, and how each account stands."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from moderator.domain.readers import Scope
from moderator.domain.times import london_day
from moderator.store import today
from moderator.store.seen_by import seen_by
from moderator.web.api.access import Reading, Reads
from moderator.web.api.refusals import REFUSALS

router = APIRouter(responses=REFUSALS)
ReadsCounts = Annotated[Reading, Depends(Reads(Scope.COUNTS))]
YEARS = range(2000, 2200)
"""Years a day may be in (our choice): those in which there can be counts."""


class Counts(BaseModel):
    """One London day in numbers: items first seen on it, and what was done on it."""

    day: date
    seen: int
    cleared: int
    flagged: int
    recorded: int
    hidden: int
    routed: int
    withheld: int
    restored: int
    upheld: int
    held: int


class Account(BaseModel):
    """How one of the school's own accounts stands."""

    handle: str
    platform: str
    mode: str
    last_good_poll: datetime | None
    reads_used: int
    reads_budget: int


class Accounts(BaseModel):
    """The school's accounts."""

    accounts: list[Account]


@router.get("/schools/{school}/counts/{day}")
def counts(reading: ReadsCounts, day: date) -> Counts:
    """Return a day's counts."""
    if day.year not in YEARS:
        raise HTTPException(404, "There are no counts of that day.")
    start, end = london_day(day)
    with reading.site.database.reading() as connection:
        shown = seen_by(references=frozenset(), safeguarding=reading.safeguarding)
        found = asdict(today.counts(connection, reading.school, start, end, seen=shown))
    return Counts(day=day, **{name: found[name] for name in Counts.model_fields if name != "day"})


@router.get("/schools/{school}/accounts")
def accounts(reading: ReadsCounts) -> Accounts:
    """Return how the school's accounts stand."""
    with reading.site.database.reading() as connection:
        lines = today.account_lines(connection, reading.school, reading.site.clock.now())
    return Accounts(accounts=[Account(**{name: getattr(line, name) for name in Account.model_fields}) for line in lines])

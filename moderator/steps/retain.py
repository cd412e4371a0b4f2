"""Retain: when people look at a record again (R30). Called by the record step, by `moderator record class`, and by the schedule.

The schedule only adds review dates that are missing. Nothing here, and no date, ever disposes of a record.
"""

from dataclasses import replace
from datetime import date

from moderator import observe
from moderator.domain.decision import Decision
from moderator.domain.disposal import Kept, designation, reason
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.policy import Policy
from moderator.domain.record import SealedRecord
from moderator.domain.retention import RecordClass, Retention, class_of, review_day
from moderator.domain.times import london_date
from moderator.steps.drain import Tools


def first_retention(policy: Policy, school: str, record: SealedRecord | Kept, decision: Decision | None) -> Retention:
    """Return a record's first review date: its class from the decision, or `submitted` without one; its years from the policy."""
    record_class = RecordClass.SUBMITTED if decision is None else class_of(decision)
    years = policy.retention[record_class.value]
    day = review_day(london_date(record.sealed_at), years)
    plural = "" if years == 1 else "s"
    why = f"Class {record_class.value}: {years} year{plural} by policy {policy.version}."
    return Retention(record.record_id, school, record_class, day, "service", why, record.sealed_at)


def retain(tools: Tools, *, limit: int = 200) -> int:
    """Add the review date of up to `limit` records that have none: made by an earlier version, or handed in; return how many."""
    found = tools.store.without_review_date(limit=limit)
    policy = tools.policy
    for kept, decision in found:
        with tools.store.unit() as unit:
            if unit.kept(kept.record_id).retention is None:
                unit.retain(first_retention(policy, kept.school, kept, decision))
    if found:
        observe.happened("review_dates_added", records=len(found))
    return len(found)


def change(  # noqa: PLR0913 - one argument a thing a person gives
    tools: Tools, record_id: str, *, record_class: RecordClass | None, review_on: date | None, why: str, by: str
) -> Retention:
    """Give a record another class, another review date, or both; return what is in force now. The earlier ones stay in the database.

    A class without a date brings the date of that class, counted from sealing. Raises BadInput when neither is given, the date is not
    after the record was sealed, or reason or designation is none; NotAllowed when the record was disposed of.
    """
    who, said = designation(by), reason(why)
    if record_class is None and review_on is None:
        message = "give a class, a review date, or both"
        raise BadInput(message)
    policy = tools.policy
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        if kept.disposal is not None:
            message = f"{record_id} was disposed of: it has no review date any more"
            raise NotAllowed(message)
        sealed_on = london_date(kept.sealed_at)
        now = kept.retention or first_retention(policy, kept.school, kept, None)
        new_class = record_class or now.record_class
        day = review_on or review_day(sealed_on, policy.retention[new_class.value])
        if day <= sealed_on:
            message = f"{record_id} was sealed on {sealed_on:%d %B %Y}: give a review date after that"
            raise BadInput(message)
        changed = replace(now, record_class=new_class, review_on=day, by=who, why=said, at=tools.clock.now())
        unit.retain(changed)
    observe.happened("review_date_changed", record=record_id, record_class=new_class.value)
    return changed

"""Dispose: a record goes only when one person asks, another approves, and nothing holds it (R30). Called by the CLI and the schedule.

Nothing is ever disposed of by date. The schedule carries out what two people have decided, and finishes it after a crash.
"""

from dataclasses import replace
from datetime import timedelta

from moderator import observe
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.disposal import Disposal, Ground, Kept, check_may_approve, check_may_ask, designation, reason
from moderator.domain.errors import BadInput, ModeratorError, NotAllowed, Refused
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.ports import Unit
from moderator.steps.drain import Tools
from moderator.steps.legal_hold import settle_holds

STUCK_AFTER = timedelta(days=1)
"""How long an approved disposal may take before people are told (our choice): a disk or a bucket is away for hours, not for days.

For as long, a bag that the vault does not have may only be away with its disk; then it is gone.
"""

STUCK = "A record that was approved for disposal could not be removed in full yet."
STUCK_DONE = "The service goes on trying. If it says so again tomorrow, ask your IT lead to look at the vault and the database."
MISSING = "A record that was approved for disposal was not in the vault."
MISSING_DONE = (
    "The database has forgotten what it said; if it was encrypted, its key is destroyed. Ask your IT lead where it went: a copy elsewhere, "
    "or one that comes back from a backup, must be removed by hand."
)


def ask(tools: Tools, record_id: str, *, ground: Ground, why: str, by: str) -> Kept:
    """Propose a record for disposal; nothing is removed. Return how it is kept now. The Headteacher is told.

    Raises BadInput when there is no such record or something given is not usable, NotAllowed while the record must stay.
    """
    said, who = reason(why), designation(by)
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        at = tools.clock.now()
        check_may_ask(kept, ground, today=london_date(at))
        disposal = Disposal(record_id, kept.school, ground, said, who, at)
        unit.disposal_asked(disposal)
        unit.append(kept.school, LedgerEvent(Event.DISPOSAL_ASKED, at, record_id, who, ground.value))
        _tell(
            unit,
            tools,
            kept,
            disposal,
            what="A record is proposed for disposal.",
            done="Nothing is removed until a second person approves it. They can refuse it as well.",
        )
    tools.ledger.sync(kept.school)
    observe.happened("disposal_asked", record=record_id, ground=ground.value)
    return tools.store.kept(record_id)


def refuse(tools: Tools, record_id: str, *, why: str, by: str) -> Kept:
    """Refuse the disposal that waits, or take it back when one asked for it oneself. The record is kept; it may be proposed again.

    Raises BadInput as `ask` does, and NotAllowed when none waits.
    """
    said, who = reason(why), designation(by)
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        if kept.asked is None:
            message = f"no disposal of {record_id} waits for a decision"
            raise NotAllowed(message)
        at = tools.clock.now()
        unit.disposal_decided(replace(kept.asked, refused_by=who, refused_why=said, refused_at=at))
        code = "withdrawn" if who == kept.asked.asked_by else "refused"
        unit.append(kept.school, LedgerEvent(Event.DISPOSAL_REFUSED, at, record_id, who, code))
    tools.ledger.sync(kept.school)
    observe.happened("disposal_refused", record=record_id)
    return tools.store.kept(record_id)


def approve(tools: Tools, record_id: str, *, why: str, by: str) -> Kept:
    """Approve the disposal that waits, and carry it out. Return how the record is kept now: `disposal.done_at` says whether it is done.

    1. In one transaction, with record and item locked: every rule again, the approval, the key destroyed, the ledger's line.
    2. Then the rest, as far as storage and database allow now; the schedule finishes it otherwise.

    May be repeated: an approved disposal is carried on. Raises BadInput as `ask` does; NotAllowed when none waits, for the person who
    asked, and while the record must stay.
    """
    said, who = reason(why), designation(by)
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        disposal = kept.disposal or _approve(unit, tools, kept, said, who)
    if disposal.done_at is None:
        _carry_out(tools, disposal)
    return tools.store.kept(record_id)


def _approve(unit: Unit, tools: Tools, kept: Kept, why: str, who: str) -> Disposal:
    at = tools.clock.now()
    asked = check_may_approve(kept, by=who, today=london_date(at))
    if unit.same_person(asked.asked_by, who):
        message = f"{who} and {asked.asked_by} are one person: a disposal takes two (R30)"
        raise NotAllowed(message)
    disposal = replace(asked, approved_by=who, approved_why=why, approved_at=at)
    unit.disposal_decided(disposal)
    unit.destroy_key(kept.record_id, at)
    facts: dict[str, str | int | bool] = {"approved_by": who, "ground": asked.ground.value}
    unit.append(kept.school, LedgerEvent(Event.DISPOSED, at, kept.record_id, asked.asked_by, asked.ground.value, facts))
    _tell(
        unit,
        tools,
        kept,
        disposal,
        what="A record was disposed of.",
        done=f"Asked for by {asked.asked_by}, approved by {who}. What proves that it was there stays.",
    )
    observe.happened("disposal_approved", record=kept.record_id, ground=asked.ground.value)
    return disposal


def dispose(tools: Tools, *, limit: int = 100) -> int:
    """Carry out up to `limit` approved disposals, and settle the storage's legal holds; return how many of both are finished."""
    done = settle_holds(tools, limit=limit)
    for disposal in tools.store.disposals_to_finish(limit=limit):
        done += 1 if _carry_out(tools, disposal) else 0
    return done


def _carry_out(tools: Tools, disposal: Disposal) -> bool:
    """Carry out one approved disposal; return whether it is finished. May be repeated from the start, after a crash at any point.

    1. The ledger's file has the `disposed` line before anything leaves the vault.
    2. The vault removes the payload.
    3. The database forgets the comment, then lets go of the deleted bytes; only then is it done.

    When the vault has no bag to take the payload from, the database forgets all the same. It is done when nothing of the bag is there after
    STUCK_AFTER; people are told.
    """
    kept = tools.store.kept(disposal.record_id)
    try:
        tools.ledger.sync(disposal.school)
        missing = not _removed(tools, kept.path)
        left = missing and (bool(tools.vault.names(kept.path)) or not _late(tools, disposal))
        with tools.store.unit() as unit:
            forgotten = unit.forget(disposal.record_id)
        tools.store.scrub()
    except ModeratorError as error:
        observe.went_wrong("disposal_waits", record=disposal.record_id, error=type(error).__name__)
        _tell_if_stuck(tools, kept, disposal, refused=isinstance(error, Refused))
        return False
    if not forgotten:
        observe.happened("disposal_waits_for_a_page", record=disposal.record_id)
        _tell_if_stuck(tools, kept, disposal, refused=False)
        return False
    if left:
        observe.went_wrong("disposal_waits", record=disposal.record_id, error="NoBag")
        _tell_if_stuck(tools, kept, disposal, refused=False)
        return False
    with tools.store.unit() as unit:
        unit.disposal_done(disposal, tools.clock.now())
        if missing:
            unit.alert(_of_the_storage(tools, kept, key=f"disposal-{kept.record_id}-missing", what=MISSING, done=MISSING_DONE))
    observe.happened("record_disposed", record=disposal.record_id)
    return True


def _tell(  # noqa: PLR0913 - what an alert is made of
    unit: Unit, tools: Tools, kept: Kept, disposal: Disposal, *, what: str, done: str
) -> None:
    """Tell the Headteacher of a disposal asked for or approved; once for each."""
    at = disposal.approved_at or disposal.asked_at
    unit.alert(
        AlertRequest(
            key=f"disposal-{kept.record_id}-{at.isoformat()}",
            school=kept.school,
            kind=AlertKind.DISPOSAL,
            severity=Severity.ORDINARY,
            subject=kept.record_id,
            what=what,
            done=done,
            at=at,
            due_at=at + tools.alert_batch,
            item_id=kept.item_id,
        )
    )


def _removed(tools: Tools, path: str) -> bool:
    """Have the vault remove the payload; return False when it has no bag there that it could read. Raises Refused, Transient."""
    try:
        tools.vault.dispose(path)
    except BadInput:
        return False
    return True


def _late(tools: Tools, disposal: Disposal) -> bool:
    return disposal.approved_at is None or tools.clock.now() - disposal.approved_at >= STUCK_AFTER


def _tell_if_stuck(tools: Tools, kept: Kept, disposal: Disposal, *, refused: bool) -> None:
    """Tell people, once a day, of a disposal that the storage refuses or that has waited too long."""
    if refused or _late(tools, disposal):
        key = f"disposal-{kept.record_id}-stuck-{london_date(tools.clock.now()).isoformat()}"
        with tools.store.unit() as unit:
            unit.alert(_of_the_storage(tools, kept, key=key, what=STUCK, done=STUCK_DONE))


def _of_the_storage(tools: Tools, kept: Kept, *, key: str, what: str, done: str) -> AlertRequest:
    """Return an alert about what the storage did with a record that is disposed of."""
    at = tools.clock.now()
    return AlertRequest(
        key=key,
        school=kept.school,
        kind=AlertKind.SYSTEM,
        severity=Severity.ORDINARY,
        subject=kept.record_id,
        what=what,
        done=done,
        at=at,
        due_at=at + tools.alert_batch,
        item_id=kept.item_id,
    )

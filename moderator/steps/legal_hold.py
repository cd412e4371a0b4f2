"""Legal hold: while one stands, a record is not disposed of, whoever asks (R30). Called by `moderator record`; settled by the schedule.

The hold in the database counts from the moment it is written, also when the storage is away. What the storage itself can do, an S3
legal hold on every object, follows as soon as it answers.
"""

from dataclasses import replace

from moderator import observe
from moderator.domain.disposal import Kept, LegalHold, check_may_hold, designation, reason, reference, references
from moderator.domain.errors import ModeratorError, NotAllowed, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.steps.drain import Tools


def place_hold(tools: Tools, record_id: str, *, reference_: str, why: str, by: str) -> Kept:
    """Put a legal hold on a record and return how it is kept now. May be repeated: one hold a reference stands at a time.

    Raises BadInput when there is no such record or something given is not usable, NotAllowed when the record was disposed of, Transient
    when the hold stands and the storage has not taken it yet: the schedule goes on trying.
    """
    code, said, who = reference(reference_), reason(why), designation(by)
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        check_may_hold(kept)
        if code not in {hold.reference for hold in kept.standing_holds}:
            at = tools.clock.now()
            unit.hold_placed(LegalHold(record_id, kept.school, code, said, who, at))
            unit.append(kept.school, LedgerEvent(Event.LEGAL_HOLD, at, record_id, who, "legal_hold", {"reference": code}))
            observe.happened("legal_hold_placed", record=record_id)
    return _after(tools, kept, "The hold stands. The storage has not taken it yet; the service goes on trying.")


def release_hold(tools: Tools, record_id: str, *, reference_: str, why: str, by: str) -> Kept:
    """Release the hold of that reference and return how the record is kept now. Others go on standing.

    Raises as `place_hold` does, and NotAllowed when no hold of that reference stands.
    """
    code, said, who = reference(reference_), reason(why), designation(by)
    with tools.store.unit() as unit:
        kept = unit.kept(record_id)
        found = next((hold for hold in kept.standing_holds if hold.reference == code), None)
        if found is None:
            standing = references(kept.standing_holds) or "none stands"
            message = f"no hold {code} stands on {record_id} ({standing})"
            raise NotAllowed(message)
        at = tools.clock.now()
        unit.hold_released(replace(found, released_by=who, released_why=said, released_at=at))
        unit.append(kept.school, LedgerEvent(Event.LEGAL_HOLD_RELEASED, at, record_id, who, "released", {"reference": code}))
    observe.happened("legal_hold_released", record=record_id)
    return _after(tools, kept, "The hold is released. The storage has not lifted its own yet; the service goes on trying.")


def _after(tools: Tools, kept: Kept, not_yet: str) -> Kept:
    """Write the ledger's file, then tell the storage; return how the record is kept now."""
    tools.ledger.sync(kept.school)
    try:
        settle(tools, kept.record_id)
    except ModeratorError as error:
        observe.went_wrong("legal_hold_not_stored", record=kept.record_id, error=type(error).__name__)
        raise Transient(not_yet) from error
    return tools.store.kept(kept.record_id)


def settle(tools: Tools, record_id: str) -> None:
    """Make the storage's own hold what the database says, and note it. May be repeated. Raises Transient, Refused, BadInput.

    When somebody changes the holds meanwhile nothing is noted, and the schedule settles it again.
    """
    kept = tools.store.kept(record_id)
    on = bool(kept.standing_holds)
    at = tools.clock.now()
    tools.vault.hold(kept.path, on=on)
    with tools.store.unit() as unit:
        unit.hold_stored(record_id, on=on, at=at)


def settle_holds(tools: Tools, *, limit: int = 100) -> int:
    """Settle up to `limit` holds that the storage has not taken yet; return how many it took."""
    done = 0
    for record_id in tools.store.holds_not_stored(limit=limit):
        try:
            settle(tools, record_id)
        except ModeratorError as error:
            observe.went_wrong("legal_hold_not_stored", record=record_id, error=type(error).__name__)
        else:
            done += 1
    return done

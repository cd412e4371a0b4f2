"""A line in the ledgers for what a person changed about their own sign-in: which kind of proof, never the proof. Called by its pages."""

from datetime import datetime

from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import Acting
from moderator.store import people
from moderator.store.database import SqlUnit


def note_change(unit: SqlUnit, acting: Acting, at: datetime, *, reason: str) -> list[str]:
    """Append one line to the ledger of each school the person acts at, in this transaction; return the schools' slugs."""
    theirs = acting.acts_at(each.slug for each in people.schools(unit.connection))
    for slug, reference in theirs:
        unit.append(slug, LedgerEvent(Event.REGISTERED, at, reference, actor=reference, reason=reason))
    return [slug for slug, _ in theirs]

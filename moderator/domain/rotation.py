"""The change of the service's signing key, as the ledger tells it. Called by `moderator keys` and the composition root."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moderator.domain.events import Event, LedgerEvent


class RotationReason(StrEnum):
    """Why the key is changed. A code, for the ledger holds no free text."""

    ROUTINE = "routine"
    PERSON_LEFT = "person_left"
    MACHINE_CHANGED = "machine_changed"
    PERHAPS_SEEN = "perhaps_seen"


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """A key of a ledger: the public key (base64 of its DER), and from when on it signs (aware UTC)."""

    public_key: str
    since: datetime


def rotated(public_key: str, previous_signature: str, *, by: str, why: RotationReason, at: datetime) -> LedgerEvent:
    """Return the ledger's line for a new key: the old key signed the ASCII bytes of the new `public_key` (base64 of the signature)."""
    facts: dict[str, str | int | bool] = {"public_key": public_key, "previous_signature": previous_signature}
    return LedgerEvent(Event.KEY_ROTATED, at, "ledger", actor=by, reason=why.value, facts=facts)

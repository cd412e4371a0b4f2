"""The ledger: one JSON line an event, each carrying the SHA-256 of the line before. No personal data (RECORD.md)."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from moderator.domain.times import utc_text

GENESIS = "0" * 64


class Event(StrEnum):
    """What can be written in the ledger. `opened` is its first line and carries the public key."""

    OPENED = "opened"
    FLAGGED = "flagged"
    ALERTED = "alerted"
    CAPTURED = "captured"
    SEALED = "sealed"
    HIDE_INTENDED = "hide_intended"
    HIDE_FAILED = "hide_failed"
    HIDDEN = "hidden"
    HIDE_VERIFIED = "hide_verified"
    VIEWED = "viewed"
    REVIEWED = "reviewed"
    RESTORE_INTENDED = "restore_intended"
    RESTORED = "restored"
    EXPORTED = "exported"
    HELD = "held"
    WITHHELD = "withheld"
    GONE = "gone"
    DISPOSED = "disposed"
    RESTAMPED = "restamped"
    KEY_ROTATED = "key_rotated"
    DIGEST_SENT = "digest_sent"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One event before it is chained.

    `subject` is a record id, an item number, an alert or a digest key: never a name, handle or text. `actor` is `service` or a person's
    designation reference; `reason` a code. `facts` are further name-free facts (hashes, counts, codes).
    """

    event: Event
    at: datetime
    subject: str
    actor: str = "service"
    reason: str = ""
    facts: dict[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a ledger: its sequence number (1-based; 0 is an empty ledger) and its `line_hash`."""

    seq: int
    hash: str


def line_hash(line: str) -> str:
    """Return SHA-256 of the line with its newline: what `sed -n Np ledger.jsonl | sha256sum` prints."""
    return hashlib.sha256((line + "\n").encode()).hexdigest()


def chain(head: Head, school: str, event: LedgerEvent) -> tuple[str, Head]:
    """Return the line to append after `head`, and the new head. Pure; the same input gives the same bytes."""
    row: dict[str, str | int | bool] = {
        "seq": head.seq + 1,
        "prev": head.hash,
        "at": utc_text(event.at),
        "school": school,
        "event": event.event.value,
        "subject": event.subject,
        "actor": event.actor,
        "reason": event.reason,
    }
    row.update({key: value for key, value in sorted(event.facts.items()) if key not in row})
    line = json.dumps(row, ensure_ascii=True, separators=(",", ":"))
    return line, Head(head.seq + 1, line_hash(line))

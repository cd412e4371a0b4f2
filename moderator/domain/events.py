"""The ledger: one JSON line an event, each carrying the SHA-256 of the line before. No personal data (RECORD.md)."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from moderator.domain.errors import BadInput
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
    LEGAL_HOLD = "legal_hold"
    LEGAL_HOLD_RELEASED = "legal_hold_released"
    DISPOSAL_ASKED = "disposal_asked"
    DISPOSAL_REFUSED = "disposal_refused"
    DISPOSED = "disposed"
    RESTAMPED = "restamped"
    KEY_ROTATED = "key_rotated"
    DIGEST_SENT = "digest_sent"
    SUBMITTED = "submitted"
    VERIFIED = "verified"
    REGISTERED = "registered"
    """The register changed: a designation, an approval, the roll, the policy, …; `reason` is the code of what."""
    SIGNED_IN = "signed_in"
    ACKNOWLEDGED = "acknowledged"
    """A person has read a serious alert and says so."""
    REROUTED = "rerouted"
    """A serious alert that nobody had read went to further people (R21)."""
    BOUNCED = "bounced"
    """A mail server gave a message back."""


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


_HEAD_LINE = re.compile(r"[\s>*|-]*(?:(?P<school>[a-z0-9][a-z0-9-]*)\s+)?(?P<seq>[0-9]{1,18}):(?P<hash>[0-9a-fA-F]{64})[\s.,;]*")


def head_line(school: str, head: Head) -> str:
    """Return a school's head as the witness mail writes it, `school NUMBER:HASH`; `heads_from` reads it back."""
    return f"{school} {head.seq}:{head.hash}"


def heads_from(text: str) -> dict[str, tuple[Head, ...]]:
    """Return every head in a text, by school and in order: one mail, several of them, or a file of lines.

    A line counts when it is `school NUMBER:HASH`, or `NUMBER:HASH` alone (school ""); every other line is passed over, so that a whole
    mail can be pasted, quoted or not, or given as a saved file (quoted-printable breaks long lines after a `=`, RFC 2045 section 6.7).
    Each head given is one that the ledger must have. Raises BadInput when there is none, or when one number comes with two hashes.
    """
    found: dict[str, set[tuple[int, str]]] = {}
    for line in text.replace("=\r\n", "").replace("=\n", "").splitlines():
        match = _HEAD_LINE.fullmatch(line)
        if match is not None:
            found.setdefault(match["school"] or "", set()).add((int(match["seq"]), match["hash"].lower()))
    if not found:
        message = "there is no ledger head in it: a line reads like `school NUMBER:HASH`, as the witness mail prints it"
        raise BadInput(message)
    for school, heads in found.items():
        if len({seq for seq, _ in heads}) < len(heads):
            message = (
                f"one line number of the ledger{f' of {school}' if school else ''} comes with two different hashes: the mails disagree"
            )
            raise BadInput(message)
    return {school: tuple(Head(*head) for head in sorted(heads)) for school, heads in found.items()}

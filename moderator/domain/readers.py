"""Machines that read: what a token lets them read, and what a webhook tells. Nothing here holds a name or a comment's text."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit

from moderator.domain.errors import BadInput
from moderator.domain.events import Event


class Scope(StrEnum):
    """One thing a token may read."""

    RECORDS = "records"
    DECISIONS = "decisions"
    COUNTS = "counts"
    SAFEGUARDING = "safeguarding"
    """Disclosures too, in what the other scopes read (R15); only somebody who may see them can give it."""


SCOPE_WORDS: Mapping[Scope, str] = {
    Scope.RECORDS: "Records: number, times, what was decided, the hash that was sealed",
    Scope.DECISIONS: "Decisions by people: which item, what, when, under which designation",
    Scope.COUNTS: "Counts by day, and how each account stands",
    Scope.SAFEGUARDING: "Disclosures and crises too",
}

TOKEN_START = "mod_"  # noqa: S105 - not a secret: how one begins, so that a scanner for leaked secrets knows it
LONGEST_DAYS = 366
"""Days a token lives at most (our choice): somebody looks at it once a year."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token that reads one school, or every school (`school` ""). The secret itself is not kept."""

    id: int
    label: str
    school: str
    scopes: frozenset[Scope]
    made_by: str
    made_at: datetime
    expires_on: date
    ended_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A machine that is told. `after_seq` is the ledger line it was told last; `trouble` why the last try failed, "" when it did not."""

    id: int
    school: str
    url: str
    events: frozenset[Event]
    after_seq: int
    made_by: str
    made_at: datetime
    ended_at: datetime | None = None
    attempts: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DueWebhook:
    """A claimed webhook with the next ledger line for it (None: there is none), and the last line that was looked at.

    `sealed_secret` is its signing secret, encrypted.
    """

    webhook: Webhook
    sealed_secret: bytes
    line: str | None
    seq: int


TOLD: Mapping[Event, str] = {
    Event.FLAGGED: "item.flagged",
    Event.SEALED: "record.sealed",
    Event.SUBMITTED: "record.submitted",
    Event.HIDE_VERIFIED: "item.hidden",
    Event.RESTORED: "item.restored",
    Event.REVIEWED: "item.reviewed",
    Event.WITHHELD: "item.withheld",
    Event.GONE: "item.gone",
    Event.HELD: "item.held",
    Event.EXPORTED: "record.exported",
    Event.LEGAL_HOLD: "record.held",
    Event.LEGAL_HOLD_RELEASED: "record.released",
    Event.DISPOSED: "record.disposed",
    Event.DIGEST_SENT: "digest.sent",
}
"""What a webhook can be told of, and the type its message says."""

_SHARED = ("school", "seq", "at", "subject", "reason")
"""Fields of a ledger line that go out. Not the actor: who reads them outside need not know who decides."""

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def checked_url(url: str) -> str:
    """Return a webhook's address. Raises BadInput unless it is https (or http on this machine), with a host, and without a password."""
    parts = urlsplit(url.strip())
    try:
        fine = parts.port != 0
    except ValueError:
        fine = False
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not fine or not parts.hostname or parts.username or not (parts.scheme == "https" or local) or len(url) > 500:  # noqa: PLR2004 - our choice
        message = "Give an https address, without a name or password in it."
        raise BadInput(message)
    return url.strip()


def message(line: str) -> bytes:
    """Return the body that tells of one ledger line: its type, its time, and facts without names."""
    row = json.loads(line)
    data = {key: row[key] for key in _SHARED} | {"event": row["event"]}
    if "item" in row:
        data["item"] = row["item"]
    body = {"type": TOLD[Event(row["event"])], "timestamp": row["at"], "data": data}
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def message_id(school: str, seq: int) -> str:
    """Return a message's id: the same each time the same line is told, so that a repeat is recognised."""
    return f"{school}-{seq}"


def signature(secret: str, *, id_: str, timestamp: int, body: bytes) -> str:
    """Return `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`, as the Standard Webhooks scheme has it.

    The secret is `whsec_` and the key in base64.
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

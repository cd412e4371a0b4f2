"""Packs: what leaves the school about a record, for whom, and what the service's books know of it. Made by the export step."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from moderator.domain.account import School

NEARBY = timedelta(hours=24)
"""How far before and after a capture the system-health statement looks (issue 4)."""


class Pack(StrEnum):
    """For whom a pack is: the police, HR, a person asking for their own data (R31), or the safeguarding system."""

    POLICE = "police"
    HR = "hr"
    SAR = "sar"
    CONCERN = "concern"


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a record's history: a ledger event or a review. `actor` is `service` or a designation; `why` a person's reason or ""."""

    at: datetime
    what: str
    actor: str
    reason: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A sealed record as the books know it. `path` is its place in the vault; `ledger_seq` the number of its `sealed` line, 0 if none.

    `item_id` and `account_id` are None for a record that a person handed in (`submitted_by` is who). `exports` holds which packs were
    handed out before, and when.
    """

    record_id: str
    school: School
    path: str
    manifest_sha256: str
    captured_at: datetime
    sealed_at: datetime
    item_id: int | None = None
    account_id: int | None = None
    submitted_by: str = ""
    ledger_seq: int = 0
    disposed_at: datetime | None = None
    review_on: date | None = None
    history: tuple[Happened, ...] = ()
    exports: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """An alert about the machine or an account: when, its kind, and its plain sentence (which names nobody)."""

    at: datetime
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A check the service made of its own records: when, `sample` or `full`, how many, how many faults."""

    at: datetime
    kind: str
    checked: int
    faults: int


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A digest that carried the ledger's head out of the machine: for which day, when, and the head it printed."""

    day: date
    at: datetime
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Around:
    """How the service stood from NEARBY before a capture to NEARBY after it, as far as the database knows.

    `comments` counts what was first seen on the record's account in that time, `sealed` the school's records sealed in it;
    `seen_before` and `seen_after` are the nearest comments on the account before and after the capture.
    """

    since: datetime
    until: datetime
    comments: int | None = None
    sealed: int = 0
    seen_before: datetime | None = None
    seen_after: datetime | None = None
    troubles: tuple[Trouble, ...] = ()
    last_check: Checked | None = None
    witnessed: Witnessed | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One pack to make. `records` are of one school; only `sar` takes several. `persons` are the requester's names and handles (`sar`).

    `purpose` says who it is for and why, `by` is a designation reference, `at` when it was asked for (aware UTC).
    """

    pack: Pack
    school: School
    records: tuple[Held, ...]
    purpose: str
    by: str
    at: datetime
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished pack under a name nobody looks for yet: `path` is on the disk, flushed; `name` is what it shall be called."""

    path: Path
    name: str
    sha256: str

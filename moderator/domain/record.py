"""The permanent record: what goes in, and what comes back when it is sealed (RECORD.md)."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from moderator.domain.account import Account
from moderator.domain.decision import Decision
from moderator.domain.events import Head
from moderator.domain.item import Fetched, Item, Page
from moderator.domain.score import Score

RECORD_ID = re.compile(r"R-[A-Z2-7]{16}")
"""How a record's number reads: `record_id` below makes it."""


class CaptureKind(StrEnum):
    """How the picture was made. A rendering is never called a screenshot of the site; what a person hands in is called just that."""

    LIVE_PAGE = "live_page"
    RENDERED_FROM_API = "rendered_from_api"
    SUBMITTED_BY_PERSON = "submitted_by_person"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the recorder needs for one bag.

    `first_seen` is the page the comment was first seen on (its `comments` are not used, its bytes are); `fetched` the comment as
    looked up just before capture, or None when it is gone or was not looked up (`not_fetched_why` says why).
    `delegation` names the Headteacher's delegation to the service (R8).
    `path` is where the bag belongs in the vault; "" is the place that `record_path` gives. `chains`: as in `Filed`.
    """

    record_id: str
    item: Item
    account: Account
    score: Score
    decision: Decision
    first_seen: Page
    fetched: Fetched | None
    not_fetched_why: str = ""
    gone: bool = False
    mode: str = "observe"
    delegation: str = ""
    admin_on_duty: str = ""
    path: str = ""
    chains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filed:
    """Where the record of a comment is, or may be, and what the ledger says of its stamps.

    `paths`: the one place in the books; while they have none, the item's own by `record_path` and then, for a bag that a crash kept out of
    the books, those of the years in which other accounts of the school first saw the same. `chains`: SHA-256 of the authority chains of
    stamps added after the seal.
    """

    paths: tuple[str, ...]
    chains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A bag that is on disk, fsynced, read back and compared.

    `path` is relative to the vault (`<school>/<yyyy>/<record id>`); `manifest_sha256` is SHA-256 over `manifest-sha256.txt`;
    `stamp_pending` says that no timestamp authority has answered yet. `manifest_sha512` is SHA-512 over `manifest-sha512.txt`, "" in a
    record of format 1. `stamps` are those had while sealing. `found`: it was there already, sealed before a crash, so its
    ledger line comes late; it is the same record all the same.
    """

    record_id: str
    path: str
    manifest_sha256: str
    captured_at: datetime
    sealed_at: datetime
    capture_kind: CaptureKind
    stamp_pending: bool
    blocked_requests: int = 0
    manifest_sha512: str = ""
    stamps: tuple["Stamp", ...] = ()
    found: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp a record holds: by whom, in which round (1: the first; a renewal counts on), when, and until when its chain is good."""

    authority: str
    round: int
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a record or ledger: a code for machines, a plain sentence for people, and where."""

    code: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Walked:
    """A ledger that was walked: whose it is, and its head (the number of its lines, and the hash of the last)."""

    school: str
    head: Head


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found: how many records were checked, how many are lawfully disposed of, and every fault.

    `ledgers` are those walked; `complete` says that records missing from the vault were looked for. Neither counts when two are compared.
    """

    checked: int
    faults: tuple[Fault, ...] = field(default_factory=tuple)
    disposed: int = 0
    ledgers: tuple[Walked, ...] = field(default=(), compare=False)
    complete: bool = field(default=False, compare=False)

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.faults


def record_id(school: str, platform: str, comment_id: str, version: str) -> str:
    """Return the record's id, the same for the same version of the same comment, so that a repeat finds the first one.

    `R-` and 16 base-32 letters: 80 bits of SHA-256, enough that a trust never meets a clash.
    """
    digest = hashlib.sha256(f"{school}\n{platform}\n{comment_id}\n{version}".encode()).digest()
    return "R-" + base64.b32encode(digest[:10]).decode()


def record_path(school: str, number: str, first_seen_at: datetime) -> str:
    """Return where the record of a comment belongs in the vault: by school and the year, in UTC, in which it was first seen."""
    return f"{school}/{first_seen_at.astimezone(UTC):%Y}/{number}"

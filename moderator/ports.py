"""The ports: what the steps need of the world. Each has an in-memory or null version in the product, and a contract suite in tests."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from moderator.domain.account import Account, Capabilities, School
from moderator.domain.decision import Decision
from moderator.domain.digest import AlertMail, Digest
from moderator.domain.events import Head, LedgerEvent
from moderator.domain.item import Fetched, Page
from moderator.domain.lifecycle import Stage, State
from moderator.domain.record import Evidence, SealedRecord, Verification
from moderator.domain.review import Review
from moderator.domain.score import Score
from moderator.domain.work import AlertRequest, DueAlerts, DueMail, PollTurn, Work


class Clock(Protocol):
    """The time. Shipped versions: the system's, and a frozen one for rehearsals and tests."""

    def now(self) -> datetime:
        """Return aware UTC. May step back when the machine's clock does; callers that need order must check."""
        ...


class Platform(Protocol):
    """One account on one social platform.

    Every call raises RateLimited, Transient (network, timeout, 5xx, half an answer), Unauthorised (401), Refused (403 and other lasting
    refusals) or Gone (404 or deleted), and nothing else of the client library's. No call sleeps. There is no reply, message, like,
    follow or delete call (R25).
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this platform can do; constant."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the lists to poll, each with a cursor of its own; their union is de-duplicated by comment id."""
        ...

    def poll(self, source: str, cursor: str, *, limit: int) -> Page:
        """Return one page of what is new in `source` since `cursor` ("" at first), billed at no more than `limit` posts.

        One request for the list, and at most one more for posts it refers to. May be repeated with the same cursor: the same or newer
        comments come again. Raises BadInput when `limit` is below the smallest page the platform serves (`smallest_page`).
        """
        ...

    def smallest_page(self, source: str) -> int:
        """Return the fewest reads one poll of `source` can be billed as at most; a budget below it means: do not poll."""
        ...

    def fetch(self, comment_id: str) -> Fetched:
        """Return one comment as it is now. One request, at most three reads; may be repeated. Raises Gone when it was deleted."""
        ...

    def set_hidden(self, comment_id: str, *, hidden: bool) -> bool:
        """Hide or un-hide one comment and return the state read back from the platform. May be repeated: it sets, it does not toggle."""
        ...

    def identity(self) -> str:
        """Return the platform's id of the account that the credentials belong to. One request; for doctor and `account add`."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth 2.0 user token. `expires_at` is aware UTC. Never logged: the repr shows nothing."""

    access: str
    refresh: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return "Token(…)"


class Credentials(Protocol):
    """Where one account's token lives, encrypted at rest."""

    def load(self) -> Token:
        """Return the current token. Raises Unauthorised when there is none."""
        ...

    def save(self, token: Token) -> None:
        """Store a new pair durably before it is used; the old one is dead once the platform has answered."""
        ...


class Classifier(Protocol):
    """Scores texts. Deterministic: the same text, context and model give the same score."""

    @property
    def version(self) -> str:
        """The model version, with the model's hash."""
        ...

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order. `parents` is empty or one parent-post text per text. Never fails on any Unicode."""
        ...


class Recorder(Protocol):
    """Captures and seals. Shipped versions: the browser's, and a still one that draws without a browser."""

    def seal(self, evidence: Evidence) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        May be repeated: a bag that is already there under the record's id is checked and returned, never made twice. Raises EvidenceFailed
        when no picture could be made or an existing bag is damaged, Transient when the disk is full or the vault is away.
        """
        ...

    def close(self) -> None:
        """End the browser; may be repeated."""
        ...


class Vault(Protocol):
    """Where bags live for good. Nothing is ever changed or removed through it."""

    def put(self, folder: Path, path: str) -> str:
        """Move a finished bag folder to `path` (`<school>/<yyyy>/<record id>`), durable and read-only; return SHA-256 of its manifest.

        Raises Refused when a different bag is there already, Transient when the disk is full.
        """
        ...

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored bag's `manifest-sha256.txt`, or None when there is no bag."""
        ...

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag (`data/record.json`, …). Raises BadInput when there is none or the name leaves the bag."""
        ...

    def paths(self) -> Iterable[str]:
        """Yield every bag's path, in order."""
        ...


class TimestampAuthority(Protocol):
    """An RFC 3161 authority."""

    @property
    def name(self) -> str:
        """A short name for file names: lower-case letters, digits and hyphens."""
        ...

    def stamp(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the DER timestamp response over SHA-256 of `data`, and its certificate chain in PEM.

        Raises Transient when it does not answer.
        """
        ...


class Mailer(Protocol):
    """Delivers mail. Shipped versions: SMTP, and a folder of `.eml` files."""

    def send(self, message: EmailMessage) -> None:
        """Deliver. May be repeated: the Message-ID tells repeats apart. Raises Transient (refused for now, no answer) or Refused (5xx)."""
        ...


class Composer(Protocol):
    """Turns what is to be told into a message: multipart text and HTML, no names, no comment text, no pictures."""

    def alert(self, mail: AlertMail) -> EmailMessage:
        """Return the alert message, with a Message-ID derived from its key."""
        ...

    def digest(self, digest: Digest) -> EmailMessage:
        """Return the digest message, with a Message-ID derived from its key."""
        ...


class Ledger(Protocol):
    """The ledger file: the line-by-line copy of the database's events that an outsider reads."""

    def sync(self, school: str) -> Head:
        """Append every event the file lacks, fsync, and return the head. May be repeated. Raises Transient when the disk is full."""
        ...


class Dispatcher(Protocol):
    """Wakes a step sooner than its schedule would, e.g. after a review."""

    def wake(self, step: str) -> None:
        """Ask for `step` to run soon. May be repeated; may do nothing."""
        ...


class Unit(Protocol):
    """One transaction. Leaving the `with` block commits; an exception rolls everything back."""

    def reserve_reads(self, account_id: int, month: str, reads: int) -> bool:
        """Book `reads` against the month's budget (`2026-11`); False, and nothing booked, when the budget would be passed."""
        ...

    def settle_reads(self, account_id: int, month: str, *, reserved: int, used: int) -> None:
        """Replace a booking by what was billed."""
        ...

    def add_page(self, account: Account, source: str, page: Page, at: datetime) -> int:
        """Store a page's bytes, its new comments as `seen`, and its cursor; return how many were new. Known versions are left alone."""
        ...

    def end_poll(  # noqa: PLR0913 - the facts of one poll
        self, account_id: int, *, at: datetime, next_at: datetime, interval: timedelta, reads: int, trouble: str = ""
    ) -> None:
        """Release the account until `next_at`; an empty `trouble` marks a good poll."""
        ...

    def scored(self, scores: Sequence[tuple[Work, Score]], at: datetime) -> None:
        """Advance claimed items to `scored`."""
        ...

    def decided(self, work: Work, decision: Decision, new: State, at: datetime, *, stage: Stage | None) -> None:
        """Store a decision and advance the item."""
        ...

    def cleared(self, works: Sequence[tuple[Work, Decision]], at: datetime) -> None:
        """Advance many claimed items to `cleared`."""
        ...

    def recorded(self, work: Work, record: SealedRecord, new: State, at: datetime, *, stage: Stage | None) -> None:
        """Store the sealed record and advance the item."""
        ...

    def hide_intended(self, work: Work, at: datetime) -> None:
        """Write down that hide is about to be called. The database refuses it when `at` is not after the record's `sealed_at`."""
        ...

    def hidden(self, work: Work, at: datetime) -> None:
        """Advance the item to `hidden`: the platform's read-back said so."""
        ...

    def review_asked(self, review: Review, *, stage: Stage | None) -> None:
        """Write a person's review down; a `stage` makes a step finish it. Raises NotAllowed when another one is waiting."""
        ...

    def review_done(self, review: Review, old: State, new: State) -> None:
        """Finish a review: store the new state and take the item off the list of those needing a person."""
        ...

    def retry(self, review: Review) -> None:
        """Send a held item back to the step it was held at. Raises NotAllowed when it is not held."""
        ...

    def put_back(self, work: Work, *, due_at: datetime, why: str, counts: bool = True) -> None:
        """Release a claimed item to be tried again; `counts` adds an attempt."""
        ...

    def hold(self, work: Work, why: str, at: datetime) -> None:
        """Take the item out of its queue until a person decides."""
        ...

    def leave(self, work: Work, why: str) -> None:
        """Take the item out of its queue where it stands: nothing more is to be done by the machine, and `why` is shown."""
        ...

    def gone(self, work: Work, at: datetime) -> None:
        """Note that the platform no longer has the comment; the item leaves its queue where it stands."""
        ...

    def pause_account(self, account_id: int, *, until: datetime | None, trouble: str) -> None:
        """Let no step call the platform for this account until then; None: until a person re-authorises it."""
        ...

    def alert(self, request: AlertRequest) -> None:
        """Write an alert, once per key."""
        ...

    def alerts_composed(self, due: DueAlerts, key: str, message: EmailMessage, at: datetime) -> None:
        """Put the composed message in the outbox and mark its alerts."""
        ...

    def digest_composed(self, digest: Digest, message: EmailMessage, at: datetime) -> bool:
        """Put the digest in the outbox, once per school and day; False when it was there already."""
        ...

    def mail_sent(self, mail: DueMail, at: datetime) -> None:
        """Mark a message as delivered."""
        ...

    def mail_failed(self, mail: DueMail, why: str, *, next_at: datetime) -> None:
        """Push a message forward; it is never given up."""
        ...

    def append(self, school: str, *events: LedgerEvent) -> Head:
        """Chain events to the school's ledger, in this transaction."""
        ...


class Store(Protocol):
    """The database: items, register, ledger mirror, outbox."""

    def unit(self) -> AbstractContextManager[Unit]:
        """Open one transaction."""
        ...

    def claim(self, stage: Stage, *, limit: int, now: datetime, lease: timedelta) -> list[Work]:
        """Claim up to `limit` due items of a stage, severe first, by a conditional update with a lease; an expired lease is free again."""
        ...

    def claim_poll(self, *, now: datetime, lease: timedelta) -> PollTurn | None:
        """Claim the account that is due longest and has a live approval; None when none is."""
        ...

    def claim_alerts(self, *, now: datetime, lease: timedelta, link: str) -> DueAlerts | None:
        """Claim one school's alerts once one of them is due; all that wait go along. `link` is the review app's address."""
        ...

    def claim_mail(self, *, limit: int, now: datetime, lease: timedelta) -> list[DueMail]:
        """Claim due messages of the outbox."""
        ...

    def first_seen(self, item_id: int) -> Page:
        """Return the page an item was first seen on: its bytes, headers, status and request id; no comments."""
        ...

    def account(self, account_id: int) -> Account:
        """Return an account. Raises BadInput when there is none."""
        ...

    def schools(self) -> list[School]:
        """Return every school."""
        ...

    def silent_accounts(self, *, since: datetime) -> list[Account]:
        """Return approved accounts without a good poll since then (R4)."""
        ...

    def digest_of(self, school: School, day: date, *, link: str) -> Digest:
        """Return the digest's content for one London day."""
        ...

    def digest_due(self, *, now: datetime) -> list[tuple[School, date]]:
        """Return the days whose digest is due and was not composed yet, oldest first."""
        ...

    def head(self, school: str) -> Head:
        """Return the ledger's head."""
        ...

    def pending_review(self, item_id: int) -> Review:
        """Return the review an item's restore waits on. Raises NotAllowed when there is none."""
        ...

    def work(self, item_id: int) -> Work:
        """Return an item as it stands, unclaimed. Raises BadInput when there is none."""
        ...

    def prune(self, *, before: datetime, limit: int) -> int:
        """Blank text and author of cleared items older than `before`, and pages nothing needs; return how many rows changed (R28)."""
        ...


PlatformFor = Callable[[Account], Platform]
"""How a step gets an account's adapter."""

Verify = Callable[[Path], Verification]

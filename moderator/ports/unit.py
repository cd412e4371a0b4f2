"""The port of one database transaction: everything the steps write."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Protocol

from moderator.domain.account import Account
from moderator.domain.checks import CheckRun
from moderator.domain.decision import Decision
from moderator.domain.digest import Digest
from moderator.domain.disposal import Disposal, Kept, LegalHold
from moderator.domain.events import Head, LedgerEvent
from moderator.domain.item import Page
from moderator.domain.lifecycle import Stage, State
from moderator.domain.police import PoliceReport
from moderator.domain.record import SealedRecord, Stamp
from moderator.domain.retention import Retention
from moderator.domain.review import Review
from moderator.domain.score import Score
from moderator.domain.work import AlertRequest, DueAlerts, DueMail, WaitingMail, Work
from moderator.ports.concerns import ConcernWrites
from moderator.ports.duty import DutyWrites
from moderator.ports.mailbox import BounceWrites
from moderator.ports.readers import WebhookWrites
from moderator.ports.reports import ReportWrites
from moderator.ports.unread import TellingWrites


class KeepingWrites(Protocol):
    """The part of a unit that keeps records, holds them and disposes of them (R30)."""

    def kept(self, record_id: str) -> Kept:
        """Return how a record is kept; it and its item are locked until the transaction ends. Raises BadInput when there is none."""
        ...

    def retain(self, retention: Retention) -> None:
        """Add a review date; the newest counts."""
        ...

    def hold_placed(self, hold: LegalHold) -> None:
        """Add a legal hold."""
        ...

    def hold_released(self, hold: LegalHold) -> None:
        """Store who released the standing holds of that record and reference, when and why."""
        ...

    def hold_stored(self, record_id: str, *, on: bool, at: datetime) -> None:
        """Note that the storage has taken a record's hold, or its lifting; nothing is noted when the books say otherwise by now."""
        ...

    def disposal_asked(self, disposal: Disposal) -> None:
        """Add a disposal that waits for a second person."""
        ...

    def disposal_decided(self, disposal: Disposal) -> None:
        """Store an approval or a refusal. Raises NotAllowed when somebody decided before, or one person would be both."""
        ...

    def destroy_key(self, record_id: str, at: datetime) -> None:
        """Destroy the record's key, if it has one. May be repeated."""
        ...

    def forget(self, record_id: str) -> bool:
        """Blank what the database holds of a disposed record's comment. May be repeated.

        False when the platform's bytes it was first seen in are still needed by another comment that waits: then try again later.
        """
        ...

    def disposal_done(self, disposal: Disposal, at: datetime) -> None:
        """Note that an approved disposal is carried out. May be repeated: the first time stays."""
        ...


class StampingWrites(Protocol):
    """The part of a unit that notes stamps."""

    def stamped(self, record_id: str, school: str, stamp: Stamp, at: datetime) -> bool:
        """Note that a record holds a stamp: it is no longer pending, and an item that waits for it is due now. False when it was known."""
        ...


class Unit(BounceWrites, KeepingWrites, StampingWrites, ConcernWrites, DutyWrites, ReportWrites, TellingWrites, WebhookWrites, Protocol):
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
        """Store a decision and advance the item. Of a withheld one text, author, thread and the classifier's words are dropped (R17)."""
        ...

    def police_reported(self, report: PoliceReport) -> None:
        """Add an entry; a withheld item no longer needs a person once the police have given a reference (R17)."""
        ...

    def submitted(self, record: SealedRecord, *, school: str, by: str) -> bool:
        """Store the sealed record of what a person handed in; False, and nothing stored, when it is there already."""
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

    def alerts_composed(self, due: DueAlerts, key: str, message: EmailMessage, at: datetime, *, unread_after: timedelta) -> None:
        """Put the composed message in the outbox and mark its alerts; serious ones go further unless read by `unread_after` from now."""
        ...

    def digest_composed(self, digest: Digest, message: EmailMessage, at: datetime) -> bool:
        """Put the digest in the outbox, once per school and day; False when it was there already."""
        ...

    def mail_composed(self, key: str, school: str, message: EmailMessage, at: datetime) -> None:
        """Put a message in the outbox, once per key. `school` is "" for one that is the trust's."""
        ...

    def check_kept(self, run: CheckRun) -> CheckRun:
        """Store a run of the check as it stands, and return it with its number."""
        ...

    def rehearsal_begun(self, request: AlertRequest, *, of: str, since: datetime) -> int:
        """Write the alert of a rehearsal as told, under the key of its first mail; return its number.

        `of` is how the subjects of the route's rehearsals begin. Raises NotAllowed when there was one since then.
        """
        ...

    def mail_sent(self, mail: DueMail, at: datetime) -> bool:
        """Mark a message as delivered; False when another worker has done so already."""
        ...

    def mail_failed(self, mail: DueMail, why: str, *, next_at: datetime) -> None:
        """Push a message forward; it is never given up. Nothing is changed when the lease ran out and another worker has it."""
        ...

    def mails_put_off(self, why: str, *, at: datetime, next_at: datetime) -> list[WaitingMail]:
        """Push everything forward that is due by `at` and that nobody is sending, as if each had failed; return what that is."""
        ...

    def append(self, school: str, *events: LedgerEvent) -> Head:
        """Chain events to the school's ledger, in this transaction."""
        ...

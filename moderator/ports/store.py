"""The port of the database: claiming work, and everything the steps read."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from moderator.domain.account import Account, School
from moderator.domain.calendar import SchoolCalendar, Span
from moderator.domain.checks import CheckKind, CheckRun, SealedPlace
from moderator.domain.decision import Decision
from moderator.domain.digest import Digest
from moderator.domain.disposal import Disposal, Kept
from moderator.domain.events import Head
from moderator.domain.item import Item, Page
from moderator.domain.lifecycle import Stage
from moderator.domain.police import PoliceReport
from moderator.domain.record import Filed, SealedRecord
from moderator.domain.retention import Retention
from moderator.domain.review import Review
from moderator.domain.routes import View
from moderator.domain.stamping import ToRenew, ToStamp
from moderator.domain.submission import SubmissionBegun
from moderator.domain.work import DueAlerts, DueMail, PollTurn, Work
from moderator.ports.concerns import ConcernReads
from moderator.ports.dues import DueReads
from moderator.ports.duty import DutyReads
from moderator.ports.readers import WebhookReads
from moderator.ports.reports import ReportReads
from moderator.ports.unit import Unit
from moderator.ports.unread import UnreadReads


class KeepingReads(Protocol):
    """The part of the store that tells how records are kept (R30)."""

    def kept(self, record_id: str) -> Kept:
        """Return how a record is kept. Raises BadInput when there is none."""
        ...

    def holds_not_stored(self, *, limit: int) -> list[str]:
        """Return the ids of records whose hold, or its lifting, the storage has not taken yet."""
        ...

    def disposals_to_finish(self, *, limit: int) -> list[Disposal]:
        """Return approved disposals that are not carried out yet, oldest first."""
        ...

    def due_for_review(self, *, before: date, school: str = "") -> list[Retention]:
        """Return the review dates up to and with `before` of records that are kept, oldest first; of one school, or of all."""
        ...

    def without_review_date(self, *, limit: int) -> list[tuple[Kept, Decision | None]]:
        """Return kept records that have no review date yet, with their decision where they have one."""
        ...

    def scrub(self) -> None:
        """Make the database let go of bytes that were deleted. May be repeated; slow. Raises Transient when it cannot now."""
        ...


class StampingReads(Protocol):
    """The part of the store that tells which records want a stamp."""

    def lacking_stamp(self, authority: str, *, after: ToStamp | None, limit: int) -> list[ToStamp]:
        """Return records without any stamp of that authority, the oldest first, from the one after `after` on."""
        ...

    def to_renew(self, *, before: datetime, after: ToRenew | None, limit: int) -> list[ToRenew]:
        """Return records whose newest round has a chain that ends before then, the most urgent first, from the one after `after` on."""
        ...

    def last_stamp(self, authority: str) -> datetime | None:
        """Return the time of the newest stamp by that authority; None when there is none."""
        ...

    def waiting_for_stamp(self, authority: str) -> dict[str, datetime]:
        """Return, by school, when the oldest record without that authority's stamp was sealed."""
        ...


class Store(ConcernReads, DueReads, DutyReads, KeepingReads, StampingReads, ReportReads, UnreadReads, WebhookReads, Protocol):
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

    def filed(self, item: Item) -> Filed:
        """Return where the record of an item's comment is, or may be: one comment of a school has one record, whichever account saw it."""
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

    def digest_of(self, school: School, span: Span, *, link: str, view: View | None = None, now: datetime | None = None) -> Digest:
        """Return the digest's content for a span of London days, as one reader may see it; without a view, as one who may see all.

        `now` is when it is written, for what stands now: accounts, dates, mails; otherwise the end of the span.
        """
        ...

    def calendar(self, school: str) -> SchoolCalendar:
        """Return when a school gets its digests."""
        ...

    def digest_due(self, *, now: datetime) -> list[tuple[School, Span]]:
        """Return what is to be told in a digest by now and was not yet, oldest first."""
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

    def withheld_before(self, work: Work) -> bool:
        """Return whether an earlier version of the item's comment is withheld (R17)."""
        ...

    def submitted_record(self, record_id: str) -> SealedRecord | None:
        """Return the record of something handed in; None when there is none."""
        ...

    def submissions_unfinished(self, school: str, *, since: datetime) -> list[SubmissionBegun]:
        """Return a school's hand-ins begun since then that have no record in the books yet."""
        ...

    def police_reports(self, item_id: int) -> list[PoliceReport]:
        """Return what was done about an item with the police, oldest first (R17)."""
        ...

    def last_check(self, school: str, kind: CheckKind) -> CheckRun | None:
        """Return a school's newest run of a kind, finished or not; None when there was none."""
        ...

    def faults_told(self, school: str, *, since: datetime) -> frozenset[str]:
        """Return the keys (`domain.checks.fault_key`) of the faults told since then."""
        ...

    def sample(self, school: str, *, count: int, since: datetime, again: Collection[str] = ()) -> list[SealedPlace]:
        """Return `count` sealed records drawn anew by chance, every one sealed since then, and those named in `again`; each once."""
        ...

    def sealed_after(self, school: str, position: str, *, limit: int) -> list[SealedPlace]:
        """Return up to `limit` sealed records by the ledger, in order of their numbers, after `position` ("": from the first)."""
        ...

    def not_sealed(self, school: str, paths: Sequence[str]) -> list[str]:
        """Return those of the vault's paths that the ledger does not know."""
        ...

    def lost_heads(self, school: str) -> list[Head]:
        """Return the heads printed in digests that are no line of the ledger any more."""
        ...

    def forget_uploads(self, *, at: datetime) -> int:
        """Delete rolls that were handed in and not put to use in time (R29); return how many. May be repeated."""
        ...

    def prune(self, *, before: datetime, limit: int) -> int:
        """Blank text and author of cleared items older than `before`, and pages nothing needs; return how many rows changed (R28)."""
        ...

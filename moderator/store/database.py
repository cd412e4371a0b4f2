"""The store: implements ports.Store over one engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from moderator.domain.account import Account, School
from moderator.domain.calendar import SchoolCalendar, Span
from moderator.domain.digest import Digest
from moderator.domain.events import Head
from moderator.domain.item import Item, Page
from moderator.domain.lifecycle import Stage
from moderator.domain.police import PoliceReport
from moderator.domain.record import Filed
from moderator.domain.review import Review
from moderator.domain.routes import View
from moderator.domain.times import london_day
from moderator.domain.work import DueAlerts, DueMail, PollTurn, Work
from moderator.store import (
    bounced,
    checks,
    concerns,
    digest_content,
    dues,
    duty,
    filed,
    forget,
    items,
    keeping,
    ledger,
    outbox,
    past_digests,
    people,
    police,
    polls,
    prune,
    readers,
    rehearsed,
    reports,
    roll_uploads,
    stamps,
    submitted,
    tellings,
    unread,
    withheld,
)
from moderator.store.engine import READ, translate


class SqlUnit(
    polls.PollWrites,
    ledger.LedgerWrites,
    outbox.OutboxWrites,
    bounced.BounceWrites,
    checks.CheckWrites,
    forget.ForgetWrites,
    police.PoliceWrites,
    submitted.SubmittedWrites,
    stamps.StampWrites,
    concerns.ConcernWrites,
    readers.WebhookWrites,
    duty.DutyWrites,
    rehearsed.RehearsalWrites,
    reports.ReportWrites,
    tellings.TellingWrites,
    unread.UnreadWrites,
):
    """One transaction over every table; implements ports.Unit."""

    def __init__(self, connection: sa.Connection) -> None:
        """Keep the connection, which has begun."""
        self.connection = connection


class Database(
    checks.CheckReads,
    concerns.ConcernReads,
    dues.DueReads,
    duty.DutyReads,
    keeping.KeepingReads,
    readers.WebhookReads,
    reports.ReportReads,
    stamps.StampReads,
    submitted.SubmittedReads,
    unread.UnreadReads,
):
    """The store over one engine; implements ports.Store."""

    def __init__(self, engine: sa.Engine, *, calendars: Mapping[str, SchoolCalendar] | None = None) -> None:
        """Keep the engine. `calendars` are the schools' by slug; a school without one has `SchoolCalendar()`."""
        self.engine = engine
        self._calendars = calendars or {}

    @contextmanager
    def unit(self) -> Iterator[SqlUnit]:
        """Open one transaction; leaving commits, an exception rolls back. Database trouble comes out as Transient."""
        try:
            with self.engine.begin() as connection:
                yield SqlUnit(connection)
        except DBAPIError as error:
            raise translate(error) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a connection that only reads."""
        try:
            with self.engine.connect().execution_options(**READ) as connection:
                yield connection
        except DBAPIError as error:
            raise translate(error) from error

    def claim(self, stage: Stage, *, limit: int, now: datetime, lease: timedelta) -> list[Work]:
        """Claim up to `limit` due items of a stage, severe first."""
        with self.unit() as unit:
            return items.claim(unit.connection, stage, limit=limit, now=now, lease=lease)

    def claim_poll(self, *, now: datetime, lease: timedelta) -> PollTurn | None:
        """Claim the account that is due longest and has a live approval."""
        with self.unit() as unit:
            return polls.claim_poll(unit.connection, now=now, lease=lease)

    def claim_alerts(self, *, now: datetime, lease: timedelta, link: str) -> DueAlerts | None:
        """Claim one school's alerts once one of them is due."""
        with self.unit() as unit:
            return outbox.claim_alerts(unit.connection, now=now, lease=lease, link=link)

    def claim_mail(self, *, limit: int, now: datetime, lease: timedelta) -> list[DueMail]:
        """Claim due messages of the outbox."""
        with self.unit() as unit:
            return outbox.claim_mail(unit.connection, limit=limit, now=now, lease=lease)

    def first_seen(self, item_id: int) -> Page:
        """Return the answer an item was first seen in."""
        with self.reading() as connection:
            return items.first_seen(connection, item_id)

    def filed(self, item: Item) -> Filed:
        """Return where the record of an item's comment is, or may be."""
        with self.reading() as connection:
            return filed.filed(connection, item)

    def account(self, account_id: int) -> Account:
        """Return an account. Raises BadInput when there is none."""
        with self.reading() as connection:
            return people.account(connection, account_id)

    def schools(self) -> list[School]:
        """Return every school."""
        with self.reading() as connection:
            return people.schools(connection)

    def silent_accounts(self, *, since: datetime) -> list[Account]:
        """Return approved accounts without a good poll since then."""
        with self.reading() as connection:
            return polls.silent_accounts(connection, since=since)

    def digest_of(self, school: School, span: Span, *, link: str, view: View | None = None, now: datetime | None = None) -> Digest:
        """Return the digest's content for a span of London days, as one reader may see it; `now` is when it is written."""
        written = now or london_day(span.last)[1]
        with self.reading() as connection:
            return digest_content.digest_of(connection, school, span, link=link, view=view or View(), now=written)

    def calendar(self, school: str) -> SchoolCalendar:
        """Return when a school gets its digests."""
        return self._calendars.get(school, SchoolCalendar())

    def digest_due(self, *, now: datetime) -> list[tuple[School, Span]]:
        """Return what is to be told in a digest by now and was not yet, oldest first."""
        with self.reading() as connection:
            return past_digests.digest_due(connection, now=now, calendar_of=self.calendar)

    def head(self, school: str) -> Head:
        """Return the ledger's head."""
        with self.reading() as connection:
            return ledger.head(connection, school)

    def pending_review(self, item_id: int) -> Review:
        """Return the review an item's restore waits on. Raises NotAllowed when there is none."""
        with self.reading() as connection:
            return items.pending_review(connection, item_id)

    def work(self, item_id: int) -> Work:
        """Return an item as it stands, unclaimed. Raises BadInput when there is none."""
        with self.reading() as connection:
            return items.work(connection, item_id)

    def withheld_before(self, work: Work) -> bool:
        """Return whether an earlier version of the item's comment is withheld."""
        with self.reading() as connection:
            return bool(withheld.withheld_among(connection, work.account.id, [work.item.comment.comment_id]))

    def police_reports(self, item_id: int) -> list[PoliceReport]:
        """Return what was done about an item with the police, oldest first."""
        with self.reading() as connection:
            return police.reports(connection, item_id)

    @property
    def embedded(self) -> bool:
        """Whether this is the embedded engine, which only the process that holds the data folder uses as a service."""
        return self.engine.dialect.name == "sqlite"

    def release_leases(self) -> None:
        """Free every lease. Only for a process that holds the data folder alone: leases then belong to a run that died."""
        with self.unit() as unit:
            for table in (items.ITEMS, people.ACCOUNTS, outbox.ALERTS, outbox.OUTBOX):
                unit.connection.execute(sa.update(table).where(table.c.lease_until.is_not(None)).values(lease_until=None))

    def poll_now(self) -> None:
        """Make every account due for a poll now; approval, pauses and budgets still hold."""
        with self.unit() as unit:
            unit.connection.execute(sa.update(people.ACCOUNTS).values(next_poll_at=datetime(2000, 1, 1, tzinfo=UTC)))

    def stuck(self) -> bool:
        """Return whether all that waits, waits for a person to re-authorise its account."""
        needs = sa.select(people.ACCOUNTS.c.id).where(people.ACCOUNTS.c.needs_person)
        free = sa.select(items.ITEMS.c.id).where(items.ITEMS.c.stage.is_not(None), items.ITEMS.c.account_id.not_in(needs)).limit(1)
        alerts = sa.select(outbox.ALERTS.c.id).where(outbox.ALERTS.c.mail_key.is_(None)).limit(1)
        mails = sa.select(outbox.OUTBOX.c.id).where(outbox.OUTBOX.c.sent_at.is_(None)).limit(1)
        with self.reading() as connection:
            return all(connection.execute(query).first() is None for query in (free, alerts, mails))

    def next_due(self) -> datetime | None:
        """Return when the next waiting item, alert or message is due; None when nothing waits."""
        waiting = (
            sa.select(sa.func.min(items.ITEMS.c.due_at)).where(items.ITEMS.c.stage.is_not(None)),
            sa.select(sa.func.min(outbox.ALERTS.c.due_at)).where(outbox.ALERTS.c.mail_key.is_(None)),
            sa.select(sa.func.min(outbox.OUTBOX.c.due_at)).where(outbox.OUTBOX.c.sent_at.is_(None)),
        )
        with self.reading() as connection:
            found = [connection.execute(query).scalar() for query in waiting]
        return min((moment for moment in found if moment is not None), default=None)

    def latest_seal(self) -> datetime | None:
        """Return when the newest record was sealed; None when there is none."""
        with self.reading() as connection:
            found: datetime | None = connection.execute(sa.select(sa.func.max(items.RECORDS.c.sealed_at))).scalar()
            return found

    def forget_uploads(self, *, at: datetime) -> int:
        """Delete rolls that were handed in and not put to use in time; return how many."""
        with self.unit() as unit:
            return roll_uploads.forget_old(unit.connection, at=at)

    def prune(self, *, before: datetime, limit: int) -> int:
        """Blank cleared items and drop pages nothing needs (R28)."""
        with self.unit() as unit:
            return prune.prune(unit.connection, before=before, limit=limit)

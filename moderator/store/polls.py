"""Polling: whose turn it is, how many reads are left, and the page that was read. Called by the poll step through the unit."""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from moderator.domain.account import Account
from moderator.domain.item import Page
from moderator.domain.times import london_date
from moderator.domain.work import PollTurn
from moderator.store import codec, people, withheld
from moderator.store.engine import insert_new
from moderator.store.items import PAGES, ItemWrites
from moderator.store.people import ACCOUNTS, APPROVALS, BUDGETS
from moderator.store.tables import CursorRow

CURSORS: sa.Table = CursorRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

RECENT = 0.3
"""Weight of the last poll in the running average of reads a poll."""


def month_of(moment: datetime) -> str:
    """Return the calendar month a read is booked in: `2026-11`, UTC, as X bills."""
    return moment.strftime("%Y-%m")


def claim_poll(connection: sa.Connection, *, now: datetime, lease: timedelta) -> PollTurn | None:
    """Claim the account that has been due longest and has a live approval (R1)."""
    day = london_date(now)
    newest = sa.select(sa.func.max(APPROVALS.c.id)).group_by(APPROVALS.c.account_id)
    live = sa.select(APPROVALS.c.account_id).where(
        APPROVALS.c.id.in_(newest),
        APPROVALS.c.approved_on <= day,
        APPROVALS.c.ends_on >= day,
        APPROVALS.c.withdrawn_at.is_(None),
    )
    due = (
        sa.select(ACCOUNTS.c.id)
        .where(
            ACCOUNTS.c.next_poll_at <= now,
            sa.or_(ACCOUNTS.c.lease_until.is_(None), ACCOUNTS.c.lease_until <= now),
            sa.or_(ACCOUNTS.c.paused_until.is_(None), ACCOUNTS.c.paused_until <= now),
            ACCOUNTS.c.needs_person.is_(False),
            ACCOUNTS.c.id.in_(live),
        )
        .order_by(ACCOUNTS.c.next_poll_at, ACCOUNTS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(ACCOUNTS).where(ACCOUNTS.c.id.in_(due.scalar_subquery())).values(lease_until=now + lease).returning(ACCOUNTS)
    row = connection.execute(taken).mappings().one_or_none()
    if row is None:
        return None
    account = people.account(connection, row["id"])
    cursors = connection.execute(sa.select(CURSORS.c.source, CURSORS.c.cursor).where(CURSORS.c.account_id == account.id))
    return PollTurn(
        account=account,
        cursors={row.source: row.cursor for row in cursors},
        interval=timedelta(seconds=row["poll_interval"]),
        reads_left=account.monthly_reads - reads_used(connection, account.id, month_of(now)),
        reads_per_poll=row["reads_per_poll"],
        troubled=bool(row["trouble"]),
    )


def silent_accounts(connection: sa.Connection, *, since: datetime) -> list[Account]:
    """Return approved accounts without a good poll since then; one approved since then that nobody has connected yet is not silent."""
    quiet = sa.or_(ACCOUNTS.c.last_good_poll_at.is_(None), ACCOUNTS.c.last_good_poll_at < since)
    begins = sa.and_(ACCOUNTS.c.last_good_poll_at.is_(None), ACCOUNTS.c.needs_person, ACCOUNTS.c.next_poll_at >= since)
    silent = sa.select(ACCOUNTS.c.id).where(quiet, ~begins)
    found = [people.account(connection, number) for number in connection.execute(silent.order_by(ACCOUNTS.c.id)).scalars()]
    day = london_date(since)
    return [account for account in found if account.pollable(day)]


def reads_used(connection: sa.Connection, account_id: int, month: str) -> int:
    """Return the posts read, or booked to be read, for an account in a month."""
    wanted = sa.select(BUDGETS.c.reads).where(BUDGETS.c.account_id == account_id, BUDGETS.c.month == month)
    return connection.execute(wanted).scalar() or 0


class PollWrites(ItemWrites):
    """The part of a unit that polls."""

    def reserve_reads(self, account_id: int, month: str, reads: int) -> bool:
        """Book reads before a request, so that a crash can only book too many, never too few."""
        insert_new(self.connection, BUDGETS, [{"account_id": account_id, "month": month, "reads": 0}])
        allowed = sa.select(ACCOUNTS.c.monthly_reads).where(ACCOUNTS.c.id == account_id).scalar_subquery()
        booked = (
            sa.update(BUDGETS)
            .where(BUDGETS.c.account_id == account_id, BUDGETS.c.month == month, BUDGETS.c.reads + reads <= allowed)
            .values(reads=BUDGETS.c.reads + reads)
        )
        return self.connection.execute(booked).rowcount == 1

    def settle_reads(self, account_id: int, month: str, *, reserved: int, used: int) -> None:
        """Replace a booking by what was billed."""
        self.connection.execute(
            sa.update(BUDGETS)
            .where(BUDGETS.c.account_id == account_id, BUDGETS.c.month == month)
            .values(reads=BUDGETS.c.reads - reserved + used)
        )

    def add_page(self, account: Account, source: str, page: Page, at: datetime) -> int:
        """Store a page's bytes, its new comments and its cursor; return how many comments were new."""
        new = 0
        if page.comments:
            known = withheld.withheld_among(self.connection, account.id, (comment.comment_id for comment in page.comments))
            kept = replace(page, body=withheld.left_out(page.body)) if known else page
            values = codec.page_columns(kept) | {"account_id": account.id, "at": at}
            page_id = self.connection.execute(sa.insert(PAGES).values(values).returning(PAGES.c.id)).scalar_one()
            new = self.add_items(account, page_id, page, at)
        moved = sa.update(CURSORS).where(CURSORS.c.account_id == account.id, CURSORS.c.source == source)
        if self.connection.execute(moved.values(cursor=page.cursor)).rowcount == 0:
            self.connection.execute(sa.insert(CURSORS).values(account_id=account.id, source=source, cursor=page.cursor))
        return new

    def end_poll(  # noqa: PLR0913 - the facts of one poll
        self, account_id: int, *, at: datetime, next_at: datetime, interval: timedelta, reads: int, trouble: str = ""
    ) -> None:
        """Release the account until `next_at`; an empty `trouble` marks a good poll."""
        values: dict[str, object] = {
            "lease_until": None,
            "next_poll_at": next_at,
            "poll_interval": interval.total_seconds(),
            "reads_per_poll": ACCOUNTS.c.reads_per_poll * (1 - RECENT) + reads * RECENT,
            "trouble": trouble,
        }
        if not trouble:
            values["last_good_poll_at"] = at
        self.connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))

    def pause_account(self, account_id: int, *, until: datetime | None, trouble: str) -> None:
        """Let no step call the platform for this account until then; None: until a person re-authorises it."""
        values = {"paused_until": until, "needs_person": until is None, "trouble": trouble}
        self.connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))

"""What people read: the day's counts, what needs a person, an item's history. Called by the digest and the review app."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.account import without_details
from moderator.domain.decision import Outcome
from moderator.domain.digest import AccountLine, DigestCounts
from moderator.domain.events import Event
from moderator.domain.lifecycle import State
from moderator.domain.times import london_date
from moderator.domain.work import Work
from moderator.store import people
from moderator.store.items import ITEMS, RECORDS, REVIEWS
from moderator.store.ledger import LEDGER
from moderator.store.listed import LIST, Listed, listed
from moderator.store.people import ACCOUNTS
from moderator.store.polls import month_of, reads_used

POLICE = "police_report"
"""Reason of a `reviewed` line that tells of a police report: no decision was kept by it."""

EVERYTHING: sa.ColumnElement[bool] = sa.true()
"""The condition of a reader who is told of every item; `seen_by` and `duty.in_view` make narrower ones."""


def needing_review(
    connection: sa.Connection, school: str, *, limit: int, after: int = 0, seen: sa.ColumnElement[bool] = EVERYTHING
) -> list[Listed]:
    """Return items that need a person, severe first, oldest first; `after` skips that many, `seen` is what the reader may be told of."""
    wanted = sa.select(*LIST).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen).order_by(ITEMS.c.rank, ITEMS.c.id)
    return [listed(row) for row in connection.execute(wanted.limit(limit).offset(after))]


def count_needing_review(connection: sa.Connection, school: str, *, seen: sa.ColumnElement[bool] = EVERYTHING) -> int:
    """Return how many items need a person."""
    wanted = sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.needs_review, ITEMS.c.school == school, seen)
    return connection.execute(wanted).scalar_one()


_FINISHED = (State.HIDDEN, State.UPHELD, State.RESTORED, State.GONE)


def _finished(school: str, start: datetime, end: datetime) -> sa.ColumnElement[bool]:
    of_days = sa.and_(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end)
    return sa.and_(of_days, ~ITEMS.c.needs_review, ITEMS.c.state.in_([state.value for state in _FINISHED]))


def finished_on(  # noqa: PLR0913 - the facts of one list
    connection: sa.Connection, school: str, start: datetime, end: datetime, *, limit: int, seen: sa.ColumnElement[bool] = EVERYTHING
) -> list[Listed]:
    """Return what is finished of the items first seen from `start` to before `end`, newest first: the rest still needs a person."""
    wanted = sa.select(*LIST).where(_finished(school, start, end), seen).order_by(ITEMS.c.first_seen_at.desc(), ITEMS.c.id.desc())
    return [listed(row) for row in connection.execute(wanted.limit(limit))]


def count_finished_on(
    connection: sa.Connection, school: str, start: datetime, end: datetime, *, seen: sa.ColumnElement[bool] = EVERYTHING
) -> int:
    """Return how many items `finished_on` would list."""
    return connection.execute(sa.select(sa.func.count()).select_from(ITEMS).where(_finished(school, start, end), seen)).scalar_one()


def counts(
    connection: sa.Connection, school: str, start: datetime, end: datetime, *, seen: sa.ColumnElement[bool] = EVERYTHING
) -> DigestCounts:
    """Return the counts of the items first seen from `start` to before `end`, and of what people did in that time.

    `seen` is what the reader may be told of: what happened to any other item is not counted either.
    """
    by_state = (
        sa.select(ITEMS.c.state, ITEMS.c.outcome, ITEMS.c.record_id.is_not(None).label("sealed"), sa.func.count().label("n"))
        .where(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end, seen)
        .group_by(ITEMS.c.state, ITEMS.c.outcome, ITEMS.c.record_id.is_not(None))
    )
    rows = connection.execute(by_state).all()
    held = sa.select(sa.func.count()).select_from(ITEMS)
    held = held.where(
        ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end, ITEMS.c.held_at.is_not(None), seen
    )
    told = (
        sa.select(LEDGER.c.event, sa.func.count().label("n"))
        .where(LEDGER.c.school == school, LEDGER.c.at >= start, LEDGER.c.at < end)
        .where(LEDGER.c.event.in_([Event.HIDE_VERIFIED.value, Event.RESTORED.value, Event.REVIEWED.value]))
        .where(~LEDGER.c.line.contains(f'"reason":"{POLICE}"'), _about_what_is_seen(seen))
        .group_by(LEDGER.c.event)
    )
    events = {row.event: row.n for row in connection.execute(told)}
    return DigestCounts(
        seen=sum(row.n for row in rows),
        cleared=sum(row.n for row in rows if row.state == State.CLEARED),
        flagged=sum(row.n for row in rows if row.outcome in {Outcome.HIDE, Outcome.ROUTE, Outcome.WITHHOLD}),
        recorded=sum(row.n for row in rows if row.sealed),
        hidden=events.get(Event.HIDE_VERIFIED.value, 0),
        routed=sum(row.n for row in rows if row.outcome == Outcome.ROUTE),
        withheld=sum(row.n for row in rows if row.outcome == Outcome.WITHHOLD),
        restored=events.get(Event.RESTORED.value, 0),
        upheld=max(events.get(Event.REVIEWED.value, 0) - events.get(Event.RESTORED.value, 0), 0),
        held=connection.execute(held).scalar_one(),
        waiting_for_decision=count_needing_review(connection, school, seen=seen),
    )


def _about_what_is_seen(seen: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition on LEDGER that a line is about no record of an item that the reader may not be told of."""
    if seen is EVERYTHING:
        return seen
    return ~sa.select(ITEMS.c.id).where(ITEMS.c.record_id == LEDGER.c.subject, ~seen).exists()


def account_lines(connection: sa.Connection, school: str, now: datetime) -> tuple[AccountLine, ...]:
    """Return how each of the school's accounts stands (R4), without the platform's own words (R28)."""
    facts = {row["id"]: row for row in connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.school == school)).mappings()}
    lines = []
    for account in people.accounts(connection, school):
        row = facts[account.id]
        live = account.pollable(london_date(now))
        mode = account.approval.mode.value if live and account.approval else "not approved"
        lines.append(
            AccountLine(
                handle=account.handle,
                platform=account.platform,
                mode=mode,
                last_good_poll=row["last_good_poll_at"],
                reads_used=reads_used(connection, account.id, month_of(now)),
                reads_budget=account.monthly_reads,
                trouble=without_details(row["trouble"]),
            )
        )
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened to an item: when, what (a ledger event or a review), by whom, and the justification if a person gave one."""

    at: datetime
    what: str
    actor: str
    why: str = ""


def history(connection: sa.Connection, work: Work) -> list[HistoryLine]:
    """Return an item's history from the ledger and its reviews, oldest first."""
    subjects = [f"item-{work.item.id}"]
    if work.record is not None:
        subjects.append(work.record.record_id)
    # The school and the order are seen to here: in the statement they would have SQLite walk all of the school's lines.
    from_ledger = sa.select(LEDGER.c.school, LEDGER.c.seq, LEDGER.c.at, LEDGER.c.event, LEDGER.c.line).where(LEDGER.c.subject.in_(subjects))
    rows = sorted((row for row in connection.execute(from_ledger) if row.school == work.item.school), key=lambda row: row.seq)
    lines = [HistoryLine(row.at, row.event, json.loads(row.line)["actor"]) for row in rows]
    reviews = sa.select(REVIEWS).where(REVIEWS.c.item_id == work.item.id).order_by(REVIEWS.c.id)
    lines.extend(HistoryLine(row.at, row.verdict, row.actor, row.justification) for row in connection.execute(reviews))
    return sorted(lines, key=lambda line: line.at)


def totals(connection: sa.Connection) -> dict[str, int]:
    """Return the whole database's counts, for the demo's summary."""
    by_state = sa.select(ITEMS.c.state, ITEMS.c.outcome, ITEMS.c.held_at.is_not(None).label("held"), sa.func.count().label("n"))
    rows = connection.execute(by_state.group_by(ITEMS.c.state, ITEMS.c.outcome, ITEMS.c.held_at.is_not(None))).all()
    return {
        "polled": sum(row.n for row in rows),
        "cleared": sum(row.n for row in rows if row.state == State.CLEARED),
        "flagged": sum(row.n for row in rows if row.outcome in {Outcome.HIDE, Outcome.ROUTE}),
        "routed": sum(row.n for row in rows if row.outcome == Outcome.ROUTE),
        "withheld": sum(row.n for row in rows if row.outcome == Outcome.WITHHOLD),
        "held": sum(row.n for row in rows if row.held),
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """How an item stands beside its state: held for a person, waiting for a decision, what is wrong if anything; for HR, a disclosure."""

    held: bool
    needs_review: bool
    trouble: str
    awaits_advice: bool = False
    safeguarding: bool = False


def standing(connection: sa.Connection, item_id: int) -> Standing | None:
    """Return how an item stands; None when there is none."""
    columns = (ITEMS.c.held_at, ITEMS.c.needs_review, ITEMS.c.trouble, ITEMS.c.awaits_advice, ITEMS.c.safeguarding)
    row = connection.execute(sa.select(*columns).where(ITEMS.c.id == item_id)).one_or_none()
    return Standing(row.held_at is not None, row.needs_review, row.trouble, row.awaits_advice, row.safeguarding) if row else None


def item_of_record(connection: sa.Connection, record_id: str) -> int | None:
    """Return the number of the item that a record is of; None when there is no such record."""
    return connection.execute(sa.select(RECORDS.c.item_id).where(RECORDS.c.record_id == record_id)).scalar()


def viewed_since(connection: sa.Connection, school: str, subject: str, *, session: str, since: datetime) -> bool:
    """Return whether the ledger already says that this session opened the subject since then."""
    wanted = sa.select(LEDGER.c.seq).where(
        LEDGER.c.school == school,
        LEDGER.c.subject == subject,
        LEDGER.c.event == Event.VIEWED.value,
        LEDGER.c.at >= since,
        LEDGER.c.line.contains(f'"session":"{session}"', autoescape=True),
    )
    return connection.execute(wanted.limit(1)).first() is not None

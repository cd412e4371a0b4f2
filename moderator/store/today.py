"""What people read: the day's counts, what needs a person, an item's history. Called by the digest and the review app."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from moderator.domain.account import School
from moderator.domain.calendar import SchoolCalendar, Span
from moderator.domain.decision import Outcome
from moderator.domain.digest import AccountLine, Digest, DigestCounts, DigestLine
from moderator.domain.events import Event
from moderator.domain.lifecycle import Stage, State
from moderator.domain.times import london_date, london_day
from moderator.domain.work import Work
from moderator.store import checks, ledger, people, submitted
from moderator.store.items import ITEMS, RECORDS, REVIEWS
from moderator.store.ledger import LEDGER
from moderator.store.listed import LIST, Listed, listed, outcome_words, state_words
from moderator.store.outbox import DIGESTS, OUTBOX
from moderator.store.people import ACCOUNTS
from moderator.store.polls import month_of, reads_used

POLICE = "police_report"
"""Reason of a `reviewed` line that tells of a police report: no decision was kept by it."""

LISTED = 25
"""Most lines of one list in a digest; the rest is counted and linked."""

DAYS_BACK = 31
"""How far back a missed digest is still made."""


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


def _finished(school: str, day: date) -> sa.ColumnElement[bool]:
    start, end = london_day(day)
    of_day = sa.and_(ITEMS.c.school == school, ITEMS.c.first_seen_at >= start, ITEMS.c.first_seen_at < end)
    return sa.and_(of_day, ~ITEMS.c.needs_review, ITEMS.c.state.in_([state.value for state in _FINISHED]))


def finished_on(
    connection: sa.Connection, school: str, day: date, *, limit: int, seen: sa.ColumnElement[bool] = EVERYTHING
) -> list[Listed]:
    """Return what is finished of the items first seen on a London day, newest first: what still needs a person is listed as that."""
    wanted = sa.select(*LIST).where(_finished(school, day), seen).order_by(ITEMS.c.first_seen_at.desc(), ITEMS.c.id.desc())
    return [listed(row) for row in connection.execute(wanted.limit(limit))]


def count_finished_on(connection: sa.Connection, school: str, day: date, *, seen: sa.ColumnElement[bool] = EVERYTHING) -> int:
    """Return how many items `finished_on` would list."""
    return connection.execute(sa.select(sa.func.count()).select_from(ITEMS).where(_finished(school, day), seen)).scalar_one()


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
    """Return how each of the school's accounts stands (R4)."""
    facts = {row["id"]: row for row in connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.school == school)).mappings()}
    lines = []
    for account in people.accounts(connection):
        if account.id not in facts:
            continue
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
                trouble=row["trouble"],
            )
        )
    return tuple(lines)


def _digest_lines(rows: Sequence[Listed], link: str) -> tuple[DigestLine, ...]:
    return tuple(
        DigestLine(row.subject, row.at, outcome_words(row), row.severity, state_words(row), f"{link}/items/{row.id}") for row in rows
    )


def digest_of(connection: sa.Connection, school: School, day: date, *, link: str, seen: sa.ColumnElement[bool] = EVERYTHING) -> Digest:
    """Return the digest's content for one London day; `seen` is what its reader may be told of."""
    start, end = london_day(day)
    waiting = needing_review(connection, school.slug, limit=LISTED, seen=seen)
    tally = counts(connection, school.slug, start, end, seen=seen)
    done = finished_on(connection, school.slug, day, limit=LISTED, seen=seen)
    return Digest(
        school=school,
        day=day,
        to=school.head_email,
        counts=tally,
        head=ledger.head(connection, school.slug),
        needs_you=_digest_lines(waiting, link),
        more_needing_you=max(tally.waiting_for_decision - len(waiting), 0),
        done=_digest_lines(done, link),
        more_done=max(count_finished_on(connection, school.slug, day, seen=seen) - LISTED, 0),
        accounts=account_lines(connection, school.slug, end),
        notes=_notes(connection, school.slug) + submitted.notes(connection, school.slug, start, end),
        review_link=link,
        evidence=checks.standing(connection, school.slug, end),
    )


def _notes(connection: sa.Connection, school: str) -> tuple[str, ...]:
    """Return what a Headteacher must know beside the lists: what still shows although it is to be hidden, and mail nobody has taken."""
    waiting = sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.stage == Stage.HIDE.value, ITEMS.c.school == school)
    unsent = (
        sa.select(sa.func.count()).select_from(OUTBOX).where(OUTBOX.c.sent_at.is_(None), OUTBOX.c.attempts > 0, OUTBOX.c.school == school)
    )
    showing, stuck = connection.execute(waiting).scalar_one(), connection.execute(unsent).scalar_one()
    notes = []
    if showing:
        notes.append(f"{showing} recorded comments wait to be hidden. They are still showing.")
    if stuck:
        notes.append(f"{stuck} earlier mails could not be delivered yet. The service keeps trying.")
    return tuple(notes)


def digest_due(connection: sa.Connection, *, now: datetime, calendar_of: Callable[[str], SchoolCalendar]) -> list[tuple[School, Span]]:
    """Return what was not told of the past London days and is due now, school by school, oldest first."""
    due: list[tuple[School, Span]] = []
    for school in people.schools(connection):
        opened = connection.execute(sa.select(LEDGER.c.at).where(LEDGER.c.school == school.slug, LEDGER.c.seq == 1)).scalar()
        if opened is None:
            continue
        first = max(london_date(opened), london_date(now) - timedelta(days=DAYS_BACK))
        rows = connection.execute(
            sa.select(DIGESTS.c.first_day, DIGESTS.c.day).where(DIGESTS.c.school == school.slug, DIGESTS.c.day >= first)
        )
        made = [Span(row.first_day or row.day, row.day) for row in rows]
        spans = calendar_of(school.slug).due(first, now)
        due.extend((school, span) for span in spans if not any(each.last == span.last for each in made))
    return due


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
    from_ledger = sa.select(LEDGER.c.at, LEDGER.c.event, LEDGER.c.line).where(
        LEDGER.c.school == work.item.school, LEDGER.c.subject.in_(subjects)
    )
    lines = [
        HistoryLine(row.at, row.event, json.loads(row.line)["actor"]) for row in connection.execute(from_ledger.order_by(LEDGER.c.seq))
    ]
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

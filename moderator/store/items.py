"""Items as a queue: claimed by a conditional update, advanced only by the claim that holds the lease. Called by the steps' units."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.domain import about
from moderator.domain.account import Account
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import BadInput, LeaseLost, NotAllowed
from moderator.domain.item import Page, SeenComment
from moderator.domain.lifecycle import Stage, State, check_move
from moderator.domain.record import SealedRecord, record_id
from moderator.domain.review import Review, Verdict
from moderator.domain.score import Score
from moderator.domain.work import Work
from moderator.store import codec, people, stamps, withheld
from moderator.store.engine import insert_if_new, insert_new
from moderator.store.record_tables import DisposalRow, RecordRow
from moderator.store.register_tables import ItemPersonRow
from moderator.store.tables import AccountRow, DecisionRow, ItemRow, PageRow, ReviewRow

ITEMS: sa.Table = ItemRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
RECORDS: sa.Table = RecordRow.__table__  # type: ignore[attr-defined] # as above
PAGES: sa.Table = PageRow.__table__  # type: ignore[attr-defined] # as above
DECISIONS: sa.Table = DecisionRow.__table__  # type: ignore[attr-defined] # as above
REVIEWS: sa.Table = ReviewRow.__table__  # type: ignore[attr-defined] # as above
ACCOUNTS: sa.Table = AccountRow.__table__  # type: ignore[attr-defined] # as above
ITEM_PEOPLE: sa.Table = ItemPersonRow.__table__  # type: ignore[attr-defined] # as above
DISPOSALS: sa.Table = DisposalRow.__table__  # type: ignore[attr-defined] # as above

CALLS_PLATFORM = frozenset({Stage.HIDE, Stage.RESTORE})
"""Stages that cannot go on while their account is paused."""

_SCORED = (
    sa.update(ITEMS)
    .where(
        ITEMS.c.id == sa.bindparam("b_id"),
        ITEMS.c.state == sa.literal_column(f"'{State.SEEN.value}'"),
        ITEMS.c.lease_until == sa.bindparam("b_lease"),
    )
    .values(
        state=sa.literal_column(f"'{State.SCORED.value}'"),
        stage=sa.literal_column(f"'{Stage.DECIDE.value}'"),
        lease_until=sa.null(),
        attempts=sa.literal_column("0"),
        score=sa.bindparam("b_score"),
    )
)
"""Run for a whole batch at once. What is the same for every row is in the statement: each parameter costs, row by row."""

_WORK = tuple(
    ITEMS.c[name]
    for name in ItemRow.model_fields
    if name not in {"version", "page_id", "due_at", "sealed_at", "hidden_at", "gone_at", "held_at"}
)
"""The columns of a claim: what `works` reads, and no time that it does not, since each costs a conversion."""


def claim(connection: sa.Connection, stage: Stage, *, limit: int, now: datetime, lease: timedelta) -> list[Work]:
    """Claim up to `limit` due items of a stage, severe first."""
    until = now + lease
    wanted = sa.select(ITEMS.c.id).where(
        ITEMS.c.stage == stage.value,
        ITEMS.c.due_at <= now,
        sa.or_(ITEMS.c.lease_until.is_(None), ITEMS.c.lease_until <= now),
    )
    if stage in CALLS_PLATFORM:
        paused = sa.select(ACCOUNTS.c.id).where(sa.or_(ACCOUNTS.c.needs_person, ACCOUNTS.c.paused_until > now))
        wanted = wanted.where(ITEMS.c.account_id.not_in(paused))
    wanted = wanted.order_by(ITEMS.c.rank, ITEMS.c.due_at, ITEMS.c.id).limit(limit).with_for_update(skip_locked=True)
    taken = sa.update(ITEMS).where(ITEMS.c.id.in_(wanted.scalar_subquery())).values(lease_until=until).returning(*_WORK)
    rows = connection.execute(taken).mappings().all()
    return works(connection, sorted(rows, key=lambda row: (row["rank"], row["id"])))


def works(connection: sa.Connection, rows: Sequence[codec.Row]) -> list[Work]:
    """Return rows of `items` as work, with their accounts and records."""
    accounts = {number: people.account(connection, number) for number in {row["account_id"] for row in rows}}
    ids = [row["record_id"] for row in rows if row["record_id"]]
    found = connection.execute(sa.select(RECORDS).where(RECORDS.c.record_id.in_(ids))).mappings() if ids else ()
    records = {row["record_id"]: codec.record_from(row) for row in found}
    return [_work(row, accounts[row["account_id"]], records.get(row["record_id"])) for row in rows]


def _work(row: codec.Row, account: Account, record: SealedRecord | None) -> Work:
    return Work(
        item=codec.item_from(row),
        account=account,
        state=State(row["state"]),
        stage=Stage(row["stage"]) if row["stage"] else None,
        attempts=row["attempts"],
        lease_until=row["lease_until"],
        score=codec.score_from(row["score"]) if row["score"] else None,
        decision=codec.decision_from(row["decision"]) if row["decision"] else None,
        record=record,
        hide_called_at=row["hide_called_at"],
    )


def work(connection: sa.Connection, item_id: int) -> Work:
    """Return one item as it stands. Raises BadInput when there is none."""
    rows = connection.execute(sa.select(ITEMS).where(ITEMS.c.id == item_id)).mappings().all()
    if not rows:
        message = f"there is no item {item_id}"
        raise BadInput(message)
    return works(connection, rows)[0]


def first_seen(connection: sa.Connection, item_id: int) -> Page:
    """Return the answer an item was first seen in. Raises BadInput when it is not kept any more."""
    found = sa.select(PAGES).join(ITEMS, ITEMS.c.page_id == PAGES.c.id).where(ITEMS.c.id == item_id)
    row = connection.execute(found).mappings().one_or_none()
    if row is None:
        message = f"the platform's bytes for item {item_id} are not kept any more"
        raise BadInput(message)
    return codec.page_from(row)


def pending_review(connection: sa.Connection, item_id: int) -> Review:
    """Return the review that waits to be carried out. Raises NotAllowed when there is none."""
    wanted = sa.select(REVIEWS).where(REVIEWS.c.item_id == item_id, REVIEWS.c.done_at.is_(None))
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        message = f"no review of item {item_id} is waiting"
        raise NotAllowed(message)
    return Review(row["item_id"], Verdict(row["verdict"]), row["actor"], row["justification"], row["at"])


class ItemWrites:
    """The part of a unit that moves items."""

    connection: sa.Connection

    def add_items(self, account: Account, page_id: int, page: Page, at: datetime) -> int:
        """Store a page's comments as `seen`; return how many were new."""
        common = {
            "account_id": account.id,
            "school": account.school.slug,
            "platform": account.platform,
            "first_seen_at": at,
            "page_id": page_id,
            "state": State.SEEN.value,
            "stage": Stage.SCORE.value,
            "due_at": at,
        }
        comments = self._not_disposed(account, page.comments)
        return insert_new(self.connection, ITEMS, [common | codec.comment_columns(comment) for comment in comments])

    def _not_disposed(self, account: Account, comments: Sequence[SeenComment]) -> Sequence[SeenComment]:
        """Leave out the versions whose records were disposed of: they are not judged and recorded a second time (R30)."""
        school = account.school.slug
        gone = sa.select(DISPOSALS.c.record_id).where(DISPOSALS.c.school == school, DISPOSALS.c.approved_at.is_not(None))
        if self.connection.execute(gone.limit(1)).first() is None:
            return comments
        known = {record_id(school, account.platform, each.comment_id, each.version): each for each in comments}
        for found in self.connection.execute(gone.where(DISPOSALS.c.record_id.in_(known))).scalars():
            del known[found]
        return tuple(known.values())

    def scored(self, scores: Sequence[tuple[Work, Score]], at: datetime) -> None:
        """Advance claimed items to `scored`. Raises LeaseLost when one of them is not ours any more."""
        del at
        for state in {work.state for work, _ in scores}:
            check_move(state, State.SCORED, sealed=False)
        rows = [{"b_id": work.item.id, "b_lease": work.lease_until, "b_score": codec.score_text(score)} for work, score in scores]
        if rows and self.connection.execute(_SCORED, rows).rowcount != len(rows):
            raise LeaseLost(len(rows))

    def cleared(self, works: Sequence[tuple[Work, Decision]], at: datetime) -> None:
        """Advance claimed items to `cleared`. Raises LeaseLost when one of them is not ours any more."""
        del at
        alike: dict[tuple[str, State, datetime | None], list[int]] = {}
        texts: dict[int, str] = {}
        for work, decision in works:
            check_move(work.state, State.CLEARED, sealed=False)
            text = texts.get(id(decision)) or texts.setdefault(id(decision), codec.decision_text(decision))
            alike.setdefault((text, work.state, work.lease_until), []).append(work.item.id)
        for (text, state, lease), ids in alike.items():
            cleared = sa.update(ITEMS).where(ITEMS.c.id.in_(ids), ITEMS.c.state == state.value, ITEMS.c.lease_until == lease)
            values = {"state": State.CLEARED.value, "stage": None, "lease_until": None, "attempts": 0, "decision": text}
            done = self.connection.execute(cleared.values(values | {"outcome": Outcome.CLEAR.value, "severity": Severity.NONE.value}))
            if done.rowcount != len(ids):
                raise LeaseLost(len(ids))

    def decided(self, work: Work, decision: Decision, new: State, at: datetime, *, stage: Stage | None) -> None:
        """Store a decision that is not `clear` and advance the item. Of a withheld one, time and place stay (R17)."""
        blank: dict[str, object] = {}
        if new is State.WITHHELD:
            decision, blank = withheld.bare(decision), withheld.BLANK
        text = codec.decision_text(decision)
        self._advance(
            work,
            new,
            sealed=work.record is not None,
            stage=stage,
            due_at=at,
            decision=text,
            outcome=decision.outcome.value,
            severity=decision.severity.value,
            rank=codec.SEVERITY_RANK[decision.severity],
            needs_review=True,
            grounds=about.packed(about.grounds_of(decision)),
            about=about.packed(about.named_kinds(work.score, decision)),
            safeguarding=about.is_safeguarding(decision),
            **blank,
        )
        self.connection.execute(sa.insert(DECISIONS).values(item_id=work.item.id, at=at, decision=text))
        if new is State.WITHHELD:
            withheld.forget(self.connection, work.item.id)
        # Of a withheld one too: it must not go to the person it names (R21). The roll's reference tells nobody outside who that is.
        named = [{"item_id": work.item.id, "reference": reference} for reference in about.references(work.score)]
        insert_new(self.connection, ITEM_PEOPLE, named)

    def recorded(self, work: Work, record: SealedRecord, new: State, at: datetime, *, stage: Stage | None) -> None:
        """Store the sealed record, unless another item brought it, and advance the item."""
        values = {
            "record_id": record.record_id,
            "item_id": work.item.id,
            "school": work.item.school,
            "path": record.path,
            "manifest_sha256": record.manifest_sha256,
            "captured_at": record.captured_at,
            "sealed_at": record.sealed_at,
            "capture_kind": record.capture_kind.value,
            "stamp_pending": record.stamp_pending,
            "blocked_requests": record.blocked_requests,
        }
        # Two accounts of a school can see the same comment: it is one record, and the second item joins it.
        insert_if_new(self.connection, RECORDS, values)
        for stamp in record.stamps:
            stamps.put(self.connection, record.record_id, work.item.school, stamp)
        gone = {"gone_at": at, "needs_review": False} if new is State.GONE else {}
        self._advance(work, new, sealed=True, stage=stage, due_at=at, record_id=record.record_id, sealed_at=record.sealed_at, **gone)

    def hide_intended(self, work: Work, at: datetime) -> None:
        """Write down that hide is about to be called; the database refuses it without an older sealed record."""
        self._update(work, hide_called_at=at)

    def hidden(self, work: Work, at: datetime) -> None:
        """Advance the item to `hidden`."""
        self._advance(work, State.HIDDEN, sealed=work.record is not None, stage=None, hidden_at=at, trouble="")

    def put_back(self, work: Work, *, due_at: datetime, why: str, counts: bool = True) -> None:
        """Release a claimed item to be tried again."""
        self._update(work, lease_until=None, due_at=due_at, trouble=why, attempts=work.attempts + (1 if counts else 0))

    def hold(self, work: Work, why: str, at: datetime) -> None:
        """Take the item out of its queue until a person decides."""
        stage = work.stage.value if work.stage else None
        self._update(work, lease_until=None, stage=None, held_at=at, held_stage=stage, trouble=why, needs_review=True)

    def leave(self, work: Work, why: str) -> None:
        """Take the item out of its queue where it stands."""
        self._update(work, lease_until=None, stage=None, trouble=why)

    def gone(self, work: Work, at: datetime) -> None:
        """Note that the platform no longer has the comment."""
        self._update(work, lease_until=None, stage=None, gone_at=at, trouble="The platform no longer has this comment.")

    def review_asked(self, review: Review, *, stage: Stage | None) -> None:
        """Write a review down; `stage` hands it to a step.

        Raises NotAllowed while a step holds the item or a review waits, and once the record was disposed of.
        """
        record = self.connection.execute(sa.select(ITEMS.c.record_id).where(ITEMS.c.id == review.item_id).with_for_update()).scalar()
        gone = sa.select(DISPOSALS.c.id).where(DISPOSALS.c.record_id == record, DISPOSALS.c.approved_at.is_not(None))
        if record is not None and self.connection.execute(gone).first() is not None:
            message = "The record of this item was disposed of, so nothing more can be decided about it."
            raise NotAllowed(message)
        waiting = sa.select(REVIEWS.c.id).where(REVIEWS.c.item_id == review.item_id, REVIEWS.c.done_at.is_(None))
        if self.connection.execute(waiting).first() is not None:
            message = "Another review of this item is still being carried out. Wait for it, then look again."
            raise NotAllowed(message)
        self.connection.execute(
            sa.insert(REVIEWS).values(
                item_id=review.item_id,
                verdict=review.verdict.value,
                actor=review.actor,
                justification=codec.storable(review.justification),
                at=review.at,
            )
        )
        if stage is not None:
            values: dict[str, Any] = {"stage": stage.value, "due_at": review.at, "lease_until": None, "attempts": 0, "held_at": None}
            values["needs_review"] = False  # a person has decided; if it cannot be carried out, `hold` asks for one again
            # A step that holds the item may be calling the platform right now: its hide could land after our un-hide.
            free = sa.or_(ITEMS.c.lease_until.is_(None), ITEMS.c.lease_until <= review.at)
            taken = sa.update(ITEMS).where(ITEMS.c.id == review.item_id, free).values(values)
            if self.connection.execute(taken).rowcount != 1:
                message = "The service is working on this item right now. Wait a minute, then decide again."
                raise NotAllowed(message)

    def review_done(self, review: Review, old: State, new: State) -> None:
        """Finish a review: the new state is stored and the item no longer needs a person."""
        if old is not new:
            check_move(old, new, sealed=True)
        moved = (
            sa.update(ITEMS)
            .where(ITEMS.c.id == review.item_id, ITEMS.c.state == old.value)
            .values(state=new.value, stage=None, lease_until=None, needs_review=False, held_at=None, trouble="")
        )
        if self.connection.execute(moved).rowcount != 1:
            message = "This item has changed since you opened it. Look again, then decide."
            raise NotAllowed(message)
        self._close_review(review)

    def retry(self, review: Review) -> None:
        """Send a held item back to the step it was held at. Raises NotAllowed when it is not held."""
        again = (
            sa.update(ITEMS)
            .where(ITEMS.c.id == review.item_id, ITEMS.c.held_at.is_not(None))
            .values(stage=ITEMS.c.held_stage, held_at=None, due_at=review.at, attempts=0, trouble="", lease_until=None)
        )
        if self.connection.execute(again).rowcount != 1:
            message = "This item is not held, so there is nothing to try again."
            raise NotAllowed(message)
        self._close_review(review)

    def _close_review(self, review: Review) -> None:
        self.connection.execute(
            sa.update(REVIEWS).where(REVIEWS.c.item_id == review.item_id, REVIEWS.c.done_at.is_(None)).values(done_at=review.at)
        )

    def _advance(self, work: Work, new: State, *, stage: Stage | None, sealed: bool = False, **values: object) -> None:
        check_move(work.state, new, sealed=sealed)
        self._update(work, state=new.value, stage=stage.value if stage else None, lease_until=None, attempts=0, **values)

    def _update(self, work: Work, **values: object) -> None:
        held = sa.update(ITEMS).where(
            ITEMS.c.id == work.item.id, ITEMS.c.state == work.state.value, ITEMS.c.lease_until == work.lease_until
        )
        if self.connection.execute(held.values(values)).rowcount != 1:
            raise LeaseLost(work.item.id)

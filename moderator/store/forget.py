"""Forgetting a disposed record's comment: everything personal that the database holds of it is blanked (R30). Called by the unit.

What stays is the record's number, its times, and what was decided. Records and ledger lines hold no personal data and never change.
"""

import zlib
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from moderator.domain.score import Reason
from moderator.store import codec
from moderator.store.concerns import ForgetConcerns
from moderator.store.disposals import HOLDS, DisposalWrites
from moderator.store.items import DECISIONS, ITEMS, PAGES, REVIEWS
from moderator.store.retention import RETENTION

REMOVED = "Removed when the record was disposed of."
"""Stands where a person had written a reason: it may have named somebody."""

_BLANK = {
    "author_id": "",
    "author_handle": "",
    "author_name": "",
    "text": "",
    "posted_at": ITEMS.c.first_seen_at,
    "place": "",
    "conversation_id": "",
    "media": "[]",
    "thread": "[]",
    "score": None,
    "trouble": "",
    "pruned": True,
}


class ForgetWrites(DisposalWrites, ForgetConcerns):
    """The part of a unit that forgets."""

    def forget(self, record_id: str) -> bool:
        """Blank what the database holds of a disposed record's comment. May be repeated.

        1. What people wrote about the record: of review dates, holds, reviews, advice, wishes. The reasons of its disposal stay.
        2. The comment, its author and thread, what the classifier found, and the words of the decision.
        3. The platform's answers that hold the comment, unless another comment in one still waits: then False, and try again later.
        4. The platform's number of the comment. The record's own number tells the comment if it is seen again (`ItemWrites.add_items`).
        """
        connection = self.connection
        connection.execute(sa.update(RETENTION).where(RETENTION.c.record_id == record_id).values(why=REMOVED))
        connection.execute(sa.update(HOLDS).where(HOLDS.c.record_id == record_id).values(why=REMOVED))
        released = sa.update(HOLDS).where(HOLDS.c.record_id == record_id, HOLDS.c.released_at.is_not(None))
        connection.execute(released.values(released_why=REMOVED))
        found = sa.select(ITEMS.c.id, ITEMS.c.account_id, ITEMS.c.comment_id, ITEMS.c.page_id, ITEMS.c.decision)
        # Two accounts of a school can have seen the same comment: then two items share the record.
        rows = connection.execute(found.where(ITEMS.c.record_id == record_id)).all()
        forgotten = [self._forget_item(row, record_id) for row in rows]
        return all(forgotten)

    def _forget_item(self, row: Any, record_id: str) -> bool:  # noqa: ANN401 - a row of `forget`
        """Blank one item; False when an answer that holds its comment must wait."""
        connection = self.connection
        connection.execute(sa.update(REVIEWS).where(REVIEWS.c.item_id == row.id).values(justification=REMOVED))
        self.forget_concerns(row.id, REMOVED)
        for each in connection.execute(sa.select(DECISIONS.c.id, DECISIONS.c.decision).where(DECISIONS.c.item_id == row.id)).all():
            connection.execute(sa.update(DECISIONS).where(DECISIONS.c.id == each.id).values(decision=_labels_only(each.decision)))
        this = sa.update(ITEMS).where(ITEMS.c.id == row.id)
        connection.execute(this.values(_BLANK | {"decision": _labels_only(row.decision)}))
        if not self._drop_pages(row):
            return False
        connection.execute(this.values(comment_id=record_id, version="disposed", page_id=None))
        return True

    def _drop_pages(self, item: Any) -> bool:  # noqa: ANN401 - a row of `forget`
        """Delete the account's kept answers that hold the comment; return whether none of them is left."""
        left = False
        for page_id in self.connection.execute(sa.select(PAGES.c.id).where(PAGES.c.account_id == item.account_id)).scalars().all():
            body = self.connection.execute(sa.select(PAGES.c.body).where(PAGES.c.id == page_id)).scalar_one()
            if page_id != item.page_id and item.comment_id.encode() not in zlib.decompress(body):
                continue
            waiting = sa.or_(ITEMS.c.stage.is_not(None), ITEMS.c.held_at.is_not(None))
            needed = sa.select(ITEMS.c.id).where(ITEMS.c.page_id == page_id, ITEMS.c.id != item.id, waiting).limit(1)
            if self.connection.execute(needed).first() is None:
                self.connection.execute(sa.delete(PAGES).where(PAGES.c.id == page_id))
            else:
                left = True
        return not left


def _labels_only(text: str | None) -> str | None:
    """Return a stored decision without words and places in the text: outcome, severity, labels, policy and thresholds stay."""
    if text is None:
        return None
    decision = codec.decision_from(text)
    labels = dict.fromkeys(reason.label for reason in decision.reasons)
    return codec.decision_text(replace(decision, reasons=tuple(Reason(label, 0, 0, "") for label in labels), considered=()))

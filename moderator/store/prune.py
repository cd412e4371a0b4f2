"""Forgetting what need not be kept: cleared comments after some hours, and pages nothing waits for (R28). Called by the prune step."""

from datetime import datetime

import sqlalchemy as sa

from moderator.domain.lifecycle import State
from moderator.store.items import ITEMS, PAGES


def prune(connection: sa.Connection, *, before: datetime, limit: int) -> int:
    """Blank text and author of cleared items first seen before then, and drop older pages without waiting items; return rows changed.

    The emptied row stays, so that the same version is not seen again.
    """
    old = sa.select(ITEMS.c.id).where(ITEMS.c.state == State.CLEARED.value, ~ITEMS.c.pruned, ITEMS.c.first_seen_at < before).limit(limit)
    blank = {"text": "", "author_id": "", "author_handle": "", "author_name": "", "thread": "[]", "score": None, "pruned": True}
    emptied = connection.execute(sa.update(ITEMS).where(ITEMS.c.id.in_(old.scalar_subquery())).values(blank | {"page_id": None})).rowcount
    waiting = sa.or_(ITEMS.c.stage.is_not(None), ITEMS.c.held_at.is_not(None))
    needed = sa.select(ITEMS.c.page_id).where(ITEMS.c.page_id == PAGES.c.id, waiting)
    idle = sa.select(PAGES.c.id).where(PAGES.c.at < before, ~needed.exists()).limit(limit)
    dropped = connection.execute(sa.delete(PAGES).where(PAGES.c.id.in_(idle.scalar_subquery()))).rowcount
    return emptied + dropped

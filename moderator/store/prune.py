"""Forgetting what need not be kept: cleared comments after some hours, and pages nothing waits for (R28). Called by the prune step."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from moderator.domain.lifecycle import State
from moderator.store import codec
from moderator.store.items import ITEMS, PAGES

KEEP_CHANCES = timedelta(days=30)
"""How long the bare label chances of a forgotten comment stay: numbers, which the Policy page tries other thresholds on (our choice)."""


def prune(connection: sa.Connection, *, before: datetime, limit: int) -> int:
    """Forget cleared items first seen before then; return rows changed.

    1. Blank text, author and thread, and of the score all but the labels' chances. The emptied row stays, so that the same version is not
       seen again.
    2. After KEEP_CHANCES more, drop those chances too.
    3. Drop older pages without waiting items.
    """
    emptied = _empty(connection, before, limit)
    chances = sa.and_(ITEMS.c.pruned, ITEMS.c.score.is_not(None), ITEMS.c.first_seen_at < before - KEEP_CHANCES)
    last = sa.select(ITEMS.c.id).where(chances).limit(limit)
    dropped = connection.execute(sa.update(ITEMS).where(ITEMS.c.id.in_(last.scalar_subquery())).values(score=None)).rowcount
    waiting = sa.or_(ITEMS.c.stage.is_not(None), ITEMS.c.held_at.is_not(None))
    needed = sa.select(ITEMS.c.page_id).where(ITEMS.c.page_id == PAGES.c.id, waiting)
    idle = sa.select(PAGES.c.id).where(PAGES.c.at < before, ~needed.exists()).limit(limit)
    return emptied + dropped + connection.execute(sa.delete(PAGES).where(PAGES.c.id.in_(idle.scalar_subquery()))).rowcount


def _empty(connection: sa.Connection, before: datetime, limit: int) -> int:
    wanted = sa.select(ITEMS.c.id, ITEMS.c.score).where(
        ITEMS.c.state == State.CLEARED.value, ~ITEMS.c.pruned, ITEMS.c.first_seen_at < before
    )
    old = connection.execute(wanted.limit(limit)).all()
    if not old:
        return 0
    blank = {"text": "", "author_id": "", "author_handle": "", "author_name": "", "thread": "[]", "pruned": True, "page_id": None}
    connection.execute(sa.update(ITEMS).where(ITEMS.c.id.in_([row.id for row in old])).values(blank))
    fuller = [
        {"b_id": row.id, "b_score": chances}
        for row in old
        if row.score is not None and (chances := codec.labels_alone(row.score)) != row.score
    ]
    if fuller:
        shorter = sa.update(ITEMS).where(ITEMS.c.id == sa.bindparam("b_id")).values(score=sa.bindparam("b_score"))
        connection.execute(shorter, fuller)
    return len(old)

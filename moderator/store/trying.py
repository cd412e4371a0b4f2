"""Comments of the last weeks with what the classifier said, for trying a policy on them. Called by the Policy page. Writes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.lifecycle import State
from moderator.domain.review import Verdict
from moderator.domain.trial import Tried
from moderator.store import codec
from moderator.store.items import ITEMS, REVIEWS
from moderator.store.people import ACCOUNTS
from moderator.store.seen_by import seen_by

MOST = 20_000
"""Comments tried at most, the newest first: a second of work (our choice)."""


def tried(connection: sa.Connection, school: str, *, since: datetime, limit: int = MOST) -> Iterator[Tried]:
    """Yield a school's scored comments first seen since then, newest first, each with what a person decided last.

    Never one that is withheld: its score is not kept (R17). Of a pruned one only the labels' chances are there (R28).
    """
    verdicts = _verdicts(connection, school, since)
    wanted = (
        sa.select(ITEMS.c.id, ITEMS.c.score, ITEMS.c.text, ITEMS.c.pruned, ITEMS.c.platform, ACCOUNTS.c.handle)
        .join(ACCOUNTS, ACCOUNTS.c.id == ITEMS.c.account_id)
        .where(ITEMS.c.school == school, ITEMS.c.first_seen_at >= since, ITEMS.c.score.is_not(None), ITEMS.c.state != State.WITHHELD.value)
        .order_by(ITEMS.c.first_seen_at.desc())
        .limit(limit)
    )
    for row in connection.execute(wanted):
        account = f"{row.platform}:{row.handle}"
        yield Tried(row.id, codec.score_from(row.score), account, row.text, not row.pruned, verdicts.get(row.id))


def _verdicts(connection: sa.Connection, school: str, since: datetime) -> dict[int, Verdict]:
    wanted = (
        sa.select(REVIEWS.c.item_id, REVIEWS.c.verdict)
        .join(ITEMS, ITEMS.c.id == REVIEWS.c.item_id)
        .where(
            ITEMS.c.school == school,
            ITEMS.c.first_seen_at >= since,
            REVIEWS.c.verdict.in_([Verdict.UPHOLD.value, Verdict.RESTORE.value]),
        )
        .order_by(REVIEWS.c.id)
    )
    return {row.item_id: Verdict(row.verdict) for row in connection.execute(wanted)}


def may_open(
    connection: sa.Connection, school: str, items: Sequence[int], *, references: frozenset[str], safeguarding: bool
) -> frozenset[int]:
    """Return those of the items that a person may open: none that names them (R21), disclosures for safeguarding alone (R15)."""
    allowed = seen_by(references=references, safeguarding=safeguarding)
    wanted = sa.select(ITEMS.c.id).where(ITEMS.c.school == school, ITEMS.c.id.in_(items), allowed)
    return frozenset(connection.execute(wanted).scalars())

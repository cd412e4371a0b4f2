"""What people decided about what the machine would hide: read for `moderator train --local`. Writes nothing."""

import sqlalchemy as sa

from moderator.domain.decision import Outcome
from moderator.domain.lifecycle import State
from moderator.domain.review import Verdict
from moderator.domain.reviewed import Reviewed
from moderator.store import codec
from moderator.store.items import ITEMS, REVIEWS

LEARNT_FROM = (Verdict.UPHOLD.value, Verdict.RESTORE.value)


def reviewed(connection: sa.Connection) -> list[Reviewed]:
    """Return every comment that the machine would hide and a person has decided about, with the person's last verdict, oldest first.

    What is withheld (R17) and what was routed to a person, as every disclosure is (R15), never comes out of here. May be repeated.
    """
    last = (
        sa.select(sa.func.max(REVIEWS.c.id))
        .where(REVIEWS.c.verdict.in_(LEARNT_FROM), REVIEWS.c.done_at.is_not(None))
        .group_by(REVIEWS.c.item_id)
        .scalar_subquery()
    )
    wanted = (
        sa.select(ITEMS, REVIEWS.c.verdict, REVIEWS.c.at.label("reviewed_at"))
        .join(REVIEWS, REVIEWS.c.item_id == ITEMS.c.id)
        .where(
            REVIEWS.c.id.in_(last),
            ITEMS.c.outcome == Outcome.HIDE.value,
            ITEMS.c.state != State.WITHHELD.value,
            ITEMS.c.score.is_not(None),
            ITEMS.c.decision.is_not(None),
            ~ITEMS.c.pruned,
        )
        .order_by(REVIEWS.c.id)
    )
    return [_reviewed(row) for row in connection.execute(wanted).mappings()]


def _reviewed(row: codec.Row) -> Reviewed:
    comment = codec.comment_from(row)
    return Reviewed(
        row["id"],
        row["school"],
        comment.text,
        comment.thread[-1].text if comment.thread else "",
        codec.score_from(row["score"]),
        codec.decision_from(row["decision"]),
        Verdict(row["verdict"]),
        row["reviewed_at"],
    )

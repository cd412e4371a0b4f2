"""How many comments were flagged, London day by London day. Called by the digest and the reports."""

from collections import Counter
from datetime import UTC, date, datetime

import sqlalchemy as sa

from moderator.domain.calendar import Span
from moderator.domain.decision import Severity
from moderator.domain.times import london_date, london_day
from moderator.store.codec import SEVERITY_RANK
from moderator.store.columns import utc_hour
from moderator.store.items import ITEMS

_NOT_FLAGGED = SEVERITY_RANK[Severity.NONE]


def flagged_by_day(connection: sa.Connection, school: str, span: Span, *, seen: sa.ColumnElement[bool]) -> dict[date, int]:
    """Return how many of the comments first seen on each London day of a span were flagged, of those that `seen` lets the reader know.

    A day without any is not in it. Reads the index of flagged items alone, whatever else came in, and counts in the database.
    """
    hour = utc_hour(ITEMS.c.first_seen_at)
    wanted = (
        sa.select(hour, sa.func.count())
        .where(
            ITEMS.c.school == school, ITEMS.c.first_seen_at >= london_day(span.first)[0], ITEMS.c.first_seen_at < london_day(span.last)[1]
        )
        .where(ITEMS.c.rank < _NOT_FLAGGED, seen)
        .group_by(hour)
    )
    found: Counter[date] = Counter()
    for text, number in connection.execute(wanted):
        found[london_date(datetime.fromisoformat(text).replace(tzinfo=UTC))] += number
    return dict(found)

"""Which days the digest that tells of one day tells of: as it was, or as it will be. Called by the previews."""

from datetime import date, datetime, time

import sqlalchemy as sa

from moderator.domain.calendar import SchoolCalendar, Span
from moderator.domain.errors import BadInput
from moderator.domain.times import LONDON, london_date
from moderator.store.ledger import LEDGER
from moderator.store.outbox import DIGESTS


def span_about(connection: sa.Connection, school: str, day: date, *, calendar: SchoolCalendar, now: datetime) -> Span:
    """Return the London days that the digest with `day` in it tells of; of one that is still to come, the days until today.

    Raises BadInput for a day that is not yet, or that was before the school had the service.
    """
    today = london_date(now)
    if day > today:
        message = f"{day} is not yet: give today, {today}, or a day before"
        raise BadInput(message)
    opened_at = connection.execute(sa.select(LEDGER.c.at).where(LEDGER.c.school == school, LEDGER.c.seq == 1)).scalar()
    opened = london_date(opened_at) if opened_at is not None else today
    if day < opened:
        message = f"{day} is before the service began at this school, on {opened}"
        raise BadInput(message)
    rows = connection.execute(sa.select(DIGESTS.c.first_day, DIGESTS.c.day).where(DIGESTS.c.school == school))
    told = [Span(row.first_day or row.day, row.day) for row in rows]
    comes = datetime.combine(calendar.due_on(day), time(calendar.hour), tzinfo=LONDON)
    spans = (*told, *calendar.outstanding(opened, told, max(comes, now)))
    found = next((span for span in spans if span.first <= day <= span.last), Span.of(day))
    return Span(found.first, min(found.last, today))

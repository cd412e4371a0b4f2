"""Days people are away (R21). Called by the people page, the command line and whoever asks who is there."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.errors import BadInput
from moderator.domain.signed import Absence
from moderator.store.register_tables import AbsenceRow

ABSENCES: sa.Table = AbsenceRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

_ABSENCE = (ABSENCES.c.id, ABSENCES.c.person_id, ABSENCES.c.first_day, ABSENCES.c.last_day, ABSENCES.c.noted_by)


def _absence(row: Any) -> Absence:  # noqa: ANN401 - a row of _ABSENCE
    return Absence(row.id, row.person_id, row.first_day, row.last_day, row.noted_by)


def note_absence(  # noqa: PLR0913 - the facts of one absence
    connection: sa.Connection, *, person_id: int, first_day: date, last_day: date, noted_by: str, at: datetime
) -> Absence:
    """Store days away, both ends included. Raises BadInput when they end before they begin."""
    if last_day < first_day:
        message = f"the last day away, {last_day}, is before the first, {first_day}"
        raise BadInput(message)
    values = {"person_id": person_id, "first_day": first_day, "last_day": last_day, "noted_by": noted_by, "noted_at": at}
    return _absence(connection.execute(sa.insert(ABSENCES).values(values).returning(*_ABSENCE)).one())


def cancel_absence(connection: sa.Connection, absence_id: int, *, person_id: int, at: datetime) -> None:
    """Take days away back. Raises BadInput when this person has none of that number, or they were taken back before."""
    known = sa.update(ABSENCES).where(ABSENCES.c.id == absence_id, ABSENCES.c.person_id == person_id, ABSENCES.c.cancelled_at.is_(None))
    if connection.execute(known.values(cancelled_at=at)).rowcount == 0:
        message = "these days away are not noted any more"
        raise BadInput(message)


def absences_of(connection: sa.Connection, people: Collection[int], *, since: date) -> dict[int, tuple[Absence, ...]]:
    """Return the days away of some people that end on that day or later, by person and in order; nobody without any."""
    wanted = sa.select(*_ABSENCE).where(
        ABSENCES.c.person_id.in_(sorted(people)), ABSENCES.c.cancelled_at.is_(None), ABSENCES.c.last_day >= since
    )
    found: dict[int, tuple[Absence, ...]] = {}
    for row in connection.execute(wanted.order_by(ABSENCES.c.first_day, ABSENCES.c.id)):
        found[row.person_id] = (*found.get(row.person_id, ()), _absence(row))
    return found


def away_on(connection: sa.Connection, day: date) -> frozenset[int]:
    """Return the numbers of the people who are away on a London day."""
    wanted = sa.select(ABSENCES.c.person_id).where(
        ABSENCES.c.cancelled_at.is_(None), ABSENCES.c.first_day <= day, ABSENCES.c.last_day >= day
    )
    return frozenset(connection.execute(wanted).scalars())

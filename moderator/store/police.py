"""Police reports: who pressed, when, the reference, a note (R17). Called by the police step's unit and the pages."""

import sqlalchemy as sa

from moderator.domain.lifecycle import State
from moderator.domain.police import PoliceReport
from moderator.store import codec
from moderator.store.items import ITEMS
from moderator.store.record_tables import PoliceReportRow

REPORTS: sa.Table = PoliceReportRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


def reports(connection: sa.Connection, item_id: int) -> list[PoliceReport]:
    """Return an item's entries, oldest first."""
    wanted = sa.select(REPORTS).where(REPORTS.c.item_id == item_id).order_by(REPORTS.c.id)
    return [PoliceReport(row.item_id, row.by, row.at, row.reference, row.note) for row in connection.execute(wanted)]


class PoliceWrites:
    """The part of a unit that keeps police reports."""

    connection: sa.Connection

    def police_reported(self, report: PoliceReport) -> None:
        """Add an entry. A withheld item no longer needs a person once the police have given a reference."""
        row = {
            "item_id": report.item_id,
            "by": report.by,
            "at": report.at,
            "reference": codec.storable(report.reference),
            "note": codec.storable(report.note),
        }
        self.connection.execute(sa.insert(REPORTS).values(row))
        if report.reference:
            settled = sa.update(ITEMS).where(ITEMS.c.id == report.item_id, ITEMS.c.state == State.WITHHELD.value)
            self.connection.execute(settled.values(needs_review=False))

"""What is read about how records are kept: holds, review dates, disposals (R30). A part of the store; called by steps and the CLI."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import sqlalchemy as sa

from moderator.domain.decision import Decision
from moderator.domain.disposal import Disposal, Kept
from moderator.domain.retention import Retention
from moderator.store import disposals, retention
from moderator.store.engine import scrub


class KeepingReads:
    """The part of the store that tells how records are kept; implements ports.KeepingReads."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]
    engine: sa.Engine

    def kept(self, record_id: str) -> Kept:
        """Return how a record is kept. Raises BadInput when there is none."""
        with self.reading() as connection:
            return disposals.kept(connection, record_id)

    def holds_not_stored(self, *, limit: int) -> list[str]:
        """Return the ids of records whose hold, or its lifting, the storage has not taken yet."""
        with self.reading() as connection:
            return disposals.holds_not_stored(connection, limit=limit)

    def disposals_to_finish(self, *, limit: int) -> list[Disposal]:
        """Return approved disposals that are not carried out yet, oldest first."""
        with self.reading() as connection:
            return disposals.disposals_to_finish(connection, limit=limit)

    def due_for_review(self, *, before: date, school: str = "") -> list[Retention]:
        """Return the review dates up to and with `before` of records that are kept, oldest first; of one school, or of all."""
        with self.reading() as connection:
            return retention.due_for_review(connection, before=before, school=school)

    def without_review_date(self, *, limit: int) -> list[tuple[Kept, Decision | None]]:
        """Return records that have no review date yet, with their decision where they have one."""
        with self.reading() as connection:
            ids = retention.without_review_date(connection, limit=limit)
            return [disposals.kept_with_decision(connection, record_id) for record_id in ids]

    def scrub(self) -> None:
        """Make the database let go of bytes that were deleted. May be repeated; slow. Raises Transient when it cannot now."""
        scrub(self.engine)

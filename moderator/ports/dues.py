"""The part of the store that tells of dates by which somebody must act. Called by the remind step."""

from collections.abc import Collection
from datetime import date
from typing import Protocol

from moderator.domain.dues import Deadline


class DueReads(Protocol):
    """Reads of everything that has a date."""

    def deadlines(self, school: str, day: date) -> tuple[Deadline, ...]:
        """Return a school's dates that people are reminded of by a London day, or that have passed; of the trust for EVERY_SCHOOL."""
        ...

    def mail_known(self, keys: Collection[str]) -> frozenset[str]:
        """Return those of the keys under which a message is in the outbox, sent or not."""
        ...

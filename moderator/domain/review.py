"""A review: a person's decision about an item, with its justification (R24)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moderator.domain.errors import BadInput


class Verdict(StrEnum):
    """What a person decided. `retry` sends a held item back to the step it was held at."""

    UPHOLD = "uphold"
    RESTORE = "restore"
    RETRY = "retry"


MIN_JUSTIFICATION = 10
"""Fewest characters of a justification: enough for a reason, not only a full stop (R24; our choice)."""


@dataclass(frozen=True, slots=True)
class Review:
    """One decision by one person."""

    item_id: int
    verdict: Verdict
    actor: str
    justification: str
    at: datetime

    def __post_init__(self) -> None:
        """Raise BadInput when the justification is too short to be one."""
        if len(self.justification.strip()) < MIN_JUSTIFICATION:
            message = f"Say why in at least {MIN_JUSTIFICATION} characters. Your reason is kept with the record."
            raise BadInput(message)

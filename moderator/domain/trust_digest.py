"""The trust's digest: every school on one page, before it is a mail. No names, no comment text (R28)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class TrustDigest:
    """The digest across the schools, of one London day, to one reader."""

    trust: str
    day: date
    to: str

    @property
    def key(self) -> str:
        """Return the key that makes the Message-ID: one a day and reader."""
        return f"trust-digest-{self.day.isoformat()}-{self.to}"

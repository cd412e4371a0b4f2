"""The week's and the term's report: counts over a time, before they are a mail (R35). No names, no comment text."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ReportKind(StrEnum):
    """What a report covers."""

    WEEKLY = "weekly"
    TERMLY = "termly"


@dataclass(frozen=True, slots=True)
class Report:
    """One report to one reader. `period` is its code, e.g. `2026-W47` or `2026-autumn`; `school` "" is the whole trust."""

    kind: ReportKind
    school: str
    period: str
    first: date
    last: date
    to: str

    @property
    def key(self) -> str:
        """Return the key that makes the Message-ID: one a kind, school, period and reader."""
        return f"{self.kind.value}-{self.school or 'trust'}-{self.period}-{self.to}"

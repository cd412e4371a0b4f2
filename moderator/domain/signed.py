"""What a Headteacher or the trust signs: days away, delegations, house rules. Called by the store, the pages and the steps."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Absence:
    """Days a person is away, first and last included (R21). `noted_by` is a designation's reference."""

    id: int
    person_id: int
    first_day: date
    last_day: date
    noted_by: str

    def covers(self, day: date) -> bool:
        """Return whether the person is away on a London day."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Delegation:
    """The Headteacher's delegation to the service (R8), from `signed_on` to `ends_on`. `signed_by` is a designation's reference."""

    id: int
    school: str
    reference: str
    words: str
    signed_by: str
    signed_on: date
    ends_on: date
    withdrawn_at: datetime | None = None
    withdrawn_by: str = ""

    def live_on(self, day: date) -> bool:
        """Return whether it holds on a London day."""
        return self.withdrawn_at is None and self.signed_on <= day <= self.ends_on

    def on_record(self) -> str:
        """Return how a record shows it: reference, date, who signed, until when. A reference, never a name."""
        return f"{self.reference}, signed on {_day(self.signed_on)} by {self.signed_by}, until {_day(self.ends_on)}"


@dataclass(frozen=True, slots=True)
class HouseRules:
    """A version of the house rules (R16). `ask` is where the author of a hidden comment asks for another look: an e-mail or a web page."""

    id: int
    school: str
    words: str
    ask: str
    author: str
    at: datetime
    why: str


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"

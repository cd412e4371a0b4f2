"""People of the register: who they are, what they are designated as, and what that lets them do today (R3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from moderator.domain.access import MAY, Action, Role

EVERY_SCHOOL = ""
"""The school of a designation that is of the whole trust."""


@dataclass(frozen=True, slots=True)
class Person:
    """A named person. `roll_reference` is who they are on the school's roll, "" when nobody has said (R21)."""

    id: int
    name: str
    email: str
    roll_reference: str = ""


@dataclass(frozen=True, slots=True)
class Designation:
    """One role of one person, signed and dated. `school` is EVERY_SCHOOL for the whole trust; `reference` what the ledger calls them."""

    id: int
    person_id: int
    role: Role
    school: str
    reference: str
    signed_by: str
    signed_on: date
    begins_on: date
    ends_on: date | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""

    def live_on(self, day: date) -> bool:
        """Return whether it holds on a London day: begun, not over, not ended by anybody."""
        return self.ended_at is None and self.begins_on <= day and (self.ends_on is None or day <= self.ends_on)

    def covers(self, school: str) -> bool:
        """Return whether it is of that school, or of the whole trust."""
        return self.school in {EVERY_SCHOOL, school}


@dataclass(frozen=True, slots=True)
class Acting:
    """A person with the designations that hold now. Everything they may do comes from here and from nowhere else."""

    person: Person
    designations: tuple[Designation, ...]

    @property
    def on_the_roll(self) -> frozenset[str]:
        """Return the references under which a roll may name them (R21)."""
        return frozenset(filter(None, (self.person.roll_reference,)))

    def _for(self, action: Action, school: str) -> Designation | None:
        allowed = MAY.get(action, frozenset())
        return next((each for each in self.designations if each.role in allowed and each.covers(school)), None)

    def may(self, action: Action, school: str) -> bool:
        """Return whether the person may do that at that school (a slug)."""
        return self._for(action, school) is not None

    def reference(self, action: Action, school: str) -> str:
        """Return the designation they do it under, for the ledger. Raises LookupError when they may not."""
        found = self._for(action, school)
        if found is None:
            message = f"not allowed: {action.value}"
            raise LookupError(message)
        return found.reference

    def belongs_to(self, school: str) -> bool:
        """Return whether any of their designations covers the school: else it does not exist for them."""
        return any(each.covers(school) for each in self.designations)

    def among(self, action: Action, schools: Iterable[str]) -> tuple[str, ...]:
        """Return the schools at which they may do that, in the order given."""
        return tuple(school for school in schools if self.may(action, school))

    def acts_at(self, schools: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return the schools they belong to, each with the reference of their oldest designation there, in the order given."""
        first = ((school, next((each for each in self.designations if each.covers(school)), None)) for school in schools)
        return tuple((school, each.reference) for school, each in first if each is not None)

    def roles(self, school: str) -> frozenset[Role]:
        """Return their roles at a school."""
        return frozenset(each.role for each in self.designations if each.covers(school))


def next_reference(role: Role, taken: Iterable[str]) -> str:
    """Return a new reference for a role: `HEAD-2` when `HEAD-1` was ever given. A reference is never given twice."""
    start = f"{role.value.upper()}-"
    numbers = [int(each.removeprefix(start)) for each in taken if each.startswith(start) and each.removeprefix(start).isdigit()]
    return f"{start}{max(numbers, default=0) + 1}"

"""Who may sign whose designation, and what must stay true of the register (R3). Pure; called by store.appoint and the people page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from moderator.domain.access import ROLE_WORDS, SIGNS_FOR, Role
from moderator.domain.register import EVERY_SCHOOL, Acting, Designation

SIGNERS = frozenset(SIGNS_FOR)
"""Roles that sign designations. Every school has somebody of these for whom nobody else is needed."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """A designation as somebody asks for it. `takes_over` ends the one of the Headteacher who has the school now."""

    name: str
    email: str
    role: Role
    school: str
    begins_on: date
    ends_on: date | None = None
    roll_reference: str = ""
    takes_over: bool = False


def signs_as(acting: Acting, role: Role, school: str) -> Designation | None:
    """Return the designation under which a person signs for a role at a school (EVERY_SCHOOL: of the whole trust); None: they may not."""
    return next((each for each in acting.designations if role in SIGNS_FOR.get(each.role, ()) and each.covers(school)), None)


def signable(acting: Acting, school: str) -> tuple[Role, ...]:
    """Return the roles a person may sign for, at that school or of the whole trust, in the order of `Role`."""
    return tuple(role for role in Role if signs_as(acting, role, school) or signs_as(acting, role, EVERY_SCHOOL))


def signs_for_all(acting: Acting, designations: Iterable[Designation], day: date) -> bool:
    """Return whether a person may sign for everything another one is, or is to be: only then may they change that person's details."""
    return all(signs_as(acting, each.role, each.school) for each in designations if not over(each, day))


def over(designation: Designation, day: date) -> bool:
    """Return whether a designation has ended, or its last day has passed."""
    return designation.ended_at is not None or (designation.ends_on is not None and designation.ends_on < day)


def left_alone(ending: Designation, live: Iterable[Designation], schools: Iterable[str]) -> tuple[str, ...]:
    """Return the schools that would have nobody left to sign when a designation ends; `live` are all that hold now."""
    if ending.role not in SIGNERS:
        return ()
    others = [each for each in live if each.id != ending.id and each.role in SIGNERS]
    return tuple(school for school in schools if ending.covers(school) and not any(each.covers(school) for each in others))


def described(designation: Designation) -> str:
    """Return a designation as messages call it: the role and the reference, no name."""
    return f"{ROLE_WORDS[designation.role]} ({designation.reference})"

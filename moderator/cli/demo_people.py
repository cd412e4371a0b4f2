"""The people of a rehearsal: one of each role, with invented names. Called by `rehearsal`."""

from datetime import datetime

from moderator.domain.access import OF_A_SCHOOL, Role
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.times import london_date
from moderator.store import register
from moderator.store.database import Database

_NAMES = {
    Role.CEO: "Maren Holloway",
    Role.SAFEGUARDING_LEAD: "Idris Penhale",
    Role.HEAD: "Tamsin Okoro",
    Role.DEPUTY: "Callum Reyes",
    Role.DSL: "Bronwen Adeyemi",
    Role.ADMIN: "Petra Lindqvist",
    Role.TRUSTEE: "Hugh Marchetti",
    Role.AUDITOR: "Sunita Drever",
}

SHOWN = ("HEAD-1", "ADMIN-1", "DSL-1")
"""Whose sign-in links a rehearsal prints: the three who meet different pages."""


def enrol(database: Database, *, school: str, domain: str, at: datetime) -> None:
    """Designate the cast at the school, unless the register has people already. May be repeated."""
    day = london_date(at)
    with database.unit() as unit:
        if register.people_of(unit.connection):
            return
        for role, name in _NAMES.items():
            person = register.add_person(unit.connection, name=name, email=f"{role.value}@{domain}", at=at)
            where = school if role in OF_A_SCHOOL else EVERY_SCHOOL
            register.designate(
                unit.connection, person_id=person.id, role=role, school=where, signed_by="nobody: a rehearsal", signed_on=day, begins_on=day
            )

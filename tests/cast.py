"""The cast of the register: one person a role at Oakfield and at Ashford, and the people of the trust. Called by tests of the pages."""

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage

from moderator.domain.access import OF_A_SCHOOL, TRUST_WIDE, Role
from moderator.domain.account import School
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.times import SystemClock, london_date
from moderator.store import ledger, people, register
from moderator.store.database import Database

ASHFORD = School(
    slug="ashford",
    name="Ashford Junior School",
    urn="654321",
    head_email="head@ashford.example",
    email_domains=("ashford.example",),
    trust="Oakfield Learning Trust",
    ledger="ledger-ashford.jsonl",
)

NAMES: Mapping[Role, str] = {
    Role.CEO: "Maren Holloway",
    Role.SAFEGUARDING_LEAD: "Idris Penhale",
    Role.HEAD: "Tamsin Okoro",
    Role.DEPUTY: "Callum Reyes",
    Role.DSL: "Bronwen Adeyemi",
    Role.ADMIN: "Petra Lindqvist",
    Role.TRUSTEE: "Hugh Marchetti",
    Role.AUDITOR: "Sunita Drever",
}
BEGAN = date(2026, 9, 1)
TRUST_ROLES = (Role.CEO, Role.SAFEGUARDING_LEAD, Role.TRUSTEE, Role.AUDITOR)
SCHOOL_ROLES = (Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN)


def enrol(stage: Stage) -> None:
    """Open Ashford beside Oakfield and designate everybody: `CEO-1`, …, `HEAD-1` (Oakfield), `HEAD-2` (Ashford)."""
    assert set(TRUST_ROLES) <= TRUST_WIDE
    assert set(SCHOOL_ROLES) <= OF_A_SCHOOL
    with stage.database.unit() as unit:
        people.put_school(unit.connection, ASHFORD)
        key = ledger.public_keys(unit.connection, SCHOOL.slug)[0].public_key
        unit.append(ASHFORD.slug, ledger.opened(key, NOON))
        for role in TRUST_ROLES:
            _designate(unit.connection, role, EVERY_SCHOOL, f"{role.value}@{SCHOOL.email_domains[0]}", NAMES[role])
        for school, called in ((SCHOOL, "{}"), (ASHFORD, "{} the Younger")):
            for role in SCHOOL_ROLES:
                _designate(unit.connection, role, school.slug, f"{role.value}@{school.email_domains[0]}", called.format(NAMES[role]))
    stage.tools.ledger.sync(ASHFORD.slug)


def designate_today(database: Database, role: Role, school: str) -> None:
    """Designate somebody for a role, from today by the machine's own clock on: for what the commands check."""
    now = SystemClock().now()
    with database.unit() as unit:
        person = register.add_person(unit.connection, name=NAMES[role], email=f"{role.value}@{school}.example", at=now)
        day = london_date(now)
        register.designate(unit.connection, person_id=person.id, role=role, school=school, signed_by="CEO-1", signed_on=day, begins_on=day)


def _designate(connection: sa.Connection, role: Role, school: str, email: str, name: str) -> None:
    added = register.add_person(connection, name=name, email=email, at=NOON)
    register.designate(connection, person_id=added.id, role=role, school=school, signed_by="CEO-1", signed_on=BEGAN, begins_on=BEGAN)

"""People and their designations (R3). Called by the gate, the pages of the register, the routes and the command line."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.access import OF_A_SCHOOL, ROLE_WORDS, TRUST_WIDE, Role
from moderator.domain.errors import BadInput
from moderator.domain.mail_domains import allowed
from moderator.domain.register import EVERY_SCHOOL, Acting, Designation, Person, next_reference
from moderator.store import people as schools_of
from moderator.store.register_tables import DesignationRow, PersonRow
from moderator.store.sign_in import end_sessions

PEOPLE: sa.Table = PersonRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
DESIGNATIONS: sa.Table = DesignationRow.__table__  # type: ignore[attr-defined] # as above

_PERSON = (PEOPLE.c.id, PEOPLE.c.name, PEOPLE.c.email, PEOPLE.c.roll_reference)


_HELD = (
    sa.select(*DESIGNATIONS.c, PEOPLE.c.name.label("person_name"), PEOPLE.c.email, PEOPLE.c.roll_reference)
    .join(PEOPLE, PEOPLE.c.id == DESIGNATIONS.c.person_id)
    .order_by(DESIGNATIONS.c.id)
)
"""Designations with who holds them, in the order they were signed."""


def _person(row: Any) -> Person:  # noqa: ANN401 - a row of _PERSON
    return Person(row.id, row.name, row.email, row.roll_reference)


def _designation(row: Any) -> Designation:  # noqa: ANN401 - a row of DESIGNATIONS, or of _HELD
    values: dict[str, Any] = {column.name: getattr(row, column.name) for column in DESIGNATIONS.c}
    return Designation(**values | {"role": Role(row.role)})


def _holder(row: Any) -> Person:  # noqa: ANN401 - a row of _HELD
    return Person(row.person_id, row.person_name, row.email, row.roll_reference)


def add_person(connection: sa.Connection, *, name: str, email: str, at: datetime, roll_reference: str = "") -> Person:
    """Add a person without any designation yet.

    Raises BadInput for an empty name, an address that is known already, or one that is on no school's domain (R26).
    """
    name, email = " ".join(name.split()), email.strip().lower()
    if not name:
        message = "give the person's name: nobody signs in for somebody else (R3)"
        raise BadInput(message)
    refuse_foreign(connection, email)
    if person_by_email(connection, email) is not None:
        message = f"{email} is registered already"
        raise BadInput(message)
    values = {"name": name, "email": email, "roll_reference": roll_reference.strip(), "totp_step": 0, "failures": 0, "created_at": at}
    added = connection.execute(sa.insert(PEOPLE).values(values).returning(PEOPLE.c.id))
    return Person(int(added.scalar_one()), name, email, roll_reference.strip())


def refuse_foreign(connection: sa.Connection, email: str) -> None:
    """Raise BadInput unless the address is on a domain of the trust's, or of one of its schools (R26)."""
    known = {each for school in schools_of.schools(connection) for each in school.people_domains}
    if not allowed(email, known):
        message = f"{email!r} is not a school address ({', '.join(sorted(known)) or 'no school is set up'}): use the person's school e-mail"
        raise BadInput(message)


def change_person(connection: sa.Connection, person: Person) -> None:
    """Store a person's name, address and place on the roll anew. Raises BadInput as `add_person` does."""
    email = person.email.strip().lower()
    refuse_foreign(connection, email)
    known = person_by_email(connection, email)
    if known is not None and known.id != person.id:
        message = f"{email} is registered already, for somebody else"
        raise BadInput(message)
    name = " ".join(person.name.split())
    if not name:
        message = "give the person's name: nobody signs in for somebody else (R3)"
        raise BadInput(message)
    values = {"name": name, "email": email, "roll_reference": person.roll_reference.strip()}
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person.id).values(values))


def person(connection: sa.Connection, person_id: int) -> Person:
    """Return a person. Raises BadInput when there is none."""
    row = connection.execute(sa.select(*_PERSON).where(PEOPLE.c.id == person_id)).one_or_none()
    if row is None:
        message = f"there is no person {person_id} in the register"
        raise BadInput(message)
    return _person(row)


def person_by_email(connection: sa.Connection, email: str) -> Person | None:
    """Return the person of an address, or None."""
    row = connection.execute(sa.select(*_PERSON).where(PEOPLE.c.email == email.strip().lower())).one_or_none()
    return _person(row) if row else None


def people_of(connection: sa.Connection, school: str | None = None) -> list[tuple[Person, tuple[Designation, ...]]]:
    """Return people by name, each with all their designations, ended ones too; of a school and the whole trust, or of everybody."""
    held: dict[int, list[Designation]] = {}
    wanted = sa.select(DESIGNATIONS).order_by(DESIGNATIONS.c.id)
    for row in connection.execute(wanted if school is None else wanted.where(DESIGNATIONS.c.school.in_([school, EVERY_SCHOOL]))):
        held.setdefault(row.person_id, []).append(_designation(row))
    rows = connection.execute(sa.select(*_PERSON).order_by(PEOPLE.c.name, PEOPLE.c.id))
    return [(_person(row), tuple(held.get(row.id, ()))) for row in rows if school is None or row.id in held]


def designation(connection: sa.Connection, designation_id: int) -> Designation | None:
    """Return a designation, or None."""
    row = connection.execute(sa.select(DESIGNATIONS).where(DESIGNATIONS.c.id == designation_id)).one_or_none()
    return _designation(row) if row else None


def designate(  # noqa: PLR0913 - the facts of one designation
    connection: sa.Connection,
    *,
    person_id: int,
    role: Role,
    school: str,
    signed_by: str,
    begins_on: date,
    signed_on: date,
    ends_on: date | None = None,
) -> Designation:
    """Store a signed designation and return it with its new reference.

    Raises BadInput for a role of the trust at one school or the other way round, one that ends before it begins, or one that the person
    has at that school already.
    """
    if school == EVERY_SCHOOL and role not in TRUST_WIDE:
        message = f"{ROLE_WORDS[role]} is a role of one school: say which"
        raise BadInput(message)
    if school != EVERY_SCHOOL and role not in OF_A_SCHOOL:
        message = f"{ROLE_WORDS[role]} is a role of the whole trust: leave the school out"
        raise BadInput(message)
    if ends_on is not None and ends_on < begins_on:
        message = f"the designation ends on {ends_on}, before it begins on {begins_on}"
        raise BadInput(message)
    person(connection, person_id)
    same = sa.select(DESIGNATIONS).where(
        DESIGNATIONS.c.person_id == person_id, DESIGNATIONS.c.role == role.value, DESIGNATIONS.c.school == school
    )
    if any(_designation(row).live_on(begins_on) for row in connection.execute(same)):
        message = f"the person is designated as {ROLE_WORDS[role]} already; end that first"
        raise BadInput(message)
    reference = next_reference(role, connection.execute(sa.select(DESIGNATIONS.c.reference)).scalars())
    values = {
        "person_id": person_id,
        "role": role.value,
        "school": school,
        "reference": reference,
        "signed_by": signed_by,
        "signed_on": signed_on,
        "begins_on": begins_on,
        "ends_on": ends_on,
    }
    return _designation(connection.execute(sa.insert(DESIGNATIONS).values(values).returning(*DESIGNATIONS.c)).one())


def end_designation(connection: sa.Connection, designation_id: int, *, by: str, reason: str, at: datetime) -> Designation:
    """End a designation now, and the person's sessions with it: whoever has another one signs in again (R3). Raises BadInput when ended."""
    live = sa.update(DESIGNATIONS).where(DESIGNATIONS.c.id == designation_id, DESIGNATIONS.c.ended_at.is_(None))
    row = connection.execute(live.values(ended_at=at, ended_by=by, end_reason=reason).returning(*DESIGNATIONS.c)).one_or_none()
    if row is None:
        message = "this designation has ended already"
        raise BadInput(message)
    end_sessions(connection, row.person_id, at=at)
    return _designation(row)


def acting(connection: sa.Connection, person_id: int, day: date) -> Acting | None:
    """Return a person with what they are designated as on a London day; None when that is nothing."""
    rows = connection.execute(_HELD.where(DESIGNATIONS.c.person_id == person_id)).all()
    live = tuple(each for each in map(_designation, rows) if each.live_on(day))
    return Acting(_holder(rows[0]), live) if live else None


def acting_by_reference(connection: sa.Connection, reference: str, day: date) -> Acting | None:
    """Return the person of a designation that is live on that day, with all they are designated as; None when it is not."""
    row = connection.execute(sa.select(DESIGNATIONS).where(DESIGNATIONS.c.reference == reference)).one_or_none()
    return acting(connection, row.person_id, day) if row is not None and _designation(row).live_on(day) else None


def holder_of(connection: sa.Connection, reference: str) -> int | None:
    """Return the number of the person a designation is or was of; None for a reference that was never given."""
    return connection.execute(sa.select(DESIGNATIONS.c.person_id).where(DESIGNATIONS.c.reference == reference)).scalar()


def holders(connection: sa.Connection, school: str, day: date, *roles: Role) -> dict[Role, tuple[Person, ...]]:
    """Return who has each of these roles at a school (or for the whole trust) on that day, the longest designated first."""
    wanted = _HELD.where(DESIGNATIONS.c.role.in_([role.value for role in roles]), DESIGNATIONS.c.school.in_([school, EVERY_SCHOOL]))
    found: dict[Role, dict[int, Person]] = {role: {} for role in roles}
    for row in connection.execute(wanted):
        if _designation(row).live_on(day):
            found[Role(row.role)].setdefault(row.person_id, _holder(row))
    return {role: tuple(people.values()) for role, people in found.items()}


def someone_is(connection: sa.Connection, roles: Iterable[Role], school: str, day: date) -> bool:
    """Return whether anybody has one of these roles at a school on that day."""
    return any(holders(connection, school, day, *roles).values())


def names_by_reference(connection: sa.Connection) -> dict[str, str]:
    """Return every person's name by the reference of each designation they ever had: for pages only, never for the ledger."""
    rows = connection.execute(sa.select(DESIGNATIONS.c.reference, PEOPLE.c.name).join(PEOPLE, PEOPLE.c.id == DESIGNATIONS.c.person_id))
    return {row.reference: row.name for row in rows}

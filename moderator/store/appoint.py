"""Designating people, renewing, ending and changing them, each with its line in the ledger (R3). Called by the people pages and the CLI."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import EVERY_SCHOOL, Acting, Designation, Person
from moderator.domain.signing import Appointment, described, left_alone, over, signs_as, signs_for_all
from moderator.domain.times import london_date
from moderator.store import absences, ledger, people, register
from moderator.store.database import SqlUnit
from moderator.store.sign_in import end_sessions

DAY = timedelta(days=1)
LONGEST_REASON = 500


def concerned(connection: sa.Connection, school: str) -> tuple[str, ...]:
    """Return the schools that a designation of that school is about: itself, or every one for the whole trust."""
    return tuple(each.slug for each in people.schools(connection)) if school == EVERY_SCHOOL else (school,)


def appoint(unit: SqlUnit, wanted: Appointment, *, by: Acting, at: datetime) -> Designation:
    """Designate somebody, who is added to the register when they are new, and return the designation.

    1. Who signs may sign for that role there, and it is not themselves.
    2. A school has one Headteacher: the one it has hands over, when the form says so, the day before.
    3. The designation, and a line in the ledger of every school it is of.

    Raises NotAllowed when they may not sign it, BadInput for what they can mend. Writes nothing then.
    """
    day = london_date(at)
    signer = signs_as(by, wanted.role, wanted.school)
    if signer is None:
        message = f"you may not designate a {ROLE_WORDS[wanted.role]} there: the trust's CEO or COO does"
        raise NotAllowed(message)
    if wanted.email.strip().lower() == by.person.email:
        message = "nobody designates themselves: ask somebody else who may sign (R3)"
        raise NotAllowed(message)
    whom = _person(unit.connection, wanted, by, at)
    if wanted.role is Role.HEAD:
        _hand_over(unit, wanted, signer=signer.reference, at=at)
    made = register.designate(
        unit.connection,
        person_id=whom.id,
        role=wanted.role,
        school=wanted.school,
        signed_by=signer.reference,
        signed_on=day,
        begins_on=wanted.begins_on,
        ends_on=wanted.ends_on,
    )
    noted(unit, made.school, made.reference, "designated", by=signer.reference, at=at)
    return made


def _person(connection: sa.Connection, wanted: Appointment, by: Acting, at: datetime) -> Person:
    known = register.person_by_email(connection, wanted.email)
    if known is None:
        return register.add_person(connection, name=wanted.name, email=wanted.email, roll_reference=wanted.roll_reference, at=at)
    if _plain(wanted.name) not in {"", _plain(known.name)}:
        message = f"{known.email} is in the register under another name: look at the address again, or leave the name empty"
        raise BadInput(message)
    theirs = signs_for_all(by, held_by(connection, known.id), london_date(at))
    if not known.roll_reference and wanted.roll_reference.strip() and theirs:
        known = replace(known, roll_reference=wanted.roll_reference.strip())
        register.change_person(connection, known)
    return known


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _hand_over(unit: SqlUnit, wanted: Appointment, *, signer: str, at: datetime) -> None:
    """Let whoever is Headteacher when the new one begins end the day before. Raises BadInput when the form does not say so."""
    day = london_date(at)
    for each in _designations(unit.connection, Role.HEAD, wanted.school):
        if over(each, wanted.begins_on):
            continue
        if not wanted.takes_over:
            message = f"there is a Headteacher already, {each.reference}: say that the new one takes over, or choose a later day"
            raise BadInput(message)
        if wanted.begins_on <= day or each.begins_on >= wanted.begins_on:
            register.end_designation(unit.connection, each.id, by=signer, reason="handed_over", at=at)
        else:
            shorter = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.id == each.id)
            unit.connection.execute(shorter.values(ends_on=wanted.begins_on - DAY))
        noted(unit, each.school, each.reference, "handed_over", by=signer, at=at)


def renew(unit: SqlUnit, designation_id: int, *, ends_on: date, by: Acting, at: datetime) -> Designation:
    """Designate the same person again from the day after, until `ends_on`; at once when it is over. What was signed is never changed.

    Raises NotAllowed and BadInput as `appoint` does, and BadInput for one that has no last day or was ended.
    """
    day = london_date(at)
    old = _designation(unit.connection, designation_id)
    if old.ends_on is None or old.ended_at is not None:
        message = f"{described(old)} cannot be renewed: designate the person again instead"
        raise BadInput(message)
    whom = register.person(unit.connection, old.person_id)
    begins = max(old.ends_on + DAY, day)
    return appoint(unit, Appointment(whom.name, whom.email, old.role, old.school, begins, ends_on), by=by, at=at)


def end(unit: SqlUnit, designation_id: int, *, reason: str, by: Acting, at: datetime) -> Designation:
    """End a designation now; the person's sessions end in the same moment (R3). The reason stays in the register, not in the ledger.

    Raises NotAllowed when they may not sign it, or when a school would be left without anybody who signs; BadInput without a reason or
    when it has ended already.
    """
    found = _designation(unit.connection, designation_id)
    signer = signs_as(by, found.role, found.school)
    if signer is None:
        message = f"you may not end a designation as {ROLE_WORDS[found.role]}: the trust's CEO or COO does"
        raise NotAllowed(message)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        message = f"say why it ends, in {LONGEST_REASON} letters at most"
        raise BadInput(message)
    locked = sa.select(ledger.HEADS.c.school).where(ledger.HEADS.c.school.in_(concerned(unit.connection, found.school)))
    unit.connection.execute(locked.order_by(ledger.HEADS.c.school).with_for_update())  # of two that end each other, one sees the other
    _refuse_to_leave_alone(unit.connection, found, london_date(at))
    ended = register.end_designation(unit.connection, designation_id, by=signer.reference, reason=reason, at=at)
    noted(unit, ended.school, ended.reference, "designation_ended", by=signer.reference, at=at)
    return ended


def _refuse_to_leave_alone(connection: sa.Connection, ending: Designation, day: date) -> None:
    live = [each for _, held in register.people_of(connection) for each in held if each.live_on(day)]
    alone = left_alone(ending, live, concerned(connection, ending.school)) if ending.live_on(day) else ()
    if alone:
        message = (
            f"{described(ending)} is the last one who can sign for {', '.join(alone)}: designate the next Headteacher, or a CEO, first"
        )
        raise NotAllowed(message)


def change_details(unit: SqlUnit, person: Person, *, by: Acting, at: datetime) -> None:
    """Store a person's name, address or place on the roll anew, with a line in the ledger of their schools.

    Only whoever may sign for everything the person is may do it: a new address is a way to sign in as them. People may say themselves
    who they are on the roll, once. Raises NotAllowed and BadInput. May be repeated.
    """
    known, day = register.person(unit.connection, person.id), london_date(at)
    held = held_by(unit.connection, person.id)
    own = by.person.id == person.id and not known.roll_reference and person == replace(known, roll_reference=person.roll_reference)
    if not own and (by.person.id == person.id or not signs_for_all(by, held, day)):
        message = "you may not change this person's details: somebody who may sign for all they are designated as does"
        raise NotAllowed(message)
    register.change_person(unit.connection, person)
    if person.email.strip().lower() != known.email:
        end_sessions(unit.connection, person.id, at=at)  # a link or a session may be in the hands of whoever has the old address
    _noted_of(unit, held, "person_changed", by=by, at=at)


def note_away(  # noqa: PLR0913 - the facts of one absence
    unit: SqlUnit, person_id: int, *, first_day: date, last_day: date, by: Acting, at: datetime
) -> None:
    """Note days away (R21), by the person or whoever signs for them. Raises NotAllowed and BadInput."""
    held = _may_note_away(unit.connection, person_id, by, london_date(at))
    absences.note_absence(
        unit.connection, person_id=person_id, first_day=first_day, last_day=last_day, noted_by=by.designations[0].reference, at=at
    )
    _noted_of(unit, held, "absence_noted", by=by, at=at)


def cancel_away(unit: SqlUnit, absence_id: int, *, person_id: int, by: Acting, at: datetime) -> None:
    """Take days away back. Raises NotAllowed and BadInput."""
    held = _may_note_away(unit.connection, person_id, by, london_date(at))
    absences.cancel_absence(unit.connection, absence_id, person_id=person_id, at=at)
    _noted_of(unit, held, "absence_cancelled", by=by, at=at)


def _may_note_away(connection: sa.Connection, person_id: int, by: Acting, day: date) -> tuple[Designation, ...]:
    held = held_by(connection, person_id)
    if by.person.id != person_id and not signs_for_all(by, held, day):
        message = "you may not note days away for this person: they do, or whoever signs for them"
        raise NotAllowed(message)
    return held


def noted(unit: SqlUnit, school: str, subject: str, reason: str, *, by: str, at: datetime) -> None:  # noqa: PLR0913 - one ledger line
    """Append a line of the register to the ledger of every school it is about."""
    for slug in concerned(unit.connection, school):
        unit.append(slug, LedgerEvent(Event.REGISTERED, at, subject, actor=by, reason=reason))


def _noted_of(unit: SqlUnit, held: tuple[Designation, ...], reason: str, *, by: Acting, at: datetime) -> None:
    """Append a line about a person, under the newest designation they have at each school."""
    newest: dict[str, str] = {slug: each.reference for each in held for slug in concerned(unit.connection, each.school)}
    for slug, reference in newest.items():
        unit.append(slug, LedgerEvent(Event.REGISTERED, at, reference, actor=by.designations[0].reference, reason=reason))


def held_by(connection: sa.Connection, person_id: int) -> tuple[Designation, ...]:
    """Return every designation a person has or had, anywhere. Raises BadInput for nobody."""
    register.person(connection, person_id)
    return next((held for each, held in register.people_of(connection) if each.id == person_id), ())


def schools_of(connection: sa.Connection, person_id: int) -> list[str]:
    """Return the schools whose ledgers tell of a person, by slug: those of everything they hold or held."""
    held = held_by(connection, person_id)
    return sorted({slug for each in held for slug in concerned(connection, each.school)})


def _designation(connection: sa.Connection, designation_id: int) -> Designation:
    found = register.designation(connection, designation_id)
    if found is None:
        message = f"there is no designation {designation_id}"
        raise BadInput(message)
    return found


def _designations(connection: sa.Connection, role: Role, school: str) -> list[Designation]:
    return [each for _, held in register.people_of(connection, school) for each in held if each.role is role and each.school == school]

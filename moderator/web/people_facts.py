"""What the people pages show: who holds what, signed by whom, until when, away when. Called by the people pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from moderator.domain.access import OF_A_SCHOOL, ROLE_WORDS, TRUST_WIDE, Action, Role
from moderator.domain.register import EVERY_SCHOOL, Acting, Designation, Person
from moderator.domain.signed import Absence
from moderator.domain.signing import over, signs_as, signs_for_all
from moderator.domain.times import london_date
from moderator.store import absences, proofs, register
from moderator.web.need import Visit
from moderator.web.site import Site

ENDS_SOON = timedelta(days=30)
"""From how long before its last day a designation is pointed out (our choice)."""

DONE = {
    "designated": "Designated. They can sign in once they have set up their sign-in.",
    "invited": "Designated, and an invitation is on its way to their school address.",
    "invitation": "An invitation is on its way. It works for seven days.",
    "ended": "Ended. They are signed out now.",
    "renewed": "Renewed.",
    "details": "Kept.",
    "away": "Noted. Until they are back, whoever stands in is told instead.",
    "back": "Taken back. They are told again from now on.",
}


@dataclass(frozen=True, slots=True)
class Held:
    """One designation in words. `mine` is whether this visitor may end and renew it."""

    designation: Designation
    role: str
    signed_by: str
    ended_by: str
    state: str
    ends_soon: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One person with what they hold there, what they held, and the days they are away. `changeable`: by this visitor."""

    person: Person
    held: tuple[Held, ...]
    past: tuple[Held, ...]
    away: tuple[Absence, ...]
    away_now: bool
    can_sign_in: bool
    changeable: bool
    themselves: bool


def listed(site: Site, visit: Visit) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the people of the school and those of the whole trust, by role and name; whoever is both is in both."""
    with site.database.reading() as connection:
        found = register.people_of(connection, visit.school.slug)
        everything = {person.id: held for person, held in register.people_of(connection)}
        names = register.names_by_reference(connection)
        away = absences.absences_of(connection, [person.id for person, _ in found], since=london_date(site.clock.now()))
        able = frozenset(person.id for person, _ in found if proofs.has_any(connection, person.id))
    day = london_date(site.clock.now())

    def entries(school: str) -> tuple[Entry, ...]:
        theirs = sorted(((person, [each for each in held if each.school == school]) for person, held in found), key=_by_role)
        return tuple(
            Entry(
                person,
                tuple(_held(each, visit, names, day) for each in held if not over(each, day)),
                tuple(_held(each, visit, names, day) for each in held if over(each, day)),
                away.get(person.id, ()),
                any(each.covers(day) for each in away.get(person.id, ())),
                person.id in able,
                changeable(visit, person, everything[person.id], day),
                person.id == visit.acting.person.id,
            )
            for person, held in theirs
            if held
        )

    return entries(visit.school.slug), entries(EVERY_SCHOOL)


def _by_role(theirs: tuple[Person, list[Designation]]) -> tuple[int, str]:
    """Return where a person stands in the list: by role, the most senior first, and by name."""
    person, held = theirs
    return min((list(Role).index(each.role) for each in held), default=len(Role)), person.name


def changeable(visit: Visit, person: Person, held: Iterable[Designation], day: date) -> bool:
    """Return whether this visitor may change that person's details, days away and sign-in."""
    theirs = visit.acting.person.id == person.id
    return not theirs and visit.may(Action.DESIGNATE) and signs_for_all(visit.acting, held, day)


def _held(each: Designation, visit: Visit, names: dict[str, str], day: date) -> Held:
    soon = each.ends_on is not None and not over(each, day) and each.ends_on - day <= ENDS_SOON
    may = visit.may(Action.DESIGNATE) and signs_as(visit.acting, each.role, each.school) is not None
    return Held(
        each,
        ROLE_WORDS[each.role],
        _who(each.signed_by, names),
        _who(each.ended_by, names),
        _state(each, day),
        soon,
        may,
    )


def _who(reference: str, names: dict[str, str]) -> str:
    return f"{names[reference]} ({reference})" if reference in names else reference


def _state(each: Designation, day: date) -> str:
    if over(each, day):
        return "over"
    return "live" if each.live_on(day) else "to come"


def choices(acting: Acting, school: str, name: str) -> list[tuple[str, str]]:
    """Return the designations a person may sign at a school, as the form's values (`head`, `auditor-trust`) and their words."""
    found = []
    for role in Role:
        if role in OF_A_SCHOOL and signs_as(acting, role, school):
            found.append((role.value, f"{ROLE_WORDS[role]}, {name}"))
        if role in TRUST_WIDE and signs_as(acting, role, EVERY_SCHOOL):
            found.append((f"{role.value}-trust", f"{ROLE_WORDS[role]}, whole trust"))
    return found

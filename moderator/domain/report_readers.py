"""Who gets the trust's digest, a week's or a term's report, and how much of it is theirs to know (R15, R21, R35). Called by the steps."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from moderator.domain.access import MAY, Action, Role
from moderator.domain.mail_wishes import wanting
from moderator.domain.register import Person
from moderator.domain.report import ReportKind
from moderator.domain.routes import DEFAULTS, OnDuty, RouteKind, View, kept_references, reads_disclosures, told

_ROUTES = {ReportKind.WEEKLY: RouteKind.WEEKLY, ReportKind.TERMLY: RouteKind.TERMLY}
_PAGES = {ReportKind.WEEKLY: Action.SEE_DIGESTS, ReportKind.TERMLY: Action.SEE_COUNTS}

_OF_THE_TRUST = (Role.SAFEGUARDING_LEAD, Role.CEO)


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader. `coarse`: they only read counts, so every count is rounded; `opens`: they may open the page that shows more."""

    person: Person
    view: View
    coarse: bool
    opens: bool


def school_people(kind: ReportKind, duty: OnDuty, *, several: bool) -> tuple[Person, ...]:
    """Return who reads a school's report, whatever they wish: its route, the Headteacher's stand-in when that is nobody.

    In a trust of `several` schools its trustees get the whole trust's instead, unless the school's own signed route names them.
    """
    route = _ROUTES[kind]
    if several and route not in duty.routes:
        duty = replace(duty, routes={route: tuple(role for role in DEFAULTS[route] if role is not Role.TRUSTEE)})
    return told(route, duty) or told(RouteKind.DIGEST, duty)


def trust_people(duty: OnDuty, *, mailbox: str = "") -> tuple[Person, ...]:
    """Return who reads the whole trust's report: its trustees; without any, its CEO, or else the trust's mailbox. Empty without any."""
    people = _held(duty, Role.TRUSTEE) or _held(duty, Role.CEO)
    return people or ((Person(0, "", mailbox),) if mailbox else ())


def digest_people(duty: OnDuty, *, several: bool, mailbox: str = "") -> tuple[tuple[Person, ...], ...]:
    """Return who reads the trust's digest, whatever they wish; the next ones in case no mail can go to the first. `duty` is the trust's.

    They are its safeguarding leads, its CEO, its mailbox, and those of the first two who are away. Empty for one school of which nobody
    is a Trust Safeguarding Lead or a CEO: its own digest says it all.
    """
    held = [person for role in _OF_THE_TRUST for person in duty.holders.get(role, ())]
    if not several and not held:
        return ()
    there = [tuple(each for each in duty.holders.get(role, ()) if each.id not in duty.away) for role in _OF_THE_TRUST]
    away = tuple(dict.fromkeys(each for each in held if each.id in duty.away))
    return tuple(people for people in (*there, (Person(0, "", mailbox),) if mailbox else (), away) if people)


def school_readers(kind: ReportKind, duty: OnDuty, *, left: Collection[int], several: bool) -> tuple[Reader, ...]:
    """Return who gets a school's report: those of its readers who have not `left` it."""
    return tuple(as_reader(person, duty, kind) for person in wanting(school_people(kind, duty, several=several), left))


def as_reader(person: Person, duty: OnDuty, kind: ReportKind) -> Reader:
    """Return how much of a school's report is a person's to know, whether they get it or not."""
    return _reader(person, duty, _PAGES[kind])


def trust_readers(duty: OnDuty, *, left: Collection[int], mailbox: str = "") -> tuple[Reader, ...]:
    """Return who gets the whole trust's report."""
    return tuple(_reader(person, duty, Action.SEE_COUNTS) for person in wanting(trust_people(duty, mailbox=mailbox), left))


def _held(duty: OnDuty, role: Role) -> tuple[Person, ...]:
    """Return who has a role and is there; when all are away, whoever has it: a mail that waits is better than none."""
    held = duty.holders.get(role, ())
    return tuple(person for person in held if person.id not in duty.away) or held


def _reader(person: Person, duty: OnDuty, page: Action) -> Reader:
    """Return a reader. Those who see small counts see of them what their digest would tell, and no more."""
    roles = frozenset(role for role, people in duty.holders.items() if any(each.id == person.id for each in people))
    coarse = roles <= {Role.TRUSTEE}
    view = View(kept_references(person, duty), safeguarding=coarse or reads_disclosures(person, duty))
    return Reader(person, view, coarse, bool(roles & MAY[page]))

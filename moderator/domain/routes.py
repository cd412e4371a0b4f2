"""Who is told of what (R21): never the person named; for somebody away, whoever stands in. Called by alert, digest and the routes page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from moderator.domain.access import MAY, STANDS_IN, Action, Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.register import Person


class RouteKind(StrEnum):
    """What there is to tell. An alert is of one kind; the digest is one of its own."""

    FLAGGED = "flagged"
    SEVERE = "severe"
    SAFEGUARDING = "safeguarding"
    WITHHELD = "withheld"
    SUBMITTED = "submitted"
    OVERRIDE = "override"
    ACCOUNT = "account"
    SYSTEM = "system"
    EVIDENCE = "evidence"
    REMINDER = "reminder"
    DIGEST = "digest"
    WEEKLY = "weekly"
    TERMLY = "termly"


KIND_WORDS: Mapping[RouteKind, str] = {
    RouteKind.FLAGGED: "A comment was flagged",
    RouteKind.SEVERE: "A serious comment was flagged",
    RouteKind.SAFEGUARDING: "Somebody tells of harm, or may be in danger",
    RouteKind.WITHHELD: "A comment is for the police only",
    RouteKind.SUBMITTED: "A screen print was handed in",
    RouteKind.OVERRIDE: "A person changed what was decided",
    RouteKind.ACCOUNT: "An account needs attention",
    RouteKind.SYSTEM: "The service needs attention",
    RouteKind.EVIDENCE: "The evidence needs attention, or a record is to be disposed of",
    RouteKind.REMINDER: "A date is coming: a password, an approval, a designation",
    RouteKind.DIGEST: "The daily digest",
    RouteKind.WEEKLY: "The week's report",
    RouteKind.TERMLY: "The term's report, in counts alone",
}

DEFAULTS: Mapping[RouteKind, tuple[Role, ...]] = {
    RouteKind.FLAGGED: (Role.HEAD,),
    RouteKind.SEVERE: (Role.HEAD,),
    RouteKind.SAFEGUARDING: (Role.DSL, Role.SAFEGUARDING_LEAD),
    RouteKind.WITHHELD: (Role.HEAD, Role.DSL, Role.SAFEGUARDING_LEAD),
    RouteKind.SUBMITTED: (Role.HEAD,),
    RouteKind.OVERRIDE: (Role.HEAD,),
    RouteKind.ACCOUNT: (Role.HEAD, Role.ADMIN),
    RouteKind.SYSTEM: (Role.HEAD,),
    RouteKind.EVIDENCE: (Role.HEAD, Role.CEO),
    RouteKind.REMINDER: (Role.ADMIN,),
    RouteKind.DIGEST: (Role.HEAD,),
    RouteKind.WEEKLY: (Role.HEAD,),
    RouteKind.TERMLY: (Role.HEAD, Role.TRUSTEE),
}
"""Our assumption, for the trust to confirm: the policy's own map of whom to tell is missing from its text (R21)."""

IN_ABSENCE: Mapping[Role, tuple[Role, ...]] = {
    Role.HEAD: (Role.DEPUTY, Role.CEO),
    Role.DEPUTY: (Role.HEAD, Role.CEO),
    Role.DSL: (Role.SAFEGUARDING_LEAD, Role.HEAD, Role.CEO),
    Role.SAFEGUARDING_LEAD: (Role.DSL, Role.HEAD, Role.CEO),
    Role.ADMIN: (Role.HEAD, Role.DEPUTY, Role.CEO),
    Role.CEO: (Role.SAFEGUARDING_LEAD, Role.HEAD),
}
"""Who stands in for a role whose people are all away, or that nobody has: the first of these with somebody there."""

IN_CONFLICT: Mapping[Role, tuple[Role, ...]] = {**IN_ABSENCE, Role.HEAD: (Role.CEO, Role.SAFEGUARDING_LEAD)}
"""Who stands in for a role whose person is named: for the Headteacher nobody who works under them."""


UNDER_THE_HEAD = frozenset({Role.DEPUTY, Role.DSL, Role.ADMIN})
"""Roles whose people work for the Headteacher."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who could be told at one school on one London day.

    `holders` gives the people of each role, the longest designated first; `away` the numbers of those away that day; `routes` what the
    school has signed in place of DEFAULTS. A person with the number 0 is a mailbox, and on nobody's roll.
    """

    holders: Mapping[Role, tuple[Person, ...]]
    away: frozenset[int] = frozenset()
    routes: Mapping[RouteKind, tuple[Role, ...]] = field(default_factory=dict)

    def roles(self, kind: RouteKind) -> tuple[Role, ...]:
        """Return the roles that are told of a kind: those signed, or our assumption."""
        return self.routes.get(kind, DEFAULTS[kind])


@dataclass(frozen=True, slots=True)
class View:
    """What of a school's items one reader of a digest is told of.

    Items that name one of `references` are left out (R21), disclosures unless `safeguarding` (R15). `only_safeguarding` leaves nothing but
    disclosures; a `naming` that is not empty nothing but items that name one of those.
    """

    references: frozenset[str] = frozenset()
    safeguarding: bool = True
    only_safeguarding: bool = False
    naming: frozenset[str] = frozenset()

    @property
    def apart(self) -> bool:
        """Return whether it is of a message that tells only of what the school's own digest may not."""
        return self.only_safeguarding or bool(self.naming)


def told(kind: RouteKind, duty: OnDuty, *, named: frozenset[str] = frozenset()) -> tuple[Person, ...]:
    """Return who is told, each once, in order of the route; `named` are the roll references of those the thing is about. Pure.

    1. Each role of the route: its people who are there and not named; when there are none, the first role standing in that has some.
       What names the Headteacher goes to nobody who works under them (`kept_from`), but to whoever stands in for a named Headteacher.
    2. When that is nobody at all: whoever of those is away, and not named. A mail that waits is better than none.

    Nobody named is ever told, whatever the route: the answer can be empty, and the caller has a last resort.
    """
    chosen = dict.fromkeys(person for role in duty.roles(kind) for person in _there(kind, role, duty, named))
    if not chosen:
        chosen = dict.fromkeys(person for role in duty.roles(kind) for person in _away(kind, role, duty, named))
    return tuple(chosen)


def names(person: Person, named: frozenset[str]) -> bool:
    """Return whether a person is among those named: the roll's reference of them is."""
    return bool(references(person) & named)


def references(person: Person) -> frozenset[str]:
    """Return what the roll calls a person; empty when nobody has said."""
    return frozenset({person.roll_reference}) if person.roll_reference else frozenset()


def kept_references(person: Person, duty: OnDuty) -> frozenset[str]:
    """Return whom a person's digest tells nothing of: themselves, and, where they work under the Headteacher, the Headteacher (R21)."""
    roles = {role for role, people in duty.holders.items() if any(each.id == person.id for each in people)}
    heads = duty.holders.get(Role.HEAD, ()) if roles and roles <= UNDER_THE_HEAD else ()
    return references(person).union(*map(references, heads))


def _there(kind: RouteKind, role: Role, duty: OnDuty, named: frozenset[str]) -> Iterator[Person]:
    for each in _in_turn(kind, role, duty, named):
        there = [person for person in duty.holders.get(each, ()) if person.id not in duty.away and not names(person, named)]
        if there:
            yield from there
            return


def _away(kind: RouteKind, role: Role, duty: OnDuty, named: frozenset[str]) -> Iterator[Person]:
    for each in _in_turn(kind, role, duty, named):
        yield from (person for person in duty.holders.get(each, ()) if not names(person, named))


def _in_turn(kind: RouteKind, role: Role, duty: OnDuty, named: frozenset[str]) -> Iterator[Role]:
    """Yield a role of a route and who stands in for it: only roles that can open what they are told of, and none that is kept from it."""
    instead = Role.HEAD if kept_from(kind, role, duty, named=named) else role
    conflict = any(names(person, named) for person in duty.holders.get(instead, ()))
    opens = MAY[_OPENS.get(kind, Action.SEE_ITEMS)] | (STANDS_IN if kind is RouteKind.SAFEGUARDING else frozenset())
    for each in (role, *(IN_CONFLICT if conflict else IN_ABSENCE).get(instead, ())):
        if each in opens and not kept_from(kind, each, duty, named=named):
            yield each


def kept_from(kind: RouteKind, role: Role, duty: OnDuty, *, named: frozenset[str]) -> bool:
    """Return whether a role is not told of something because it works under the Headteacher, whom it names (R21).

    A Designated Safeguarding Lead is told of harm all the same, and of what is for the police: that is their own duty.
    """
    if role not in UNDER_THE_HEAD or (role is Role.DSL and kind in {RouteKind.SAFEGUARDING, RouteKind.WITHHELD}):
        return False
    return any(names(person, named) for person in duty.holders.get(Role.HEAD, ()))


def reads_disclosures(person: Person, duty: OnDuty) -> bool:
    """Return whether a person is told of disclosures: a safeguarding lead, or, where there is none, whoever stands in (R15)."""
    leads = [each.id for role in MAY[Action.SEE_SAFEGUARDING] for each in duty.holders.get(role, ())]
    if leads:
        return person.id in leads
    return any(person.id == each.id for role in STANDS_IN for each in duty.holders.get(role, ()))


def leads_there(duty: OnDuty, *, named: frozenset[str] = frozenset()) -> bool:
    """Return whether a safeguarding lead is there who is not among those named: else those who stand in must see disclosures (R15)."""
    leads = (person for role in MAY[Action.SEE_SAFEGUARDING] for person in duty.holders.get(role, ()))
    return any(person.id not in duty.away and not names(person, named) for person in leads)


_OPENS: Mapping[RouteKind, Action] = {
    RouteKind.SAFEGUARDING: Action.SEE_SAFEGUARDING,
    RouteKind.ACCOUNT: Action.SEE_ACCOUNTS,
    RouteKind.SYSTEM: Action.SEE_HEALTH,
    RouteKind.REMINDER: Action.SEE_ACCOUNTS,
    RouteKind.DIGEST: Action.SEE_DIGESTS,
    RouteKind.WEEKLY: Action.SEE_DIGESTS,
    RouteKind.TERMLY: Action.SEE_COUNTS,
}
"""What a reader must be allowed, to open what they are told of; items, where it is not here."""


def may_be_told(kind: RouteKind) -> tuple[Role, ...]:
    """Return the roles a route of that kind can name: only those who can open what they are told of. In the order of `Role`."""
    allowed = MAY[_OPENS.get(kind, Action.SEE_ITEMS)]
    return tuple(role for role in Role if role in allowed and role is not Role.AUDITOR)


_KINDS: Mapping[AlertKind, RouteKind] = {
    AlertKind.WITHHELD: RouteKind.WITHHELD,
    AlertKind.SUBMITTED: RouteKind.SUBMITTED,
    AlertKind.OVERRIDE: RouteKind.OVERRIDE,
    AlertKind.ACCOUNT: RouteKind.ACCOUNT,
    AlertKind.SYSTEM: RouteKind.SYSTEM,
    AlertKind.EVIDENCE: RouteKind.EVIDENCE,
    AlertKind.DISPOSAL: RouteKind.EVIDENCE,
    AlertKind.REMINDER: RouteKind.REMINDER,
    AlertKind.OVERDUE: RouteKind.SYSTEM,
}


def route_of(kind: AlertKind, severity: Severity, *, safeguarding: bool) -> RouteKind:
    """Return the route of an alert: whatever is said of a disclosure or a crisis goes the way of those, but for the police's own (R15)."""
    if safeguarding and kind is not AlertKind.WITHHELD:
        return RouteKind.SAFEGUARDING
    return _KINDS.get(kind, RouteKind.SEVERE if severity is Severity.SEVERE else RouteKind.FLAGGED)

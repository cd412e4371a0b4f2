"""Who is told of what (R21): corners. The whole table, row by row, is in test_routes_table.py."""

from itertools import product

import pytest

from moderator.domain.access import MAY, Action, Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.register import Person
from moderator.domain.routes import (
    DEFAULTS,
    IN_ABSENCE,
    IN_CONFLICT,
    OnDuty,
    RouteKind,
    may_be_told,
    reads_disclosures,
    route_of,
    told,
)

PEOPLE = {
    role: Person(number, f"{role.value} person", f"{role.value}@oakfield.example", f"S-{number}") for number, role in enumerate(Role, 1)
}
HEAD, DEPUTY, CEO, DSL, TSL, ADMIN = (
    PEOPLE[role] for role in (Role.HEAD, Role.DEPUTY, Role.CEO, Role.DSL, Role.SAFEGUARDING_LEAD, Role.ADMIN)
)


def duty(*without: Role, away: tuple[Person, ...] = ()) -> OnDuty:
    holders = {role: (person,) for role, person in PEOPLE.items() if role not in without}
    return OnDuty(holders, frozenset(person.id for person in away))


def named(*people: Person) -> frozenset[str]:
    return frozenset(person.roll_reference for person in people)


@pytest.mark.parametrize(("kind", "away", "in_it"), list(product(RouteKind, ((), (HEAD,), (CEO, TSL), (DSL,)), PEOPLE.values())))
def test_r21_whoever_is_named_is_never_told_and_somebody_always_is(kind: RouteKind, away: tuple[Person, ...], in_it: Person) -> None:
    got = told(kind, duty(away=away), named=named(in_it))
    assert in_it not in got
    assert got
    assert len(set(got)) == len(got)


@pytest.mark.parametrize("kind", RouteKind)
def test_r21_when_everybody_is_named_nobody_is_told(kind: RouteKind) -> None:
    assert told(kind, duty(), named=named(*PEOPLE.values())) == ()
    assert told(kind, OnDuty({})) == ()


def test_r21_nobody_who_works_under_the_headteacher_is_told_what_names_them() -> None:
    alone = duty(Role.CEO, Role.SAFEGUARDING_LEAD)
    assert told(RouteKind.FLAGGED, alone, named=named(HEAD)) == ()
    assert told(RouteKind.FLAGGED, duty(away=(CEO,)), named=named(HEAD)) == (TSL,)
    assert told(RouteKind.FLAGGED, duty(away=(HEAD, CEO, TSL)), named=named(HEAD)) == (CEO, TSL), "a mail that waits is better than none"


def test_r21_when_all_are_away_the_route_itself_is_told() -> None:
    everybody = tuple(PEOPLE.values())
    assert told(RouteKind.FLAGGED, duty(away=everybody)) == (HEAD, DEPUTY, CEO)
    assert told(RouteKind.FLAGGED, duty(away=(HEAD, DEPUTY))) == (CEO,)


def test_r21_one_of_two_heads_named_leaves_the_other() -> None:
    other = Person(99, "Job share", "share@oakfield.example", "S-99")
    both = OnDuty({Role.HEAD: (HEAD, other), Role.CEO: (CEO,)})
    assert told(RouteKind.FLAGGED, both, named=named(HEAD)) == (other,)
    assert told(RouteKind.FLAGGED, both, named=named(HEAD, other)) == (CEO,)


def test_r15_r21_disclosures_go_to_the_leads_and_only_without_any_to_whoever_stands_in() -> None:
    assert told(RouteKind.SAFEGUARDING, duty(), named=named(DSL)) == (TSL,)
    assert told(RouteKind.SAFEGUARDING, duty(Role.SAFEGUARDING_LEAD)) == (DSL,)
    assert told(RouteKind.SAFEGUARDING, duty(Role.SAFEGUARDING_LEAD, Role.DSL)) == (HEAD,)
    assert told(RouteKind.SAFEGUARDING, duty(Role.SAFEGUARDING_LEAD, Role.DSL, away=(HEAD,))) == (CEO,)


def test_r15_who_reads_disclosures() -> None:
    assert [reads_disclosures(person, duty()) for person in (DSL, TSL, HEAD, CEO, DEPUTY)] == [True, True, False, False, False]
    nobody = duty(Role.DSL, Role.SAFEGUARDING_LEAD)
    assert [reads_disclosures(person, nobody) for person in (HEAD, CEO, DEPUTY, ADMIN)] == [True, True, False, False]


def test_a_signed_route_takes_the_place_of_our_assumption() -> None:
    signed = OnDuty(duty().holders, routes={RouteKind.FLAGGED: (Role.HEAD, Role.DEPUTY)})
    assert told(RouteKind.FLAGGED, signed) == (HEAD, DEPUTY)
    assert signed.roles(RouteKind.SEVERE) == DEFAULTS[RouteKind.SEVERE]


def test_a_person_nobody_put_on_the_roll_is_named_by_nothing() -> None:
    mailbox = Person(0, "", "head@oakfield.example")
    assert told(RouteKind.FLAGGED, OnDuty({Role.HEAD: (mailbox,)}), named=frozenset({"", "S-1"})) == (mailbox,)


@pytest.mark.parametrize("kind", RouteKind)
def test_r15_a_route_names_only_roles_that_can_open_what_it_tells_of(kind: RouteKind) -> None:
    assert set(DEFAULTS[kind]) <= set(may_be_told(kind))
    opens = {RouteKind.SAFEGUARDING: Action.SEE_SAFEGUARDING, RouteKind.TERMLY: Action.SEE_COUNTS}.get(kind, Action.SEE_ITEMS)
    assert set(may_be_told(kind)) <= MAY[opens]
    assert (Role.TRUSTEE in may_be_told(kind)) is (kind is RouteKind.TERMLY), "a trustee sees counts alone"


def test_everybody_who_can_be_told_has_somebody_standing_in() -> None:
    for kind in RouteKind:
        for role in set(may_be_told(kind)) - {Role.TRUSTEE}:
            assert Role.HEAD in {role, *IN_ABSENCE[role]}, "a digest always has a reader"
            assert role not in IN_ABSENCE[role]
    assert Role.DEPUTY not in IN_CONFLICT[Role.HEAD]


@pytest.mark.parametrize(
    ("kind", "severity", "safeguarding", "route"),
    [
        (AlertKind.FLAGGED, Severity.ORDINARY, False, RouteKind.FLAGGED),
        (AlertKind.FLAGGED, Severity.SEVERE, False, RouteKind.SEVERE),
        (AlertKind.ROUTED, Severity.SEVERE, True, RouteKind.SAFEGUARDING),
        (AlertKind.HELD, Severity.ORDINARY, True, RouteKind.SAFEGUARDING),
        (AlertKind.OVERRIDE, Severity.ORDINARY, True, RouteKind.SAFEGUARDING),
        (AlertKind.OVERRIDE, Severity.ORDINARY, False, RouteKind.OVERRIDE),
        (AlertKind.WITHHELD, Severity.SEVERE, True, RouteKind.WITHHELD),
        (AlertKind.SUBMITTED, Severity.ORDINARY, False, RouteKind.SUBMITTED),
        (AlertKind.ACCOUNT, Severity.SEVERE, False, RouteKind.ACCOUNT),
        (AlertKind.SYSTEM, Severity.SEVERE, False, RouteKind.SYSTEM),
        (AlertKind.EVIDENCE, Severity.SEVERE, False, RouteKind.EVIDENCE),
        (AlertKind.DISPOSAL, Severity.ORDINARY, False, RouteKind.EVIDENCE),
    ],
)
def test_which_route_an_alert_goes(kind: AlertKind, severity: Severity, *, safeguarding: bool, route: RouteKind) -> None:
    assert route_of(kind, severity, safeguarding=safeguarding) is route

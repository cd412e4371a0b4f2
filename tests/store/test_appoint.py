"""Designating, handing over, renewing, ending, days away and what is signed, at the store: what the pages and the console share (R3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from cast import ASHFORD, enrol
from stage import NOON, SCHOOL, Stage

from moderator.domain.access import SIGNS_FOR, Role
from moderator.domain.calendar import Span
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import EVERY_SCHOOL, Acting
from moderator.domain.routes import RouteKind, View
from moderator.domain.signing import Appointment, left_alone, over, signable, signs_as
from moderator.store import absences, appoint, people, register, signed
from moderator.store.database import SqlUnit
from moderator.store.ledger import head

TODAY = date(2026, 11, 18)
NEW = Appointment("Odile Brandt", "o.brandt@oakfield.example", Role.HEAD, SCHOOL.slug, TODAY, takes_over=True)


def who(stage: Stage, reference: str) -> Acting:
    with stage.database.reading() as connection:
        found = register.acting_by_reference(connection, reference, TODAY)
    assert found is not None
    return found


def act(stage: Stage, what: Callable[[SqlUnit], object]) -> object:
    with stage.database.unit() as unit:
        return what(unit)


def held_as(stage: Stage, reference: str) -> int:
    with stage.database.reading() as connection:
        return next(each.id for _, held in register.people_of(connection) for each in held if each.reference == reference)


def test_r3_who_signs_for_whom(stage: Stage) -> None:
    enrol(stage)
    ceo, tamsin = who(stage, "CEO-1"), who(stage, "HEAD-1")
    assert signable(ceo, SCHOOL.slug) == tuple(Role)
    assert set(signable(tamsin, SCHOOL.slug)) == SIGNS_FOR[Role.HEAD]
    assert signable(tamsin, ASHFORD.slug) == ()
    assert signable(who(stage, "DEPUTY-1"), SCHOOL.slug) == ()
    assert signs_as(tamsin, Role.AUDITOR, EVERY_SCHOOL) is None, "an auditor of the whole trust is the CEO's to sign"
    for signer in [who(stage, reference) for reference in ("HEAD-2", "DEPUTY-1", "TSL-1", "ADMIN-1")]:
        with pytest.raises(NotAllowed, match="you may not designate"), stage.database.unit() as unit:
            appoint.appoint(unit, replace(NEW, role=Role.DSL), by=signer, at=NOON)


def test_r3_a_headteacher_of_the_future_ends_the_one_of_today_the_day_before(stage: Stage) -> None:
    enrol(stage)
    coming = replace(NEW, begins_on=date(2027, 1, 1))
    ceo = who(stage, "CEO-1")
    act(stage, lambda unit: appoint.appoint(unit, coming, by=ceo, at=NOON))
    for day, name in ((TODAY, "Tamsin Okoro"), (date(2026, 12, 31), "Tamsin Okoro"), (date(2027, 1, 1), "Odile Brandt")):
        with stage.database.reading() as connection:
            assert [each.name for each in register.holders(connection, SCHOOL.slug, day, Role.HEAD)[Role.HEAD]] == [name]
    again = replace(coming, name="Perry Nash", email="p.nash@oakfield.example", begins_on=date(2026, 12, 1))
    act(stage, lambda unit: appoint.appoint(unit, again, by=ceo, at=NOON))
    with stage.database.reading() as connection:
        assert [each.name for each in register.holders(connection, SCHOOL.slug, date(2027, 1, 2), Role.HEAD)[Role.HEAD]] == ["Perry Nash"]
        ended = register.designation(connection, held_as(stage, "HEAD-3"))
    assert ended is not None
    assert over(ended, TODAY), "whoever was to come never does"


def test_r3_r21_somebody_in_the_register_is_found_by_address_and_gets_a_place_on_the_roll_once(stage: Stage) -> None:
    enrol(stage)
    ceo = who(stage, "CEO-1")
    known = Appointment("petra  lindqvist", "ADMIN@oakfield.example", Role.DSL, SCHOOL.slug, TODAY, roll_reference=" S-9 ")
    act(stage, lambda unit: appoint.appoint(unit, known, by=ceo, at=NOON))
    second = replace(known, name="", role=Role.DEPUTY, roll_reference="S-10")
    act(stage, lambda unit: appoint.appoint(unit, second, by=ceo, at=NOON))
    with stage.database.reading() as connection:
        person = register.person_by_email(connection, "admin@oakfield.example")
    assert person is not None
    assert (person.name, person.roll_reference) == ("Petra Lindqvist", "S-9")


def test_r3_renewing_goes_on_the_day_after_or_today(stage: Stage) -> None:
    enrol(stage)
    ceo = who(stage, "CEO-1")
    short = Appointment("Ines Calloway", "i.calloway@oakfield.example", Role.ADMIN, SCHOOL.slug, TODAY, TODAY)
    act(stage, lambda unit: appoint.appoint(unit, short, by=ceo, at=NOON))
    number, later = held_as(stage, "ADMIN-3"), NOON + timedelta(days=30)
    renewed = act(stage, lambda unit: appoint.renew(unit, number, ends_on=date(2027, 6, 1), by=ceo, at=later))
    assert renewed.begins_on == date(2026, 12, 18)  # type: ignore[attr-defined] # what renew returns
    soon = act(stage, lambda unit: appoint.renew(unit, held_as(stage, "ADMIN-4"), ends_on=date(2028, 6, 1), by=ceo, at=later))
    assert soon.begins_on == date(2027, 6, 2)  # type: ignore[attr-defined] # the same
    with pytest.raises(BadInput, match="no designation 999"):
        act(stage, lambda unit: appoint.renew(unit, 999, ends_on=TODAY, by=ceo, at=NOON))


def test_r3_a_school_is_never_left_without_anybody_who_signs(stage: Stage) -> None:
    enrol(stage)
    with stage.database.reading() as connection:
        live = [each for _, held in register.people_of(connection) for each in held]
    by_reference = {each.reference: each for each in live}
    slugs = (ASHFORD.slug, SCHOOL.slug)
    assert left_alone(by_reference["CEO-1"], live, slugs) == ()
    assert left_alone(by_reference["DSL-1"], [by_reference["DSL-1"]], slugs) == ()
    without = [each for each in live if each.role is not Role.CEO]
    assert left_alone(by_reference["HEAD-1"], without, (SCHOOL.slug,)) == (SCHOOL.slug,)
    assert left_alone(by_reference["CEO-1"], [*without, by_reference["CEO-1"]], slugs) == ()
    ceo = who(stage, "CEO-1")
    for number in (1, 2):
        leaves = held_as(stage, f"HEAD-{number}")
        with stage.database.unit() as unit:
            appoint.end(unit, leaves, reason="Moved on", by=ceo, at=NOON)
    with pytest.raises(NotAllowed, match="the last one who can sign for ashford, oakfield"):
        act(stage, lambda unit: appoint.end(unit, held_as(stage, "CEO-1"), reason="Moved on", by=ceo, at=NOON))
    act(stage, lambda unit: appoint.appoint(unit, replace(NEW, takes_over=False), by=ceo, at=NOON))
    with pytest.raises(BadInput, match="say why"):
        act(stage, lambda unit: appoint.end(unit, held_as(stage, "DSL-1"), reason="x" * 501, by=ceo, at=NOON))
    with pytest.raises(NotAllowed, match="you may not end"):
        act(stage, lambda unit: appoint.end(unit, held_as(stage, "DSL-1"), reason="Mine", by=who(stage, "ADMIN-1"), at=NOON))


def test_r21_days_away_of_others_are_the_signers_to_note(stage: Stage) -> None:
    enrol(stage)
    deputy, days = who(stage, "DEPUTY-1"), {"first_day": TODAY, "last_day": TODAY}
    for other in (who(stage, "DSL-1"), who(stage, "HEAD-2")):
        with pytest.raises(NotAllowed, match="days away"), stage.database.unit() as unit:
            appoint.note_away(unit, deputy.person.id, **days, by=other, at=NOON)
    act(stage, lambda unit: appoint.note_away(unit, deputy.person.id, **days, by=deputy, at=NOON))
    with stage.database.reading() as connection:
        assert absences.away_on(connection, TODAY) == {deputy.person.id}
        assert absences.away_on(connection, TODAY + timedelta(days=1)) == frozenset()
        assert absences.absences_of(connection, [deputy.person.id], since=TODAY + timedelta(days=1)) == {}
        (noted,) = absences.absences_of(connection, [deputy.person.id], since=TODAY)[deputy.person.id]
    assert noted.covers(TODAY)
    assert noted.noted_by == "DEPUTY-1"


def test_r3_a_change_that_is_refused_leaves_no_line_in_the_ledger(stage: Stage) -> None:
    enrol(stage)
    with stage.database.reading() as connection:
        before = head(connection, SCHOOL.slug)
    refused = replace(NEW, role=Role.HEAD, takes_over=False)
    with pytest.raises(BadInput, match="there is a Headteacher already, HEAD-1"):
        act(stage, lambda unit: appoint.appoint(unit, refused, by=who(stage, "CEO-1"), at=NOON))
    with stage.database.reading() as connection:
        assert head(connection, SCHOOL.slug) == before
        assert register.person_by_email(connection, NEW.email) is None


def test_what_is_signed_is_checked_where_it_is_stored(stage: Stage) -> None:
    with stage.database.unit() as unit:
        with pytest.raises(BadInput, match="write what is delegated"):
            signed.delegate(unit.connection, school=SCHOOL.slug, words=" ", signed_by="HEAD-1", signed_on=TODAY, ends_on=TODAY)
        with pytest.raises(BadInput, match="say why the route changes"):
            signed.change_route(
                unit.connection, school=SCHOOL.slug, kind=RouteKind.FLAGGED, roles=[Role.HEAD], author="HEAD-1", why=" ", at=NOON
            )
        assert signed.delegation_on(unit.connection, SCHOOL.slug, TODAY) is None
    empty = stage.database.digest_of(SCHOOL, Span.of(TODAY), link="", view=View())
    assert empty == stage.database.digest_of(SCHOOL, Span.of(TODAY), link="")


def test_r26_people_of_the_trust_have_their_addresses_on_the_trusts_own_domain(stage: Stage) -> None:
    with stage.database.unit() as unit, pytest.raises(BadInput, match="is not a school address"):
        register.add_person(unit.connection, name="Wren Alder", email="wren@trust.example", at=NOON)
    with stage.database.unit() as unit:
        people.put_school(unit.connection, replace(SCHOOL, trust_domains=("trust.example",)))
        assert register.add_person(unit.connection, name="Wren Alder", email="wren@trust.example", at=NOON).id
        with pytest.raises(BadInput, match="not a school address"):  # an account's contact is the school's own (R2)
            people.refuse_unofficial("wren@trust.example", people.school(unit.connection, SCHOOL.slug))

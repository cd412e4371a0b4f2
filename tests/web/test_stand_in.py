"""Disclosures are for the safeguarding leads; whoever stands in sees one only when no lead is there to see it (R15, R21)."""

from dataclasses import replace

import sqlalchemy as sa
from cast import BEGAN
from review_app import Served

from moderator.domain.access import Role
from moderator.domain.times import london_date
from moderator.store import absences, register

DISCLOSURE = "This is a disclosure of harm, said Tilly Marwood"


def head_sees(served: Served, item: int) -> tuple[int, bool]:
    """Return the status of the item's page for the Headteacher, and whether it is in their queue."""
    head = served.clients[Role.HEAD]
    return head.get(f"/items/{item}").status_code, f"/items/{item}" in head.get("/").text


def end(served: Served, reference: str) -> None:
    now = served.stage.clock.now()
    with served.stage.database.unit() as unit:
        found = register.acting_by_reference(unit.connection, reference, london_date(now))
        assert found is not None
        register.end_designation(unit.connection, found.designations[0].id, by="CEO-1", reason="Left the trust.", at=now)


def test_r15_a_disclosure_is_not_the_headteachers_while_a_lead_is_there(served: Served) -> None:
    item = served.seen(DISCLOSURE)[0]
    assert head_sees(served, item) == (404, False)
    assert served.clients[Role.DSL].get(f"/items/{item}").status_code == 200
    assert served.clients[Role.ADMIN].get(f"/items/{item}").status_code == 404


def test_r15_the_headteacher_stands_in_while_every_lead_is_away_or_gone(served: Served) -> None:
    item = served.seen(DISCLOSURE)[0]
    end(served, "TSL-1")
    assert head_sees(served, item) == (404, False)
    now = served.stage.clock.now()
    with served.stage.database.unit() as unit:
        lead = register.person_by_email(unit.connection, "dsl@oakfield.example")
        assert lead is not None
        absences.note_absence(unit.connection, person_id=lead.id, first_day=BEGAN, last_day=london_date(now), noted_by="HEAD-1", at=now)
    assert head_sees(served, item) == (200, True)
    assert served.clients[Role.ADMIN].get(f"/items/{item}").status_code == 404
    assert served.clients[Role.DEPUTY].get(f"/items/{item}").status_code == 404


def test_r21_a_disclosure_that_names_the_only_lead_is_open_to_whoever_stands_in(served: Served) -> None:
    item, other = served.seen(DISCLOSURE, "This is a disclosure of harm")
    end(served, "TSL-1")
    with served.stage.database.unit() as unit:
        lead = register.person_by_email(unit.connection, "dsl@oakfield.example")
        assert lead is not None
        reference = unit.connection.execute(sa.text("SELECT reference FROM item_people")).scalar_one()
        register.change_person(unit.connection, replace(lead, roll_reference=reference))
    assert served.clients[Role.DSL].get(f"/items/{item}").status_code == 404
    assert head_sees(served, item)[0] == 200
    assert head_sees(served, other)[0] == 404

"""People: who is designated, designating, ending, renewing, days away, as the pages do it (R3, R21, R26)."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from lists_app import lists_app
from review_app import Served
from stage import SCHOOL

from moderator.domain.access import Role
from moderator.domain.times import london_date
from moderator.store import proofs, register
from moderator.store.ledger import LEDGER

PAGE = "/schools/oakfield/people"
NEW = {
    "role": "admin",
    "name": "Wendell Frome",
    "email": "w.frome@oakfield.example",
    "roll_reference": "S-77",
    "begins_on": "2026-11-18",
    "ends_on": "2027-11-17",
}
COMING = httpx.codes.SEE_OTHER


def ledger_of(served: Served, school: str = "oakfield") -> list[tuple[str, str, str]]:
    """Return the register's lines of a ledger: subject, actor, reason."""
    wanted = sa.select(LEDGER.c.line).where(LEDGER.c.school == school, LEDGER.c.event == "registered").order_by(LEDGER.c.seq)
    with served.stage.database.reading() as connection:
        lines = [json.loads(line) for line in connection.execute(wanted).scalars()]
    return [(line["subject"], line["actor"], line["reason"]) for line in lines]


def id_of(served: Served, reference: str) -> int:
    with served.stage.database.reading() as connection:
        return next(each.id for _, held in register.people_of(connection) for each in held if each.reference == reference)


def person_of(served: Served, reference: str) -> int:
    with served.stage.database.reading() as connection:
        return next(person.id for person, held in register.people_of(connection) for each in held if each.reference == reference)


def reference_of(served: Served, email: str) -> str:
    """Return the newest designation of whoever has that address."""
    with served.stage.database.reading() as connection:
        return next(held[-1].reference for person, held in register.people_of(connection) if person.email == email)


def notice(page: str) -> str:
    found = re.search(r'role="(?:alert|status)"><p>(.*?)</p>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]) if found else ""


@pytest.fixture(scope="module")
def people(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield one app for all tests here that end nobody's session."""
    with lists_app(migrated_file, tmp_path_factory.mktemp("people")) as made:
        yield made


def test_r3_the_page_says_who_holds_what_signed_by_whom_since_when(people: Served) -> None:
    page = people.head.get(PAGE).text
    for name in ("Tamsin Okoro", "Petra Lindqvist", "Maren Holloway"):
        assert name in page
    assert "Maren Holloway (CEO-1)" in page
    assert "Tuesday 1 September 2026" in page
    assert "the Younger" not in page, "another school's people are not there"
    assert page.count("They have not set up their sign-in yet.") >= 8


def test_r3_who_reviews_sees_and_only_who_signs_finds_buttons(people: Served) -> None:
    seen = people.clients[Role.DSL].get(PAGE).text
    assert "Tamsin Okoro" in seen
    assert "Designate somebody" not in seen
    assert "End or renew" not in seen
    assert people.clients[Role.DSL].get(f"{PAGE}/designate").status_code == httpx.codes.FORBIDDEN
    assert people.clients[Role.TRUSTEE].get(PAGE).status_code == httpx.codes.FORBIDDEN
    head, ceo = people.head.get(PAGE).text, people.clients[Role.CEO].get(PAGE).text
    for theirs in ("Deputy (senior leadership), Callum", "Designated Safeguarding Lead, Bronwen", "Account admin, Petra"):
        assert f'<span class="unseen"> {theirs}' in head
    for trusts in ("Headteacher, Tamsin", "Trust CEO or COO, Maren", "Trust Safeguarding Lead, Idris"):
        assert f'<span class="unseen"> {trusts}' not in head
        assert f'<span class="unseen"> {trusts}' in ceo


def test_r3_designate_signs_dates_invites_and_writes_the_ledger(people: Served) -> None:
    answer = people.head.post(f"{PAGE}/designate", data=NEW | {"send": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (COMING, f"{PAGE}?done=invited")
    page = people.head.get(answer.headers["location"]).text
    assert "an invitation is on its way" in notice(page)
    assert "Wendell Frome" in page
    assert "Tamsin Okoro (HEAD-1) on Wednesday 18 November 2026" in page
    made = reference_of(people, NEW["email"])
    assert ledger_of(people)[-2:] == [(made, "HEAD-1", "designated"), (made, "HEAD-1", "invited")]
    text = (people.stage.folder / SCHOOL.ledger).read_text(encoding="utf-8")
    assert "Frome" not in text


REFUSED = (
    ({"email": "w.frome@mail.example"}, 400, "not a school address"),
    ({"name": "", "email": "x@oakfield.example"}, 400, "person's name"),
    ({"role": "head"}, 400, "Choose a role"),
    ({"role": "ceo-trust"}, 400, "Choose a role"),
    ({"begins_on": "soon"}, 400, "the first day"),
    ({"ends_on": "2026-11-01", "email": "x@oakfield.example"}, 400, "before it begins"),
    ({"email": "head@oakfield.example"}, 409, "nobody designates themselves"),
    ({"email": "admin@oakfield.example"}, 400, "under another name"),
    ({"email": "admin@oakfield.example", "name": ""}, 400, "designated as Account admin already"),
)


def test_r3_r26_what_cannot_be_signed_is_refused_with_what_was_typed(people: Served) -> None:
    before = ledger_of(people)
    for changes, status, why in REFUSED:
        answer = people.head.post(f"{PAGE}/designate", data=NEW | changes)
        assert answer.status_code == status
        assert why.casefold() in notice(answer.text).replace("&#39;", "'").casefold()
        assert 'value="S-77"' in answer.text
    assert ledger_of(people) == before


def test_r3_a_designation_of_the_trust_is_in_every_schools_ledger(people: Served) -> None:
    trust = NEW | {"role": "auditor-trust", "email": "auditor2@oakfield.example", "ends_on": ""}
    assert people.clients[Role.CEO].post(f"{PAGE}/designate", data=trust).headers["location"].endswith("done=designated")
    for school in ("oakfield", "ashford"):
        assert ledger_of(people, school)[-1] == ("AUDITOR-2", "CEO-1", "designated")


def test_r3_ending_signs_the_person_out_in_the_same_moment(served: Served) -> None:
    people = served
    admin = people.clients[Role.ADMIN]
    assert admin.get(PAGE).status_code == httpx.codes.OK
    address = f"/designations/{id_of(people, 'ADMIN-1')}"
    assert "Petra Lindqvist" in people.head.get(address).text
    refused = people.head.post(f"{address}/end", data={"reason": "  "})
    assert (refused.status_code, admin.get(PAGE).status_code) == (400, httpx.codes.OK)
    assert people.head.post(f"{address}/end", data={"reason": "Left for another school"}).status_code == COMING
    assert admin.get(PAGE).status_code == httpx.codes.UNAUTHORIZED
    page = people.head.get(f"{PAGE}?done=ended").text
    assert "Left for another school" in page
    assert ledger_of(people)[-1] == ("ADMIN-1", "HEAD-1", "designation_ended")
    again = people.head.post(f"{address}/end", data={"reason": "Once more"})
    assert (again.status_code, "has ended already" in again.text) == (400, True)
    gone = people.head.post(f"{PAGE}/{person_of(people, 'ADMIN-1')}/invite", data={"confirm": "yes"})
    assert (gone.status_code, "designate them first" in gone.text) == (400, True)
    stale_proofs(people)


def stale_proofs(people: Served) -> None:
    """Half an hour on, every sensitive page asks who it is again."""
    people.stage.clock.move(timedelta(minutes=31))
    deputy, person = f"/designations/{id_of(people, 'DEPUTY-1')}", f"{PAGE}/{person_of(people, 'DEPUTY-1')}"
    for address in (f"{PAGE}/designate", deputy, person):
        answer = people.head.get(address)
        assert (answer.status_code, answer.headers["location"].startswith("/prove")) == (COMING, True)
    for address in (f"{PAGE}/designate", f"{deputy}/end", f"{deputy}/renew", f"{person}/details", f"{person}/invite"):
        assert people.head.post(address, data=NEW | {"reason": "Left"}).headers["location"].startswith("/prove")


def test_r3_nobody_ends_whom_somebody_else_signs_for(people: Served) -> None:
    for reference in ("CEO-1", "TSL-1", "HEAD-1"):
        address = f"/designations/{id_of(people, reference)}"
        assert people.head.get(address).status_code == httpx.codes.FORBIDDEN
        assert people.head.post(f"{address}/end", data={"reason": "Mine now"}).status_code == httpx.codes.FORBIDDEN
        assert people.head.post(f"{address}/renew", data={"ends_on": "2028-01-01"}).status_code == httpx.codes.FORBIDDEN
    other = f"/designations/{id_of(people, 'ADMIN-2')}"
    assert people.head.get(other).status_code == httpx.codes.NOT_FOUND
    assert people.head.post(f"{other}/end", data={"reason": "Not mine"}).status_code == httpx.codes.NOT_FOUND
    assert people.head.get("/designations/999").status_code == httpx.codes.NOT_FOUND


def test_r3_a_new_headteacher_takes_over_and_the_last_signer_stays(served: Served) -> None:
    people = served
    ceo = people.clients[Role.CEO]
    new = NEW | {"role": "head", "name": "Odile Brandt", "email": "o.brandt@oakfield.example"}
    refused = ceo.post(f"{PAGE}/designate", data=new)
    assert (refused.status_code, "There is a Headteacher already, HEAD-1" in refused.text) == (400, True)
    assert ceo.post(f"{PAGE}/designate", data=new | {"takes_over": "yes"}).status_code == COMING
    assert people.head.get(PAGE).status_code == httpx.codes.UNAUTHORIZED
    assert ("HEAD-1", "CEO-1", "handed_over") in ledger_of(people)
    with people.stage.database.reading() as connection:
        now = register.holders(connection, "oakfield", london_date(people.stage.clock.now()), Role.HEAD)[Role.HEAD]
    assert [person.name for person in now] == ["Odile Brandt"]
    lone = people.clients[Role.CEO].post(f"/designations/{id_of(people, 'HEAD-3')}/end", data={"reason": "Gone on leave"})
    assert lone.status_code == COMING, "the CEO still signs for the school"
    last = ceo.post(f"/designations/{id_of(people, 'CEO-1')}/end", data={"reason": "I leave"})
    assert (last.status_code, "the last one who can sign for oakfield:" in last.text) == (409, True)


def test_r3_renewing_is_a_new_signature(people: Served) -> None:
    yearly = NEW | {"name": "Ines Calloway", "email": "i.calloway@oakfield.example"}
    assert people.head.post(f"{PAGE}/designate", data=yearly).status_code == COMING
    address = f"/designations/{id_of(people, reference_of(people, yearly['email']))}"
    assert 'value="2028-11-17"' in people.head.get(address).text, "offered: a year more"
    assert people.head.post(f"{address}/renew", data={"ends_on": "x"}).status_code == 400
    assert people.head.post(f"{address}/renew", data={"ends_on": "2028-07-31"}).headers["location"] == f"{PAGE}?done=renewed"
    page = people.head.get(PAGE).text
    assert "from Thursday 18 November 2027" in page
    assert ledger_of(people)[-1] == (reference_of(people, yearly["email"]), "HEAD-1", "designated")
    open_ended = people.head.post(f"/designations/{id_of(people, 'ADMIN-1')}/renew", data={"ends_on": "2028-07-31"})
    assert (open_ended.status_code, "cannot be renewed" in open_ended.text) == (400, True)


def test_r3_r21_details_are_changed_by_whoever_signs_for_all_the_person_is(people: Served) -> None:
    deputy = f"{PAGE}/{person_of(people, 'DEPUTY-1')}"
    form = {"name": "Callum Reyes-Hale", "email": "deputy@oakfield.example", "roll_reference": "S-12"}
    assert people.head.post(f"{deputy}/details", data=form).headers["location"] == f"{deputy}?done=details"
    page = people.head.get(f"{deputy}?done=details").text
    assert 'value="S-12"' in page
    assert "Callum Reyes-Hale" in page
    assert ledger_of(people)[-1] == ("DEPUTY-1", "HEAD-1", "person_changed")
    refused = people.head.post(f"{deputy}/details", data=form | {"email": "me@mail.example"})
    assert (refused.status_code, 'value="me@mail.example"' in refused.text) == (400, True)
    for reference in ("CEO-1", "TSL-1", "HEAD-1"):
        theirs = f"{PAGE}/{person_of(people, reference)}"
        assert people.head.get(theirs).status_code == httpx.codes.FORBIDDEN
        assert people.head.post(f"{theirs}/details", data=form).status_code == httpx.codes.FORBIDDEN
        assert people.head.post(f"{theirs}/invite").status_code == httpx.codes.FORBIDDEN
    assert people.head.get(f"{PAGE}/{person_of(people, 'ADMIN-2')}").status_code == httpx.codes.NOT_FOUND
    assert people.clients[Role.CEO].get(f"{PAGE}/{person_of(people, 'HEAD-1')}").status_code == httpx.codes.OK


def test_an_invitation_goes_out_again(people: Served) -> None:
    admin = f"{PAGE}/{person_of(people, 'ADMIN-1')}"
    assert people.head.post(f"{admin}/invite").status_code == 400, "never by a slip: it ends what they sign in with"
    assert 'type="hidden" name="confirm" value="yes"' in people.head.get(admin).text, "who has none yet has nothing to lose"
    with people.stage.database.unit() as unit:
        proofs.set_password(unit.connection, person_of(people, "ADMIN-1"), "hash")
        unit.connection.execute(sa.update(register.PEOPLE).where(register.PEOPLE.c.name == "Petra Lindqvist").values(totp_sealed=b"x"))
    assert 'type="checkbox" id="confirm"' in people.head.get(admin).text
    assert people.head.post(f"{admin}/invite", data={"confirm": "yes"}).headers["location"] == f"{PAGE}?done=invitation"
    assert ledger_of(people)[-1] == ("ADMIN-1", "HEAD-1", "invited")


def test_r21_days_away_are_noted_and_taken_back(people: Served) -> None:
    deputy = f"{PAGE}/{person_of(people, 'DEPUTY-1')}"
    assert people.head.post(f"{deputy}/away", data={"first_day": "2026-11-18", "last_day": "2026-11-20"}).status_code == COMING
    page = people.head.get(PAGE).text
    assert "Away Wednesday 18 November 2026 to Friday 20 November 2026" in page
    assert ledger_of(people)[-1] == ("DEPUTY-1", "HEAD-1", "absence_noted")
    refused = people.head.post(f"{deputy}/away", data={"first_day": "2026-11-18", "last_day": "2026-11-17"})
    assert (refused.status_code, 'value="2026-11-17"' in refused.text) == (400, True)
    assert people.head.post(f"{deputy}/away", data={"first_day": "2026-11-18"}).status_code == 400
    number = re.search(rf"{deputy}/away/(\d+)/cancel", people.head.get(deputy).text)
    assert number is not None
    assert people.others[Role.HEAD].post(number[0]).status_code == httpx.codes.NOT_FOUND
    admin = f"{PAGE}/{person_of(people, 'ADMIN-1')}"
    assert people.head.post(f"{admin}/away/{number[1]}/cancel").status_code == 400, "another person's days"
    assert people.head.post(number[0]).status_code == COMING
    assert "Away Wednesday" not in people.head.get(PAGE).text
    assert ledger_of(people)[-1] == ("DEPUTY-1", "HEAD-1", "absence_cancelled")


def test_r21_everybody_notes_their_own_days_and_place_on_the_roll_once(people: Served) -> None:
    deputy = people.others[Role.DEPUTY]
    assert deputy.post("/my/days", data={"first_day": "2026-12-01", "last_day": "2026-12-01"}).headers["location"] == "/my/days?done=away"
    page = deputy.get("/my/days?done=away").text
    assert "Tuesday 1 December 2026" in page
    number = re.search(r"/my/days/(\d+)/cancel", page)
    assert number is not None
    assert people.clients[Role.DSL].post(number[0]).status_code == 400
    assert deputy.post(number[0]).status_code == COMING
    assert deputy.post(number[0]).status_code == 400
    assert deputy.post("/my/days", data={"first_day": "", "last_day": ""}).status_code == 400
    assert deputy.post("/my/roll", data={"roll_reference": " "}).status_code == 400
    assert deputy.post("/my/roll", data={"roll_reference": "S-12"}).status_code == COMING
    assert "S-12" in deputy.get("/my/days").text
    assert deputy.post("/my/roll", data={"roll_reference": "S-13"}).status_code == 400, "else the person named could un-name themselves"
    assert people.stranger.get("/my/days").status_code == httpx.codes.UNAUTHORIZED

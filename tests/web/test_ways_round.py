"""Ways round a rule that a review found, shut: by a preview, a designation, an old mail, a token, a date at the end of time."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from review_app import Served, enter
from signing import door_in
from stage import comment

from moderator.build.rolls import Rolls
from moderator.domain.access import Role
from moderator.domain.readers import Scope
from moderator.domain.register import Person
from moderator.steps.decide import decide
from moderator.steps.digest import digest
from moderator.steps.poll import poll
from moderator.steps.score import score
from moderator.steps.send import send
from moderator.store import readers, register, roll
from moderator.store.sign_in import SIGN_INS, Purpose

AT = "/schools/oakfield"
NAMED = "You idiot Tilly Marwood"
SAFEGUARDING = "This is a disclosure of harm"
PUPILS = "UPN,Legal Surname,Legal Forename\nU1,Marwood,Matilda\nU2,Bramwell,Jonah\n"
STAFF = "Staff Code;Title;Legal First Name;Legal Last Name\nGPE;Mr;Gareth;Pemberwick\n"
NEW = {"role": "admin", "name": "Rowan Vale", "email": "rowan@oakfield.example", "begins_on": "2026-11-18", "ends_on": "2027-11-17"}


def person(served: Served, address: str) -> Person:
    with served.stage.database.reading() as connection:
        found = register.person_by_email(connection, address)
    assert found is not None
    return found


def name_the_head(served: Served) -> None:
    """Let the roll's Tilly Marwood be the Headteacher."""
    with served.stage.database.unit() as unit:
        register.change_person(unit.connection, replace(person(served, "head@oakfield.example"), roll_reference="P-1"))


def upload(client: httpx.Client, content: str, *, kind: str = "") -> str:
    """Hand a roll's file in and return where its preview is."""
    files = [("file", ("export.csv", content.encode(), "text/csv"))]
    answer = client.post(f"{AT}/roll/upload", data={"kind": kind, "everybody": "no"}, files=files)
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path


def test_knowing_the_password_buys_no_more_tries_at_the_code(migrated_file: Path, tmp_path: Path) -> None:
    with door_in(tmp_path, migrated_file) as door:
        signer = door.signer(Role.HEAD)
        begun = [door.browser() for _ in range(12)]
        assert {door.password(browser, signer).status_code for browser in begun} == {303}
        for number, browser in enumerate(begun[:-1]):
            for half in (0, 1):
                assert browser.post("/sign-in/code", data={"code": f"{2 * number + half:06d}"}).status_code != 303
        assert begun[-1].post("/sign-in/code", data={"code": door.code(signer)}).status_code != 303


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEPUTY, Role.DSL])
def test_r35_a_preview_shows_no_counts_that_the_page_refuses(served: Served, role: Role) -> None:
    client = served.clients[role]
    assert client.get(f"{AT}/trustees").status_code == 403
    assert client.get(f"{AT}/digests/preview?report=termly").status_code == 403
    assert client.get(f"{AT}/digests/preview/mail?report=termly").status_code == 403


def test_an_invitation_to_a_wrong_address_ends_when_it_is_mended(served: Served) -> None:
    ceo = served.clients[Role.CEO]
    assert ceo.post(f"{AT}/people/designate", data=NEW | {"email": "wrong@oakfield.example", "send": "yes"}).status_code == 303
    invited = person(served, "wrong@oakfield.example")
    live = sa.select(sa.func.count()).where(
        SIGN_INS.c.person_id == invited.id, SIGN_INS.c.purpose == Purpose.INVITE.value, SIGN_INS.c.used_at.is_(None)
    )

    def waiting() -> int:
        with served.stage.database.reading() as connection:
            return int(connection.execute(live).scalar_one())

    assert waiting() == 1
    mended = {"name": "Rowan Vale", "email": "rowan@oakfield.example", "roll_reference": ""}
    assert ceo.post(f"{AT}/people/{invited.id}/details", data=mended).status_code == 303
    assert waiting() == 0


def test_r21_designating_somebody_does_not_set_the_place_on_the_roll_of_whom_one_may_not_change(served: Served) -> None:
    item = served.seen(NAMED)[0]
    name_the_head(served)
    ceo = person(served, "ceo@oakfield.example")
    form = {"role": "auditor", "name": "", "email": ceo.email, "roll_reference": "P-1", "begins_on": "2026-11-18", "ends_on": "2026-11-19"}
    served.head.post(f"{AT}/people/designate", data=form)
    assert person(served, ceo.email).roll_reference == ""
    assert served.clients[Role.CEO].get(f"/items/{item}").status_code == 200


def test_r20_two_who_replace_parts_of_the_roll_at_once_both_do(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, lead = served.clients[Role.ADMIN], served.clients[Role.DSL]
    pupils, staff = upload(admin, PUPILS, kind="pupil"), upload(lead, STAFF)
    whole = Rolls.change
    between: list[str] = []

    def change(self: Rolls, *words: Any, **named: Any) -> Any:
        made = whole(self, *words, **named)
        if not between:
            between.append("")
            between[0] = lead.post(f"{staff}/replace", data={"sure": "yes"}).headers["location"]
        return made

    monkeypatch.setattr(Rolls, "change", change)
    done = admin.post(f"{pupils}/replace", data={"sure": "yes"}).headers["location"]
    assert (done, between) == (f"{AT}/roll?done=roll_replaced", [f"{AT}/roll?done=roll_replaced"])
    with served.stage.database.reading() as connection:
        counts = sa.select(roll.ROLL_ENTRIES.c.kind, sa.func.count()).group_by(roll.ROLL_ENTRIES.c.kind)
        assert {str(kind): count for kind, count in connection.execute(counts)} == {"pupil": 2, "staff": 1}


def test_r21_the_copy_of_the_activity_does_not_tell_that_there_was_a_digest_apart(served: Served) -> None:
    served.seen(SAFEGUARDING, NAMED)
    name_the_head(served)
    served.stage.clock.move(timedelta(days=1))
    while digest(served.stage.tools):
        pass
    while send(served.stage.tools):
        pass
    assert enter(served.head, served.link()).status_code == 303
    for text in (served.head.get(f"{AT}/activity").text, served.head.post(f"{AT}/activity.csv").text):
        assert "digest" in text
        assert "conflict" not in text
        assert "-safeguarding-" not in text


def test_r21_nor_the_lines_of_what_was_withheld_before_its_record(served: Served) -> None:
    served.stage.platform.comments.append(comment(44, NAMED))
    for step in (poll, score, decide):
        while step(served.stage.tools):
            pass
    item = int(str(served.stage.rows("id")[-1][0]))
    name_the_head(served)
    assert served.clients[Role.CEO].post(f"/items/{item}/withhold", data={"confirm": "yes"}).status_code == 303
    assert not re.search(r"R-[A-Z2-7]{16}", served.head.get(f"{AT}/activity").text)


def test_r15_a_token_without_safeguarding_counts_no_disclosure(served: Served) -> None:
    served.seen(SAFEGUARDING)
    now, secret = served.stage.clock.now(), "mod_counts"
    with served.stage.database.unit() as unit:
        scopes = frozenset({Scope.COUNTS})
        readers.add_token(
            unit.connection, secret, label="t", school="oakfield", scopes=scopes, made_by="HEAD-1", at=now, expires_on=now.date()
        )
    counts = served.stranger.get(f"/api/v1{AT}/counts/2026-11-18", headers={"Authorization": f"Bearer {secret}"})
    assert (counts.status_code, counts.json()["flagged"]) == (200, 0)


def test_r32_the_policy_is_changed_only_by_who_has_just_proved_who_they_are(served: Served) -> None:
    ceo = served.clients[Role.CEO]
    page = ceo.get(f"{AT}/policy").text
    form = dict(re.findall(r'<input[^>]*name="([fsg]_[a-z_]+)"[^>]*value="([^"]*)"', page))
    with served.stage.database.unit() as unit:
        unit.connection.execute(sa.update(SIGN_INS).where(SIGN_INS.c.actor == "CEO-1").values(proved_at=None))
    form |= {"f_insult": "0.99", "instead_of": "0", "why": "Nobody proved who this is", "hide_names": "", "back": "oakfield"}
    assert ceo.post("/trust/policy", data=form).headers["location"].startswith("/prove")


def test_dates_at_the_end_of_time_are_dates(served: Served) -> None:
    ceo = served.clients[Role.CEO]
    assert ceo.post(f"{AT}/people/designate", data=NEW | {"ends_on": "9999-12-31"}).status_code == 303
    with served.stage.database.reading() as connection:
        number = connection.execute(sa.select(sa.func.max(register.DESIGNATIONS.c.id))).scalar()
    assert ceo.get(f"/designations/{number}").status_code == 200
    for page in ("records", "activity"):
        for end in ("since", "until"):
            assert ceo.get(f"{AT}/{page}?{end}=9999-12-31").status_code == 200
    admin = served.clients[Role.ADMIN]
    at = upload(admin, "UPN,Surname,Forename,Leaving Date\nU1,Bramwell,Jonah,31/12/9999\n", kind="pupil")
    assert admin.post(f"{at}/replace", data={"sure": "yes"}).headers["location"] == f"{AT}/roll?done=roll_replaced"

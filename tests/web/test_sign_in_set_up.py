"""The first set-up, invitations, and the steps to a password, an app and recovery codes."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pyotp
import pytest
import sqlalchemy as sa
from cast import ASHFORD
from fastapi import FastAPI
from review_app import serve
from signing import PASSWORD, Door, door_in, door_over, path_of
from stage import SCHOOL, Stage

from moderator.domain.access import Role
from moderator.domain.errors import BadInput
from moderator.domain.register import Person
from moderator.settings import ASSETS
from moderator.store import proofs, register
from moderator.store.outbox import OUTBOX
from moderator.web.app import create_app
from moderator.web.sign_in import is_set_up, new_set_up_code
from moderator.web.signing_in.app_picture import app_address, picture
from moderator.web.signing_in.invited import INVITATION_LIVES, invite

FIRST = {"who": "head:oakfield", "name": "Tamsin Okoro", "email": "t.okoro@oakfield.example"}


@pytest.fixture(scope="module")
def door(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Yield one served app with a Headteacher; each test brings further people of its own."""
    with door_in(tmp_path_factory.mktemp("invited"), migrated_file) as made:
        made.signer(Role.HEAD)
        yield made


@pytest.fixture
def empty(stage: Stage) -> Iterator[Door]:
    """Yield a served app with nobody in the register."""
    with door_over(stage) as made:
        yield made


def secret_on(browser: httpx.Client) -> str:
    """Return the app's secret as the page shows it to type."""
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get("/enrol/app").text)
    assert found
    return found[1].replace(" ", "")


def finish(door: Door, browser: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    """Choose a password, set the app up, and return the page with the recovery codes."""
    assert path_of(browser.post("/enrol/password", data={"password": password, "again": password})) == "/enrol/app"
    return browser.post("/enrol/app", data={"code": pyotp.TOTP(secret_on(browser)).at(door.stage.clock.now())})


def codes_on(page: httpx.Response) -> list[str]:
    return re.findall(r"<code>([0-9A-Z-]+)</code>", page.text)


def invited_by_mail(door: Door, person: Person, by: str = "HEAD-1") -> tuple[str, EmailMessage]:
    """Invite a person and return the path of the link in the mail, and the mail."""
    with door.stage.database.unit() as unit:
        invite(unit, door.app.state.site, person, by=by)
    with door.stage.database.reading() as connection:
        raw = connection.execute(sa.select(OUTBOX.c.message).order_by(OUTBOX.c.id.desc()).limit(1)).scalar_one()
    mail = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    text = mail.get_body(("plain",))
    assert text is not None
    link = re.search(r"http://\S+/invited/\S+", text.get_content())
    assert link
    return urlsplit(link.group()).path, mail


def test_from_an_empty_register_to_a_signed_in_head(empty: Door) -> None:
    database, browser = empty.stage.database, empty.browser()
    code = new_set_up_code(database, now=empty.stage.clock.now())
    assert browser.get("/set-up").status_code == 200
    assert path_of(browser.post("/set-up", data=FIRST | {"code": code.lower().replace("-", " ")})) == "/enrol/password"
    page = finish(empty, browser)
    assert page.status_code == 200
    assert len(set(codes_on(page))) == 10
    assert empty.inside(browser)
    assert empty.lines("HEAD-1", "registered")[0]["actor"] == "console"
    assert empty.lines("HEAD-1")[0]["reason"] == "password"
    assert FIRST["name"] not in str(empty.lines("HEAD-1", "registered"))
    assert browser.get("/set-up").status_code == 404
    assert browser.post("/set-up", data=FIRST | {"code": code}).status_code == 404
    with pytest.raises(BadInput, match="designated already"):
        new_set_up_code(database, now=empty.stage.clock.now())


def test_r26_the_first_set_up_refuses_what_is_wrong_and_keeps_what_was_typed(empty: Door) -> None:
    database, browser = empty.stage.database, empty.browser()
    old = new_set_up_code(database, now=empty.stage.clock.now())
    code = new_set_up_code(database, now=empty.stage.clock.now())
    assert code != old
    for wrong, status, said in (
        ({"code": "AAAA-AAAA-AAAA-AAAA"}, 403, "This code is not right"),
        ({"code": old}, 403, "This code is not right"),
        ({"code": code, "email": "t.okoro@home.example"}, 400, "is not a school address"),
        ({"code": code, "who": ""}, 400, "say which of these you are".capitalize()),
        ({"code": code, "who": "head:elsewhere"}, 400, "Say which"),
        ({"code": code, "who": "ceo:oakfield"}, 400, "Say which"),
        ({"code": code, "who": "admin:oakfield"}, 400, "Say which"),
        ({"code": code, "who": "head"}, 400, "Say which"),
        ({"code": code, "name": "  "}, 400, "name"),
    ):
        answer = browser.post("/set-up", data=FIRST | wrong)
        assert (answer.status_code, said in answer.text) == (status, True), wrong
        assert f'value="{html.escape((FIRST | wrong)["email"])}"' in answer.text
        assert "step" not in browser.cookies
    with database.reading() as connection:
        assert register.people_of(connection) == []
        assert not is_set_up(connection, empty.stage.clock.now())
    empty.stage.clock.move(timedelta(hours=24))
    assert browser.post("/set-up", data=FIRST | {"code": code}).status_code == 403


def test_the_ceo_is_first_for_every_school_and_a_code_is_good_once(empty: Door) -> None:
    browser = empty.browser()
    code = new_set_up_code(empty.stage.database, now=empty.stage.clock.now())
    browser.post("/set-up", data=FIRST | {"code": code, "who": "ceo"})
    for school in (SCHOOL, ASHFORD):
        assert [line["reason"] for line in empty.lines("CEO-1", "registered", school)] == ["designated"]
    with empty.stage.database.unit() as unit:
        register.end_designation(unit.connection, 1, by="CEO-1", reason="left", at=empty.stage.clock.now())
    assert empty.browser().post("/set-up", data=FIRST | {"code": code}).status_code == 403


def test_an_invitation_leads_to_a_sign_in_and_then_no_longer_works(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    path, mail = invited_by_mail(door, signer.person)
    assert mail["To"] == signer.person.email
    assert door.lines(signer.designation.reference, "registered")[-1]["reason"] == "invited"
    assert path_of(browser.post(path)) == "/enrol/password"
    assert finish(door, browser).status_code == 200
    assert door.inside(browser)
    assert browser.post(path).status_code == 403
    again = door.browser()
    answer = door.password(again, signer)
    assert answer.status_code == 303


def test_the_mail_names_the_school_and_nobody(door: Door) -> None:
    signer = door.signer(ready=False)
    _, mail = invited_by_mail(door, signer.person)
    everything = mail.as_string() + "".join(str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text")
    assert SCHOOL.name in mail["Subject"]
    assert signer.person.name.split()[0] not in everything.replace(signer.person.email, "")
    trust = door.signer(Role.AUDITOR, ready=False)
    assert "Oakfield Learning Trust" in invited_by_mail(door, trust.person)[1]["Subject"]


def test_opening_an_invitation_uses_nothing_up_and_says_nothing_of_whom_it_is_for(door: Door) -> None:
    signer = door.signer(ready=False)
    path, _ = invited_by_mail(door, signer.person)
    pages = {door.browser().get(each).text.replace(each, "P") for each in (path, path, "/invited/made-up")}
    assert len(pages) == 1
    assert path_of(door.browser().post(path)) == "/enrol/password"


def test_an_invitation_is_over_after_a_week_and_after_a_newer_one(door: Door) -> None:
    signer = door.signer(ready=False)
    old, _ = invited_by_mail(door, signer.person)
    new, _ = invited_by_mail(door, signer.person)
    assert door.browser().post(old).status_code == 403
    assert door.browser().post(new).status_code == 303
    door.stage.clock.move(INVITATION_LIVES)
    assert door.browser().post(new).status_code == 403
    assert door.browser().post("/invited/made-up").status_code == 403


def test_whoever_stops_half_way_can_open_the_invitation_again(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    path, _ = invited_by_mail(door, signer.person)
    browser.post(path)
    browser.post("/enrol/password", data={"password": PASSWORD, "again": PASSWORD})
    assert door.password(door.browser(), signer).status_code == 403
    door.stage.clock.move(timedelta(minutes=31))
    over = browser.get("/enrol/app")
    assert (over.status_code, "This took too long" in over.text) == (403, True)
    other = door.browser()
    other.post(path)
    assert finish(door, other).status_code == 200


def test_somebody_who_lost_everything_is_invited_again_and_what_they_lost_opens_nothing(door: Door) -> None:
    signer, lost = door.signer(), door.browser()
    door.enter(lost, signer)
    path, _ = invited_by_mail(door, signer.person)
    assert not door.inside(lost)
    assert door.password(lost, signer).status_code == 403
    new = door.browser()
    new.post(path)
    assert finish(door, new, "thimble-walrus-canopy").status_code == 200
    with door.stage.database.unit() as unit:
        assert not proofs.use_recovery_code(unit.connection, signer.person.id, signer.codes[0], at=door.stage.clock.now())
        assert not proofs.use_code(unit.connection, door.sealer, signer.person.id, door.code(signer, 1), at=door.stage.clock.now())


def test_r26_nobody_is_invited_at_a_private_address_or_without_a_designation(door: Door) -> None:
    signer = door.signer(ready=False)
    with door.stage.database.unit() as unit:
        elsewhere = Person(signer.person.id, signer.person.name, "me@home.example")
        with pytest.raises(BadInput, match="is not a school address"):
            invite(unit, door.app.state.site, elsewhere, by="HEAD-1")
        register.end_designation(unit.connection, signer.designation.id, by="HEAD-1", reason="left", at=door.stage.clock.now())
        with pytest.raises(BadInput, match="no designation"):
            invite(unit, door.app.state.site, signer.person, by="HEAD-1")


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", "short", "at least 12"),
        ("kettle-otter-marigold", "kettle-otter-marigolds", "not the same"),
        ("oakfieldprimary2026", "oakfieldprimary2026", "your school"),
        ("Password123456", "Password123456", "guessed first"),
    ],
)
def test_a_bad_password_is_refused_with_its_reason(door: Door, password: str, again: str, said: str) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    browser.post(invited_by_mail(door, signer.person)[0])
    answer = browser.post("/enrol/password", data={"password": password, "again": again})
    assert (answer.status_code, said in answer.text) == (400, True)
    assert f'value="{password}"' not in answer.text
    assert path_of(browser.get("/enrol/app")) == "/enrol/password"


def test_a_wrong_code_sets_no_app_up_and_the_picture_stays_the_same(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    browser.post(invited_by_mail(door, signer.person)[0])
    browser.post("/enrol/password", data={"password": PASSWORD, "again": PASSWORD})
    before = secret_on(browser)
    answer = browser.post("/enrol/app", data={"code": "123"})
    assert (answer.status_code, "not right" in answer.text) == (400, True)
    assert secret_on(browser) == before
    assert not door.inside(browser)
    with door.stage.database.reading() as connection:
        assert not proofs.proofs_of(connection, signer.person.id).complete


def test_the_code_that_set_the_app_up_does_not_sign_in_again(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    browser.post(invited_by_mail(door, signer.person)[0])
    browser.post("/enrol/password", data={"password": PASSWORD, "again": PASSWORD})
    code = pyotp.TOTP(secret_on(browser)).at(door.stage.clock.now())
    browser.post("/enrol/app", data={"code": code})
    other = door.browser()
    door.password(other, signer)
    assert other.post("/sign-in/code", data={"code": code}).status_code == 403


def test_r3_a_set_up_that_outlives_the_designation_ends_at_its_last_step(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    browser.post(invited_by_mail(door, signer.person)[0])
    browser.post("/enrol/password", data={"password": PASSWORD, "again": PASSWORD})
    secret = secret_on(browser)
    with door.stage.database.unit() as unit:
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.id == signer.designation.id)
        unit.connection.execute(ended.values(ended_at=door.stage.clock.now(), ended_by="HEAD-1"))
    answer = browser.post("/enrol/app", data={"code": pyotp.TOTP(secret).at(door.stage.clock.now())})
    assert answer.status_code == 403
    assert not door.inside(browser)


def test_the_picture_is_the_address_that_apps_read(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    assert browser.get("/enrol/totp.svg").status_code == 403
    browser.post(invited_by_mail(door, signer.person)[0])
    browser.post("/enrol/password", data={"password": PASSWORD, "again": PASSWORD})
    address = app_address(secret_on(browser), signer.person)
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", f"/Moderator:{signer.person.email}")
    assert len(asked["secret"][0]) == 32
    assert asked["issuer"] == ["Moderator"]
    shown = browser.get("/enrol/totp.svg")
    assert shown.headers["content-type"] == "image/svg+xml"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.content == picture(address)
    assert 'viewBox="0 0 ' in shown.text


def test_an_app_without_a_sealer_sets_nothing_up(stage: Stage) -> None:
    def make(url: str) -> FastAPI:
        return create_app(database=stage.database, tools=stage.tools, templates=ASSETS / "templates", clock=stage.clock, base_url=url)

    with serve(make) as (url, app):
        door = Door(stage, app, url)
        with httpx.Client(base_url=url, headers={"Origin": url}) as browser:
            browser.post("/set-up", data=FIRST | {"code": new_set_up_code(stage.database, now=stage.clock.now())})
            assert finish(door, browser).status_code == 404
            assert browser.get("/security").status_code == 401

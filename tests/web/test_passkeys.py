"""Signing in with a passkey: an answer that is forged, used again or of another site gets nobody in; and the journey in a real browser."""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from cast import enrol
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from review_app import browser_like, enter, serve
from seen_pages import clean_in_both
from soft_passkey import Device, packed
from stage import Stage, set_up

from moderator.settings import ASSETS
from moderator.store import authorising, ledger, passkeys, proofs, register
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.sealed import Sealer
from moderator.web.app import create_app
from moderator.web.origin import Origin
from moderator.web.sign_in import new_link
from moderator.web.signing_in.passkey_check import added, held, named_in


@dataclass(frozen=True, slots=True)
class Place:
    """The app at `localhost`: a passkey wants a name, not a number."""

    stage: Stage
    url: str
    sealer: Sealer

    def link(self, reference: str) -> str:
        """Return a fresh sign-in link."""
        return new_link(self.stage.database, actor=reference, now=self.stage.clock.now(), base_url=self.url)

    def enter(self, client: httpx.Client, reference: str = "HEAD-1") -> None:
        """Sign somebody in by a link."""
        assert enter(client, self.link(reference)).status_code == 303

    def owner(self, client: httpx.Client, reference: str = "HEAD-1", label: str = "Desk", **device: Any) -> Device:
        """Sign somebody in and give them a passkey."""
        self.enter(client, reference)
        made = Device(self.url, **device)
        answer = add(client, made, label=label)
        assert answer.headers["location"] == "/security?done=passkey_added", answer.text
        return made

    def passkeys(self, reference: str = "HEAD-1") -> list[passkeys.Passkey]:
        """Return somebody's passkeys."""
        with self.stage.database.reading() as connection:
            return passkeys.of_person(connection, self.person(reference))

    def person(self, reference: str) -> int:
        """Return somebody's number."""
        wanted = sa.select(register.DESIGNATIONS.c.person_id).where(register.DESIGNATIONS.c.reference == reference)
        with self.stage.database.reading() as connection:
            return int(connection.execute(wanted).scalar_one())

    def forget(self) -> None:
        """Take every passkey and app out of the register."""
        with self.stage.database.unit() as unit:
            unit.connection.execute(sa.delete(passkeys.PASSKEYS))
            unit.connection.execute(sa.update(passkeys.PEOPLE).values(password_hash="", totp_sealed=None))

    def lines(self, school: str = "oakfield") -> list[dict[str, Any]]:
        """Return the lines of a school's ledger."""
        wanted = sa.select(ledger.LEDGER.c.line).where(ledger.LEDGER.c.school == school).order_by(ledger.LEDGER.c.seq)
        with self.stage.database.reading() as connection:
            return [json.loads(line) for line in connection.execute(wanted).scalars()]


@pytest.fixture(scope="module")
def served_place(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield the app, served once for this file."""
    folder = tmp_path_factory.mktemp("passkeys")
    shutil.copyfile(migrated_file, folder / "moderator.db")
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    stage = set_up(Database(engine), folder)
    enrol(stage)
    sealer = Sealer([Fernet.generate_key().decode()])
    where: list[str] = []

    def make(url: str) -> FastAPI:
        where.append(url.replace("127.0.0.1", "localhost"))
        return app_at(Place(stage, where[0], sealer), where[0])

    with serve(make):
        yield Place(stage, where[0], sealer)
    stage.tools.recorder.close()
    engine.dispose()


@pytest.fixture
def place(served_place: Place) -> Place:
    """Return the app with nobody's passkey in it."""
    served_place.forget()
    return served_place


@pytest.fixture
def client(place: Place) -> Iterator[httpx.Client]:
    """Yield a fresh browser."""
    with browser_like(place.url) as made:
        yield made


@pytest.fixture
def other(place: Place) -> Iterator[httpx.Client]:
    """Yield another fresh browser."""
    with browser_like(place.url) as made:
        yield made


def asked(client: httpx.Client, page: str = "/sign-in/passkey") -> tuple[str, dict[str, Any]]:
    """Return a fresh question: its state, and what the device is given."""
    answer = client.post(f"{page}/question")
    assert answer.status_code == 200, answer.text
    return answer.json()["state"], answer.json()["options"]


def add(client: httpx.Client, device: Device, *, label: str = "Desk", **lies: Any) -> httpx.Response:
    """Add a passkey."""
    state, options = asked(client, "/security/passkeys")
    return client.post("/security/passkeys", data={"state": state, "answer": device.make(options, **lies), "label": label})


def sign_in(client: httpx.Client, device: Device, **lies: Any) -> httpx.Response:
    """Sign in with a passkey."""
    state, options = asked(client)
    return client.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options, **lies)})


def signed_in(client: httpx.Client) -> bool:
    """Return whether a session opens a page."""
    return client.get("/security").status_code == 200


def test_a_passkey_alone_signs_its_person_in_and_the_ledger_says_so(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client, label="  The   office  ")
    [key] = place.passkeys()
    assert (key.label, key.credential_id, key.used_at) == ("The office", device.credential, None)
    assert place.lines()[-1] | {"event": "registered", "actor": "HEAD-1", "reason": "passkey_added"} == place.lines()[-1]
    state, options = asked(other)
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert not options["allowCredentials"]
    answer = other.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options), "next": "/security"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/security")
    assert signed_in(other)
    assert place.lines()[-1] | {"event": "signed_in", "actor": "HEAD-1", "reason": "passkey"} == place.lines()[-1]
    assert place.passkeys()[0].used_at is not None
    again = other.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options)})
    assert again.status_code == 403
    assert "used before" in again.text


def test_it_goes_on_to_a_page_of_ours_only(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client)
    state, options = asked(other)
    answer = other.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options), "next": "//elsewhere.example"})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://moderator.elsewhere.example"},
        {"site": "elsewhere.example"},
        {"challenge": packed(bytes(64))},
        {"type": "webauthn.create"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"handle": packed(b"person-2")},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_forged_answer_gets_nobody_in(place: Place, client: httpx.Client, other: httpx.Client, lie: dict[str, Any]) -> None:
    device = place.owner(client)
    answer = sign_in(other, device, **lie)
    assert answer.status_code == 403
    assert "its answer was wrong" in answer.text
    assert not signed_in(other)


def test_a_passkey_that_asked_for_no_finger_or_pin_gets_nobody_in(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client)
    device.verified = False
    assert sign_in(other, device).status_code == 403
    refused = add(client, Device(place.url, verified=False))
    assert refused.status_code == 400
    assert "was not added" in refused.text
    assert len(place.passkeys()) == 1


def test_a_passkey_nobody_registered_gets_nobody_in(place: Place, other: httpx.Client) -> None:
    device = Device(place.url)
    assert sign_in(other, device).status_code == 403
    assert not signed_in(other)


def test_a_copied_passkey_is_refused_and_told(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client, count=4)
    assert sign_in(other, device, count=5).status_code == 303
    assert sign_in(other, device, count=9).status_code == 303
    assert other.post("/sign-out").status_code == 303
    for count in (9, 6, 0):
        answer = sign_in(other, device, count=count)
        assert answer.status_code == 403
        assert "somebody holds a copy" in answer.text
        assert not signed_in(other)
        assert place.lines()[-1]["reason"] == "passkey_copied"
        assert place.lines()[-1]["actor"] == "HEAD-1"
    assert place.passkeys()[0].sign_count == 9
    assert sign_in(other, device, count=10).status_code == 303


def test_of_two_answers_at_once_one_gets_in(place: Place, client: httpx.Client) -> None:
    place.owner(client, count=1)
    [key] = place.passkeys()
    with place.stage.database.unit() as unit:
        assert passkeys.used(unit.connection, key, count=2, at=place.stage.clock.now())
        assert not passkeys.used(unit.connection, key, count=2, at=place.stage.clock.now())


def test_a_question_is_over_after_five_minutes_and_forgotten_later(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client)
    state, options = asked(other)
    place.stage.clock.move(timedelta(minutes=5))
    answer = other.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options)})
    assert answer.status_code == 403
    assert "longer than five minutes" in answer.text
    place.stage.clock.move(timedelta(hours=2))
    with place.stage.database.unit() as unit:
        assert authorising.forget_ended(unit.connection, at=place.stage.clock.now()) >= 1
        assert authorising.forget_ended(unit.connection, at=place.stage.clock.now()) == 0


def test_a_question_is_good_for_what_and_for_whom_it_was_asked(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client)
    state, options = asked(client, "/security/passkeys")
    assert other.post("/sign-in/passkey", data={"state": state, "answer": device.sign(options)}).status_code == 403
    state, options = asked(client, "/security/passkeys")
    place.enter(other, "ADMIN-1")  # their session must not add the Headteacher's device to the admin, or the other way round
    new = Device(place.url)
    assert other.post("/security/passkeys", data={"state": state, "answer": new.make(options)}).status_code == 400
    state, options = asked(client)
    options["user"] = {"id": packed(b"person-1")}
    assert client.post("/security/passkeys", data={"state": state, "answer": new.make(options)}).status_code == 400
    assert place.passkeys("ADMIN-1") == []
    assert len(place.passkeys()) == 1


@pytest.mark.parametrize("lie", [{"origin": "https://elsewhere.example"}, {"site": "elsewhere.example"}, {"challenge": packed(bytes(64))}])
def test_an_answer_of_another_site_adds_nothing(place: Place, client: httpx.Client, lie: dict[str, Any]) -> None:
    place.enter(client)
    assert add(client, Device(place.url), **lie).status_code == 400
    assert place.passkeys() == []


def test_a_passkey_is_added_once_and_ten_are_enough(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client, label="")
    assert place.passkeys()[0].label == "Passkey"
    again = add(client, device)
    assert again.status_code == 400
    assert "has a passkey for this service already" in again.text
    place.enter(other, "ADMIN-1")
    assert add(other, device).status_code == 400  # nor for somebody else
    with place.stage.database.unit() as unit:
        for number in range(9):
            passkeys.add(
                unit.connection, passkeys.Passkey(f"k{number}", place.person("HEAD-1"), b"key", 0, "Desk", place.stage.clock.now())
            )
    full = add(client, Device(place.url))
    assert full.status_code == 400
    assert "ten passkeys already" in full.text
    _, options = asked(client, "/security/passkeys")
    assert len(options["excludeCredentials"]) == 10


def test_adding_and_removing_want_a_fresh_proof(place: Place, client: httpx.Client) -> None:
    device = place.owner(client)
    place.stage.clock.move(timedelta(minutes=31))
    for path in ("/security/passkeys", "/security/passkeys/question", "/security/passkeys/remove"):
        answer = client.post(path, data={"credential": device.credential})
        assert (answer.status_code, answer.headers["location"]) == (303, "/prove?next=%2Fsecurity")
    assert len(place.passkeys()) == 1
    assert sign_in(client, device).status_code == 303  # which is such a proof
    assert add(client, Device(place.url)).status_code == 303


def test_the_last_way_in_stays(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    first = place.owner(client)
    refused = client.post("/security/passkeys/remove", data={"credential": first.credential})
    assert refused.status_code == 409
    assert "your only way in" in refused.text
    second = Device(place.url)
    assert add(client, second).status_code == 303
    assert client.post("/security/passkeys/remove", data={"credential": first.credential}).status_code == 303
    assert [key.credential_id for key in place.passkeys()] == [second.credential]
    assert place.lines()[-1]["reason"] == "passkey_removed"
    assert sign_in(other, first).status_code == 403
    with place.stage.database.unit() as unit:
        proofs.set_password(unit.connection, place.person("HEAD-1"), "a hash")
        proofs.set_app(unit.connection, place.sealer, place.person("HEAD-1"), "JBSWY3DPEHPK3PXP", step=0)
    assert client.post("/security/passkeys/remove", data={"credential": second.credential}).status_code == 303
    assert place.passkeys() == []


def test_nobody_removes_somebody_elses(place: Place, client: httpx.Client, other: httpx.Client) -> None:
    device = place.owner(client)
    place.owner(other, "ADMIN-1")
    assert other.post("/security/passkeys/remove", data={"credential": device.credential}).status_code == 404
    assert len(place.passkeys()) == 1


def test_r03_a_right_passkey_of_somebody_whose_designation_ended_gets_nobody_in(
    place: Place, client: httpx.Client, other: httpx.Client
) -> None:
    device = place.owner(client, "AUDITOR-1")
    with place.stage.database.unit() as unit:
        found = register.acting_by_reference(unit.connection, "AUDITOR-1", place.stage.clock.now().date())
        assert found is not None
        register.end_designation(unit.connection, found.designations[0].id, by="CEO-1", reason="left", at=place.stage.clock.now())
    assert not signed_in(client)
    answer = sign_in(other, device, count=3)
    assert answer.status_code == 403
    assert "your designation has ended" in answer.text
    assert not signed_in(other)
    assert sign_in(other, device, count=2).status_code == 403  # a copy of theirs is refused as well, with nobody to tell


def test_without_an_answer_the_page_says_what_to_do(place: Place, client: httpx.Client) -> None:
    answer = client.post("/sign-in/passkey", data={"state": "", "answer": ""})
    assert answer.status_code == 400
    assert "Passkeys need JavaScript" in answer.text
    place.enter(client)
    answer = client.post("/security/passkeys", data={"label": "Desk"})
    assert answer.status_code == 400
    assert "Your password and code still work" in answer.text


def test_no_answer_however_malformed_is_more_than_refused(place: Place) -> None:
    origin, device, dice = Origin.of(place.url), Device(place.url), random.Random(5)  # noqa: S311 - a repeatable choice of mischief
    options = {"challenge": packed(bytes(32)), "user": {"id": packed(b"person-1")}}
    key = added(origin, device.make(options), options["challenge"])  # type: ignore[arg-type] # a text
    assert key is not None
    stored = passkeys.Passkey(key.credential_id, 1, key.public_key, 0, "Desk", place.stage.clock.now())
    strange: list[object] = [None, 7, "", "A", "=", "é", [], {}, "AAAA", True]
    for right in (device.make(options), device.sign(options)):
        for _ in range(250):
            bent = json.loads(right)
            where = bent["response"] if dice.random() < 0.7 else bent
            name = dice.choice(list(where))
            where[name] = dice.choice(strange) if dice.random() < 0.4 else scrambled(str(where[name]), dice)
            text = json.dumps(bent)
            held(origin, text, str(options["challenge"]), stored)
            added(origin, text, str(options["challenge"]))
            named_in(text)
    for text in ("", "[]", "null", "7", "{", "[" * 60_000, '"' + "\ud800"):
        assert added(origin, text, str(options["challenge"])) is None
        assert held(origin, text, str(options["challenge"]), stored) is None
        assert named_in(text) == ("", None)


def scrambled(text: str, dice: random.Random) -> str:
    """Return a text with a letter changed, cut or doubled."""
    at = dice.randrange(max(len(text), 1))
    return dice.choice([text[:at] + dice.choice("Aa0-_=*") + text[at + 1 :], text[:at], text + text[at:]])


def app_at(place: Place, url: str) -> FastAPI:
    """Return another app over the same books."""
    parts = {"database": place.stage.database, "tools": place.stage.tools, "clock": place.stage.clock, "sealer": place.sealer}
    return create_app(templates=ASSETS / "templates", base_url=url, **parts)  # type: ignore[arg-type] # each has its type


def test_one_address_asks_only_so_much_and_is_in_nobody_elses_way(place: Place) -> None:
    with serve(lambda url: app_at(place, url.replace("127.0.0.1", "localhost"))) as (url, app):
        throttle = app.state.site.throttle
        with browser_like(url.replace("127.0.0.1", "localhost")) as client:
            while throttle.asked_from("203.0.113.9"):
                pass
            assert client.post("/sign-in/passkey/question").status_code == 200
            while throttle.asked_from("127.0.0.1"):
                pass
            assert client.post("/sign-in/passkey/question").status_code == 429


def test_at_an_address_that_is_a_number_there_are_no_passkeys(place: Place) -> None:
    with serve(lambda url: app_at(place, url)) as (url, _), browser_like(url) as client:
        assert "Use a passkey" not in client.get("/sign-in").text
        assert client.post("/sign-in/passkey/question").status_code == 404
        assert client.post("/sign-in/passkey", data={"answer": "1"}).status_code == 404


def with_a_device(page: Page) -> None:
    """Give the page's browser a device that has a finger on it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device: dict[str, Any] = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    device |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def test_in_a_real_browser_a_person_adds_a_passkey_signs_out_and_in_with_it(place: Place, browser: Browser) -> None:
    page = browser.new_page()
    with_a_device(page)
    page.goto(place.link("HEAD-1"))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{place.url}/security")
    page.get_by_label("Name of this device").fill("The office tablet")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("listitem").filter(has_text="The office tablet")).to_contain_text("not used yet")
    assert clean_in_both(page) == []
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("status").filter(has_text="already")).to_have_text("This device has a passkey for this service already.")
    page.get_by_role("button", name="Remove The office tablet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This is your only way in")
    assert clean_in_both(page) == []
    page.get_by_role("link", name="Back to your sign-in").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{place.url}/sign-in?next=/security")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("listitem").filter(has_text="The office tablet")).to_contain_text("last used")
    page.get_by_role("button", name="Sign out", exact=True).click()
    place.forget()
    page.goto(f"{place.url}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")
    page.context.close()


def test_without_javascript_the_passkey_button_says_what_to_do(place: Place, browser: Browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{place.url}/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your browser did not ask for a passkey")
    expect(page.get_by_text("Sign in with your password instead.")).to_be_visible()
    page.context.close()

"""Signing in with the school's own account, against a real OpenID Connect provider; a token that is bent in any way gets nobody in."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
import sqlalchemy as sa
from cast import enrol
from cryptography.fernet import Fernet
from fastapi import FastAPI
from identity_provider import CLIENT_ID, CLIENT_SECRET, Practice, fields_of, go_there, practising, sign_in_there
from playwright.sync_api import Browser, expect
from review_app import browser_like, serve
from seen_pages import clean_in_both
from stage import Stage, set_up

from moderator.settings import ASSETS
from moderator.store import ledger, proofs, register
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.register_tables import PersonRow
from moderator.store.sealed import Sealer
from moderator.web.app import create_app
from moderator.web.signing_in.oidc_provider import Provider

PEOPLE: sa.Table = PersonRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
HOUR = 3600


def told(email: str, **claims: object) -> dict[str, Any]:
    """Return a person of the provider: what their ID token says of them."""
    return {"claims": {"email": email, "email_verified": True, "amr": ["pwd", "mfa"]} | claims}


def bent(by: str = "", **claims: object) -> dict[str, Any]:
    """Return the deputy, whose token is bent on its way."""
    return told("deputy@oakfield.example") | {"twist": {"claims": claims, "by": by}}


BENT = {
    "of another question": bent(nonce="another"),
    "without our question": bent(nonce=None),
    "for another service": bent(aud="another"),
    "for two services, asked by the other": bent(aud=[CLIENT_ID, "another"], azp="another"),
    "for two services, asked by nobody": bent(aud=[CLIENT_ID, "another"]),
    "asked by another": bent(azp="another"),
    "of another issuer": bent(iss="https://accounts.google.com"),
    "too old": bent(exp=-HOUR),
    "without an end": bent(exp=None),
    "not begun yet": bent(iat=HOUR),
    "not to be used yet": bent(nbf=HOUR),
    "of nobody": bent(sub=""),
    "unsigned": bent(by="none"),
    "signed with our own secret": bent(by="secret"),
    "signed by a stranger": bent(by="stranger"),
}
PEOPLE_THERE = BENT | {
    "head": told("HEAD@oakfield.example"),
    "head after a new name": told("head@ashford.example"),
    "head's successor": told("head@oakfield.example"),
    "dsl": told("dsl@oakfield.example", amr=["pwd"]),
    "admin": told("admin@oakfield.example", amr=None),
    "ceo": told("ceo@oakfield.example", amr=None),
    "auditor": told("auditor@oakfield.example"),
    "tsl": told("tsl@oakfield.example"),
    "late": told("dsl@ashford.example"),
    "ended": told("admin@ashford.example"),
    "unverified": told("deputy@oakfield.example", email_verified=False),
    "nobody vouches": told("deputy@oakfield.example", email_verified=None),
    "from elsewhere": told("deputy@elsewhere.example"),
    "without an address": told("oakfield.example"),
    "unknown": told("unknown@oakfield.example"),
    "rotated": told("deputy@ashford.example"),
    "browsing": told("head@ashford.example"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """The app at `localhost`, and a provider at `127.0.0.1`, which is another site."""

    stage: Stage
    url: str
    provider: Practice
    fleeting: Practice
    sealer: Sealer

    def client(self) -> httpx.Client:
        """Return a fresh browser."""
        return browser_like(self.url)

    def sign_in(self, client: httpx.Client, who: str, *, by: str = "practice") -> httpx.Response:
        """Sign in from our page to the last answer."""
        return client.post(f"/sign-in/with/{by}/finish", data=self.fields(client, who, by=by))

    def fields(self, client: httpx.Client, who: str, *, by: str = "practice") -> dict[str, str]:
        """Sign in up to the page that the provider sends the browser back to, and return that page's form."""
        out = client.post(f"/sign-in/with/{by}")
        assert out.status_code == 200, out.text
        back = sign_in_there(go_there(out.text), who)
        assert back.startswith(f"{self.url}/sign-in/with/{by}/back?")
        page = client.get(back)
        assert page.status_code == 200
        return fields_of(page.text)

    def bound(self, email: str) -> str:
        """Return the account somebody is bound to."""
        with self.stage.database.reading() as connection:
            return str(connection.execute(sa.select(PEOPLE.c.oidc_subject).where(PEOPLE.c.email == email)).scalar_one())

    def person(self, email: str) -> int:
        """Return somebody's number."""
        with self.stage.database.reading() as connection:
            found = register.person_by_email(connection, email)
        assert found is not None
        return found.id

    def ways(self) -> list[str]:
        """Return how people signed in at Oakfield, by its ledger."""
        wanted = sa.select(ledger.LEDGER.c.line).where(ledger.LEDGER.c.school == "oakfield", ledger.LEDGER.c.event == "signed_in")
        with self.stage.database.reading() as connection:
            return [str(line) for line in connection.execute(wanted.order_by(ledger.LEDGER.c.seq)).scalars()]


def app_at(place: Place, url: str) -> FastAPI:
    """Return the app over the place's books and providers."""
    main, fleeting = place.provider.issuer, place.fleeting.issuer
    return create_app(
        database=place.stage.database,
        tools=place.stage.tools,
        templates=ASSETS / "templates",
        clock=place.stage.clock,
        base_url=url,
        sealer=place.sealer,
        providers=[
            Provider("practice", "Practice School", main, CLIENT_ID, CLIENT_SECRET),
            Provider("trusting", "Trusting School", main, CLIENT_ID, CLIENT_SECRET, trusts_mfa=True),
            Provider("fleeting", "Fleeting School", fleeting, CLIENT_ID, CLIENT_SECRET),
            Provider("closed", "Closed School", "http://127.0.0.1:9", CLIENT_ID, CLIENT_SECRET),
        ],
    )


@pytest.fixture(scope="module")
def place(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield the app with a provider beside it, on today's clock: the provider has no other."""
    folder = tmp_path_factory.mktemp("oidc")
    shutil.copyfile(migrated_file, folder / "moderator.db")
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    stage = set_up(Database(engine), folder)
    enrol(stage)
    stage.clock.move(datetime.now(UTC) - stage.clock.now())
    sealer = Sealer([Fernet.generate_key().decode()])
    started: list[tuple[Any, Practice]] = []
    where: list[str] = []

    def practise(url: str, *slugs: str) -> Practice:
        process = practising(PEOPLE_THERE, redirects=[f"{url}/sign-in/with/{slug}/back" for slug in slugs])
        started.append((process, process.__enter__()))
        return started[-1][1]

    def make(url: str) -> FastAPI:
        url = url.replace("127.0.0.1", "localhost")
        where.append(url)
        practise(url, "practice", "trusting")
        practise(url, "fleeting")
        return app_at(Place(stage, url, started[0][1], started[1][1], sealer), url)

    try:
        with serve(make):
            yield Place(stage, where[0], started[0][1], started[1][1], sealer)
    finally:
        for process, _ in started:
            process.__exit__(None, None, None)
        stage.tools.recorder.close()
        engine.dispose()


@pytest.fixture
def client(place: Place) -> Iterator[httpx.Client]:
    """Yield a fresh browser."""
    with place.client() as made:
        yield made


def signed_in(client: httpx.Client) -> bool:
    """Return whether a session opens a page."""
    return client.post("/sign-out").status_code == 303


def test_a_person_of_the_register_signs_in_and_is_bound_to_that_account(place: Place, client: httpx.Client) -> None:
    answer = place.sign_in(client, "head")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert place.bound("head@oakfield.example") == "head"
    assert '"reason":"oidc"' in place.ways()[-1]
    assert "head@" not in place.ways()[-1]
    assert signed_in(client)
    with place.client() as again:
        assert place.sign_in(again, "head").status_code == 303
    with place.client() as other:  # the address was given to somebody else at the provider: that is another person
        refused = place.sign_in(other, "head's successor")
        assert refused.status_code == 403
        assert "nobody has designated you" in refused.text
        assert not signed_in(other)
    assert place.bound("head@oakfield.example") == "head"
    with place.client() as again:  # until the person says that the old account is no longer theirs
        assert place.sign_in(again, "head").status_code == 303
        assert "Your school account" in again.get("/security").text
        assert "your account at Practice School" in again.get("/security").text
        answer = again.post("/security/account/forget")
        assert answer.headers["location"] == "/security?done=identity_forgotten"
        assert "Your school account" not in again.get(answer.headers["location"]).text
    with place.client() as successor:
        assert place.sign_in(successor, "head's successor").status_code == 303
    assert place.bound("head@oakfield.example") == "head's successor"


@pytest.mark.parametrize("who", list(BENT))
def test_r03_a_bent_token_gets_nobody_in(place: Place, client: httpx.Client, who: str) -> None:
    answer = place.sign_in(client, who)
    assert answer.status_code == 403
    assert "could not be trusted" in answer.text
    assert "session" not in client.cookies
    assert not signed_in(client)
    assert place.bound("deputy@oakfield.example") == ""


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("unverified", "has not checked that your e-mail address is yours"),
        ("nobody vouches", "has not checked that your e-mail address is yours"),
        ("from elsewhere", "not a school account"),
        ("without an address", "not a school account"),
        ("unknown", "nobody has designated you"),
    ],
)
def test_r03_who_is_not_in_the_register_is_refused_and_never_added(place: Place, client: httpx.Client, who: str, words: str) -> None:
    with place.stage.database.reading() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(PEOPLE)).scalar_one()
    answer = place.sign_in(client, who)
    assert answer.status_code == 403
    assert words in answer.text
    assert not signed_in(client)
    with place.stage.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(PEOPLE)).scalar_one() == before
    assert place.bound("deputy@oakfield.example") == ""


def test_r03_an_ended_designation_signs_nobody_in_and_binds_nothing(place: Place, client: httpx.Client) -> None:
    with place.stage.database.unit() as unit:
        acting = register.acting_by_reference(unit.connection, "ADMIN-2", place.stage.clock.now().date())
        assert acting is not None
        register.end_designation(unit.connection, acting.designations[0].id, by="HEAD-2", reason="left", at=place.stage.clock.now())
    answer = place.sign_in(client, "ended")
    assert answer.status_code == 403
    assert "nobody has designated you" in answer.text
    assert place.bound("admin@ashford.example") == ""


def test_without_a_second_step_there_ours_is_asked_for(place: Place, client: httpx.Client) -> None:
    secret = pyotp.random_base32()
    with place.stage.database.unit() as unit:
        proofs.set_app(unit.connection, place.sealer, place.person("dsl@oakfield.example"), secret, step=0)
    answer = place.sign_in(client, "dsl")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code?next=%2F")
    assert "session" not in client.cookies
    code = pyotp.TOTP(secret).at(place.stage.clock.now())
    answer = client.post("/sign-in/code", data={"code": code})
    assert answer.status_code == 303
    assert '"reason":"oidc"' in place.ways()[-1]
    assert signed_in(client)


def test_without_any_second_step_nobody_gets_in(place: Place, client: httpx.Client) -> None:
    answer = place.sign_in(client, "admin")
    assert answer.status_code == 403
    assert "Ask your Headteacher for an invitation" in answer.text
    assert place.bound("admin@oakfield.example") == ""


def test_a_provider_may_be_trusted_to_ask_everybody_for_a_second_step(place: Place, client: httpx.Client) -> None:
    answer = place.sign_in(client, "ceo", by="trusting")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert signed_in(client)


def test_somebody_elses_way_back_signs_nobody_in(place: Place, client: httpx.Client) -> None:
    with place.client() as attacker:
        fields = place.fields(attacker, "auditor")
        for _ in range(2):  # first in a browser that never set out, then in one that did
            answer = client.post("/sign-in/with/practice/finish", data=fields)
            assert answer.status_code == 403
            assert "begun in another browser" in answer.text
            assert not signed_in(client)
            client.post("/sign-in/with/practice")
        assert attacker.post("/sign-in/with/practice/finish", data=fields).status_code == 403  # it is used up for everybody


def test_a_way_back_is_good_once_and_opening_it_uses_nothing_up(place: Place, client: httpx.Client) -> None:
    out = client.post("/sign-in/with/practice")
    back = sign_in_there(go_there(out.text), "tsl")
    with place.client() as scanner:
        pages = [client.get(back), scanner.get(back), client.get(back)]
    assert {page.status_code for page in pages} == {200}
    fields = fields_of(pages[0].text)
    assert client.post("/sign-in/with/practice/finish", data=fields).status_code == 303
    again = client.post("/sign-in/with/practice/finish", data=fields)
    assert again.status_code == 403
    assert "was used before" in again.text


def test_an_answer_of_one_provider_is_no_answer_of_another(place: Place, client: httpx.Client) -> None:
    answer = client.post("/sign-in/with/trusting/finish", data=place.fields(client, "auditor"))
    assert answer.status_code == 403
    assert not signed_in(client)


def test_a_way_that_took_too_long_is_over(place: Place, client: httpx.Client) -> None:
    fields = place.fields(client, "late")
    place.stage.clock.move(timedelta(minutes=11))
    answer = client.post("/sign-in/with/practice/finish", data=fields)
    place.stage.clock.move(-timedelta(minutes=11))
    assert answer.status_code == 403
    assert "took longer than ten minutes" in answer.text


def test_a_made_up_code_is_refused_by_the_provider(place: Place, client: httpx.Client) -> None:
    answer = client.post("/sign-in/with/practice/finish", data=place.fields(client, "auditor") | {"code": "made-up"})
    assert answer.status_code == 403
    assert "could not be trusted" in answer.text


def test_a_person_who_says_no_there_is_told_so(client: httpx.Client) -> None:
    out = client.post("/sign-in/with/practice")
    back = sign_in_there(go_there(out.text), "head", go="away")
    assert parse_qs(urlsplit(back).query)["error"] == ["access_denied"]
    answer = client.get(back)
    assert answer.status_code == 403
    assert "did not sign you in" in answer.text


def test_a_provider_with_a_new_key_is_asked_for_it(place: Place, client: httpx.Client) -> None:
    with place.client() as before:
        assert place.sign_in(before, "rotated").status_code == 303  # the first key is known now
    place.provider.rotate()
    assert place.sign_in(client, "rotated").status_code == 303


def test_a_provider_that_is_down_is_one_line_and_the_other_ways_stay_open(place: Place, client: httpx.Client) -> None:
    answer = client.post("/sign-in/with/closed")
    assert answer.status_code == 503
    assert "Closed School cannot be reached now" in answer.text
    assert client.get("/sign-in").status_code == 200
    fields = place.fields(client, "auditor", by="fleeting")
    place.fleeting.stop()
    answer = client.post("/sign-in/with/fleeting/finish", data=fields)
    assert answer.status_code == 503
    assert "Fleeting School cannot be reached now" in answer.text
    assert "The other ways to sign in still work" in answer.text
    assert not signed_in(client)


def test_one_address_sets_out_only_so_often(place: Place) -> None:
    with serve(lambda url: app_at(place, url.replace("127.0.0.1", "localhost"))) as (url, app), browser_like(url) as client:
        client.headers["Host"] = url.removeprefix("http://").replace("127.0.0.1", "localhost")
        while app.state.site.throttle.asked_from("127.0.0.1"):
            pass
        answer = client.post("/sign-in/with/practice")
        assert answer.status_code == 429
        assert "too many tries from this network" in answer.text


def test_a_provider_nobody_set_up_is_not_there(client: httpx.Client) -> None:
    assert client.post("/sign-in/with/another").status_code == 404
    assert client.get("/sign-in/with/another/back?code=1&state=2").status_code == 404
    assert client.post("/sign-in/with/another/finish", data={"code": "1", "state": "2"}).status_code == 404


def test_in_a_real_browser_the_way_there_and_back_needs_no_more_than_the_providers_own_page(place: Place, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{place.url}/sign-in?next=/security")
    page.get_by_role("button", name="Sign in with Practice School").click()
    page.get_by_label("Name").fill("browsing")
    assert page.url.startswith(place.provider.issuer)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")
    assert {cookie["sameSite"] for cookie in page.context.cookies(place.url)} == {"Strict"}
    assert "errand" not in {cookie["name"] for cookie in page.context.cookies(place.url)}
    page.context.close()


def test_without_javascript_one_more_button_finishes_it_and_the_pages_are_clean(place: Place, browser: Browser) -> None:
    plain = browser.new_page(java_script_enabled=False)
    plain.goto(f"{place.url}/sign-in")
    plain.get_by_role("button", name="Sign in with Practice School").click()
    plain.get_by_label("Name").fill("browsing")
    plain.get_by_role("button", name="Sign in").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Back from Practice School")
    plain.get_by_role("button", name="Finish signing in").click()
    expect(plain.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    plain.context.close()
    page = browser.new_page()
    page.route("**/go_on.js", lambda route: route.abort())
    page.goto(f"{place.url}/sign-in/with/practice/back?code=1&state=2")
    assert clean_in_both(page) == []
    page.get_by_role("button", name="Finish signing in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This sign-in is over")
    assert clean_in_both(page) == []
    page.context.close()

"""Who may open what: strangers nothing (R3), links once, sessions until they end."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from review_app import HEAD, Served, enter

from moderator.store.sign_in import SIGN_INS
from moderator.web.app import every_route
from moderator.web.need import needs_of
from moderator.web.sign_in import LINK_LIVES, SESSION_LIVES

WAYS_IN = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/sign-in/{secret}"), ("POST", "/sign-in/password"),
    ("GET", "/sign-in/code"), ("POST", "/sign-in/code"), ("POST", "/sign-in/passkey"), ("POST", "/sign-in/passkey/question"),
    ("POST", "/sign-in/with/{provider}"), ("GET", "/sign-in/with/{provider}/back"), ("POST", "/sign-in/with/{provider}/finish"),
    ("GET", "/enrol/password"), ("POST", "/enrol/password"), ("GET", "/enrol/app"), ("POST", "/enrol/app"), ("GET", "/enrol/totp.svg"),
    ("GET", "/set-up"), ("POST", "/set-up"), ("GET", "/invited/{secret}"), ("POST", "/invited/{secret}"),
}  # fmt: skip
OPEN = WAYS_IN | {("GET", "/healthz"), ("GET", "/cover"), ("GET", "/connect/{platform}/back"), ("GET", "/rules/{school}")}
"""What a stranger may open, besides /static and the API, which asks for a token. test_strangers holds that everything else is shut."""


def test_r3_what_a_stranger_may_open_is_this_and_no_more() -> None:
    assert {route for route, need in needs_of(every_route()).items() if need == "all"} == OPEN


def test_r3_an_address_that_does_not_exist_tells_a_stranger_nothing(served: Served) -> None:
    for path in ("/nothing", "/items/999", "/records/R-AAAAAAAAAAAAAAAA", "/docs", "/openapi.json", "/static/../items/1"):
        assert served.stranger.get(path).status_code == 401
        assert served.head.get(path).status_code == 404


def test_a_stranger_gets_the_way_in_and_the_style(served: Served) -> None:
    for path in ("/sign-in", "/sign-in/anything", "/healthz", "/static/app.css", "/static/icon.svg"):
        assert served.stranger.get(path).status_code == 200
    assert served.stranger.get("/static/../../web/item.html.j2").status_code in {401, 404}
    assert served.stranger.get("/static/%2e%2e/layout.html.j2").status_code == 404
    assert served.stranger.get("/healthz").text == "ok"


def test_opening_a_link_does_not_use_it_up_and_the_button_does(served: Served) -> None:
    link = served.link()
    for _ in range(3):
        page = served.stranger.get(link)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
    answer = enter(served.stranger, link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert served.stranger.get("/").status_code == 200
    with httpx.Client(base_url=served.url, headers={"Sec-Fetch-Site": "same-origin"}) as third:
        again = enter(third, link)
        assert again.status_code == 403
        assert "no longer works" in again.text
        assert third.get("/").status_code == 401


def test_a_link_of_yesterday_and_a_made_up_one_are_refused(served: Served) -> None:
    link = served.link()
    served.stage.clock.move(LINK_LIVES)
    assert enter(served.stranger, link).status_code == 403
    assert enter(served.stranger, "/sign-in/made-up").status_code == 403
    assert served.stranger.post("/sign-in").status_code == 403


def test_a_session_ends_by_itself(served: Served) -> None:
    served.stage.clock.move(SESSION_LIVES - timedelta(minutes=1))
    served.stay()
    assert served.head.get("/").status_code == 200
    served.stage.clock.move(timedelta(minutes=1))
    assert served.head.get("/").status_code == 401


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(served: Served) -> None:
    secret = served.head.cookies["session"]
    answer = served.head.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "session" not in served.head.cookies
    served.stranger.cookies.set("session", secret)
    assert served.stranger.get("/").status_code == 401


def test_signing_in_again_ends_the_session_before_it(served: Served) -> None:
    first = served.head.cookies["session"]
    enter(served.head, served.link())
    assert served.head.cookies["session"] != first
    served.stranger.cookies.set("session", first)
    assert served.stranger.get("/").status_code == 401


@pytest.mark.parametrize("secret", ["", "x", "é", "a" * 3000])
def test_a_made_up_cookie_is_a_stranger(served: Served, secret: str) -> None:
    answer = served.stranger.get("/", headers=[(b"Cookie", f"session={secret}".encode())])
    assert answer.status_code == 401


def test_a_link_cannot_be_used_as_a_session_nor_a_session_as_a_link(served: Served) -> None:
    served.stranger.cookies.set("session", urlsplit(served.link()).path.rpartition("/")[2])
    assert served.stranger.get("/").status_code == 401
    assert enter(served.stranger, f"/sign-in/{served.head.cookies['session']}").status_code == 403


def test_only_hashes_of_secrets_are_stored_and_old_ones_are_forgotten(served: Served) -> None:
    with served.stage.database.reading() as connection:
        rows = connection.execute(SIGN_INS.select()).all()
    assert {len(row.secret_sha256) for row in rows} == {64}
    assert served.head.cookies["session"] not in str(rows)
    assert {row.actor for row in rows} == {HEAD}
    served.stage.clock.move(timedelta(days=30))
    served.link()
    with served.stage.database.reading() as connection:
        assert len(connection.execute(SIGN_INS.select()).all()) == 1


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    cookie = enter(served.stranger, served.link()).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_reader_from_an_email_is_led_on_by_our_own_page(served: Served) -> None:
    page = served.stranger.get("/items/7?done=uphold").text
    assert 'href="/items/7?done=uphold"' in page


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/\\evil.example", "/%5C%5Cevil.example", "/%2F%2Fevil.example"])
def test_the_way_on_never_leads_to_another_site(served: Served, path: str) -> None:
    page = served.stranger.get(f"{served.url}{path}")
    assert page.status_code == 401
    [href] = re.findall(r'class="button" href="([^"]*)"', page.text)
    assert re.match(r"/(?![/\\])", href)


def test_a_post_of_a_stranger_is_offered_no_way_on(served: Served) -> None:
    assert "go on" not in served.stranger.post("/items/7/review").text

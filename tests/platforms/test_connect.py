"""Connecting: the contract of every connector, X's own refusals, and the practice network's permission page."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from moderator.domain.account import Account, School
from moderator.domain.connecting import Way
from moderator.domain.errors import BadInput, Refused, Transient, Unauthorised
from moderator.domain.times import SystemClock
from moderator.platforms.memory_connect import MemoryConnector
from moderator.platforms.practice import SCHOOL_HANDLE, SCHOOL_ID, Running, demo_credentials, running
from moderator.platforms.practice.codes import LIVES_SECONDS, Codes
from moderator.platforms.practice.faults import Fault
from moderator.platforms.x.connect import XConnector
from moderator.ports import Connector, Token

BACK = "https://review.oakfield.example/connect/x/back"
SCHOOL = School("oakfield", "Oakfield Primary School", "", "head@oakfield.example", ("oakfield.example",), "Oakfield Learning Trust")


def account(handle: str) -> Account:
    return Account(1, SCHOOL, "x", handle, "", "office@oakfield.example", 100)


@pytest.fixture(scope="module")
def net() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture
def x(net: Running) -> Iterator[XConnector]:
    yield XConnector(clock=SystemClock(), client_id=demo_credentials().client_id, api_url=net.url, site_url=net.url, timeout=5)
    net.network.faults.clear()


def said_yes(url: str, **changes: str) -> dict[str, str]:
    """Say yes on the practice network's page; return what it sends back."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | {"state": "s"} | changes
    page = requests.get(url + "&state=s", timeout=10)
    assert page.status_code == 200
    assert "Hide and show replies to your posts" in page.text
    answer = requests.post(url.partition("?")[0], data=asked | {"answer": "yes"}, timeout=10, allow_redirects=False)
    assert answer.headers["location"].startswith(BACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@pytest.mark.parametrize("kind", ["x", "memory"])
def test_every_connector_gives_a_token_of_the_account_and_takes_it_back(kind: str, x: XConnector) -> None:
    memory = MemoryConnector({"app-1": SCHOOL_HANDLE}, clock=SystemClock())
    connector: Connector = x if kind == "x" else memory
    assert connector.checked_handle(f" @{SCHOOL_HANDLE} ") == SCHOOL_HANDLE
    with pytest.raises(BadInput):
        connector.checked_handle(" ")
    plan = connector.plan
    assert all(scope.words.endswith(".") for scope in plan.scopes)
    assert (plan.way is Way.TYPED) == bool(plan.fields)
    if plan.way is Way.BROWSER:
        leaving = connector.begin(redirect_uri=BACK)
        assert leaving != connector.begin(redirect_uri=BACK)
        payload, given = leaving.payload, said_yes(leaving.url)
    else:
        with pytest.raises(Refused):
            connector.begin(redirect_uri=BACK)
        payload, given = {}, {"app_password": "app-1"}
    token = connector.finish(payload, given)
    assert token.expires_at > datetime.now(UTC)
    platform_id, token = connector.whose(account(SCHOOL_HANDLE), token)
    assert platform_id
    with pytest.raises(Refused):
        connector.whose(account("somebody"), token)
    connector.revoke(token)
    connector.revoke(token)
    with pytest.raises(Refused):
        connector.finish(payload, {"code": "made-up", "app_password": "made-up"})


def test_x_asks_for_the_least_and_shows_the_secret_to_nobody(x: XConnector) -> None:
    leaving = x.begin(redirect_uri=BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(leaving.url).query).items()}
    assert asked["scope"] == "tweet.read users.read tweet.moderate.write offline.access"
    assert "write" not in asked["scope"].replace("tweet.moderate.write", "")
    verifier = leaving.payload["verifier"]
    assert 43 <= len(verifier) <= 128  # RFC 7636 section 4.1
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == digest
    assert verifier not in leaving.url


def test_x_trades_a_code_once_and_only_for_who_has_the_secret(x: XConnector) -> None:
    leaving = x.begin(redirect_uri=BACK)
    sent = said_yes(leaving.url)
    with pytest.raises(Refused, match="did not accept the answer"):
        x.finish({"verifier": "a" * 43, "redirect_uri": BACK}, sent)
    with pytest.raises(Refused):
        x.finish(leaving.payload, sent)
    again = x.begin(redirect_uri=BACK)
    sent = said_yes(again.url)
    with pytest.raises(Refused):
        x.finish({**again.payload, "redirect_uri": BACK + "/else"}, sent)
    third = x.begin(redirect_uri=BACK)
    sent = said_yes(third.url)
    token = x.finish(third.payload, sent)
    assert x.whose(account(SCHOOL_HANDLE.upper()), token)[0] == str(SCHOOL_ID)
    assert "…" in repr(token)
    with pytest.raises(Refused):
        x.finish(third.payload, sent)


def test_x_without_all_permissions_is_given_back_even_when_it_does_not_answer(x: XConnector, net: Running) -> None:
    for fault in (None, Fault("/2/oauth2/revoke", status=500), Fault("/2/oauth2/revoke", status=403)):
        leaving = x.begin(redirect_uri=BACK)
        sent = said_yes(leaving.url, scope="tweet.read users.read offline.access")
        if fault is not None:
            net.network.faults.add(fault)
        with pytest.raises(Refused, match=r"tweet\.moderate\.write is missing"):
            x.finish(leaving.payload, sent)


def test_x_that_is_away_is_transient_and_a_client_it_does_not_know_is_told(net: Running, x: XConnector) -> None:
    leaving = x.begin(redirect_uri=BACK)
    net.network.faults.add(Fault("/2/oauth2/token", status=502))
    with pytest.raises(Transient):
        x.finish(leaving.payload, said_yes(leaving.url))
    unknown = XConnector(
        clock=SystemClock(),
        client_id="nobody",
        client_secret="invented",  # noqa: S106 - opens nothing
        api_url=net.url,
        site_url=net.url,
    )
    with pytest.raises(Refused):
        unknown.finish({"verifier": "v", "redirect_uri": BACK}, {"code": "c"})
    with pytest.raises(Refused):
        unknown.revoke(Token("a", "", datetime.now(UTC)))
    with pytest.raises(Unauthorised):
        x.whose(account(SCHOOL_HANDLE), Token("dead", "dead", datetime.now(UTC)))
    with pytest.raises(BadInput, match="use an https"):
        XConnector(clock=SystemClock(), client_id="c", site_url="http://x.example")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": "else"}, "not known here"),
        ({"redirect_uri": "http://elsewhere.example/back"}, "cannot be used"),
        ({"redirect_uri": "javascript:alert(1)"}, "cannot be used"),
        ({"scope": "tweet.write"}, "does not exist"),
        ({"scope": ""}, "does not exist"),
        ({"code_challenge": ""}, "PKCE"),
        ({"code_challenge_method": "plain"}, "PKCE"),
        ({"response_type": "token"}, "PKCE"),
    ],
)
def test_the_practice_network_shows_no_page_for_a_request_that_x_would_refuse(x: XConnector, changes: dict[str, str], said: str) -> None:
    url = x.begin(redirect_uri=BACK).url
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} | {"state": "s"} | changes
    place = url.partition("?")[0]
    page = requests.get(place, params=asked, timeout=10)
    assert page.status_code == 400
    assert said in page.text
    if not {"code_challenge_method", "response_type"} & set(changes):
        answer = requests.post(place, data=asked | {"answer": "yes"}, timeout=10, allow_redirects=False)
        assert answer.status_code == 400


def test_the_practice_page_lets_a_browser_go_back_to_the_app_alone(x: XConnector) -> None:
    page = requests.get(x.begin(redirect_uri=BACK).url + "&state=s", timeout=10)
    assert "form-action 'self' https://review.oakfield.example;" in page.headers["Content-Security-Policy"]
    revoked = requests.post(page.url.partition("/i/")[0] + "/2/oauth2/revoke", data={"client_id": "nobody", "token": "t"}, timeout=10)
    assert revoked.status_code == 400


def test_a_code_of_the_practice_network_lasts_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("moderator.platforms.practice.codes.time.monotonic", lambda: now[0])
    codes = Codes()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v").digest()).rstrip(b"=").decode()
    first, second = (codes.give(redirect_uri=BACK, challenge=challenge, scope="tweet.read") for _ in range(2))
    now[0] = LIVES_SECONDS
    assert codes.use(first, redirect_uri=BACK, verifier="v") == "tweet.read"
    now[0] += 1
    assert codes.use(second, redirect_uri=BACK, verifier="v") == ""

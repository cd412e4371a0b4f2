"""Access tokens for mail servers, against an endpoint on loopback: every grant, every failure, and what is never told."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwk, jwt
from token_endpoint import Endpoint, endpoint

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.domain.times import FrozenClock
from moderator.mail.oauth import Access, Grant, TokenSource, sign_in_line

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
SECRET = "a-secret-of-the-client"  # noqa: S105 - of a test


@pytest.fixture(scope="module")
def running() -> Iterator[Endpoint]:
    with endpoint() as here:
        yield here


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


def access(here: Endpoint, kind: Grant = Grant.CLIENT_CREDENTIALS, **given: Any) -> Access:
    settings: dict[str, Any] = {"token_url": here.url, "client_id": "app-1", "scope": "https://mail.example/.default", "secret": SECRET}
    return Access(kind, **(settings | given))


def test_an_app_asks_in_its_own_name(running: Endpoint, clock: FrozenClock) -> None:
    running.gives("token-1")
    assert TokenSource(access(running), clock=clock).token() == "token-1"
    assert running.asked == [
        {
            "grant_type": "client_credentials",
            "client_id": "app-1",
            "client_secret": SECRET,
            "scope": "https://mail.example/.default",
        }
    ]


def test_a_token_is_kept_until_shortly_before_its_end(running: Endpoint, clock: FrozenClock) -> None:
    source = TokenSource(access(running), clock=clock)
    running.says(*((200, {"access_token": f"token-{number}", "expires_in": 3600}) for number in (1, 2)))
    assert [source.token(), source.token()] == ["token-1", "token-1"]
    clock.move(timedelta(minutes=54, seconds=59))
    assert source.token() == "token-1"
    clock.move(timedelta(seconds=1))
    assert source.token() == "token-2"
    source.forget()
    assert source.token() == "token-2", "the endpoint's answer, asked for a third time"
    assert len(running.asked) == 3


@pytest.mark.parametrize(
    ("told", "used"),
    [
        ({}, timedelta(seconds=30)),
        ({"expires_in": 1}, timedelta(seconds=30)),
        ({"expires_in": "600"}, timedelta(minutes=5)),
        ({"expires_in": 10**9}, timedelta(hours=11, minutes=55)),
    ],
)
def test_what_the_endpoint_says_of_a_tokens_life_is_bounded(
    running: Endpoint, clock: FrozenClock, told: dict[str, Any], used: timedelta
) -> None:
    source = TokenSource(access(running), clock=clock)
    running.says((200, {"access_token": "token", **told}))
    source.token()
    clock.move(used - timedelta(seconds=1))
    source.token()
    assert len(running.asked) == 1
    clock.move(timedelta(seconds=1))
    source.token()
    assert len(running.asked) == 2


class Kept:
    """A keeper in memory."""

    def __init__(self) -> None:
        self.by: dict[str, str] = {}
        self.full = False

    def newest(self, given: str) -> str:
        return self.by.get(given, "")

    def keep(self, given: str, *, newest: str) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.by[given] = newest


def agreed(here: Endpoint, **given: Any) -> Access:
    return access(here, Grant.REFRESH_TOKEN, **({"secret": "", "refresh_token": "agreed-1"} | given))


def test_a_refresh_token_is_used_and_its_successor_kept(running: Endpoint, clock: FrozenClock) -> None:
    keeper = Kept()
    running.gives("token-1", renewed="agreed-2")
    assert TokenSource(agreed(running), clock=clock, keeper=keeper).token() == "token-1"
    assert keeper.by == {"agreed-1": "agreed-2"}
    TokenSource(agreed(running, secret=SECRET), clock=clock, keeper=keeper).token()
    first, second = running.asked
    assert (first["grant_type"], first["refresh_token"], first["client_id"]) == ("refresh_token", "agreed-1", "app-1")
    assert "client_secret" not in first, "an app without a secret sends none"
    assert (second["refresh_token"], second["client_secret"]) == ("agreed-2", SECRET)


def test_a_kept_successor_that_is_refused_gives_way_to_the_secret_file(running: Endpoint, clock: FrozenClock) -> None:
    keeper = Kept()
    keeper.by["agreed-1"] = "agreed-0"
    running.says((400, {"error": "invalid_grant"}), (200, {"access_token": "token-1"}))
    assert TokenSource(agreed(running), clock=clock, keeper=keeper).token() == "token-1"
    assert [form["refresh_token"] for form in running.asked] == ["agreed-0", "agreed-1"]


def test_a_successor_that_cannot_be_kept_is_told_as_a_full_disk(running: Endpoint, clock: FrozenClock) -> None:
    keeper = Kept()
    keeper.full = True
    running.gives("token-1", renewed="agreed-2")
    with pytest.raises(Transient, match="No space left"):
        TokenSource(agreed(running), clock=clock, keeper=keeper).token()


def test_without_a_keeper_a_successor_is_let_go(running: Endpoint, clock: FrozenClock) -> None:
    running.gives("token-1", renewed="agreed-2")
    source = TokenSource(agreed(running), clock=clock)
    source.token()
    source.forget()
    source.token()
    assert [form["refresh_token"] for form in running.asked] == ["agreed-1", "agreed-1"]


def test_a_refresh_token_must_be_there(running: Endpoint) -> None:
    with pytest.raises(BadInput, match="refresh token is missing"):
        TokenSource(agreed(running, refresh_token=""))


@pytest.fixture(scope="module")
def service_key() -> tuple[str, str]:
    key = rsa_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_service_account_signs_for_the_mailbox_it_acts_for(
    running: Endpoint, clock: FrozenClock, service_key: tuple[str, str], *, as_json: bool
) -> None:
    private, public = service_key
    secret = json.dumps({"private_key": private, "client_email": "robot@project.example", "private_key_id": "k1"}) if as_json else private
    running.gives("token-1")
    asked = access(running, Grant.SERVICE_ACCOUNT, client_id="robot-2@project.example", subject="moderator@trust.example", secret=secret)
    assert TokenSource(asked, clock=clock).token() == "token-1"
    (form,) = running.asked
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert "client_id" not in form
    assert running.signed == [""]
    told = jwt.decode(form["assertion"], jwk.import_key(public, "RSA"), algorithms=["RS256"])
    assert told.header.get("kid") == ("k1" if as_json else None)
    assert {name: told.claims[name] for name in ("iss", "sub", "aud", "scope", "iat", "exp")} == {
        "iss": "robot@project.example" if as_json else "robot-2@project.example",
        "sub": "moderator@trust.example",
        "aud": running.url,
        "scope": "https://mail.example/.default",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 600,
    }


EC_KEY = ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("secret", ["not a key", "{}", "{", '{"private_key": 7}', "[]", EC_KEY])
def test_a_service_accounts_key_that_is_none_is_refused_at_start(running: Endpoint, secret: str) -> None:
    with pytest.raises(BadInput, match=r"^secret smtp-oauth-secret: it holds no RSA key") as told:
        TokenSource(access(running, Grant.SERVICE_ACCOUNT, secret=secret))
    assert secret not in str(told.value) or len(secret) < 3


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((400, {"error": "invalid_grant", "error_description": "secret words"}), Refused, "refused: invalid_grant"),
        ((401, {"error": "invalid_client"}), Refused, "refused: invalid_client"),
        ((400, {"error": "Bad words <b>"}), Refused, "an error without a code"),
        ((400, {"error": {"code": 5}}), Refused, "an error without a code"),
        ((400, {"error": "temporarily_unavailable"}), Transient, "for now"),
        ((403, b"<html>no"), Refused, "HTTP 403"),
        ((429, b"slow down"), Transient, "HTTP 429"),
        ((503, {"error": "invalid_client"}), Transient, "HTTP 503"),
        ((200, b"<html>a captive portal"), Transient, "no answer that can be read"),
        ((200, b"[]"), Transient, "no answer that can be read"),
        ((200, {"access_token": "a", "expires_in": "soon"}), Transient, "no answer that can be read"),
        ((200, {"token_type": "Bearer"}), Refused, "no token that can be used"),
        ((200, {"access_token": "a\r\nMAIL FROM:<x>"}), Refused, "no token that can be used"),
        ((200, {"access_token": "a\x01auth=b"}), Refused, "no token that can be used"),
        ((200, {"access_token": 7}), Refused, "no token that can be used"),
    ],
)
def test_each_failure_decides_something_and_tells_no_secret(
    running: Endpoint, clock: FrozenClock, answer: tuple[int, dict[str, Any] | bytes], error: type[Exception], said: str
) -> None:
    running.says(answer)
    with structlog.testing.capture_logs() as logs, pytest.raises(error, match=said) as told:
        TokenSource(access(running), clock=clock).token()
    assert type(told.value) is error
    assert SECRET not in f"{told.value!r}{told.value.__cause__!r}{logs}"
    assert "secret words" not in str(told.value)


def test_no_redirect_is_followed(running: Endpoint, clock: FrozenClock) -> None:
    running.says((307, {"access_token": "token-1"}))
    running.location = running.url
    with pytest.raises(Transient):
        TokenSource(access(running), clock=clock).token()
    assert len(running.asked) == 1


def test_an_endpoint_that_is_away_lets_the_mail_wait(clock: FrozenClock) -> None:
    with endpoint() as here:
        gone = access(here)
    with pytest.raises(Transient, match="ConnectionError") as told:
        TokenSource(gone, clock=clock).token()
    assert SECRET not in repr(told.value)
    with endpoint() as here:
        secure = access(here, token_url=here.url.replace("http://", "https://"))
        with pytest.raises(Transient, match="certificate is not trusted"):
            TokenSource(secure, clock=clock).token()


def test_a_secret_is_in_no_printed_access(running: Endpoint) -> None:
    shown = repr(agreed(running, secret=SECRET))
    assert SECRET not in shown
    assert "agreed-1" not in shown


def test_the_sign_in_line_is_googles_and_microsofts() -> None:
    assert sign_in_line("a@b.example", "t") == "user=a@b.example\x01auth=Bearer t\x01\x01"

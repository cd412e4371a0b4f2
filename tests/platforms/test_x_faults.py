"""X misbehaves: every fault becomes one of the service's errors, at once, and the next call works."""

import http.server
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moderator import ports
from moderator.domain.errors import BadInput, Gone, ModeratorError, NotAllowed, RateLimited, Refused, Transient, Unauthorised
from moderator.platforms.practice import SCHOOL_ID, Running, demo_credentials
from moderator.platforms.x import XPlatform
from moderator.platforms.x.wire import ALLOWED, open_session

CALLS: dict[str, Callable[[XPlatform, str], object]] = {
    "replies": lambda x, _: x.poll("replies", "", limit=300),
    "mentions": lambda x, _: x.poll("mentions", "", limit=300),
    "fetch": lambda x, comment: x.fetch(comment),
    "hide": lambda x, comment: x.set_hidden(comment, hidden=True),
    "identity": lambda x, _: x.identity(),
}
ERRORS: list[tuple[int, type[ModeratorError]]] = [
    (400, Refused),
    (402, Refused),
    (403, Refused),
    (404, Gone),
    (408, Transient),
    (429, RateLimited),
    (500, Transient),
    (503, Transient),
]


@pytest.fixture
def comment(people: Any) -> str:
    return str(people.comment("A comment", under=people.school_post()))


@pytest.mark.parametrize("call", CALLS)
def test_a_refusal_becomes_our_error_and_passes(x: XPlatform, people: Any, comment: str, call: str) -> None:
    for status, error in ERRORS:
        people.do("fault", path="/2/[tu][ws]*", status=status)
        with pytest.raises(error) as caught:
            CALLS[call](x, comment)
        assert type(caught.value).__module__.startswith("moderator.")
        assert caught.value.__cause__ is None
        CALLS[call](x, comment)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("behaviour", ["timeout", "late", "half", "garbled"])
def test_a_broken_answer_is_transient_and_soon(  # noqa: PLR0913, PLR0917 - fixtures
    connect: Callable[..., XPlatform], small: Running, people: Any, comment: str, call: str, behaviour: str
) -> None:
    x = connect(small, timeout=0.4)
    x.identity()
    people.do("fault", path="/2/[tu][ws]*", behaviour=behaviour, seconds=3)
    start = time.monotonic()
    with pytest.raises(Transient):
        CALLS[call](x, comment)
    assert time.monotonic() - start < 3  # seconds, which the other end would take
    CALLS[call](x, comment)
    assert people.network.existing(int(comment)).hidden is (call == "hide")


def test_a_hide_whose_answer_was_lost_may_be_repeated(x: XPlatform, people: Any, comment: str) -> None:
    people.do("fault", path="/2/tweets/*/hidden", behaviour="half")
    with pytest.raises(Transient):
        x.set_hidden(comment, hidden=True)
    assert people.network.existing(int(comment)).hidden
    assert x.set_hidden(comment, hidden=True)


def test_a_reply_that_is_not_ours_to_hide_is_refused(x: XPlatform, people: Any) -> None:
    theirs = people.comment("Between two others", under=people.post("Elsewhere"), handle="other_one")
    with pytest.raises(Refused, match="403"):
        x.set_hidden(str(theirs), hidden=True)


@pytest.mark.parametrize(("reset", "least", "most"), [(120, 115, 125), (-500, 4, 6), (10**7, 86_390, 86_401)])
def test_a_rate_limit_says_until_when_within_sane_bounds(x: XPlatform, people: Any, reset: int, least: int, most: int) -> None:
    x.identity()
    people.do("fault", path="/2/users/me", status=429, reset=reset)
    now = datetime.now(UTC)
    with pytest.raises(RateLimited) as caught:
        x.identity()
    assert timedelta(seconds=least) <= caught.value.until - now <= timedelta(seconds=most)


def test_a_hide_quota_that_is_used_up_is_a_rate_limit(x: XPlatform, people: Any, comment: str) -> None:
    people.do("limit", call="hide", limit=2)
    assert x.set_hidden(comment, hidden=True)
    assert not x.set_hidden(comment, hidden=False)
    with pytest.raises(RateLimited) as caught:
        x.set_hidden(comment, hidden=True)
    assert timedelta(minutes=14) < caught.value.until - datetime.now(UTC) < timedelta(minutes=16)


def test_an_unauthorised_answer_renews_once_and_goes_on(x: XPlatform, people: Any, credentials: Any) -> None:
    x.identity()
    people.do("fault", path="/2/users/me", status=401)
    assert x.identity() == str(SCHOOL_ID)
    assert len(credentials.saved) == 2


def test_a_second_unauthorised_answer_is_for_a_person(x: XPlatform, people: Any) -> None:
    people.do("fault", path="/2/users/me", status=401, times=2)
    with pytest.raises(Unauthorised, match="authorised again"):
        x.identity()


def test_a_token_revoked_in_mid_run_is_for_a_person(x: XPlatform, people: Any, credentials: Any) -> None:
    page = x.poll("replies", "", limit=30)
    people.do("token", do="revoke")
    for _ in range(2):
        with pytest.raises(Unauthorised, match="authorised again"):
            x.poll("replies", page.cursor, limit=30)
    people.do("token", do="authorise")
    credentials.token = demo_credentials().token  # a person has authorised the account again
    x.poll("replies", page.cursor, limit=30)


def test_no_server_at_all_is_transient(connect: Callable[..., XPlatform], small: Running) -> None:
    x = connect(small)
    x.identity()
    gone = connect(Running("http://127.0.0.1:9", small.network), timeout=1.0)
    with pytest.raises(Transient, match="could not be reached"):
        gone.identity()


class Answering(http.server.BaseHTTPRequestHandler):
    """Gives one fixed answer to everything."""

    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")

    def do_GET(self) -> None:
        """Answer."""
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering(small: Running) -> Iterator[Running]:
    """Serve one fixed answer, which a test sets."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield Running(f"http://127.0.0.1:{server.server_port}", small.network)
        server.shutdown()
        thread.join()


FRESH = ports.Token("access", "refresh", datetime(2100, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "headers", "body", "error"),
    [
        (302, {"Location": "/2/users/me"}, b"", Transient),
        (200, {}, b"", Transient),
        (200, {}, b"[]", Transient),
        (200, {}, b"[" * 100_000, Transient),
        (200, {}, b'{"data": {"id": 7}}', Transient),
        (200, {}, b"\xff\xfe", Transient),
        (403, {}, b"[1]", Transient),
        (403, {}, b'{"title": 7}', Refused),
        (403, {}, b"<html>", Refused),
        (410, {}, b"[]", Transient),
        (410, {}, b"{}", Gone),
        (429, {"x-rate-limit-reset": "soon"}, b"{}", RateLimited),
        (429, {}, b"{}", RateLimited),
        (451, {}, b'{"errors": [{"message": "no"}]}', Refused),
    ],
)
def test_whatever_the_other_end_says_is_one_of_our_errors(  # noqa: PLR0913, PLR0917 - one row of the table
    connect: Callable[..., XPlatform],
    answering: Running,
    credentials: Any,
    status: int,
    headers: dict[str, str],
    body: bytes,
    error: type[ModeratorError],
) -> None:
    credentials.token = FRESH
    Answering.answer = (status, headers, body)
    with pytest.raises(error) as caught:
        connect(answering).identity()
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{}", Transient),
        (b'{"data": {"hidden": "true"}}', Transient),
        (b'{"data": {"hidden": 1}}', Transient),
        (b'{"errors": [{"title": "Authorization Error"}]}', Transient),
        (b'{"errors": [{"title": "Not Found Error"}]}', Gone),
    ],
)
def test_only_true_or_false_counts_as_read_back(
    connect: Callable[..., XPlatform], answering: Running, credentials: Any, body: bytes, error: type[ModeratorError]
) -> None:
    credentials.token = FRESH
    Answering.answer = (200, {}, body)
    with pytest.raises(error):
        connect(answering).set_hidden("1", hidden=True)


def test_a_hide_that_x_denies_is_told_as_it_is(connect: Callable[..., XPlatform], answering: Running, credentials: Any) -> None:
    credentials.token = FRESH
    Answering.answer = (200, {}, b'{"data": {"hidden": false}}')
    assert connect(answering).set_hidden("1", hidden=True) is False


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"errors": [{"title": "Not Found Error"}]}', Gone),
        (b'{"errors": [{"title": "Authorization Error"}]}', Refused),
        (b"{}", Transient),
        (b'{"data": {"id": "1"}}', Transient),
        (b'{"data": {"text": "no id"}}', Transient),
        (b'{"data": {"id": "one", "text": ""}}', Transient),
    ],
)
def test_a_lookup_without_the_post_says_why(
    connect: Callable[..., XPlatform], answering: Running, credentials: Any, body: bytes, error: type[ModeratorError]
) -> None:
    credentials.token = FRESH
    Answering.answer = (200, {}, body)
    with pytest.raises(error):
        connect(answering).fetch("1")


def test_headers_that_may_carry_a_token_are_not_kept(connect: Callable[..., XPlatform], answering: Running, credentials: Any) -> None:
    credentials.token = FRESH
    headers = {"Set-Cookie": "guest=1", "X-Auth": "a", "X-Csrf-Token": "b", "x-request-id": "abc", "X-Fine": "c"}
    Answering.answer = (200, headers, b'{"data": {"id": "1", "text": "Hello", "author_id": "9"}}')
    fetched = connect(answering).fetch("1")
    assert {"x-fine", "x-request-id"} <= set(fetched.headers)
    assert not {"set-cookie", "x-auth", "x-csrf-token"} & set(fetched.headers)
    assert fetched.request_id == "abc"
    assert fetched.comment.place.endswith("/i/status/1")
    assert fetched.comment.author.handle == ""


def test_r25_no_call_but_these_can_leave_the_machine(x: XPlatform, people: Any, comment: str, tmp_path: Path) -> None:
    """The list is written out here on purpose: a new verb or path must be added by hand, and defended in review."""
    allowed = {
        ("POST", "/2/oauth2/token"),
        ("POST", "/2/oauth2/revoke"),
        ("GET", "/2/users/me"),
        ("GET", r"/2/users/\d+/mentions"),
        ("GET", "/2/tweets/search/recent"),
        ("GET", "/2/tweets"),
        ("GET", r"/2/tweets/\d+"),
        ("PUT", r"/2/tweets/\d+/hidden"),
    }
    assert set(ALLOWED) == allowed
    for call in CALLS.values():
        call(x, comment)
    before = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    session = open_session(people.url, 5)
    for verb, path in [
        ("POST", "/2/tweets"),
        ("DELETE", f"/2/tweets/{comment}"),
        ("POST", "/2/users/1/likes"),
        ("POST", "/2/users/1/following"),
        ("POST", "/2/users/1/blocking"),
        ("POST", "/2/users/1/muting"),
        ("POST", "/2/users/1/retweets"),
        ("POST", "/2/dm_conversations/with/1/messages"),
        ("GET", "/2/dm_events"),
        ("GET", "/2/users/1"),
        ("PUT", "/2/tweets/1"),
        ("PUT", "/2/tweets/1/hidden/more"),
        ("GET", "/1.1/statuses/show.json"),
    ]:
        with pytest.raises(NotAllowed):
            session.request(verb, f"https://api.twitter.com{path}")
    with pytest.raises(NotAllowed):
        session.get("https://elsewhere.example/2/users/me")
    assert (tmp_path / "log.jsonl").read_text(encoding="utf-8") == before


def test_no_log_line_holds_a_token_or_a_comment(x: XPlatform, comment: str, credentials: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("tweepy.client").setLevel(logging.DEBUG)
        x.fetch(comment)
    logging.getLogger("tweepy.client").setLevel(logging.NOTSET)
    assert credentials.load().access not in caplog.text
    assert "A comment" not in caplog.text


def test_the_practice_log_holds_no_token(x: XPlatform, credentials: Any, tmp_path: Path) -> None:
    x.poll("mentions", "", limit=15)
    text = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    assert credentials.load().access not in text
    assert all(set(json.loads(line)) == {"time", "method", "path", "status"} for line in text.splitlines())


@pytest.mark.parametrize(
    ("handle", "platform_id", "api_url"),
    [
        ("a b", "1", "https://api.x.com"),
        ("ok", "one", "https://api.x.com"),
        ("ok", "1", "http://api.x.com"),
        ("ok", "1", "ftp://127.0.0.1"),
    ],
)
def test_facts_x_cannot_have_are_refused(credentials: Any, clock: Any, handle: str, platform_id: str, api_url: str) -> None:
    with pytest.raises(BadInput):
        XPlatform(platform_id=platform_id, handle=handle, credentials=credentials, clock=clock, client_id="c", api_url=api_url)

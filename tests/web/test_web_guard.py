"""The guard round the app: headers, Host, cross-site posts, size, and errors that tell nothing."""

import asyncio
import socket
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from cast import enrol
from fastapi import FastAPI, HTTPException
from review_app import Served, browser_like, enter, serve
from stage import Stage
from starlette.responses import StreamingResponse

from moderator.domain.errors import BadInput, Transient
from moderator.settings import ASSETS
from moderator.web.app import create_app
from moderator.web.origin import Origin
from moderator.web.sign_in import new_link
from moderator.web.site import SessionOf

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def test_every_answer_has_the_headers(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    record = served.record_id(item)
    for path in (
        "/",
        f"/items/{item}",
        f"/records/{record}/screenshot.png",
        f"/records/{record}/files/data/page.html",
        "/nothing",
        "/static/app.css",
        "/healthz",
    ):
        for client in (served.head, served.stranger):
            headers = client.get(path).headers
            assert headers["content-security-policy"] == CSP
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "no-store"
            assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_post_from_another_site_is_refused(served: Served, headers: dict[str, str]) -> None:
    item = served.seen("You are an idiot")[0]
    with httpx.Client(base_url=served.url, cookies=served.head.cookies, headers=headers) as other:
        form = {"verdict": "restore", "justification": "Forged on another site."}
        answer = other.post(f"/items/{item}/review", data=form)
        assert answer.status_code == 403
        assert "did not come from a page of this service" in answer.text
        assert other.post("/sign-out").status_code == 403
        assert enter(other, served.link()).status_code == 403
    assert served.head.get("/").status_code == 200
    assert served.stage.states() == ["hidden"]


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "OURS"}, {"Sec-Fetch-Site": "same-origin", "Origin": "OURS"}]
)
def test_a_post_from_our_own_page_is_taken(served: Served, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=served.url, headers={key: value.replace("OURS", served.url) for key, value in headers.items()}) as ours:
        assert enter(ours, served.link()).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1"])
def test_another_host_is_refused_except_for_the_watchman(served: Served, host: str) -> None:
    assert served.head.get("/", headers={"Host": host}).status_code == 421
    assert served.head.get("/healthz", headers={"Host": host}).text == "ok"


def test_two_hosts_or_none_are_refused(served: Served) -> None:
    parts = urlsplit(served.url)
    for lines in (f"Host: {parts.netloc}\r\nHost: {parts.netloc}\r\n", ""):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as line:
            line.sendall(f"GET / HTTP/1.0\r\n{lines}\r\n".encode())
            assert line.recv(64).split()[1] in {b"421", b"400"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_methods_we_do_not_use_are_refused(served: Served, method: str) -> None:
    assert served.head.request(method, "/").status_code == 405


def test_a_form_that_is_too_large_is_refused(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    answer = served.decide(item, "uphold", "x" * 70_000)
    assert answer.status_code == 413
    assert "write less" in answer.text

    def pieces() -> object:
        for _ in range(80):
            yield b"justification=" + b"x" * 1000

    chunked = served.head.post(f"/items/{item}/review", content=pieces(), headers={"Content-Type": "application/x-www-form-urlencoded"})  # type: ignore[arg-type] # told by the type of the test's own call
    assert chunked.status_code == 413
    assert served.stage.states() == ["hidden"]


def test_a_form_as_multipart_or_nonsense_is_no_decision(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    address = f"/items/{item}/review"
    assert served.head.post(address, content=b"\xff\xfe", headers={"Content-Type": "application/json"}).status_code == 400
    assert served.head.post(address, content=b"--x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    assert served.stage.states() == ["hidden"]


def test_bad_numbers_are_told_in_plain_english(served: Served) -> None:
    for path in ("/items/0", "/items/x", "/items/99999999999999999999", "/items/-1", "/records/R-X"):
        assert served.head.get(path).status_code == 404
    for path in ("/?after=x", "/?after=99999999999999999999", "/?severity=x", "/?account=x", "/?account=99999999999999999999", "/?since=x"):
        answer = served.head.get(path)
        assert answer.status_code in {200, 400}, path
        assert "Needs your decision" in answer.text or "could not be read" in answer.text


def broken(stage: Stage, url: str) -> FastAPI:
    """Return the app with a few pages that fail, each in its own way, for anybody who is signed in."""
    enrol(stage)
    app = create_app(database=stage.database, tools=stage.tools, templates=ASSETS / "templates", clock=stage.clock, base_url=url)

    async def half() -> object:
        yield b"half"
        message = "secret words"
        raise RuntimeError(message)

    @app.get("/fails/{how}")
    def fails(how: str) -> StreamingResponse:
        errors: dict[str, Exception] = {
            "bug": RuntimeError("secret words"),
            "disk": Transient("secret words"),
            "teapot": HTTPException(status_code=418, detail="secret words"),
        }
        if how in errors:
            raise errors[how]
        return StreamingResponse(half())  # type: ignore[arg-type] # an async generator of bytes

    return app


@contextmanager
def signed_in(stage: Stage, url: str) -> Iterator[httpx.Client]:
    """Yield the Headteacher's client."""
    with browser_like(url) as head:
        assert enter(head, new_link(stage.database, actor="HEAD-1", now=stage.clock.now(), base_url=url)).status_code == 303
        yield head


@pytest.mark.parametrize(
    ("how", "status", "said"), [("bug", 500, "our fault"), ("disk", 503, "Nothing was lost"), ("teapot", 400, "could not be read")]
)
def test_errors_are_pages_without_a_stack_and_logs_without_their_text(stage: Stage, how: str, status: int, said: str) -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda url: broken(stage, url)) as (url, _), signed_in(stage, url) as head:
        answer = head.get(f"/fails/{how}")
    assert answer.status_code == status
    assert said in answer.text
    assert answer.headers["content-security-policy"] == CSP
    assert "secret words" not in answer.text + str(logs)
    assert "Traceback" not in answer.text


def test_an_answer_that_breaks_half_way_is_cut_not_finished(stage: Stage) -> None:
    with structlog.testing.capture_logs() as logs, serve(lambda url: broken(stage, url)) as (url, _):
        with signed_in(stage, url) as head, pytest.raises(httpx.HTTPError):
            head.get("/fails/half")
        assert httpx.get(f"{url}/healthz").text == "ok"
    assert [line["error"] for line in logs if line["event"] == "page_failed"] == ["RuntimeError"]
    assert "secret words" not in str(logs)


def test_logs_of_a_whole_morning_hold_no_text_name_or_secret(served: Served) -> None:
    with structlog.testing.capture_logs() as logs:
        link = served.link()
        enter(served.head, link)
        item = served.seen("Tilly Marwood is an idiot")[0]
        served.head.get(f"/items/{item}")
        served.decide(item, "uphold", "Tilly Marwood is named here.")
        served.decide(item, "nonsense")
        served.stranger.get("/items/1")
    text = str(logs)
    assert "item_viewed" in text
    for secret in ("Marwood", "idiot", "Fern", "named here", link.rpartition("/")[2], served.head.cookies["session"]):
        assert secret not in text


def test_over_tls_the_cookie_is_host_only_and_the_browser_is_told_to_stay(stage: Stage) -> None:
    public = "https://moderator.oakfield.example"
    app = create_app(database=stage.database, tools=stage.tools, templates=ASSETS / "templates", clock=stage.clock, base_url=public)
    enrol(stage)
    link = new_link(stage.database, actor="HEAD-1", now=stage.clock.now(), base_url=public)
    assert link.startswith("https://moderator.oakfield.example/sign-in/")
    headers = {"Host": "moderator.oakfield.example", "Sec-Fetch-Site": "same-origin"}
    with serve(lambda _: app) as (url, _), httpx.Client(base_url=url, headers=headers) as client:
        answer = enter(client, link)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        secret = cookie.partition("=")[2].partition(";")[0]
        assert client.get("/", headers={"Cookie": f"__Host-session={secret}"}).status_code == 200
        assert client.get("/", headers={"Cookie": f"session={secret}"}).status_code == 401


@pytest.mark.parametrize(
    "url",
    [
        "http://moderator.oakfield.example",
        "ftp://127.0.0.1",
        "moderator.oakfield.example",
        "https://x.example/path",
        "https://x.example:port",
        "https://u@x.example",
        "https://x.example?q=1",
        "https://",
    ],
)
def test_an_address_the_app_cannot_have_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="review address"):
        Origin.of(url)


@pytest.mark.parametrize(
    ("url", "host", "text"),
    [
        ("https://Moderator.Example/", "moderator.example", "https://moderator.example"),
        ("https://moderator.example:443", "moderator.example", "https://moderator.example"),
        ("https://moderator.example:8443", "moderator.example:8443", "https://moderator.example:8443"),
        ("http://[::1]:8000", "[::1]:8000", "http://[::1]:8000"),
        ("http://localhost", "localhost", "http://localhost"),
    ],
)
def test_an_address_is_known_as_a_browser_names_it(url: str, host: str, text: str) -> None:
    origin = Origin.of(url)
    assert (origin.host, origin.text) == (host, text)


def test_without_templates_the_app_does_not_start(stage: Stage) -> None:
    with pytest.raises(BadInput, match="page templates"):
        create_app(database=stage.database, tools=stage.tools, templates=stage.folder, clock=stage.clock, base_url="http://localhost:1")


def test_r3_the_second_lock_holds_where_the_gate_is_open(stage: Stage) -> None:
    def make(url: str) -> FastAPI:
        app = broken(stage, url)

        @app.get("/sign-in/inside/room")
        def inside(session: SessionOf) -> str:
            return session.actor

        return app

    with serve(make) as (url, _):
        answer = httpx.get(f"{url}/sign-in/inside/room")
    assert answer.status_code == 401
    assert "Please sign in" in answer.text


def test_web_sockets_get_nothing_and_start_and_stop_are_passed_on(stage: Stage) -> None:
    app = broken(stage, "http://127.0.0.1:1")
    told: list[str] = []
    waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> MutableMapping[str, Any]:
        return waiting.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message["type"])

    asyncio.run(app({"type": "websocket", "path": "/", "headers": []}, receive, send))
    assert told == []
    asyncio.run(app({"type": "lifespan", "app": app, "state": {}}, receive, send))
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

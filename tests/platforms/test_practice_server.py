"""The practice network as a server: X's refusals, its log, its faults, its life over kills."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
import requests

from moderator.domain.errors import BadInput
from moderator.platforms.practice import SCHOOL_HANDLE, SCHOOL_ID, PracticeNetwork, Running, demo_credentials, running, serve
from moderator.platforms.practice.faults import Fault, fault_from
from moderator.platforms.practice.ids import first_id_at, now_ms
from moderator.platforms.practice.limits import Limits
from moderator.platforms.practice.log import Logged, RequestLog
from moderator.platforms.practice.server import listen

SERVE = """
import sys
from pathlib import Path
from moderator.platforms.practice import PracticeNetwork, serve
folder = Path(sys.argv[2])
serve(PracticeNetwork(state=folder / "state.db", log=folder / "log.jsonl"), int(sys.argv[1]))
"""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def bearer(small: Running) -> dict[str, str]:
    form = {"grant_type": "refresh_token", "refresh_token": demo_credentials().token.refresh, "client_id": demo_credentials().client_id}
    table = requests.post(f"{small.url}/2/oauth2/token", data=form, timeout=10).json()
    return {"Authorization": f"Bearer {table['access_token']}"}


@pytest.fixture
def free_port() -> int:
    """Return a port below those the system hands to outgoing connections, so that nobody takes it before we do."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with contextlib.suppress(BadInput), listen("127.0.0.1", port):
            return port
    pytest.fail("no port is free")


@pytest.fixture
def served(tmp_path: Path, free_port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a network in a process of its own."""
    process = start(free_port, tmp_path)
    yield process
    process.kill()
    process.wait()


def start(port: int, folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port), str(folder)])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    pytest.fail("the network did not start")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}])
def test_every_call_wants_a_token(small: Running, header: dict[str, str]) -> None:
    for path in ("users/me", f"users/{SCHOOL_ID}/mentions", "tweets/search/recent?query=(to:x)", "tweets?ids=1", "tweets/1"):
        response = requests.get(f"{small.url}/2/{path}", headers=header, timeout=10)
        assert (response.status_code, response.json()["title"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        "tweets/search/recent?query=(to:oakfieldprimary)&max_results=9",
        "tweets/search/recent?query=(to:oakfieldprimary)&max_results=101",
        "tweets/search/recent?query=(to:oakfieldprimary)&max_results=x",
        "tweets/search/recent?query=(to:oakfieldprimary)&surprise=1",
        "tweets/search/recent?query=(to:oakfieldprimary)&next_token=zzz",
        "tweets/search/recent?query=(to:oakfieldprimary)&since_id=x",
        "tweets/search/recent?query=(to:oakfieldprimary)&since_id=1",
        "tweets/search/recent?query=(to:oakfieldprimary)&until_id=1",
        "tweets/search/recent?query=(to:oakfieldprimary)&tweet.fields=shoe_size",
        "tweets/search/recent",
        "tweets/search/recent?query=to:oakfieldprimary",
        "tweets/search/recent?query=(has:media)",
        "tweets/search/recent?query=(conversation_id:x)",
        "tweets/search/recent?query=(from:)",
        f"tweets/search/recent?query=(to:{'x' * 600})",
        f"users/{SCHOOL_ID}/mentions?max_results=4",
        f"users/{SCHOOL_ID}/mentions?next_token=a",
        "tweets",
        "tweets?ids=1,x",
        "tweets?ids=" + ",".join("1" * 101),
        "users/me?max_results=5",
    ],
)
def test_a_parameter_that_x_would_not_take_is_a_400(small: Running, bearer: dict[str, str], path: str) -> None:
    response = requests.get(f"{small.url}/2/{path}", headers=bearer, timeout=10)
    table = response.json()
    assert (response.status_code, table["title"]) == (400, "Invalid Request")
    assert table["errors"][0]["message"]
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["x-rate-limit-remaining"]) > 0


def test_the_mentions_of_others_are_not_ours_to_read(small: Running, bearer: dict[str, str]) -> None:
    assert requests.get(f"{small.url}/2/users/1/mentions", headers=bearer, timeout=10).status_code == 403


def test_mentions_reach_back_800(small: Running, bearer: dict[str, str]) -> None:
    ids = [small.network.write(f"@{SCHOOL_HANDLE} {number}", handle="kit") for number in range(803)]
    found: list[str] = []
    params: dict[str, str] = {"max_results": "100"}
    while True:
        table = requests.get(f"{small.url}/2/users/{SCHOOL_ID}/mentions", params=params, headers=bearer, timeout=10).json()
        found += [row["id"] for row in table.get("data", [])]
        if "next_token" not in table["meta"]:
            break
        params["pagination_token"] = table["meta"]["next_token"]
    assert found == [str(one) for one in reversed(ids[3:])]


def test_search_understands_a_name_and_an_author(small: Running, bearer: dict[str, str]) -> None:
    post = small.network.write(f"Hello @{SCHOOL_HANDLE}", handle="kit")
    small.network.write(f"Me too @{SCHOOL_HANDLE}", handle="other")
    query = {"query": f"(@{SCHOOL_HANDLE}) -from:other"}
    table = requests.get(f"{small.url}/2/tweets/search/recent", params=query, headers=bearer, timeout=10).json()
    assert [row["id"] for row in table["data"]] == [str(post)]
    assert set(table["data"][0]) == {"id", "text", "edit_history_tweet_ids"}


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"hidden": "yes"}', "nonsense"])
def test_a_hide_must_say_true_or_false(small: Running, bearer: dict[str, str], body: str) -> None:
    assert requests.put(f"{small.url}/2/tweets/1/hidden", data=body, headers=bearer, timeout=10).status_code == 400


def test_the_schools_own_post_cannot_be_hidden(small: Running, bearer: dict[str, str]) -> None:
    root = small.network.state.posts("parent_id IS NULL", limit=1)[0].id
    assert requests.put(f"{small.url}/2/tweets/{root}/hidden", json={"hidden": True}, headers=bearer, timeout=10).status_code == 403


@pytest.mark.parametrize("form", [{}, {"grant_type": "refresh_token", "client_id": "practice-client", "refresh_token": "wrong"}])
def test_a_wrong_renewal_is_refused(small: Running, form: dict[str, str]) -> None:
    assert requests.post(f"{small.url}/2/oauth2/token", data=form, timeout=10).status_code == 400


def test_there_are_no_other_calls(small: Running) -> None:
    for verb, path in (("POST", "/2/tweets"), ("DELETE", "/2/tweets/1"), ("GET", "/2/nothing"), ("POST", "/practice/nothing")):
        response = requests.request(verb, small.url + path, timeout=10)
        assert (response.status_code, response.json()["title"]) == (404, "Not Found")
    assert requests.get(f"{small.url}/nothing", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("deed", "values"),
    [
        ("post", {"text": "x", "handle": "no way"}),
        ("post", {"text": "x", "handle": "kit", "under": "y"}),
        ("edit", {"text": "x"}),
        ("fault", {}),
        ("fault", {"path": "/2/*", "colour": "red"}),
        ("fault", {"path": "/2/*", "behaviour": "sulk"}),
        ("fault", {"path": "/2/*", "status": "500"}),
        ("fault", {"path": "/2/*", "times": 0}),
        ("limit", {"call": "hide"}),
        ("token", {"do": "steal"}),
        ("post", []),
    ],
)
def test_a_rehearsal_call_that_makes_no_sense_says_so(small: Running, deed: str, values: object) -> None:
    response = requests.post(f"{small.url}/practice/{deed}", json=values, timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_rehearsal_call_about_a_post_that_is_not_there_is_404(small: Running) -> None:
    assert requests.post(f"{small.url}/practice/delete", json={"id": "5"}, timeout=10).status_code == 404


def test_faults_come_in_order_so_many_times_and_can_be_cleared(small: Running, people: Any) -> None:
    people.do("fault", path="/", status=500, times=2)
    people.do("fault", path="/", status=503, method="GET")
    assert [requests.get(small.url, timeout=10).status_code for _ in range(4)] == [500, 500, 503, 200]
    people.do("fault", path="/", status=500, method="POST")
    assert requests.get(small.url, timeout=10).status_code == 200
    people.do("fault", clear=True)
    assert requests.post(small.url, timeout=10).status_code == 404


def test_a_held_request_is_answered_in_the_end(small: Running, people: Any) -> None:
    people.do("fault", path="/", behaviour="timeout", seconds=0.2)
    assert requests.get(small.url, timeout=10).status_code == 504
    people.do("fault", path="/", behaviour="late", seconds=0.2)
    assert requests.get(small.url, timeout=10).status_code == 200


def test_a_fault_is_described_exactly() -> None:
    assert fault_from({"path": "/x", "seconds": 2}) == Fault("/x", seconds=2.0)
    with pytest.raises(BadInput):
        fault_from({"path": "/x", "times": True})


def test_limits_open_again_after_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits()
    limits.narrow("hide", 1)
    assert limits.count("hide").allowed
    assert not limits.count("hide").allowed
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 901)
    assert limits.count("hide").allowed


def test_the_log_has_a_line_for_each_request_before_its_answer(small: Running, tmp_path: Path) -> None:
    before = datetime.now(UTC)
    requests.get(f"{small.url}/?secret=1", timeout=10)
    requests.get(f"{small.url}/nothing", timeout=10)
    found = lines(tmp_path / "log.jsonl")
    assert [(line["method"], line["path"], line["status"]) for line in found] == [("GET", "/", 200), ("GET", "/nothing", 404)]
    for line in found:
        arrived = datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        assert before <= arrived <= datetime.now(UTC)


def test_a_caller_that_goes_away_loses_neither_effect_nor_line(small: Running, bearer: dict[str, str], tmp_path: Path) -> None:
    comment = small.network.state.posts("parent_id IS NOT NULL", limit=1)[0].id
    body = b'{"hidden": true}'
    head = (
        f"PUT /2/tweets/{comment}/hidden HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    port = int(small.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(head.encode() + body)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(head.encode() + body[:5])  # half a request has no effect, and is in the log all the same
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and len(lines(tmp_path / "log.jsonl")) < 3:
        time.sleep(0.05)
    assert small.network.existing(comment).hidden
    assert sorted(line["status"] for line in lines(tmp_path / "log.jsonl")[1:]) == [200, 499]


def test_state_and_log_survive_a_kill(served: subprocess.Popen[bytes], free_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port}"
    made = requests.post(f"{url}/practice/post", json={"text": "Still here", "handle": "kit"}, timeout=10).json()["id"]
    served.send_signal(signal.SIGKILL)
    served.wait()
    assert lines(tmp_path / "log.jsonl")[-1]["path"] == "/practice/post"
    again = start(free_port, tmp_path)
    try:
        assert "Still here" in requests.get(f"{url}/kit/status/{made}", timeout=10).text
        later = requests.post(f"{url}/practice/post", json={"text": "Next", "handle": "kit"}, timeout=10).json()["id"]
        assert int(later) > int(made)
    finally:
        again.send_signal(signal.SIGTERM)
        assert again.wait(timeout=20) == 0


def test_it_ends_cleanly_when_it_is_asked_to(free_port: int) -> None:
    answered: list[int] = []

    def visit_then_end() -> None:
        deadline = time.monotonic() + 20
        while not answered and time.monotonic() < deadline:
            with contextlib.suppress(requests.ConnectionError):
                answered.append(requests.get(f"http://127.0.0.1:{free_port}/", timeout=10).status_code)
        os.kill(os.getpid(), signal.SIGTERM)

    kept = signal.getsignal(signal.SIGTERM)
    visitor = threading.Thread(target=visit_then_end)
    visitor.start()
    serve(PracticeNetwork(), free_port)
    visitor.join()
    assert answered == [200]
    assert signal.getsignal(signal.SIGTERM) is kept


def test_a_port_in_use_is_said_plainly() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(BadInput, match=f"port {port}"), running(port=port):
            pass
    for wrong in (-1, 70_000):
        with pytest.raises(BadInput, match="1 to 65535"):
            listen("127.0.0.1", wrong)


def test_ids_carry_their_time() -> None:
    assert first_id_at(0) == 0
    moment = now_ms()
    assert (first_id_at(moment) >> 22) + 1_288_834_974_657 == moment


async def broken(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send
    message = "broken"
    raise RuntimeError(message)


def test_a_request_that_ends_without_an_answer_is_in_the_log(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "log.jsonl")
    with pytest.raises(RuntimeError):
        asyncio.run(Logged(broken, log)({"type": "http", "method": "GET", "path": "/x"}, AsyncMock(), AsyncMock()))
    log.close()
    assert [(line["path"], line["status"]) for line in lines(tmp_path / "log.jsonl")] == [("/x", 499)]

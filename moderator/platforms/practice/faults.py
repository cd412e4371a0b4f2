"""Faults to rehearse with: the network misbehaves as asked, so many times. Called by `server`; asked for through `/practice/fault`.

| behaviour | what the caller meets | does the call take effect? |
|---|---|---|
| `status`  | the given status, with X's error body; 429 carries its reset | no |
| `timeout` | no answer for `seconds` | no |
| `late`    | the effect, but no answer for `seconds` | yes |
| `half`    | half the body, then the connection closes | yes |
| `garbled` | status 200 with a page of HTML for a body | yes |
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Final, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderator.domain.errors import BadInput

BEHAVIOURS: Final = ("status", "timeout", "late", "half", "garbled")
LOWEST_STATUS, HIGHEST_STATUS = 400, 599


@dataclass(slots=True)
class Fault:
    """One fault. `path` is a pattern with `*`, `method` a verb or "" for any; `reset` seconds from now for 429; `times` still to happen."""

    path: str
    behaviour: str = "status"
    method: str = ""
    status: int = 500
    reset: int = 60
    seconds: float = 60.0
    times: int = 1

    def __post_init__(self) -> None:
        """Raise BadInput for a fault that cannot happen."""
        if self.behaviour not in BEHAVIOURS or not LOWEST_STATUS <= self.status <= HIGHEST_STATUS or self.times < 1:
            message = f"a fault needs a behaviour of {', '.join(BEHAVIOURS)}, a status from 400 to 599, and times of 1 or more"
            raise BadInput(message)


def fault_from(values: Mapping[str, object]) -> Fault:
    """Return the fault that a caller described. Raises BadInput for a name or a kind of value that a fault does not have."""
    described = dict(values)
    fault = Fault(
        path=_taken(described, "path", ""),
        behaviour=_taken(described, "behaviour", "status"),
        method=_taken(described, "method", ""),
        status=_taken(described, "status", 500),
        reset=_taken(described, "reset", 60),
        seconds=_taken(described, "seconds", 60.0),
        times=_taken(described, "times", 1),
    )
    if described or not fault.path:
        message = f"a fault needs a path, and has no {', '.join(described) or 'other'}"
        raise BadInput(message)
    return fault


Value = TypeVar("Value", str, int, float)


def _taken(described: dict[str, object], name: str, otherwise: Value) -> Value:
    value = described.pop(name, otherwise)
    kind = type(otherwise)
    if isinstance(value, bool) or not isinstance(value, (kind, int) if kind is float else kind):
        message = f"{name} of a fault must be {kind.__name__}"
        raise BadInput(message)
    return kind(value)


class Faults:
    """The faults still to happen, in the order they were asked for."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault happen to the next requests that match it."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget every fault."""
        self._waiting.clear()

    def next_for(self, method: str, path: str) -> Fault | None:
        """Return the first fault that matches a request, and count it as happened."""
        for fault in self._waiting:
            if fnmatchcase(path, fault.path) and fault.method in {"", method}:
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None


class Faulty:
    """Wraps the network and misbehaves."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        """Keep what is wrapped and the faults."""
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with a fault if one waits for it."""
        fault = None if scope["path"].startswith("/practice/") else self._faults.next_for(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.behaviour == "status":
            await _send_status(fault, send)
        elif fault.behaviour == "timeout":
            await _hold(fault.seconds, receive)
            await _send_status(Fault(fault.path, status=HTTPStatus.GATEWAY_TIMEOUT), send)
        else:
            messages = await self._collected(scope, receive)
            if fault.behaviour == "late":
                await _hold(fault.seconds, receive)
            await _send_broken(fault, messages, send)

    async def _collected(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        return messages


async def _send_status(fault: Fault, send: Send) -> None:
    body = json.dumps(
        {"title": HTTPStatus(fault.status).phrase, "detail": "a rehearsed fault", "type": "about:blank", "status": fault.status}
    )
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        headers.append((b"x-rate-limit-reset", str(int(time.time()) + fault.reset).encode()))
    await send({"type": "http.response.start", "status": fault.status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


async def _send_broken(fault: Fault, messages: list[Message], send: Send) -> None:
    start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
    if fault.behaviour == "garbled":
        body = b"<!doctype html><title>We will be back soon</title>"
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": [(b"content-type", b"text/html"), length]})
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    if fault.behaviour == "half":  # the announced length never comes: the server closes the connection
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    else:
        await send({"type": "http.response.body", "body": body})


async def _hold(seconds: float, receive: Receive) -> None:
    """Wait, or stop waiting when the caller goes away."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return

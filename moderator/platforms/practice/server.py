"""Runs a practice network over HTTP: in the foreground for `moderator practice`, in a thread for the demo and the tests."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from moderator.domain.errors import BadInput
from moderator.platforms.practice.api import Api
from moderator.platforms.practice.authorise import Authorise
from moderator.platforms.practice.faults import Faulty
from moderator.platforms.practice.log import NO_ANSWER, Logged
from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.pages import Pages, problem
from moderator.platforms.practice.rehearse import Rehearsal

_HIGHEST_PORT: Final = 65_535
_GRACE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Running:
    """A network that is being served."""

    url: str
    network: PracticeNetwork


def app_of(network: PracticeNetwork) -> Logged:
    """Return the whole network as an ASGI application."""
    routes = [*Rehearsal(network).routes(), *Api(network).routes(), *Authorise(network).routes(), *Pages(network).routes()]
    inner = Starlette(routes=routes, exception_handlers={404: _absent, 405: _absent, ClientDisconnect: _left})
    inner.router.redirect_slashes = False
    return Logged(Faulty(inner, network.faults), network.log)


def serve(network: PracticeNetwork, port: int, host: str = "127.0.0.1") -> None:
    """Listen and serve; see `serve_on`. Raises BadInput when the port cannot be had."""
    with listen(host, port) as listening:
        serve_on(network, listening)


def serve_on(network: PracticeNetwork, listening: socket.socket) -> None:
    """Serve on a socket of `listen` until SIGINT or SIGTERM, then close the network. Call from the main thread."""
    kept = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(_server(network).serve(sockets=[listening]))
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        network.close()


@contextmanager
def running(
    *,
    state: Path | None = None,
    comments: Path | None = None,
    log: Path | None = None,
    port: int = 0,
    new_names: bool = False,
) -> Iterator[Running]:
    """Serve a network in a thread for as long as the `with` block lasts. Port 0 takes a free one. Raises BadInput as above."""
    listening = listen("127.0.0.1", port)
    network = PracticeNetwork(state=state, comments=comments, log=log, new_names=new_names)
    server = _server(network)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), name="practice-network", daemon=True)
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", network)
    finally:
        server.should_exit = True
        thread.join(timeout=_GRACE_SECONDS + 3)
        listening.close()
        network.close()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises BadInput when the address or port cannot be used."""
    if not 0 <= port <= _HIGHEST_PORT:
        message = f"port {port}: use a number from 1 to {_HIGHEST_PORT}"
        raise BadInput(message)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: asyncio turns off Nagle's delay only then
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        message = f"cannot listen on {host}, port {port} ({error.strerror}); choose another with --port"
        raise BadInput(message) from None
    return listening


def _server(network: PracticeNetwork) -> uvicorn.Server:
    config = uvicorn.Config(
        app_of(network),
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: uvicorn hands its signal back after it has ended, and by then all is done."""
    del number, frame


async def _left(request: Request, error: Exception) -> Response:
    """Answer nobody: the caller went away before it had said everything, so nothing was done."""
    del request, error
    return Response(status_code=NO_ANSWER)


async def _absent(request: Request, error: Exception) -> Response:
    del error
    if request.url.path.startswith(("/2/", "/practice/")):
        return JSONResponse({"title": "Not Found", "detail": "There is no such call.", "type": "about:blank", "status": 404}, 404)
    return problem(404, "There is no such page.")

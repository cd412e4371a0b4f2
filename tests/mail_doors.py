"""What the real mail server asks while it works: a greylist, and whether an access token holds. Called by mail_server.py.

And a line that is dropped after the server has taken a message, which no server does when asked.
"""

import json
import secrets
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import trustme


class GreyList:
    """Says 450 the first time each message for one address is offered, as servers do that know no sender yet."""

    def __init__(self, address: str) -> None:
        """Know nobody yet."""
        self._address, self._met, self.port = address, set[str](), 0

    def forget(self) -> None:
        """Know nobody any more."""
        self._met.clear()

    def answer(self, asked: dict[str, str]) -> str:
        """Return Postfix's action for one recipient."""
        if asked.get("recipient", "").lower() != self._address or asked.get("sender", "") in self._met:
            return "DUNNO"
        self._met.add(asked.get("sender", ""))
        return "450 4.7.1 Greylisted, please try again"


@contextmanager
def grey_list(address: str) -> Iterator[GreyList]:
    """Yield a greylist that Postfix can ask, by its policy protocol: `name=value` lines, an empty one, then our `action=`."""
    grey = GreyList(address)

    class Asked(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            found: dict[str, str] = {}
            for line in self.rfile:
                name, _, value = line.decode("utf-8", "replace").strip().partition("=")
                if name:
                    found[name] = value
                    continue
                self.wfile.write(f"action={grey.answer(found)}\n\n".encode())
                found = {}

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Asked)) as port:
        grey.port = port
        yield grey


class TokenDesk:
    """Gives out access tokens as Microsoft's and Google's token addresses do, and tells the mail server whose a token is."""

    SECRET = "only-for-tests-" + "s" * 32

    def __init__(self) -> None:
        """Have given none."""
        self._holders: dict[str, str] = {}
        self.given = 0
        self.port = 0

    @property
    def token_url(self) -> str:
        """Return where an app asks for a token. The app's name is the mailbox that it may act for."""
        return f"http://127.0.0.1:{self.port}/token"

    def give(self, user: str) -> str:
        """Return a new token that lets this user in."""
        token = secrets.token_urlsafe(24)
        self._holders[token] = user
        self.given += 1
        return token

    def withdraw(self) -> None:
        """Let no token given so far hold any more, as when it has run out."""
        self._holders.clear()

    def holder(self, token: str) -> dict[str, Any]:
        """Return what RFC 7662 says of a token."""
        user = self._holders.get(token)
        return {"active": True, "username": user} if user else {"active": False}

    def ask(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer of the token address (RFC 6749 section 4.4)."""
        if form.get("grant_type") != "client_credentials" or form.get("client_secret") != self.SECRET:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": self.give(form["client_id"]), "token_type": "Bearer", "expires_in": 3600}


@contextmanager
def token_desk() -> Iterator[TokenDesk]:
    """Yield a desk: POST /token for apps, POST /introspect (RFC 7662) for the mail server."""
    desk = TokenDesk()

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, told = desk.ask(form) if self.path == "/token" else (200, desk.holder(form.get("token", "")))
            said = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Asked)) as port:
        desk.port = port
        yield desk


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dropping(port: int, *, authority: trustme.CA, ca_file: Path) -> Iterator[int]:
    """Yield the port of a line to the submissions port that is cut when the server has said that it took a message.

    It carries TLS on both sides and only watches; the sender never hears the server's last `250`.
    """
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(inside)
    outside = ssl.create_default_context(cafile=ca_file)
    listener = socket.create_server(("127.0.0.1", 0))

    def carry() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                line = socket.create_connection(("127.0.0.1", port), timeout=15)
                with inside.wrap_socket(caller, server_side=True) as near, outside.wrap_socket(line, server_hostname="127.0.0.1") as far:
                    _until_taken(near, far)

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=15)


def _until_taken(near: ssl.SSLSocket, far: ssl.SSLSocket) -> None:
    """Carry both ways in turns (SMTP speaks in turns) until the message has been handed over and taken."""
    message = False
    while True:
        said = far.recv(65_536)
        if not said or (message and said.startswith(b"250 ")):
            return
        near.sendall(said)
        heard = near.recv(65_536)
        if not heard:
            return
        if said.startswith(b"354"):
            message = True
            while not heard.endswith(b"\r\n.\r\n"):
                heard += near.recv(65_536)
        far.sendall(heard)

"""A token endpoint on loopback that says what a test tells it to, and remembers what it was asked. Called by the tests of mail sign-in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Endpoint:
    """What it says next (status and JSON, or bytes), and the forms it was sent. Each answer is used once, the last one again and again."""

    url: str = ""
    answers: list[tuple[int, dict[str, Any] | bytes]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    location: str = ""

    def says(self, *answers: tuple[int, dict[str, Any] | bytes]) -> "Endpoint":
        """Start anew with those answers."""
        self.answers, self.location = list(answers), ""
        self.asked.clear()
        self.signed.clear()
        return self

    def gives(self, token: str, *, renewed: str = "") -> "Endpoint":
        """Start anew, giving one token, and a new refresh token if there is one."""
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        return self.says((200, answer | ({"refresh_token": renewed} if renewed else {})))

    def next_answer(self) -> tuple[int, bytes]:
        status, told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, told if isinstance(told, bytes) else json.dumps(told).encode()


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Yield a running endpoint."""
    here = Endpoint()

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
            here.asked.append({name: values[0] for name, values in form.items()})
            here.signed.append(self.headers.get("Authorization", ""))
            status, said = here.next_answer()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            if here.location:
                self.send_header("Location", here.location)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    here.url = f"http://127.0.0.1:{server.server_port}/token"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

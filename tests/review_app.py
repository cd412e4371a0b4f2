"""The review app served by uvicorn on loopback over the stage, and the people who meet it: a signed-in head and a stranger."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import uvicorn
from fastapi import FastAPI
from PIL import Image
from stage import Stage, comment

from moderator.steps.decide import decide
from moderator.steps.hide import hide
from moderator.steps.poll import poll
from moderator.steps.record import record
from moderator.steps.score import score
from moderator.web.sign_in import new_link

HOUR = timedelta(hours=1)
HEAD = "D-1"
"""The designation reference of the signed-in head."""


@dataclass(frozen=True, slots=True)
class Served:
    """The app over a stage. `head` is signed in, `stranger` is not; both send what a browser sends with a form of ours."""

    stage: Stage
    app: FastAPI
    url: str
    head: httpx.Client
    stranger: httpx.Client

    def link(self) -> str:
        """Return a fresh sign-in link."""
        return new_link(self.stage.database, actor=HEAD, now=self.stage.clock.now(), base_url=self.url)

    def run_line(self) -> None:
        """Let the service do all that is due, up to the hide."""
        for step in (poll, score, decide, record, hide):
            while step(self.stage.tools):
                pass

    def seen(self, *texts: str) -> list[int]:
        """Let comments arrive, run the line, and return their item numbers."""
        start = len(self.stage.platform.comments) + 10
        self.stage.platform.comments += [comment(start + number, text) for number, text in enumerate(texts)]
        self.stage.clock.move(HOUR)
        self.run_line()
        return [int(str(row[0])) for row in self.stage.rows("id")][-len(texts) :]

    def decide(self, item: int, verdict: str, why: str = "Read it twice; this is right.") -> httpx.Response:
        """Send the decision form."""
        return self.head.post(f"/items/{item}/review", data={"verdict": verdict, "justification": why})

    def record_id(self, item: int) -> str:
        """Return the number of an item's record."""
        found = self.stage.database.work(item).record
        assert found is not None
        return found.record_id


def screen_print(shade: int = 90) -> bytes:
    """Return a small PNG."""
    out = BytesIO()
    drawn = Image.new("RGB", (120, 80), (shade, 120, 90))
    drawn.putpixel((3, 3), (255, 255, 255))
    drawn.save(out, "PNG")
    return out.getvalue()


def handed_in(served: Served, *, content: bytes = b"", name: str = "shot.png", **words: str) -> str:
    """Hand a screen print in as the head, and return its record's number. The same words and bytes give the same record."""
    form = {"indecent": "no", "school": "oakfield", "place": "https://social.example/groups/9b/4411", "seen": "2026-11-18T11:05"}
    form |= {"why": "A parent showed it to me at the gate.", "author": "Wren Quill", "text": "The office could not run a bath."}
    answer = served.head.post("/submit", data=form | words, files=[("files", (name, content or screen_print(), "image/png"))])
    assert answer.status_code == 303, answer.text
    return urlsplit(answer.headers["location"]).path.rpartition("/")[2]


@contextmanager
def serve(make: Callable[[str], FastAPI]) -> Iterator[tuple[str, FastAPI]]:
    """Serve an app on a free port of loopback; `make` is given its address."""
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    app = make(url)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield url, app
    finally:
        server.should_exit = True
        thread.join()
        door.close()


def browser_like(url: str) -> httpx.Client:
    """Return a client that sends what a browser sends with a form of the page itself, and follows nothing."""
    return httpx.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}, trust_env=False)


def enter(client: httpx.Client, link: str) -> httpx.Response:
    """Press the button of a sign-in link."""
    return client.post("/sign-in", data={"secret": urlsplit(link).path.rpartition("/")[2]})

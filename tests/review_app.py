"""The review app served by uvicorn on loopback over the stage, and the people who meet it: a signed-in head and a stranger."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
import uvicorn
from cast import TRUST_ROLES
from fastapi import FastAPI
from PIL import Image
from stage import Stage, comment

from moderator.domain.access import Role
from moderator.steps.decide import decide
from moderator.steps.hide import hide
from moderator.steps.poll import poll
from moderator.steps.record import record
from moderator.steps.score import score
from moderator.store.sign_in import SIGN_INS, Purpose
from moderator.web.sign_in import new_link

HOUR = timedelta(hours=1)
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no authority: our clients speak plainly to loopback, and reading the machine's whole list for each is slow."""
HEAD = "HEAD-1"
"""The designation reference of the signed-in head."""


@dataclass(frozen=True, slots=True)
class Served:
    """The app over a stage, its cast enrolled. `head` is signed in, `stranger` is not; both send what a browser sends with our forms.

    `clients` and `others` are the people of Oakfield and of Ashford by role, each signed in when first asked for.
    """

    stage: Stage
    app: FastAPI
    url: str
    head: httpx.Client
    stranger: httpx.Client
    clients: "People"
    others: "People"

    def link(self, reference: str = HEAD) -> str:
        """Return a fresh sign-in link of a designation's person."""
        return new_link(self.stage.database, actor=reference, now=self.stage.clock.now(), base_url=self.url)

    def stay(self) -> None:
        """Let everybody who is signed in have worked until now, and have proved just now who they are: time moves in leaps here."""
        now = self.stage.clock.now()
        live = sa.update(SIGN_INS).where(SIGN_INS.c.purpose == Purpose.SESSION.value, SIGN_INS.c.used_at.is_(None))
        with self.stage.database.unit() as unit:
            unit.connection.execute(live.values(seen_at=now))
            unit.connection.execute(live.where(SIGN_INS.c.proved_at.is_not(None)).values(proved_at=now))

    def run_line(self) -> None:
        """Let the service do all that is due, up to the hide."""
        for step in (poll, score, decide, record, hide):
            while step(self.stage.tools):
                pass

    def later(self, gap: timedelta) -> None:
        """Let time pass while the head goes on working: a session that rests for an hour ends."""
        while gap > timedelta():
            step = min(gap, HOUR / 2)
            self.stage.clock.move(step)
            self.head.get("/nothing")
            gap -= step

    def seen(self, *texts: str) -> list[int]:
        """Let comments arrive, run the line, and return their item numbers."""
        start = len(self.stage.platform.comments) + 10
        self.stage.platform.comments += [comment(start + number, text) for number, text in enumerate(texts)]
        self.stage.clock.move(HOUR)
        self.stay()
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


class People(dict[Role, httpx.Client]):
    """Clients by role, signed in when first asked for; those of the whole trust are the same people at each school."""

    def __init__(self, stage: Stage, url: str, number: int) -> None:
        """Keep where they sign in; `number` is 1 for Oakfield's people and 2 for Ashford's."""
        super().__init__()
        self._stage, self._url, self._number = stage, url, number

    def reference(self, role: Role) -> str:
        """Return what the ledger calls that role's person."""
        return f"{role.value.upper()}-{1 if role in TRUST_ROLES else self._number}"

    def __missing__(self, role: Role) -> httpx.Client:
        """Sign that role's person in."""
        client = browser_like(self._url)
        link = new_link(self._stage.database, actor=self.reference(role), now=self._stage.clock.now(), base_url=self._url)
        assert enter(client, link).status_code == 303
        self[role] = client
        return client

    def close(self) -> None:
        """Close every client."""
        for client in self.values():
            client.close()


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
    return httpx.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}, trust_env=False, verify=NOBODY)


def enter(client: httpx.Client, link: str) -> httpx.Response:
    """Press the button of a sign-in link."""
    return client.post("/sign-in", data={"secret": urlsplit(link).path.rpartition("/")[2]})

"""A practice network on loopback, and adapters that speak to it over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from moderator import ports
from moderator.domain.errors import Unauthorised
from moderator.domain.item import SeenComment
from moderator.platforms.practice import SCHOOL_HANDLE, SCHOOL_ID, Running, demo_credentials, running
from moderator.platforms.x import XPlatform


class RunningClock:
    """The machine's time, moved by `ahead`."""

    def __init__(self) -> None:
        """Begin with the machine's time."""
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC) + self.ahead


class KeptCredentials:
    """A pair in memory; remembers every pair that was stored."""

    def __init__(self) -> None:
        """Begin with the pair that every practice network accepts."""
        self.token: ports.Token | None = demo_credentials().token
        self.saved: list[ports.Token] = []

    def load(self) -> ports.Token:
        """Return the pair, or raise Unauthorised."""
        if self.token is None:
            message = "no token"
            raise Unauthorised(message)
        return self.token

    def save(self, token: ports.Token) -> None:
        """Keep the pair."""
        self.token = token
        self.saved.append(token)


class Rehearsal:
    """Speaks to a network's rehearsal calls as a person at the keyboard would."""

    def __init__(self, net: Running) -> None:
        """Keep the network."""
        self.url = net.url
        self.network = net.network

    def do(self, deed: str, **values: object) -> dict[str, str]:
        """Call `/practice/<deed>`."""
        response = requests.post(f"{self.url}/practice/{deed}", json=values, timeout=10)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def school_post(self, text: str = "News from the school") -> int:
        """Publish a post of the school."""
        return int(self.do("post", text=text, handle=SCHOOL_HANDLE)["id"])

    def comment(self, text: str, *, under: int, handle: str = "kit_bell", **more: object) -> int:
        """Publish a comment under a post."""
        return int(self.do("post", text=text, handle=handle, under=under, **more)["id"])

    def post(self, text: str, *, handle: str = "kit_bell", **more: object) -> int:
        """Publish a post."""
        return int(self.do("post", text=text, handle=handle, **more)["id"])


def drained(platform: ports.Platform, cursors: dict[str, str], *, limit: int = 300) -> list[SeenComment]:
    """Poll every source until nothing waits; keep the cursors."""
    found: list[SeenComment] = []
    for source in platform.sources:
        more = True
        while more:
            page = platform.poll(source, cursors.get(source, ""), limit=limit)
            assert page.reads <= limit
            found.extend(page.comments)
            cursors[source], more = page.cursor, page.more
    return found


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
def credentials() -> KeptCredentials:
    return KeptCredentials()


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """Return a file with one comment, so that a network holds almost nothing."""
    path = tmp_path / "one.txt"
    path.write_text("A quiet start\n", encoding="utf-8")
    return path


@pytest.fixture(params=["old names", "new names"])
def net(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """Serve the built-in network, answering with X's field names before and after API 2.167."""
    with running(log=tmp_path / "log.jsonl", new_names=request.param == "new names") as found:
        yield found


@pytest.fixture
def small(tmp_path: Path, quiet: Path) -> Iterator[Running]:
    """Serve a network with one comment on it."""
    with running(comments=quiet, log=tmp_path / "log.jsonl") as found:
        yield found


@pytest.fixture
def people(small: Running) -> Rehearsal:
    return Rehearsal(small)


Connect = Callable[..., XPlatform]


@pytest.fixture
def connect(clock: RunningClock, credentials: KeptCredentials) -> Connect:
    """Return a maker of adapters for a network."""

    def made(found: Running, *, keys: ports.Credentials = credentials, timeout: float = 10.0) -> XPlatform:
        return XPlatform(
            platform_id=str(SCHOOL_ID),
            handle=f"@{SCHOOL_HANDLE}",
            credentials=keys,
            clock=clock,
            client_id=demo_credentials().client_id,
            api_url=found.url,
            site_url=found.url + "/",
            timeout=timeout,
        )

    return made


@pytest.fixture
def x(small: Running, connect: Connect) -> XPlatform:
    """Return an adapter on the small network."""
    return connect(small)


@pytest.fixture
def poll_all() -> Callable[..., list[SeenComment]]:
    return drained

"""The accounts pages over a practice network that speaks X's API: what the tests of asking, approving and connecting play on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from re import findall, search
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import sqlalchemy as sa
from cast import enrol
from cryptography.fernet import Fernet
from review_app import People, Served, browser_like, enter, serve
from stage import Stage

from moderator.domain.access import Role
from moderator.domain.account import Account
from moderator.platforms.memory_connect import MemoryConnector
from moderator.platforms.practice import SCHOOL_HANDLE, Running, demo_credentials
from moderator.platforms.x import XPlatform
from moderator.platforms.x.connect import XConnector
from moderator.ports import Platform
from moderator.settings import ASSETS
from moderator.steps.poll import poll
from moderator.store import accounts, people
from moderator.store.sealed import Sealer
from moderator.web.app import create_app

if TYPE_CHECKING:
    from fastapi import FastAPI

WHY = "The governors asked for it on Monday."


@dataclass(frozen=True, slots=True)
class AccountsStage:
    """The app, the practice network it connects to, and the file in which that network notes every request."""

    served: Served
    net: Running
    log: Path
    sealer: Sealer
    memory: MemoryConnector

    @property
    def admin(self) -> httpx.Client:
        """Return ADMIN-1's browser."""
        return self.served.clients[Role.ADMIN]

    @property
    def head(self) -> httpx.Client:
        """Return HEAD-1's browser."""
        return self.served.clients[Role.HEAD]

    def later(self, by: timedelta) -> None:
        """Let time pass; everybody signs in anew."""
        self.served.stage.clock.move(by)
        for signed_in in (self.served.clients, self.served.others):
            signed_in.close()
            signed_in.clear()

    def requests(self) -> list[str]:
        """Return every request the network has seen, as `GET /path`."""
        return [f"{method} {path}" for method, path in findall(r'"method": "(\w+)", "path": "([^"]+)"', self.log.read_text("utf-8"))]

    def polled(self) -> list[str]:
        """Run the poll step until nothing is due; return the requests that left the machine for it."""
        before = len(self.requests())
        while poll(self.served.stage.tools):
            pass
        return self.requests()[before:]

    def ask(self, handle: str = SCHOOL_HANDLE, **changes: str) -> httpx.Response:
        """Send the form that asks for an account."""
        form = {
            "platform": "x",
            "handle": f"@{handle}",
            "contact_email": "office@oakfield.example",
            "purpose": "News for families",
            "monthly_reads": "10,000",
            "password_changed": "2026-11-02",
            "not_personal": "yes",
        }
        return self.admin.post("/schools/oakfield/accounts/ask", data=form | changes)

    def asked(self, handle: str = SCHOOL_HANDLE, **changes: str) -> int:
        """Ask for an account and return its number."""
        answer = self.ask(handle, **changes)
        assert answer.status_code == 303, answer.text
        return int(urlsplit(answer.headers["location"]).path.rpartition("/")[2])

    def approve(self, number: int, **changes: str) -> httpx.Response:
        """Send the approval as the head."""
        form = {"mode": "hide", "purpose": "News for families", "reference": "A-7", "ends_on": "2027-08-31", "why": ""}
        return self.head.post(f"/accounts/{number}/approve", data=form | changes)

    def left(self, number: int, client: httpx.Client | None = None) -> str:
        """Begin to connect, and return the address of the platform's permission page."""
        answer = (client or self.admin).post(f"/accounts/{number}/connect", data={})
        assert answer.status_code == 200, answer.text
        found = search(r'class="button" href="([^"]+authorize[^"]+)"', answer.text)
        assert found is not None
        return unescape(found[1])

    def allowed(self, address: str, *, answer: str = "yes") -> dict[str, str]:
        """Say yes (or no) on the platform's page; return what it sends back: `state`, and `code` or `error`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        sent = httpx.post(address.partition("?")[0], data=asked | {"answer": answer}, trust_env=False)
        assert sent.status_code == 303, sent.text
        where = urlsplit(sent.headers["location"])
        assert f"{where.scheme}://{where.netloc}{where.path}" == f"{self.served.url}/connect/x/back"
        return {name: values[0] for name, values in parse_qs(where.query).items()}

    def finish(self, number: int, sent: dict[str, str], client: httpx.Client | None = None) -> httpx.Response:
        """Press the button of the page that one comes back to."""
        form = {"state": sent["state"], "code": sent.get("code", "")}
        return (client or self.admin).post(f"/accounts/{number}/connected", data=form)

    def connect(self, number: int) -> None:
        """Connect an account, all the way."""
        done = self.finish(number, self.allowed(self.left(number)))
        assert done.status_code == 303, done.text

    def standing(self, number: int) -> accounts.Standing:
        """Return how an account stands."""
        with self.served.stage.database.reading() as connection:
            return accounts.standing(connection, number, self.served.stage.clock.now())

    def listed(self) -> list[accounts.Standing]:
        """Return how every account of Oakfield stands: the stage's own, and those asked for."""
        with self.served.stage.database.reading() as connection:
            return accounts.standings(connection, "oakfield", self.served.stage.clock.now())

    def fresh(self) -> None:
        """Let the handles of earlier tests be free again."""
        with self.served.stage.database.unit() as unit:
            unit.connection.execute(sa.text("UPDATE accounts SET handle = 'was' || id"))

    def change(self, sql: str, number: int = 0) -> None:
        """Change a row behind the service's back; `:number` in the statement is the account's."""
        with self.served.stage.database.unit() as unit:
            unit.connection.execute(sa.text(sql), {"number": number} if ":number" in sql else {})

    def reasons(self, number: int) -> list[tuple[str, str]]:
        """Return the account's lines of the ledger: reason and actor."""
        file = self.served.stage.folder / "ledger.jsonl"
        lines = [line for line in file.read_text("utf-8").splitlines() if f'"subject":"account-{number}"' in line]
        return [(found[2], found[1]) for line in lines if (found := search(r'"actor":"([^"]*)","reason":"([^"]*)"', line))]

    def alerts(self) -> list[str]:
        """Return what every alert says, in order."""
        with self.served.stage.database.reading() as connection:
            return list(connection.exec_driver_sql("SELECT what FROM alerts ORDER BY id").scalars())


@contextmanager
def on_accounts(stage: Stage, net: Running, log: Path) -> Iterator[AccountsStage]:
    """Yield the accounts pages. The stage's own account is withdrawn, so that whatever is polled is polled on the network."""
    enrol(stage)
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id, stage.clock.now())
    sealer = Sealer([Fernet.generate_key().decode()])
    known: dict[int, Platform] = {}

    def platform_for(account: Account) -> Platform:
        if account.id not in known:
            known[account.id] = XPlatform(
                platform_id=account.platform_id,
                handle=account.handle,
                credentials=people.StoredCredentials(stage.database.engine, sealer, account.id),
                clock=stage.clock,
                client_id=demo_credentials().client_id,
                api_url=net.url,
                site_url=net.url,
            )
        return known[account.id]

    stage = replace(stage, tools=replace(stage.tools, platform_for=platform_for))
    memory = MemoryConnector({"oak-app-1": "oakfieldnews", "ash-app-1": "ashfordnews"}, clock=stage.clock)
    x = XConnector(clock=stage.clock, client_id=demo_credentials().client_id, api_url=net.url, site_url=net.url, timeout=5)

    def make(url: str) -> "FastAPI":
        return create_app(
            database=stage.database,
            tools=stage.tools,
            templates=ASSETS / "templates",
            clock=stage.clock,
            base_url=url,
            sealer=sealer,
            connectors={"x": x, "memory": memory},
        )

    with serve(make) as (url, app), browser_like(url) as head, browser_like(url) as stranger:
        served = Served(stage, app, url, head, stranger, People(stage, url, 1), People(stage, url, 2))
        assert enter(head, served.link()).status_code == 303
        yield AccountsStage(served, net, log, sealer, memory)
        served.clients.close()
        served.others.close()

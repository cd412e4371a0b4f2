"""People with passwords and apps, and browsers that sign them in over loopback. Called by the tests of signing in."""

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from cast import ASHFORD
from cryptography.fernet import Fernet
from fastapi import FastAPI
from review_app import serve
from stage import NOON, SCHOOL, Stage, set_up

from moderator.domain.access import TRUST_WIDE, Role
from moderator.domain.account import School
from moderator.domain.register import EVERY_SCHOOL, Designation, Person
from moderator.domain.times import london_date
from moderator.settings import ASSETS
from moderator.store import ledger, people, proofs, register
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.sealed import Sealer
from moderator.web.app import create_app

PASSWORD = "kettle-otter-marigold"  # noqa: S105 - a test's own
WRONG = "kettle-otter-harebell"
_QUICK = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
"""Hundreds of sign-ins with the real parameters would take minutes; `test_proofs.py` holds those."""
_HASH = _QUICK.hash(PASSWORD)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Signer:
    """A designated person with a password and an app."""

    person: Person
    designation: Designation
    app: pyotp.TOTP
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """The app over a stage whose people have passwords and apps."""

    stage: Stage
    app: FastAPI
    url: str
    _open: list[httpx.Client] = field(default_factory=list)

    def browser(self, agent: str = "A browser", **headers: str) -> httpx.Client:
        """Return a browser with no cookies, at an address of its own, that sends what a browser sends with our forms."""
        address = f"10.0.{next(_numbers) // 250}.{next(_numbers) % 250}"
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": "null", "User-Agent": agent, "X-Forwarded-For": address} | headers
        made = httpx.Client(base_url=self.url, headers=sent, trust_env=False)
        self._open.append(made)
        return made

    def signer(self, role: Role = Role.ADMIN, school: School = SCHOOL, *, ready: bool = True) -> Signer:
        """Return a new person of a role; `ready` ones have a password, an app and recovery codes."""
        number = next(_numbers)
        where = EVERY_SCHOOL if role in TRUST_WIDE else school.slug
        day = london_date(NOON)
        app = pyotp.TOTP(pyotp.random_base32())
        with self.stage.database.unit() as unit:
            at = unit.connection
            person = register.add_person(at, name=f"Wren Alder {number}", email=f"person{number}@{school.email_domains[0]}", at=NOON)
            made = register.designate(
                at, person_id=person.id, role=role, school=where, signed_by="CEO-1", signed_on=day, begins_on=day - timedelta(days=9)
            )
            codes: tuple[str, ...] = ()
            if ready:
                proofs.set_password(at, person.id, _HASH)
                proofs.set_app(at, self.sealer, person.id, app.secret, step=0)
                codes = proofs.new_recovery_codes(at, person.id, at=NOON)
        return Signer(person, made, app, codes)

    @property
    def sealer(self) -> Sealer:
        """Return what seals people's secrets."""
        found = self.app.state.site.sealer
        assert isinstance(found, Sealer)
        return found

    def code(self, signer: Signer, steps: int = 0) -> str:
        """Return what the person's app shows now, or some 30-second steps from now."""
        return signer.app.at(self.stage.clock.now() + timedelta(seconds=30 * steps))

    def password(self, browser: httpx.Client, signer: Signer, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Send the first form."""
        return browser.post("/sign-in/password", data={"email": signer.person.email, "password": password} | more)

    def enter(self, browser: httpx.Client, signer: Signer, **more: str) -> httpx.Response:
        """Sign a person in with password and code, with a code that is new, and return the last answer."""
        self.stage.clock.move(timedelta(seconds=30))
        first = self.password(browser, signer, **more)
        assert first.status_code == 303, first.text
        return browser.post("/sign-in/code", data={"code": self.code(signer)} | more)

    def inside(self, browser: httpx.Client) -> bool:
        """Return whether the browser is signed in."""
        status = browser.get("/security").status_code
        assert status in {200, 401}
        return status == 200

    def lines(self, reference: str, event: str = "signed_in", school: School = SCHOOL) -> list[Mapping[str, object]]:
        """Return the ledger's lines of an event in which a designation acted or is the subject, oldest first."""
        wanted = sa.select(ledger.LEDGER.c.line).where(ledger.LEDGER.c.school == school.slug, ledger.LEDGER.c.event == event)
        with self.stage.database.reading() as connection:
            read = [json.loads(line) for line in connection.execute(wanted.order_by(ledger.LEDGER.c.seq)).scalars()]
        return [line for line in read if reference in {line["actor"], line["subject"]}]


@contextmanager
def door_over(stage: Stage) -> Iterator[Door]:
    """Serve the app over a stage with two schools and nobody in the register."""
    with stage.database.unit() as unit:
        people.put_school(unit.connection, ASHFORD)
        unit.append(ASHFORD.slug, ledger.opened("", NOON))
    sealer = Sealer([Fernet.generate_key().decode()])

    def make(url: str) -> FastAPI:
        return create_app(
            database=stage.database, tools=stage.tools, templates=ASSETS / "templates", clock=stage.clock, base_url=url, sealer=sealer
        )

    with serve(make) as (url, app), pytest.MonkeyPatch.context() as patched:
        patched.setattr(proofs, "HASHER", _QUICK)
        door = Door(stage, app, url)
        yield door
        for each in door._open:  # noqa: SLF001 - its own
            each.close()


@contextmanager
def door_in(folder: Path, migrated: Path) -> Iterator[Door]:
    """Serve the app in a folder over a copy of a migrated database: one server for a whole file of tests, each with people of its own."""
    file = folder / "moderator.db"
    shutil.copyfile(migrated, file)
    engine = open_engine(f"sqlite:///{file}")
    stage = set_up(Database(engine), folder)
    with door_over(stage) as made:
        yield made
    stage.tools.recorder.close()
    engine.dispose()


def path_of(answer: httpx.Response) -> str:
    """Return where an answer leads to."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

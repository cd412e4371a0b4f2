"""A review app with a few days behind it, for the tests of the lists: records, digests, activity, health, counts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from cast import enrol
from fastapi import FastAPI
from review_app import People, Served, browser_like, enter, handed_in, serve
from stage import set_up

from moderator.domain.access import Role
from moderator.settings import ASSETS
from moderator.store import register
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.ledger import LEDGER
from moderator.web.app import create_app

DAY = timedelta(days=1)
NAMED = "P-1"
"""What the roll calls the person whom one comment names: the deputy of Oakfield."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The app with a few days behind it, and its record numbers by what each is (`with_past`)."""

    served: Served
    records: dict[str, str]

    def get(self, role: Role, page: str) -> str:
        """Return a page of Oakfield that a role may open."""
        answer = self.served.clients[role].get(f"/schools/oakfield/{page}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def named_on(self, text: str) -> set[str]:
        """Return which records a page or a file names."""
        return {name for name, number in self.records.items() if number in text}

    def lines(self, event: str) -> list[dict[str, object]]:
        """Return Oakfield's ledger lines of an event, oldest first."""
        with self.served.stage.database.reading() as connection:
            wanted = sa.select(LEDGER.c.line).where(LEDGER.c.school == "oakfield", LEDGER.c.event == event).order_by(LEDGER.c.seq)
            return [json.loads(line) for line in connection.execute(wanted).scalars()]


@contextmanager
def lists_app(migrated_file: Path, folder: Path) -> Iterator[Served]:
    """Yield the app over an empty, migrated database in `folder`, the cast enrolled; the deputy is on the roll."""
    file = folder / "moderator.db"
    file.write_bytes(migrated_file.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    stage = set_up(Database(engine), folder)
    enrol(stage)
    with stage.database.unit() as unit:
        deputy = register.person_by_email(unit.connection, "deputy@oakfield.example")
        assert deputy is not None
        register.change_person(unit.connection, replace(deputy, roll_reference=NAMED))

    def make(url: str) -> FastAPI:
        return create_app(
            database=stage.database,
            tools=stage.tools,
            templates=ASSETS / "templates",
            clock=stage.clock,
            base_url=url,
            data_dir=folder,
        )

    with serve(make) as (url, app), browser_like(url) as head, browser_like(url) as stranger:
        served = Served(stage, app, url, head, stranger, People(stage, url, 1), People(stage, url, 2))
        assert enter(head, served.link()).status_code == 303
        yield served
        served.clients.close()
        served.others.close()
    engine.dispose()


def with_past(served: Served) -> dict[str, str]:
    """Let two days pass with comments of every kind; return the record numbers by what each is.

    `insult` and `threat` were hidden, `false` was shown again, `crisis` is for the safeguarding leads, `named` names the deputy,
    `handed_in` is a screen print. The last comment was withheld, and has no record.
    """
    insult, threat = served.seen("You are an idiot", "I will hurt you")
    _again(served)
    assert served.decide(insult, "uphold").status_code == 303
    served.stage.clock.move(DAY)
    texts = ("Such an idiot plan, I mean it kindly", "There is a crisis", "Tilly Marwood is an idiot", "An indecent_image")
    false, crisis, named, _ = served.seen(*texts)
    _again(served)
    assert served.decide(false, "restore").status_code == 303
    served.stage.run("restore", "digest", "alert", "send")
    numbers = {"insult": insult, "threat": threat, "false": false, "crisis": crisis, "named": named}
    records = {name: served.record_id(number) for name, number in numbers.items()}
    return records | {"handed_in": handed_in(served)}


def _again(served: Served) -> None:
    """Sign the head in again: hours have passed, and a session that is not used ends."""
    assert enter(served.head, served.link()).status_code == 303

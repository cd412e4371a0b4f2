"""The review app with what the Roll and Policy pages need, served once for a whole test file: a server a test takes too long."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cast import enrol
from cryptography.fernet import Fernet
from fastapi import FastAPI
from review_app import People, Served, browser_like, enter, serve
from stage import set_up

from moderator.build.rolls import Rolls
from moderator.settings import ASSETS
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.sealed import Sealer
from moderator.web.app import create_app

ROLL_KEY = b"r" * 32


@contextmanager
def register_app(migrated_file: Path, folder: Path) -> Iterator[Served]:
    """Yield the app over an empty, migrated database in `folder`, the cast enrolled."""
    file = folder / "moderator.db"
    file.write_bytes(migrated_file.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    stage = set_up(Database(engine), folder)
    enrol(stage)
    sealer = Sealer([Fernet.generate_key().decode()])

    def make(url: str) -> FastAPI:
        return create_app(
            database=stage.database,
            tools=stage.tools,
            templates=ASSETS / "templates",
            clock=stage.clock,
            base_url=url,
            data_dir=folder,
            sealer=sealer,
            rolls=Rolls(stage.database, sealer, ROLL_KEY),
        )

    with serve(make) as (url, app), browser_like(url) as head, browser_like(url) as stranger:
        served = Served(stage, app, url, head, stranger, People(stage, url, 1), People(stage, url, 2))
        assert enter(head, served.link()).status_code == 303
        yield served
        served.clients.close()
        served.others.close()
    engine.dispose()

"""The review app as people meet it: served over the stage, and a browser."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from cast import enrol
from lists_app import Listed, lists_app, with_past
from review_app import People, Served, browser_like, enter, serve
from stage import Stage

from moderator.build.record_check import record_check
from moderator.build.rolls import Rolls
from moderator.evidence.capture.chromium import find_chromium
from moderator.evidence.vault.folder import FolderVault
from moderator.settings import ASSETS
from moderator.store.sealed import Sealer
from moderator.web.app import create_app


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    """Yield the app over an empty stage."""
    enrol(stage)
    vault = stage.tools.vault
    assert isinstance(vault, FolderVault)

    sealer = Sealer([Fernet.generate_key().decode()])

    def make(url: str) -> FastAPI:
        return create_app(
            database=stage.database,
            tools=stage.tools,
            templates=ASSETS / "templates",
            clock=stage.clock,
            base_url=url,
            data_dir=stage.folder,
            verify_record=record_check(stage.database, vault),
            sealer=sealer,
            rolls=Rolls(stage.database, sealer, b"r" * 32),
        )

    with serve(make) as (url, app), browser_like(url) as head, browser_like(url) as stranger:
        made = Served(stage, app, url, head, stranger, People(stage, url, 1), People(stage, url, 2))
        assert enter(head, made.link()).status_code == 303
        yield made
        made.clients.close()
        made.others.close()


@pytest.fixture(scope="session")
def listed(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listed]:
    """Yield the app with a few days behind it, made once for this run: for tests that only read."""
    with lists_app(migrated_file, tmp_path_factory.mktemp("lists")) as made:
        yield Listed(made, with_past(made))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a real Chromium that reaches loopback only."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"],
        )
        yield found
        found.close()

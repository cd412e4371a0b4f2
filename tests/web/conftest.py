"""The review app as people meet it: served over the stage, and a browser."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from review_app import Served, browser_like, enter, serve
from stage import Stage

from moderator.evidence.capture.chromium import find_chromium
from moderator.evidence.check.verify import verify
from moderator.evidence.vault.folder import FolderVault
from moderator.settings import ASSETS
from moderator.web.app import create_app


@pytest.fixture
def served(stage: Stage) -> Iterator[Served]:
    """Yield the app over an empty stage."""
    vault = stage.tools.vault
    assert isinstance(vault, FolderVault)

    def make(url: str) -> FastAPI:
        return create_app(
            database=stage.database,
            tools=stage.tools,
            templates=ASSETS / "templates",
            clock=stage.clock,
            base_url=url,
            verify_record=lambda path: verify(vault.root / path, workers=1),
        )

    with serve(make) as (url, app), browser_like(url) as head, browser_like(url) as stranger:
        made = Served(stage, app, url, head, stranger)
        assert enter(head, made.link()).status_code == 303
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a real Chromium that reaches loopback only."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield found
        found.close()

"""Our web archives replay in ReplayWeb.page: the real player, in a real browser, with the captured site gone."""

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from moderator.evidence.capture.archive import wacz
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.chromium import find_chromium
from moderator.evidence.capture.taken import Wanted

TEXT = "You are a useless lot, Mr Brindle. \u0639\u064a\u0628 \U0001f621"
AT = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
PLAYER = """<!doctype html><title>Replay</title><script src="/ui.js"></script>
<replay-web-page source="/page.wacz" url="{address}" replayBase="/replay/" embed="default" style="height:700px"></replay-web-page>"""
LATE = "document.body.append('Said by the script that the page came with.')"


@pytest.fixture
def player() -> Path:
    folder = os.environ.get("REPLAYWEBPAGE_FOLDER", "")
    if not folder and not os.environ.get("CI"):
        pytest.skip("no ReplayWeb.page here; make test sets it up")
    return Path(folder)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
        return


def test_r18_replay_web_page_shows_the_captured_page_from_the_archive_alone(site: Any, player: Path, served: str, tmp_path: Path) -> None:
    site.pages["/own.css"] = (200, "text/css", b"p{color:rgb(160,0,0)}")
    site.pages["/late.js"] = (200, "text/javascript", LATE.encode())
    page = f"<!doctype html><meta charset=utf-8><link rel=stylesheet href=/own.css><p>@grumbler</p><p id=it>{TEXT}</p><img src=/a.png>"
    address = site.show("/post/1", f"{page}<script src=/late.js></script>")
    own = Browser(timeout=5, archive=True)
    try:
        seen = own.look(Wanted(address, TEXT, ("grumbler",), ""))
    finally:
        own.close()
    assert seen.why_not == ""
    site.pages.clear()  # what the player shows now, it has from the archive
    site.asked.clear()
    (tmp_path / "replay").mkdir()
    shutil.copy(player / "ui.js", tmp_path)
    shutil.copy(player / "sw.js", tmp_path / "replay")
    (tmp_path / "page.wacz").write_bytes(wacz(seen.exchanges, seen.address, AT))
    (tmp_path / "index.html").write_text(PLAYER.format(address=address), encoding="utf-8")
    with sync_playwright() as playwright:
        shown = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            tab = shown.new_page()
            tab.goto(served)
            replayed = tab.frame_locator("replay-web-page iframe").frame_locator("iframe[name=___wb_replay_top_frame]")
            comment = replayed.locator("#it")
            comment.wait_for(timeout=60_000)
            assert comment.inner_text() == TEXT
            assert comment.evaluate("it => getComputedStyle(it).color") == "rgb(160, 0, 0)"
            replayed.get_by_text("Said by the script that the page came with.").wait_for(timeout=10_000)
        finally:
            shown.close()
    assert not {"/post/1", "/own.css", "/late.js", "/a.png"} & set(site.asked)

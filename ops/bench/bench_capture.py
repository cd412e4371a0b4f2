"""Benchmarks of capturing: `capture` and `capture_shot_scraper` (DESIGN §9). Run by `make bench`, or as a script."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from moderator.domain.record import CaptureKind
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.chromium import QUIET, find_chromium
from moderator.evidence.capture.taken import HEIGHT, LOCALE, WIDTH
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import shot_scraper
from bench.sample import PAGES, evidence_of, in_turns, row, text_of

TEMPLATES = Path(__file__).parents[2] / "templates"
FEW = 6
"""Pages for a contender that starts a browser a page; the rate is what counts."""


class _Clock:
    """The system's clock."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)


def capture() -> dict[str, object]:
    """Return records a second from flagged to sealed, against a bare goto-and-screenshot loop on the same pages in the same browser."""
    with _ours() as (seal, base), _bare(base) as bare:
        ours, theirs = in_turns(lambda: seal(PAGES), bare)
    return row(PAGES / ours, PAGES / theirs, target=0.6, unit="records/s", against="bare Playwright goto and screenshot, one warm page")


def capture_shot_scraper() -> dict[str, object]:
    """Return records a second from flagged to sealed, against shot-scraper called once a page, as one would for each new comment."""
    program = shot_scraper.program()
    with _ours() as (seal, base), tempfile.TemporaryDirectory() as pictures:

        def theirs() -> None:
            for at in range(FEW):
                shot_scraper.shoot(program, f"{base}/{at}/", Path(pictures) / f"{at}.png", width=WIDTH, height=HEIGHT)

        mine, other = in_turns(lambda: seal(FEW), theirs, rounds=3)
    against = f"shot-scraper {shot_scraper.VERSION}, one call a page"
    return row(FEW / mine, FEW / other, target=5, unit="records/s", against=against)


@contextmanager
def _ours() -> Iterator[tuple[Callable[[int], None], str]]:
    """Give what captures and seals so many pages, and the address of the pages."""
    with tempfile.TemporaryDirectory() as name, _site(Path(name) / "site") as base:
        vault = FolderVault(Path(name) / "vault")
        sealing = Sealing(vault=vault, signer=Signer.generate(), authorities=(), software="bench")
        recorder = BrowserRecorder(sealing=sealing, browser=Browser(), clock=_Clock(), templates=TEMPLATES)
        numbers = itertools.count()

        def seal(pages: int) -> None:
            for at in range(pages):
                sealed = recorder.seal(evidence_of(next(numbers), f"{base}/{at}/", text_of(at)))
                if sealed.capture_kind is not CaptureKind.LIVE_PAGE:
                    message = "the bench page was not captured live"
                    raise RuntimeError(message)

        try:
            yield seal, base
        finally:
            recorder.close()
            subprocess.run(["chmod", "-R", "u+w", name], check=True)  # noqa: S603, S607 - our own temporary folder


@contextmanager
def _bare(base: str) -> Iterator[Callable[[], None]]:
    """Give the loop to compare with: one page of one warm browser, everything fetched, the picture kept as a file."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET), chromium_sandbox=os.geteuid() != 0)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale=LOCALE)

        def loop() -> None:
            for at in range(PAGES):
                page.goto(f"{base}/{at}/")
                page.screenshot(path=f"{folder}/{at}.png")

        yield loop
        chromium.close()


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """Serve the pages from a process of its own: a comment under its parent post, with two avatars and a picture."""
    for at in range(PAGES):
        (folder / str(at)).mkdir(parents=True)
        (folder / str(at) / "index.html").write_text(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Post</title>"
            "<style>body{font:17px sans-serif;margin:24px}article{border:1px solid #ccd;padding:12px;margin:8px}</style>"
            "<article><img src=/avatar.png width=48> @oakfield<p>Sports day moves to Friday.</article>"
            f"<article><img src=/avatar.png width=48> @grumbler<p>{text_of(at)}<p><img src=/picture.png width=480></article>",
            encoding="utf-8",
        )
    Image.effect_noise((96, 96), 60).save(folder / "avatar.png")
    Image.effect_noise((480, 270), 60).save(folder / "picture.png")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - this very Python
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    message = "the bench site did not start"
    raise RuntimeError(message)


if __name__ == "__main__":
    for bench in (capture, capture_shot_scraper):
        sys.stdout.write(json.dumps(bench()) + "\n")

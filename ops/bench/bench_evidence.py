"""Benchmarks of the permanent record: `capture` and `verify` (DESIGN §9). Run by `make bench`, or as a script."""

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain
from moderator.domain.item import Author, Item, ItemKind, Page, Post, SeenComment
from moderator.domain.record import CaptureKind, Evidence, record_id
from moderator.domain.score import Label, Score
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.chromium import QUIET, find_chromium
from moderator.evidence.capture.panel import framed
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.taken import HEIGHT, LOCALE, WIDTH, Capture
from moderator.evidence.check.verify import verify as check
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.bag import pack
from moderator.evidence.seal.canonical import json_bytes
from moderator.evidence.seal.facts import decision_facts, record_facts
from moderator.evidence.seal.stamp import Signer
from moderator.evidence.vault.folder import FolderVault

ROUNDS = 5
PAGES = 24
RECORDS = 5_000
TEMPLATES = Path(__file__).parents[2] / "templates"
SCHOOL = School("oakfield", "Oakfield Primary", "100001", "head@oakfield.example", ("oakfield.example",), "Valley Trust")
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class _Clock:
    """The system's clock."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)


def capture() -> dict[str, object]:
    """Return records a second from flagged to sealed, against a bare goto-and-screenshot loop on the same pages in the same size."""
    with tempfile.TemporaryDirectory() as name, _site(Path(name) / "site") as base:
        top = Path(name)
        browser = Browser()
        recorder = BrowserRecorder(
            vault=FolderVault(top / "vault"),
            browser=browser,
            signer=Signer.generate(),
            authorities=(),
            clock=_Clock(),
            templates=TEMPLATES,
            software="bench",
        )
        numbers = iter(range(10**9))
        try:
            with _bare(base) as bare:
                ours, theirs = _in_turns(lambda: _seal_all(recorder, base, numbers), bare)
        finally:
            recorder.close()
            subprocess.run(["chmod", "-R", "u+w", name], check=True)  # noqa: S603, S607 - our own temporary folder
    return _result("capture", PAGES / ours, PAGES / theirs, 0.6, "records/s", "bare Playwright goto and screenshot of the same pages")


def _seal_all(recorder: BrowserRecorder, base: str, numbers: Iterator[int]) -> None:
    for at in range(PAGES):
        sealed = recorder.seal(_evidence(next(numbers), f"{base}/{at}/", _text(at)))
        if sealed.capture_kind is not CaptureKind.LIVE_PAGE:
            message = "the bench page was not captured live"
            raise RuntimeError(message)


@contextmanager
def _bare(base: str) -> Iterator[Callable[[], None]]:
    """Give the loop to compare with: one page of one warm browser, everything fetched, the picture kept as a file."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=list(QUIET), chromium_sandbox=False)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale=LOCALE)

        def loop() -> None:
            for at in range(PAGES):
                page.goto(f"{base}/{at}/")
                page.screenshot(path=f"{folder}/{at}.png")

        yield loop
        chromium.close()


def verify() -> dict[str, object]:
    """Return records a second of `moderator verify` on a vault of 5,000, against a shell loop of `sha256sum -c` (one process a record)."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        _fill(top)

        def ours() -> None:
            found = check(top / "vault")
            if not found.ok or found.checked != RECORDS:
                message = f"the bench vault does not verify: {found.faults[:3]}"
                raise RuntimeError(message)

        loop = (
            'for d in */*/*/; do cd "$d" && sha256sum --status -c manifest-sha256.txt tagmanifest-sha256.txt && cd ../../.. || exit 1; done'
        )

        def theirs() -> None:
            subprocess.run(["bash", "-c", loop], cwd=top / "vault", check=True)  # noqa: S603, S607 - a fixed loop

        mine, shell = _in_turns(ours, theirs)
    return _result("verify", RECORDS / mine, RECORDS / shell, 3, "records/s", "a shell loop of sha256sum -c, one process a record")


def _fill(top: Path) -> None:
    """Write 5,000 whole records and their ledger, without the flushing that sealing does."""
    signer = Signer.generate()
    moment = NOW
    head = Head(0, GENESIS)
    lines: list[str] = []

    def note(event: Event, subject: str, **facts: str) -> None:
        nonlocal head, moment
        moment += timedelta(milliseconds=1)
        line, head = chain(head, SCHOOL.slug, LedgerEvent(event, moment, subject, facts=dict(facts)))
        lines.append(line)

    note(Event.OPENED, "ledger", public_key=signer.public_key)
    for number in range(RECORDS):
        evidence = _evidence(number, f"http://127.0.0.1/{number}", _text(number))
        picture = _picture(number % _DIFFERENT)
        facts = record_facts(evidence, picture, sealed_at=NOW, software="bench", authorities={})
        payload = {
            "screenshot.png": _framed(number % _DIFFERENT),
            "page.html": picture.page,
            "api-response.json": evidence.first_seen.body,
            "api-headers.json": json_bytes({}),
            "record.json": json_bytes(facts),
            "decision.json": json_bytes(decision_facts(evidence)),
            "VERIFY.txt": b"steps\n" * 700,
        }
        bag = pack(evidence, payload, sealed_at=NOW, software="bench", signer=signer)
        folder = top / "vault" / SCHOOL.slug / "2026" / evidence.record_id
        (folder / "data").mkdir(parents=True)
        for name, content in bag.files.items():
            (folder / name).write_bytes(content)
        note(Event.CAPTURED, evidence.record_id)
        note(Event.SEALED, evidence.record_id, manifest_sha256=bag.manifest_sha256)
        note(Event.HIDE_INTENDED, evidence.record_id)
    (top / "ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="ascii")


_DIFFERENT = 20
"""Different pictures in the vault to be verified; drawing 5,000 would take minutes and change nothing that is measured."""


@lru_cache(maxsize=_DIFFERENT)
def _picture(which: int) -> Capture:
    drawn, _ = draw_still(_evidence(which, f"http://127.0.0.1/{which}", _text(which)))
    return Capture(CaptureKind.RENDERED_FROM_API, drawn, b"<p>page</p>" * 400, NOW, NOW, "bench", "bench", "bench", blocked={"image": 3})


@lru_cache(maxsize=_DIFFERENT)
def _framed(which: int) -> bytes:
    return framed(_evidence(which, f"http://127.0.0.1/{which}", _text(which)), _picture(which))


def _text(number: int) -> str:
    return f"Comment {number % PAGES}: the office never answers the telephone, and the gate is shut again. " * 3


def _evidence(number: int, place: str, text: str) -> Evidence:
    school_post = Post("1", Author("900", "oakfield", "Oakfield Primary"), "Sports day moves to Friday.", NOW)
    comment = SeenComment(
        str(number), ItemKind.REPLY, Author("7", "grumbler", "A. Grumbler"), text.strip(), NOW, place, thread=(school_post,)
    )
    approval = Approval("AP-1", "Head", date(2026, 9, 1), "news", Mode.HIDE, date(2027, 8, 31))
    return Evidence(
        record_id(SCHOOL.slug, "x", str(number), comment.version),
        Item(number, 1, SCHOOL.slug, "x", comment, NOW),
        Account(1, SCHOOL, "x", "@oakfield", "900", "social@oakfield.example", 1000, approval),
        Score(dict.fromkeys(Label, 0.5), "bench"),
        Decision(Outcome.HIDE, Severity.ORDINARY, (), "bench", "1", {"flag.insult": 0.5}),
        Page((), "", more=False, reads=1, body=b'{"data":[]}' * 100),
        None,
    )


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """Serve the pages from a process of its own: a comment under its parent post, with two avatars and a picture."""
    for at in range(PAGES):
        (folder / str(at)).mkdir(parents=True)
        (folder / str(at) / "index.html").write_text(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Post</title>"
            "<style>body{font:17px sans-serif;margin:24px}article{border:1px solid #ccd;padding:12px;margin:8px}</style>"
            "<article><img src=/avatar.png width=48> @oakfield<p>Sports day moves to Friday.</article>"
            f"<article><img src=/avatar.png width=48> @grumbler<p>{_text(at)}<p><img src=/picture.png width=480></article>",
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


def _in_turns(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[float, float]:
    """Return median seconds of each, measured in turns after one warm-up each."""
    mine: list[float] = []
    other: list[float] = []
    for turn in range(ROUNDS + 1):
        for work, times in ((ours, mine), (theirs, other)):
            start = time.perf_counter()
            work()
            if turn:
                times.append(time.perf_counter() - start)
    return statistics.median(mine), statistics.median(other)


def _result(name: str, ours: float, theirs: float, target: float, unit: str, against: str) -> dict[str, object]:  # noqa: PLR0913, PLR0917 - a row of bench.json
    return {
        "name": name,
        "ours": round(ours, 2),
        "theirs": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
        "target": target,
        "unit": unit,
        "against": against,
    }


if __name__ == "__main__":
    for bench in (capture, verify):
        sys.stdout.write(json.dumps(bench()) + "\n")

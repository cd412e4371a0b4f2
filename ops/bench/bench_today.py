"""Benchmarks of Today: a thousand waiting items beside a bare FastAPI page, and the same page in a table of a million. Called by run.py."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.bench_line import SCHOOL, _tools
from bench.sample import row
from moderator.build import settle_memory
from moderator.domain.about import packed
from moderator.domain.access import Role
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.score import Label, Reason, Score
from moderator.platforms.memory import MemoryPlatform
from moderator.settings import ASSETS
from moderator.store import codec, register
from moderator.store.database import Database
from moderator.store.items import ITEMS, RECORDS
from moderator.web.app import create_app
from moderator.web.sign_in import new_link

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""The frozen moment of bench_line's clock."""
ADDRESS = "http://127.0.0.1:8000"
TODAY = f"/schools/{SCHOOL.slug}/today"
WAITING = 1_000
ON_A_PAGE = 50
TIMES = 60
WARM = 8
FEW, MANY = 10_000, 1_000_000

BARE = """<!doctype html><html lang="en-GB"><head><title>Bare</title></head><body><h1>Today</h1><ul>
{% for row in rows %}<li><p>{{ row.severity }} {{ row.outcome }}</p><h2><a href="/items/{{ row.id }}">{{ row.state }}</a></h2>
<p>{{ row.grounds }}</p><p>{{ row.subject }}</p><p>{{ row.at }}</p></li>{% endfor %}</ul></body></html>"""

GROUNDS = ("insult", "threat", "abusive", "name", "harassment")


COPIED = (
    "account_id, school, platform, kind, author_id, author_handle, author_name, posted_at, place, conversation_id, edited, media, thread, "
    "hideable"
)
OLDER = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
INSERT INTO items ({copied}, comment_id, version, text, first_seen_at, due_at, state, outcome, severity, rank, pruned, needs_review)
SELECT {copied}, 'c' || n, '1', '', datetime('2026-11-15', '-' || (n / 300) || ' days'), first_seen_at, 'cleared', 'clear', 'none', 9, 1, 0
FROM items, numbers WHERE items.id = 1
"""
"""Makes cleared items out of the first one: 300 a day, from the fifteenth backwards."""


def _bare() -> FastAPI:
    """Return a FastAPI app with one page: Jinja2 writes a list of ON_A_PAGE rows that are in memory. No database, no session."""
    page = Environment(autoescape=True).from_string(BARE)
    fields = ("severity", "outcome", "state", "grounds", "subject", "at")
    rows = [{"id": number, **{name: f"{name} {number}" for name in fields}} for number in range(ON_A_PAGE)]
    app = FastAPI()

    @app.get(TODAY)
    def bare() -> HTMLResponse:
        return HTMLResponse(page.render(rows=rows))

    return app


def _waiting(number: int) -> dict[str, object]:
    """Return an `items` row of a recorded comment that waits for a person, with a score and a decision of the usual size."""
    ground = GROUNDS[number % len(GROUNDS)]
    severity = Severity.SEVERE if ground == "threat" else Severity.ORDINARY
    text = f"Comment {number}: the office never answers the telephone, and the gate is shut again. " * 3
    reason = Reason(ground, 0, 20, "Very likely an insult, in a comment that names a member of staff.")
    thresholds = {f"flag.{label.value}": 0.5 for label in Label} | {f"severe.{label.value}": 0.9 for label in Label}
    decision = Decision(Outcome.HIDE, severity, (reason,), "bench", "A section of the policy", thresholds)
    score = Score(dict.fromkeys(Label, 0.5), "bench", reasons=(reason,), normalised=text.lower())
    seen = NOW - timedelta(minutes=7 * number)
    return {
        "account_id": 1, "school": SCHOOL.slug, "platform": "memory", "comment_id": f"w{number}", "version": "1", "kind": "reply",
        "author_id": "7", "author_handle": "grumbler", "author_name": "A. Grumbler", "text": text, "posted_at": seen,
        "place": f"https://social.example/{number}", "conversation_id": "", "edited": False, "media": "[]", "thread": "[]",
        "hideable": True, "first_seen_at": seen, "due_at": seen, "state": "recorded", "outcome": "hide", "severity": severity.value,
        "rank": codec.SEVERITY_RANK[severity], "needs_review": True, "record_id": f"R-{number:016d}", "sealed_at": seen,
        "score": codec.score_text(score), "decision": codec.decision_text(decision),
        "grounds": packed([ground]), "about": packed(["staff"]),
    }  # fmt: skip


def _fill(database: Database, size: int) -> None:
    """Store WAITING items that wait, and older cleared ones up to `size` in all, 300 a day."""
    waiting = [_waiting(number) for number in range(WAITING)]
    with database.unit() as unit:
        unit.connection.execute(ITEMS.insert(), [each | {"record_id": None, "sealed_at": None, "state": "flagged"} for each in waiting])
        common = {"school": SCHOOL.slug, "manifest_sha256": "0" * 64, "capture_kind": "rendered_from_api", "stamp_pending": False}
        common |= {"blocked_requests": 0, "captured_at": NOW, "sealed_at": NOW}
        records = [common | {"record_id": each["record_id"], "item_id": at, "path": f"p/{at}"} for at, each in enumerate(waiting, 1)]
        unit.connection.execute(RECORDS.insert(), records)
        for at, each in enumerate(waiting, 1):
            known = ITEMS.update().where(ITEMS.c.id == at)
            unit.connection.execute(known.values(record_id=each["record_id"], sealed_at=each["sealed_at"], state="recorded"))
        unit.connection.exec_driver_sql(OLDER.format(copied=COPIED, count=size - WAITING))


@contextmanager
def _today(folder: Path, size: int) -> Iterator[httpx.AsyncClient]:
    """Yield a client that is signed in as the Headteacher of a school with `size` items, WAITING of them waiting."""
    folder.mkdir()
    database, tools = _tools(folder, MemoryPlatform())
    _fill(database, size)
    with database.unit() as unit:
        head = register.add_person(unit.connection, name="Tamsin Okoro", email=SCHOOL.head_email, at=NOW)
        began = date(2026, 9, 1)
        register.designate(
            unit.connection, person_id=head.id, role=Role.HEAD, school=SCHOOL.slug, signed_by="CEO-1", signed_on=began, begins_on=began
        )
    app = create_app(database=database, tools=tools, templates=ASSETS / "templates", clock=tools.clock, base_url=ADDRESS)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=ADDRESS, headers={"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    )
    link = new_link(database, actor="HEAD-1", now=NOW, base_url=ADDRESS)
    asyncio.run(_sign_in(client, link))
    yield client
    database.engine.dispose()


async def _sign_in(client: httpx.AsyncClient, link: str) -> None:
    answer = await client.post("/sign-in", data={"secret": link.rpartition("/")[2]})
    answer = await client.get(TODAY)
    if answer.status_code != httpx.codes.OK or answer.text.count('class="whole"') < ON_A_PAGE:  # else something else would be measured
        message = f"Today does not show {ON_A_PAGE} items but answers {answer.status_code}"
        raise AssertionError(message)


async def _in_turns(ours: httpx.AsyncClient, theirs: httpx.AsyncClient) -> tuple[float, float]:
    """Return the median milliseconds of a page of each, asked for in turns inside one process: no network, no browser."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(TIMES + WARM):
        for client, times in zip((ours, theirs), taken, strict=True):
            began = time.perf_counter()
            answer = await client.get(TODAY)
            if turn >= WARM:
                times.append(time.perf_counter() - began)
            answer.raise_for_status()
    return statistics.median(taken[0]) * 1000, statistics.median(taken[1]) * 1000


def today_page() -> dict[str, object]:
    """Milliseconds of the server for Today with 1,000 waiting items, against a bare FastAPI page with one page of rows."""
    with tempfile.TemporaryDirectory() as name, _today(Path(name) / "school", FEW) as ours:
        settle_memory()
        theirs = httpx.AsyncClient(transport=httpx.ASGITransport(_bare()), base_url=ADDRESS)
        mine, bare = asyncio.run(_in_turns(ours, theirs))
    if mine >= 200:  # noqa: PLR2004 - the issue's limit, milliseconds
        message = f"Today took {mine:.0f} ms at the median: over 200"
        raise AssertionError(message)
    return row(mine, bare, target=10.0, unit="ms", against="a bare FastAPI page of 50 rows (at most; and under 200 ms)")


def today_growth() -> dict[str, object]:
    """Milliseconds of the server for Today with 1,000,000 items in the table, against 10,000; 1,000 wait in both."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        many = stack.enter_context(_today(Path(name) / "many", MANY))
        few = stack.enter_context(_today(Path(name) / "few", FEW))
        settle_memory()
        mine, small = asyncio.run(_in_turns(many, few))
    return row(mine, small, target=1.5, unit="ms", against="the same with 10,000 items (at most)")


BENCHES = {"today_page": today_page, "today_growth": today_growth}

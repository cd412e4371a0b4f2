"""Benchmarks of the line: from seen to cleared, and a poll and a digest in a table that has grown. Called by run.py."""

import itertools
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from moderator.build import settle_memory
from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.calendar import Span
from moderator.domain.item import Author, ItemKind, Page, Post, SeenComment
from moderator.domain.times import FrozenClock, london_date
from moderator.jobs.local import NoDispatcher
from moderator.jobs.schedule import SCHEDULE
from moderator.learn.classifier import Assessor
from moderator.mail.compose import JinjaComposer
from moderator.mail.outbox import FolderMailer
from moderator.platforms.memory import MemoryPlatform
from moderator.ports import FixedPolicy
from moderator.settings import ASSETS
from moderator.steps.decide import decide
from moderator.steps.digest import digest_for
from moderator.steps.drain import Tools
from moderator.steps.poll import poll
from moderator.steps.score import score
from moderator.store import ledger, people
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.ledger import LedgerFile
from moderator.store.schema import upgrade

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
SCHOOL = School("oakfield", "Oakfield Primary School", "1", "head@oakfield.example", ("oakfield.example",), "Oakfield Learning Trust")
ROUNDS = 5
ITEMS = 10_000
BATCH = next(job.limit for job in SCHEDULE if job.name == "score")
"""The batch the service itself runs with."""

OPENINGS = (
    "Lovely to see",
    "What time is",
    "Thank you for",
    "Is there any news of",
    "Our two enjoyed",
    "Please could you tell us about",
    "Well done to",
)
THINGS = ("the harvest assembly", "the book fair", "the choir", "sports day", "the new library", "breakfast club", "the residential trip")
ENDINGS = (
    "in the sunshine.",
    "this week?",
    "everyone.",
    "on Friday?",
    "- they have not stopped talking about it.",
    "next term, please.",
    "😊",
)


def _comments() -> Iterator[SeenComment]:
    """Yield ordinary, kind comments, all different: what a school's account gets nearly all the time."""
    author = Author("77", "fern_ashwick", "Fern Ashwick")
    thread = (Post("1", Author("1", "oakfieldprimary", "Oakfield Primary School"), "Our harvest assembly was a joy.", NOW),)
    for number, words in enumerate(itertools.cycle(itertools.product(OPENINGS, THINGS, ENDINGS)), start=1):
        yield SeenComment(
            comment_id=str(number),
            kind=ItemKind.REPLY,
            author=author,
            text=f"{' '.join(words)} ({number})",
            posted_at=NOW,
            place=f"https://social.example/fern_ashwick/status/{number}",
            conversation_id="1",
            thread=thread,
        )


def _tools(folder: Path, platform: MemoryPlatform) -> tuple[Database, Tools]:
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    upgrade(engine)
    database = Database(engine)
    with database.unit() as unit:
        people.put_school(unit.connection, SCHOOL)
        number = people.add_account(
            unit.connection,
            school=SCHOOL,
            platform="memory",
            handle="oakfieldprimary",
            platform_id="1",
            contact_email="office@oakfield.example",
            monthly_reads=10**9,
            at=NOW,
        )
        people.approve(unit.connection, number, Approval("A-1", "Head", date(2026, 9, 1), "News", Mode.HIDE, date(2027, 8, 31)))
        unit.append(SCHOOL.slug, ledger.opened("bench", NOW))
    return database, Tools(
        store=database,
        platform_for=lambda _account: platform,
        classifier=Assessor(ASSETS / "models", None),
        policies=FixedPolicy.bundled(),
        recorder=None,  # type: ignore[arg-type] # nothing is recorded here
        vault=None,  # type: ignore[arg-type] # the same
        ledger=LedgerFile(engine, folder),
        composer=JinjaComposer(templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example"),
        mailer=FolderMailer(folder / "outbox"),
        clock=FrozenClock(NOW),
        dispatcher=NoDispatcher(),
        review_url="https://review.example",
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _to_cleared(folder: Path) -> tuple[float, list[tuple[object, ...]]]:
    """Return the seconds that ITEMS items take from seen to cleared, and their finished rows."""
    platform = MemoryPlatform(tuple(itertools.islice(_comments(), ITEMS)))
    database, tools = _tools(folder, platform)
    poll(tools)
    settle_memory()

    def work() -> None:
        while score(tools, limit=BATCH):
            decide(tools, limit=BATCH)

    taken = _seconds(work)
    with sqlite3.connect(folder / "moderator.db") as connection:
        rows = connection.execute("SELECT * FROM items ORDER BY id").fetchall()
        cleared = connection.execute("SELECT count(*) FROM items WHERE state = 'cleared'").fetchone()[0]
    if cleared != ITEMS:  # a bench that flags would measure something else
        message = f"{ITEMS - cleared} kind comments were not cleared"
        raise AssertionError(message)
    database.engine.dispose()
    return taken, rows


def _bare(folder: Path, rows: list[tuple[object, ...]]) -> float:
    """Return the seconds that bare inserts of the same rows take, in the same batches, one durable transaction each."""
    schema = sqlite3.connect(folder / "moderator.db").execute("SELECT sql FROM sqlite_master WHERE name = 'items'").fetchone()[0]
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(schema)
    insert = f"INSERT INTO items VALUES ({','.join('?' * len(rows[0]))})"  # noqa: S608 - question marks only

    def work() -> None:
        for begin in range(0, len(rows), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, rows[begin : begin + BATCH])
            connection.execute("COMMIT")

    taken = _seconds(work)
    connection.close()
    return taken


def seen_to_cleared() -> dict[str, object]:
    """Items a second from seen to cleared, against bare SQLite inserts of the same rows in the same batches."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            taken, rows = _to_cleared(Path(name))
            ours.append(ITEMS / taken)
            theirs.append(ITEMS / _bare(Path(name), rows))
    mine, bare = statistics.median(ours), statistics.median(theirs)
    return {
        "ours": mine,
        "theirs": bare,
        "ratio": mine / bare,
        "target": 0.15,
        "unit": "items/s",
        "against": f"bare SQLite inserts, batches of {BATCH}",
    }


@contextmanager
def _grown(folder: Path, size: int) -> Iterator[Callable[[], None]]:
    """Yield a poll of 100 comments and a digest, in a table of `size` older items."""
    folder.mkdir()
    platform = MemoryPlatform()
    database, tools = _tools(folder, platform)
    account = database.account(1)
    _fill(database, account, size)
    days = itertools.count()
    comments = _comments()

    def work() -> None:
        clock = FrozenClock(NOW + timedelta(days=next(days)))
        turn = replace(tools, clock=clock)
        platform.comments += [replace(comment, comment_id=f"new-{comment.comment_id}") for comment in itertools.islice(comments, 100)]
        database.poll_now()
        poll(turn)
        digest_for(turn, SCHOOL, Span.of(london_date(clock.now())))

    yield work
    database.engine.dispose()


def _fill(database: Database, account: Account, size: int) -> None:
    """Store `size` cleared items of earlier days, 300 a day."""
    comments = _comments()
    done = 0
    while done < size:
        batch = tuple(itertools.islice(comments, min(5000, size - done)))
        page = Page(batch, "", more=False, reads=0, body=b"{}")
        at = NOW - timedelta(days=2 + done // 300)
        with database.unit() as unit:
            unit.add_items(account, 1, page, at)
        done += len(batch)
    with database.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE items SET state = 'cleared', stage = NULL, outcome = 'clear', pruned = 1")


def table_growth() -> dict[str, object]:
    """Seconds for a poll and a digest with 1,000,000 items in the table, against 1,000."""
    with (
        tempfile.TemporaryDirectory() as name,
        _grown(Path(name) / "large", 1_000_000) as large,
        _grown(Path(name) / "small", 1_000) as small,
    ):
        for warm in (large, small):
            warm()
        ours, theirs = [], []
        for _ in range(2 * ROUNDS + 1):
            ours.append(_seconds(large))
            theirs.append(_seconds(small))
    mine, few = statistics.median(ours), statistics.median(theirs)
    return {"ours": mine, "theirs": few, "ratio": mine / few, "target": 1.5, "unit": "s", "against": "the same with 1,000 items (at most)"}


BENCHES = {"seen_to_cleared": seen_to_cleared, "table_growth": table_growth}

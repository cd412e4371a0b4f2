"""Invented comments for the benchmarks of the record, and how two contenders are timed. Called by bench_capture and bench_evidence."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.item import Author, Item, ItemKind, Page, Post, SeenComment
from moderator.domain.record import Evidence, record_id
from moderator.domain.score import Label, Score

ROUNDS = 5
PAGES = 24
SCHOOL = School("oakfield", "Oakfield Primary", "100001", "head@oakfield.example", ("oakfield.example",), "Valley Trust")
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def text_of(number: int) -> str:
    """Return the text of a comment; every PAGES-th is the same."""
    return f"Comment {number % PAGES}: the office never answers the telephone, and the gate is shut again. " * 3


def evidence_of(number: int, place: str, text: str) -> Evidence:
    """Return the evidence of one flagged comment by an invented author."""
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


def in_turns(ours: Callable[[], None], theirs: Callable[[], None], *, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return median seconds of each, measured in turns after one warm-up each."""
    mine: list[float] = []
    other: list[float] = []
    for turn in range(rounds + 1):
        for work, times in ((ours, mine), (theirs, other)):
            start = time.perf_counter()
            work()
            if turn:
                times.append(time.perf_counter() - start)
    return statistics.median(mine), statistics.median(other)


def row(ours: float, theirs: float, *, target: float, unit: str, against: str) -> dict[str, object]:
    """Return a row of bench.json without its name."""
    return {
        "ours": round(ours, 2),
        "theirs": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
        "target": target,
        "unit": unit,
        "against": against,
    }

"""No statement of the line or its pages walks the whole table: what a poll and a digest cost does not grow with the years."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from cast import enrol
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.calendar import Span
from moderator.domain.report import ReportKind, period_of
from moderator.domain.routes import View
from moderator.store import queue, today

GROWING = ("items", "ledger", "alerts", "outbox", "pages", "reviews", "decisions", "records")


SMALL = (
    "ix_items_queue",
    "ix_items_review",
    "ix_items_page",
    "ix_items_unpruned",
    "ix_alerts_waiting",
    "ix_outbox_waiting",
    "ix_records_pending",
)
"""Indexes that hold only what waits: walking one of these is short."""


@contextmanager
def plans(stage: Stage) -> Iterator[list[str]]:
    """Yield a list that is filled, at the end, with the query plan's lines that walk a whole growing table."""
    seen: dict[str, Any] = {}

    def remember(connection: object, cursor: object, statement: str, parameters: Any, context: object, executemany: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917 - SQLAlchemy's own signature
        del connection, cursor, context
        seen[statement] = parameters[0] if executemany else parameters

    engine = stage.database.engine
    sa.event.listen(engine, "before_cursor_execute", remember)
    walked: list[str] = []
    yield walked
    sa.event.remove(engine, "before_cursor_execute", remember)
    with engine.connect() as connection:
        for statement, parameters in seen.items():
            if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                walked += [f"{row.detail}: {statement}" for row in rows if long(row.detail)]


def long(step: str) -> bool:
    """Return whether a step of a plan walks a whole growing table, or all of one school's items of all time."""
    scan = step.startswith(tuple(f"SCAN {name}" for name in GROWING)) and not step.endswith(SMALL)
    return scan or step.endswith(("ix_items_day (school=?)", "sqlite_autoindex_ledger_1 (school=?)"))


def test_the_line_and_the_digest_never_walk_a_table_that_grows(stage: Stage) -> None:
    stage.platform.comments += [comment(1), comment(2, "You are an idiot"), comment(3, "I will hurt you")]
    with plans(stage) as walked:
        stage.run("poll", "score", "decide", "alert", "record", "hide", "restore", "send", "digest", "sweep", "prune")
        for view in (View(), View(frozenset({"P-1"}), safeguarding=False), View(only_safeguarding=True), View(naming=frozenset({"P-1"}))):
            stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="", view=view)
        with stage.database.reading() as connection:
            queue.flagged_on(connection, SCHOOL.slug, NOON.date(), seen=sa.true(), limit=50)
            today.history(connection, stage.database.work(2))
    assert walked == []


def test_a_walk_would_be_seen(stage: Stage) -> None:
    with plans(stage) as walked, stage.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM items WHERE text = 'x'")
    assert len(walked) == 1


def test_the_trusts_digest_and_the_reports_never_walk_a_table_that_grows(stage: Stage) -> None:
    enrol(stage)
    stage.platform.comments += [comment(1), comment(2, "You are an idiot"), comment(3, "I will hurt you")]
    stage.run("poll", "score", "decide", "alert", "record", "hide", "digest", "send")
    stage.clock.move(timedelta(days=50))
    week = period_of(ReportKind.WEEKLY, NOON.date())
    with plans(stage) as walked:
        stage.run("trust_digest", "report")
        for view in (View(), View(frozenset({"P-1"}), safeguarding=False)):
            stage.database.tally([SCHOOL.slug], week, view=view)
    assert walked == []

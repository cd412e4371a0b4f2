"""The reads behind the lists, on both databases: who is shown what, what a search finds, and that nothing walks a table that grows."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, add_second_account, comment

from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage as Step
from moderator.domain.terms import term_of
from moderator.store import activity, counting, past_digests, standing
from moderator.store.activity import Asked, stretch
from moderator.store.disposals import HOLDS
from moderator.store.finding import Found, Keeping, Reader, Search, Verified, find
from moderator.store.items import ITEM_PEOPLE, ITEMS, RECORDS
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.retention import DISPOSALS
from moderator.store.seen_by import seen_by

ANYBODY = Reader(frozenset(), safeguarding=True)
TERM = term_of(NOON.date())


def found(stage: Stage, **asked: object) -> list[Found]:
    reader = asked.pop("reader", ANYBODY)
    with stage.database.reading() as connection:
        return find(connection, Search(SCHOOL.slug, reader, **asked), limit=50)  # type: ignore[arg-type] # the caller names fields of Search


def recorded(stage: Stage, *texts: str) -> list[str]:
    """Let comments be recorded, and return their record numbers, in order."""
    stage.platform.comments += [comment(number, text) for number, text in enumerate(texts, 1)]
    stage.run("poll", "score", "decide", "record", "hide", "retain")
    return [str(row[0]) for row in stage.rows("record_id") if row[0]]


def test_r21_and_r15_are_one_condition(any_stage: Stage) -> None:
    recorded(any_stage, "Such an idiot", "Tilly Marwood is an idiot", "There is a crisis")
    for references, safeguarding, shown in (
        (frozenset[str](), True, [1, 2, 3]),
        (frozenset[str](), False, [1, 2]),
        (frozenset({"P-1", "P-9"}), True, [1, 3]),
        (frozenset({"P-1"}), False, [1]),
        (frozenset({"P-2"}), False, [1, 2]),
    ):
        with any_stage.database.reading() as connection:
            wanted = sa.select(ITEMS.c.id).where(seen_by(references=references, safeguarding=safeguarding)).order_by(ITEMS.c.id)
            assert list(connection.execute(wanted).scalars()) == shown


def test_a_search_finds_how_a_record_stands(any_stage: Stage) -> None:
    held, gone, pending, faulty = recorded(any_stage, "idiot one", "idiot two", "idiot three", "idiot four")
    common = {"school": SCHOOL.slug, "why": "A reason.", "at": NOON}
    with any_stage.database.unit() as unit:
        unit.connection.execute(sa.insert(HOLDS).values(**common, record_id=held, reference="CASE-1", by="HEAD-1"))
        unit.connection.execute(sa.insert(HOLDS).values(**common, record_id=gone, reference="CASE-2", by="HEAD-1"))
        disposal = {"school": SCHOOL.slug, "why": "A reason.", "asked_at": NOON, "approved_at": NOON, "ground": "court_order"}
        unit.connection.execute(sa.insert(DISPOSALS).values(**disposal, record_id=gone, asked_by="HEAD-1", approved_by="CEO-1"))
        unit.connection.execute(sa.update(RECORDS).where(RECORDS.c.record_id.in_([pending, faulty])).values(stamp_pending=True))
    reader = Reader(frozenset(), safeguarding=True, faulty=frozenset({faulty}))
    every = {each.record_id: each for each in found(any_stage, reader=reader)}
    assert set(every) == {held, gone, pending, faulty}
    assert [every[each].keeping for each in (held, gone, pending)] == [Keeping.HELD, Keeping.DISPOSED, Keeping.KEPT]
    assert [every[each].verified for each in (held, pending, faulty)] == [Verified.SOUND, Verified.PENDING, Verified.FAULT]
    assert (every[gone].place, every[gone].posted_at) == ("", None)
    assert every[held].place.startswith("https://")
    assert every[held].review_on == date(2027, 11, 18)
    asked: dict[str, dict[str, object]] = {
        "kept": {"keeping": Keeping.KEPT},
        "held": {"keeping": Keeping.HELD},
        "gone": {"keeping": Keeping.DISPOSED},
        "sound": {"verified": Verified.SOUND},
        "pending": {"verified": Verified.PENDING},
        "fault": {"verified": Verified.FAULT},
    }
    got = {name: {each.record_id for each in found(any_stage, reader=reader, **each)} for name, each in asked.items()}
    assert got == {
        "kept": {held, pending, faulty},
        "held": {held},
        "gone": {gone},
        "sound": {held, gone},
        "pending": {pending},
        "fault": {faulty},
    }


def test_r21_a_record_that_two_comments_share_is_kept_from_whom_either_names(any_stage: Stage) -> None:
    add_second_account(any_stage)
    (first, second) = recorded(any_stage, "Such an idiot")
    assert first == second
    assert [each.record_id for each in found(any_stage)] == [first]
    assert [each.record_id for each in found(any_stage, account=2)] == [first]
    with any_stage.database.unit() as unit:
        unit.connection.execute(sa.insert(ITEM_PEOPLE).values(item_id=2, reference="S-4"))
    assert found(any_stage, reader=Reader(frozenset({"S-4"}), safeguarding=True)) == []


def test_lines_go_back_in_windows(any_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    at = NOON + timedelta(days=1)
    with any_stage.database.unit() as unit:
        early = [LedgerEvent(Event.REGISTERED, NOON, "roll", actor="ADMIN-1", reason="roll_replaced")]
        unit.append(SCHOOL.slug, *early, *(LedgerEvent(Event.DIGEST_SENT, at, f"digest-{number}") for number in range(60)))
    monkeypatch.setattr(activity, "LOOK", 25)
    monkeypatch.setattr(activity, "ASTRAY", 2)

    def look(asked: Asked, before: int = 0) -> tuple[list[str], int]:
        with any_stage.database.reading() as connection:
            got = stretch(connection, SCHOOL.slug, asked, references=frozenset(), safeguarding=True, limit=5, before=before)
        return [line.subject for line in got.lines], got.before

    by_admin = Asked(actor="ADMIN-1")
    assert look(by_admin) == ([], 38)
    assert look(by_admin, 38) == ([], 13)
    assert look(by_admin, 13) == (["roll"], 0)
    assert look(Asked(events=frozenset({"digest_sent"})))[0] == [f"digest-{number}" for number in range(59, 54, -1)]
    assert look(Asked(until=NOON.date())) == (["roll", "ledger"], 0)
    assert look(Asked(since=at.date()))[0][0] == "digest-59"
    assert look(Asked(since=at.date() + timedelta(days=9))) == ([], 0)
    assert look(Asked(until=date(2020, 1, 1))) == ([], 0)
    assert look(Asked(actor='x","actor":"ADMIN-1'))[0] == []


def test_counts_of_a_term(any_stage: Stage) -> None:
    texts = ("idiot", "idiot again", "I will hurt you", "There is a crisis", "indecent_image", "fine", "fine too")
    any_stage.platform.comments.append(comment(99, "idiot, and the platform cannot hide it", hideable=False))
    recorded(any_stage, *texts)
    with any_stage.database.reading() as connection:
        counted = counting.counts(connection, [SCHOOL.slug], TERM)
        before = counting.counts(connection, [SCHOOL.slug], term_of(TERM.first - timedelta(days=1)))
    assert (counted.read, counted.flagged) == (8, 6)
    assert (counted.hidden, counted.showing, counted.routed, counted.withheld) == (3, 1, 1, 1)
    assert (counted.kept, counted.restored, counted.undecided) == (0, 0, 6)
    assert counted.median_wait is None
    assert counted.flagged_by_month == {date(2026, 11, 1): 6}
    assert counted.by_ground["abusive"] == 4
    assert (before.read, before.flagged) == (0, 0)


def test_how_the_service_stands(any_stage: Stage) -> None:
    recorded(any_stage, "idiot")
    with any_stage.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).values(stage=Step.HIDE.value, held_at=NOON))
        unit.connection.execute(
            sa.insert(OUTBOX).values(key="k", school="", message=b"x", created_at=NOON, due_at=NOON, attempts=2, trouble="refused")
        )
    with any_stage.database.reading() as connection:
        stands = standing.standing(connection, SCHOOL.slug, NOON)
        waiting = connection.execute(sa.select(sa.func.count()).select_from(ALERTS)).scalar_one()
    assert [(each.stage, each.count) for each in stands.waiting] == [(Step.HIDE, 1)]
    assert stands.held == 1
    assert stands.alerts.count == waiting > 0
    assert (stands.mail.count, stands.mail.since, stands.mail.trouble) == (1, NOON, "refused")
    assert stands.head.seq > 3
    assert stands.latest_seal is not None
    assert stands.last_line_at is not None


def test_no_list_walks_a_table_that_grows(stage: Stage) -> None:
    recorded(stage, "idiot", "Tilly Marwood is an idiot")
    seen: list[tuple[str, Any]] = []

    def remember(connection: object, cursor: object, statement: str, parameters: Any, context: object, executemany: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917 - SQLAlchemy's own signature
        del connection, cursor, context, executemany
        seen.append((statement, parameters))

    reader = Reader(frozenset({"P-1"}), safeguarding=False)
    engine = stage.database.engine
    sa.event.listen(engine, "before_cursor_execute", remember)
    with stage.database.reading() as connection:
        find(connection, Search(SCHOOL.slug, reader), limit=51, after=(NOON + timedelta(days=1), "R-Z"))
        find(connection, Search(SCHOOL.slug, reader, keeping=Keeping.HELD, record_class="severe", account=1), limit=51)
        stretch(connection, SCHOOL.slug, Asked("HEAD-1", since=NOON.date()), references=frozenset({"P-1"}), safeguarding=False, limit=51)
        counting.counts(connection, [SCHOOL.slug], TERM)
        standing.standing(connection, SCHOOL.slug, NOON)
        past_digests.digests(connection, SCHOOL.slug, limit=51, before=NOON.date())
    sa.event.remove(engine, "before_cursor_execute", remember)
    plans: list[str] = []
    with engine.connect() as connection:
        for statement, parameters in seen:
            if statement.startswith("SELECT"):
                plans += [str(row.detail) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    growing = ("items", "ledger", "records", "reviews", "outbox", "alerts", "item_people", "retention", "submitted")
    waits = ("ix_items_queue", "ix_items_review", "ix_outbox_waiting", "ix_alerts_waiting", "ix_records_pending", "ix_retention_review")
    walked = [plan for plan in plans if plan.startswith(tuple(f"SCAN {name}" for name in growing)) and not plan.endswith(waits)]
    assert walked == []
    assert not [plan for plan in plans if plan.endswith("ix_items_day (school=?)")]
    assert any("ix_records_sealed" in plan for plan in plans)
    assert any("ix_items_flagged" in plan for plan in plans)

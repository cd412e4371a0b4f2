"""The queue by key: pages without gaps, counts that stop, and plans that walk an index and no table, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.decision import Severity
from moderator.domain.score import PersonKind
from moderator.store import queue
from moderator.store.items import ITEMS
from moderator.store.queue import Place, Situation, Wanted
from moderator.store.register_tables import ItemPersonRow
from moderator.store.seen_by import seen_by

ITEM_PEOPLE: sa.Table = ItemPersonRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
SEEN = seen_by(references=frozenset(), safeguarding=True)


@pytest.fixture
def waiting(any_stage: Stage) -> Stage:
    """Return a stage with seven items that wait: severe, ordinary, held before they were judged; some for HR, some for the police."""
    texts = ("You are an idiot", "I will hurt you", "What an idiot", "indecent_image", "Tilly Marwood is an idiot", "I hurt you", "idiot")
    any_stage.platform.comments += [comment(number, text) for number, text in enumerate(texts, 10)]
    any_stage.run("poll", "score", "decide", "record", "hide")
    with any_stage.database.unit() as unit:
        changes = ((7, {"awaits_advice": True}), (3, {"held_at": NOON}), (1, {"first_seen_at": NOON - timedelta(days=4)}))
        for number, change in changes:
            unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == number).values(change))
    return any_stage


def test_pages_follow_each_other_whatever_their_size(waiting: Stage) -> None:
    with waiting.database.reading() as connection:
        whole = [row.id for row in queue.waiting(connection, SCHOOL.slug, seen=SEEN, now=NOON, limit=50)]
        assert whole == [2, 4, 6, 1, 3, 5, 7]
        for size in (1, 2, 3, 7):
            found: list[int] = []
            after: Place | None = None
            while page := queue.waiting(connection, SCHOOL.slug, seen=SEEN, now=NOON, limit=size, after=after):
                found += [row.id for row in page]
                after = queue.place_of(page[-1])
            assert found == whole
        serious = Wanted(severity=Severity.SEVERE)
        assert [
            row.id for row in queue.waiting(connection, SCHOOL.slug, seen=SEEN, now=NOON, limit=9, wanted=serious, after=Place(0, 2))
        ] == [4, 6]
        day = NOON.date()
        newest = [row.id for row in queue.flagged_on(connection, SCHOOL.slug, day, seen=SEEN, limit=3)]
        assert newest == [7, 6, 5]
        assert [row.id for row in queue.flagged_on(connection, SCHOOL.slug, day, seen=SEEN, limit=9, before=5)] == [4, 3, 2]


def test_counts_agree_with_what_each_filter_lists(waiting: Stage) -> None:
    with waiting.database.reading() as connection:
        found = queue.tallies(connection, SCHOOL.slug, seen=SEEN, now=NOON)

        def listed(wanted: Wanted) -> int:
            return len(queue.waiting(connection, SCHOOL.slug, seen=SEEN, now=NOON, limit=50, wanted=wanted))

        assert (found.total, found.more) == (7, False)
        assert found.severity == {Severity.SEVERE: 3, Severity.ORDINARY: 4}
        assert found.situation == {Situation.HIDDEN: 6, Situation.POLICE: 1, Situation.HR: 1, Situation.STOPPED: 1}
        assert found.about == {PersonKind.PUPIL: 1}
        assert found.days == {1: 1, 3: 1}
        for severity, count in found.severity.items():
            assert listed(Wanted(severity=severity)) == count
        for situation, count in found.situation.items():
            assert listed(Wanted(situation=situation)) == count
        for ground, count in found.ground.items():
            assert listed(Wanted(ground=ground)) == count
        for days in (1, 3, 7):
            assert listed(Wanted(days=days)) == found.days[days]
        assert listed(Wanted(account=waiting.account.id, about=PersonKind.PUPIL)) == 1
        short = queue.totals(connection, SCHOOL.slug, seen=SEEN)
        assert (short.total, short.severity) == (found.total, found.severity)


def test_counting_stops_where_the_page_says_more(waiting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MOST", 5)
    with waiting.database.reading() as connection:
        for counted in (
            queue.tallies(connection, SCHOOL.slug, seen=SEEN, now=NOON),
            queue.totals(connection, SCHOOL.slug, seen=SEEN),
        ):
            assert (counted.total, counted.more) == (5, True)


def test_the_next_one_is_one_that_can_be_decided(waiting: Stage) -> None:
    with waiting.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.rank == 0).values(needs_review=False))
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == 3).values(stage="hide"))
    with waiting.database.reading() as connection:
        following = [queue.next_after(connection, SCHOOL.slug, seen=SEEN, but=number) for number in (1, 5)]
    assert [row.id if row else None for row in following] == [5, 1]


def test_r15_r21_what_a_reader_may_not_see_is_in_no_list_and_no_count(waiting: Stage) -> None:
    with waiting.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == 2).values(safeguarding=True))
        unit.connection.execute(sa.insert(ITEM_PEOPLE), [{"item_id": 1, "reference": "S-9"}])
    strict = seen_by(references=frozenset({"S-9", "S-8"}), safeguarding=False)
    with waiting.database.reading() as connection:
        rows = queue.waiting(connection, SCHOOL.slug, seen=strict, now=NOON, limit=50)
        assert [row.id for row in rows] == [4, 6, 3, 5, 7]
        assert queue.tallies(connection, SCHOOL.slug, seen=strict, now=NOON).total == 5
        assert queue.totals(connection, SCHOOL.slug, seen=strict).total == 5
        assert {row.id for row in queue.flagged_on(connection, SCHOOL.slug, NOON.date(), seen=strict, limit=50)} == {3, 4, 5, 6, 7}
        assert queue.all_shown(connection, SCHOOL.slug, [3, 4], seen=strict)
        assert not queue.all_shown(connection, SCHOOL.slug, [1, 3], seen=strict)
        assert not queue.all_shown(connection, "ashford", [3], seen=strict)
        assert queue.day_counts(connection, SCHOOL.slug, NOON.date(), seen=SEEN).hidden == 6
        counted = queue.day_counts(connection, SCHOOL.slug, NOON.date(), seen=strict)
        assert (counted.hidden, counted.seen, counted.withheld) == (4, 5, 1)


def test_no_question_of_todays_walks_the_table(stage: Stage) -> None:
    seen: list[tuple[str, object]] = []
    engine = stage.database.engine

    def remember(connection: object, cursor: object, statement: str, parameters: object, context: object, many: object) -> None:  # noqa: PLR0913, PLR0917 - SQLAlchemy's own signature
        del connection, cursor, context, many
        seen.append((statement, parameters))

    strict = seen_by(references=frozenset({"S-9"}), safeguarding=False)
    every = Wanted(Severity.SEVERE, "insult", Situation.HIDDEN, 1, 3, PersonKind.STAFF)
    sa.event.listen(engine, "before_cursor_execute", remember)
    with stage.database.reading() as connection:
        for wanted in (Wanted(), every):
            queue.waiting(connection, SCHOOL.slug, seen=strict, now=NOON, limit=51, wanted=wanted)
            queue.waiting(connection, SCHOOL.slug, seen=strict, now=NOON, limit=51, wanted=wanted, after=Place(0, 9))
        queue.tallies(connection, SCHOOL.slug, seen=strict, now=NOON)
        queue.totals(connection, SCHOOL.slug, seen=strict)
        queue.next_after(connection, SCHOOL.slug, seen=strict, but=1)
        queue.flagged_on(connection, SCHOOL.slug, NOON.date(), seen=strict, limit=11, before=9)
        queue.day_counts(connection, SCHOOL.slug, NOON.date(), seen=strict)
    sa.event.remove(engine, "before_cursor_execute", remember)
    with engine.connect() as connection:
        for statement, parameters in seen:
            steps = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]  # type: ignore[arg-type] # as they were given
            assert not [step for step in steps if step.startswith(("SCAN items", "SCAN ledger"))], statement
            assert not [step for step in steps if step.endswith("ix_items_day (school=?)")], statement
            if "needs_review" in statement:
                assert any("ix_items_review (school=?" in step for step in steps), statement
                assert not [step for step in steps if "ORDER BY" in step], statement

"""Holds, disposals and review dates at rest, on SQLite and PostgreSQL: what the tables refuse, what is counted, what is scrubbed."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.disposal import Disposal, Ground, LegalHold
from moderator.domain.errors import BadInput, Transient
from moderator.domain.record import CaptureKind
from moderator.domain.retention import RecordClass, Retention
from moderator.store import retention
from moderator.store.database import Database
from moderator.store.disposals import HOLDS, STAMPS, disposal_of
from moderator.store.items import DECISIONS, ITEMS
from moderator.store.retention import DISPOSALS, RETENTION, SUBMITTED

ONE, TWO, THREE = ("R-" + letter * 16 for letter in "ABC")


def hand_in(stage: Stage, *records: str, school: str = SCHOOL.slug) -> None:
    with stage.database.unit() as unit:
        for number, record in enumerate(records):
            at = NOON + timedelta(minutes=number)
            row = {"record_id": record, "school": school, "path": f"{school}/2026/{record}", "manifest_sha256": "0" * 64, "by": "DSL-1"}
            unit.connection.execute(sa.insert(SUBMITTED).values(row | {"captured_at": at, "sealed_at": at}))


def dated(record: str, on: date, *, school: str = SCHOOL.slug) -> Retention:
    return Retention(record, school, RecordClass.SUBMITTED, on, "service", "Class submitted.", NOON)


def disposal(record: str, *, approved: datetime | None = None) -> Disposal:
    asked = Disposal(record, SCHOOL.slug, Ground.COURT_ORDER, "A court ordered it.", "DPO-1", NOON)
    return replace(asked, approved_by="HEAD-1", approved_why="A court ordered it.", approved_at=approved) if approved else asked


def disposed(stage: Stage, record: str) -> Disposal:
    with stage.database.unit() as unit:
        unit.disposal_asked(disposal(record))
        waiting = unit.kept(record).asked
        assert waiting is not None
        unit.disposal_decided(replace(disposal(record, approved=NOON), id=waiting.id))
    found = stage.database.kept(record).disposal
    assert found is not None
    return found


def test_r30_the_table_itself_wants_two_people_and_an_approval(any_stage: Stage) -> None:
    values = {"record_id": ONE, "school": "oakfield", "ground": "court_order", "why": "w", "asked_by": "DPO-1", "asked_at": NOON}
    for wrong in ({"approved_by": "DPO-1", "approved_at": NOON}, {"done_at": NOON}):
        with pytest.raises(IntegrityError), any_stage.database.engine.begin() as connection:
            connection.execute(sa.insert(DISPOSALS).values(values | wrong))


def test_what_a_person_handed_in_is_kept_like_any_record(any_stage: Stage) -> None:
    hand_in(any_stage, ONE)
    kept = any_stage.database.kept(ONE)
    assert (kept.path, kept.capture_kind, kept.item_id) == (f"oakfield/2026/{ONE}", CaptureKind.SUBMITTED_BY_PERSON, None)
    assert (kept.working, kept.undecided, kept.hidden, kept.stamp_pending) == (False, False, False, False)
    assert (kept.stamps, kept.retention, kept.holds, kept.disposals) == ((), None, (), ())
    with pytest.raises(BadInput, match=f"there is no record {TWO}"):
        any_stage.database.kept(TWO)


def test_stamps_are_told_in_order(stage: Stage) -> None:
    hand_in(stage, ONE)
    with stage.database.unit() as unit:
        for number, name in ((2, "alpha"), (1, "beta"), (1, "alpha")):
            values = {"record_id": ONE, "authority": name, "round": number, "school": "oakfield", "at": NOON, "expires_at": NOON}
            unit.connection.execute(sa.insert(STAMPS).values(values))
    assert [(each.round, each.authority) for each in stage.database.kept(ONE).stamps] == [(1, "alpha"), (1, "beta"), (2, "alpha")]


def test_r30_the_newest_review_date_counts_and_what_is_gone_is_not_due(any_stage: Stage) -> None:
    hand_in(any_stage, ONE, TWO)
    hand_in(any_stage, THREE, school="northfield")
    with any_stage.database.unit() as unit:
        unit.retain(dated(ONE, date(2027, 1, 1)))
        unit.retain(dated(ONE, date(2030, 1, 1)))
        unit.retain(dated(TWO, date(2028, 1, 1)))
        unit.retain(dated(THREE, date(2027, 6, 1), school="northfield"))
    due = any_stage.database.due_for_review
    assert [each.record_id for each in due(before=date(2027, 5, 31))] == []
    assert [each.record_id for each in due(before=date(2029, 12, 31))] == [THREE, TWO]
    assert [each.record_id for each in due(before=date(2030, 1, 1), school="oakfield")] == [TWO, ONE]
    disposed(any_stage, TWO)
    assert [each.record_id for each in due(before=date(2030, 1, 1))] == [THREE, ONE]
    with any_stage.database.reading() as connection:
        assert retention.count_due(connection, before=date(2030, 1, 1), school="oakfield") == 1


def test_records_without_a_review_date_are_found_up_to_a_limit(any_stage: Stage) -> None:
    hand_in(any_stage, ONE, TWO, THREE)
    with any_stage.database.unit() as unit:
        unit.retain(dated(TWO, date(2027, 1, 1)))
    found = any_stage.database.without_review_date(limit=10)
    assert [(kept.record_id, decision) for kept, decision in found] == [(ONE, None), (THREE, None)]
    assert [kept.record_id for kept, _ in any_stage.database.without_review_date(limit=1)] == [ONE]


def test_a_hold_is_listed_until_the_storage_has_taken_it_and_again_when_it_is_lifted(any_stage: Stage) -> None:
    hand_in(any_stage, ONE)
    hold = LegalHold(ONE, "oakfield", "CAD-1", "The police asked for it.", "CEO-1", NOON)
    waiting = any_stage.database.holds_not_stored
    with any_stage.database.unit() as unit:
        unit.hold_placed(hold)
        unit.hold_placed(replace(hold, reference="CAD-2"))
    assert waiting(limit=5) == [ONE]
    with any_stage.database.unit() as unit:
        unit.hold_stored(ONE, on=False, at=NOON)
    assert waiting(limit=5) == [ONE]
    with any_stage.database.unit() as unit:
        unit.hold_stored(ONE, on=True, at=NOON)
    assert waiting(limit=5) == []
    with any_stage.database.unit() as unit:
        unit.hold_released(replace(hold, released_by="CEO-1", released_why="No longer.", released_at=NOON + timedelta(hours=1)))
    assert waiting(limit=5) == [ONE]
    assert [each.reference for each in any_stage.database.kept(ONE).standing_holds] == ["CAD-2"]
    with any_stage.database.unit() as unit:
        unit.hold_stored(ONE, on=True, at=NOON + timedelta(hours=2))
    assert waiting(limit=5) == []


def test_a_disposal_is_to_finish_until_it_is_done_once(any_stage: Stage) -> None:
    hand_in(any_stage, ONE)
    with any_stage.database.reading() as connection:
        assert disposal_of(connection, ONE) is None
    found = disposed(any_stage, ONE)
    assert any_stage.database.disposals_to_finish(limit=5) == [found]
    for hours in (1, 2):
        with any_stage.database.unit() as unit:
            unit.destroy_key(ONE, NOON)
            assert unit.forget(ONE)
            unit.disposal_done(found, NOON + timedelta(hours=hours))
    assert any_stage.database.disposals_to_finish(limit=5) == []
    with any_stage.database.reading() as connection:
        assert disposal_of(connection, ONE) == replace(found, done_at=NOON + timedelta(hours=1))


def test_forgetting_may_be_repeated_and_takes_an_item_without_a_decision(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record")
    record = str(stage.rows("record_id")[0][0])
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(ITEMS).values(decision=None))
    for _ in range(2):
        with stage.database.unit() as unit:
            assert unit.forget(record)
    assert stage.rows("text", "comment_id", "version", "decision") == [("", record, "disposed", None)]
    with stage.database.reading() as connection:
        assert "idiot" not in connection.execute(sa.select(DECISIONS.c.decision)).scalar_one()
        assert connection.execute(sa.select(RETENTION.c.why)).scalar_one().startswith("Removed")
        assert connection.execute(sa.select(HOLDS)).all() == []


def test_scrubbing_leaves_no_deleted_bytes(database: Database) -> None:
    place = str(database.engine.url.database)
    with database.unit() as unit:
        unit.connection.execute(sa.text("CREATE TABLE notes (id INTEGER PRIMARY KEY, said TEXT)"))
        unit.connection.execute(sa.text("INSERT INTO notes (said) VALUES (:said)"), [{"said": f"HERON{n} {'x' * n}"} for n in range(400)])
    with database.unit() as unit:
        unit.connection.execute(sa.text("UPDATE notes SET said = said || :more"), {"more": "y" * 700})
    with database.unit() as unit:
        unit.connection.execute(sa.text("UPDATE notes SET said = ''"))
    database.scrub()
    for name in (place, f"{place}-wal"):
        with open(name, "rb") as file:  # noqa: PTH123 - a name with a suffix
            assert b"HERON" not in file.read()


def test_scrubbing_waits_for_no_reader_forever(database: Database) -> None:
    impatient = Database(sa.create_engine(database.engine.url, connect_args={"timeout": 0.05}))
    with database.reading() as connection:
        connection.execute(sa.select(RETENTION)).all()
        with database.unit() as unit:
            unit.retain(dated(ONE, date(2027, 1, 1)))
        with pytest.raises(Transient, match="it is being read"):
            impatient.scrub()
    impatient.scrub()
    impatient.engine.dispose()


def test_postgresql_is_scrubbed_too(postgres_database: Database) -> None:
    times = sa.text("SELECT pg_stat_get_vacuum_count('items'::regclass)")
    with postgres_database.reading() as connection:
        before = connection.execute(times).scalar_one()
    postgres_database.scrub()
    with postgres_database.reading() as connection:
        assert connection.execute(times).scalar_one() == before + 1


def test_a_database_that_is_away_is_not_scrubbed_now() -> None:
    away = Database(sa.create_engine("postgresql+psycopg://postgres@/nothing-of-the-sort?host=/nowhere"))
    with pytest.raises(Transient, match="could not be scrubbed"):
        away.scrub()

"""The ledger's file against its copy in the database: every row and line that was touched is told of."""

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage

from moderator.domain.errors import Transient
from moderator.domain.events import Event, LedgerEvent, line_hash
from moderator.store import mirror
from moderator.store.ledger import HEADS, LEDGER, LedgerFile


@pytest.fixture
def chained(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a ledger of eleven lines without the triggers, as somebody with the database's own password can have it."""
    monkeypatch.setattr(mirror, "ROWS", 4)
    return tampered_with(stage)


def tampered_with(any_stage: Stage) -> Stage:
    with any_stage.database.unit() as unit:
        unit.append(SCHOOL.slug, *(LedgerEvent(Event.VIEWED, NOON, f"R-{number}") for number in range(10)))
    any_stage.tools.ledger.sync(SCHOOL.slug)
    with any_stage.database.engine.begin() as connection:
        postgres = connection.dialect.name == "postgresql"
        for name in ("no_edit", "no_delete"):
            connection.execute(sa.text(f"DROP TRIGGER ledger_{name}" + (" ON ledger" if postgres else "")))
    return any_stage


def differ(stage: Stage) -> list[tuple[str, str]]:
    ledger = stage.tools.ledger
    assert isinstance(ledger, LedgerFile)
    return [(fault.code, fault.where) for fault in ledger.differences(SCHOOL.slug)]


def change(stage: Stage, seq: int, **values: object) -> None:
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(LEDGER).where(LEDGER.c.seq == seq).values(values))


def test_a_ledger_as_it_was_written_has_no_differences(chained: Stage) -> None:
    assert differ(chained) == []


def test_a_file_that_is_behind_or_being_written_is_no_fault(chained: Stage) -> None:
    path = chained.folder / "ledger.jsonl"
    whole = path.read_bytes()
    for size in (len(whole) - 20, whole.rfind(b"\n", 0, -1) + 1, 0):
        path.write_bytes(whole[:size])
        assert differ(chained) == []
    path.unlink()
    assert differ(chained) == []


@pytest.mark.parametrize(
    "values",
    [
        {"subject": "R-OTHER"},
        {"event": "hidden"},
        {"hash": "ab" * 32},
        {"at": NOON.replace(year=2020)},
        {"line": "not a line"},
        {"line": "[]"},
    ],
)
def test_a_row_changed_in_the_database_is_told_of(chained: Stage, values: dict[str, object]) -> None:
    change(chained, 7, **values)
    found = differ(chained)
    assert found[0] == ("ledger_row", "oakfield ledger line 7 (database)")
    assert found[1:] == ([("ledger_file", "oakfield ledger line 7 (file)")] if "line" in values else [])


def test_on_either_engine_a_row_that_was_changed_is_told_of(any_stage: Stage) -> None:
    tampered_with(any_stage)
    assert differ(any_stage) == []
    change(any_stage, 7, subject="R-OTHER")
    assert differ(any_stage) == [("ledger_row", "oakfield ledger line 7 (database)")]


def test_a_row_written_anew_with_its_own_hash_breaks_the_chain(chained: Stage) -> None:
    with chained.database.reading() as connection:
        row = connection.execute(sa.select(LEDGER.c.line).where(LEDGER.c.seq == 7)).scalar_one()
    line = row.replace("R-5", "R-X")
    change(chained, 7, line=line, subject="R-X", hash=line_hash(line))
    assert differ(chained) == [("ledger_file", "oakfield ledger line 7 (file)"), ("ledger_row", "oakfield ledger line 8 (database)")]


def test_rows_taken_out_are_told_of(chained: Stage) -> None:
    with chained.database.engine.begin() as connection:
        connection.execute(sa.delete(LEDGER).where(LEDGER.c.seq == 5))
    assert differ(chained)[0] == ("ledger_row", "oakfield ledger line 5 (database)")


def test_last_rows_taken_out_are_told_of(chained: Stage) -> None:
    with chained.database.engine.begin() as connection:
        connection.execute(sa.delete(LEDGER).where(LEDGER.c.seq > 9))
    assert differ(chained) == [("ledger_row", "oakfield ledger line 10 (database)"), ("ledger_longer", "oakfield ledger line 10 (file)")]
    with chained.database.engine.begin() as connection:
        connection.execute(sa.delete(HEADS))
        connection.execute(sa.delete(LEDGER))
    assert differ(chained) == [("ledger_longer", "oakfield ledger line 1 (file)")]


def test_a_file_rewritten_with_the_same_last_line_is_told_of(chained: Stage) -> None:
    path = chained.folder / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b"R-2", b"R-X"), *lines[4:]]))
    assert differ(chained) == [("ledger_file", "oakfield ledger line 4 (file)")]


def test_a_file_of_one_endless_line_is_read_in_bounded_pieces(chained: Stage) -> None:
    path = chained.folder / "ledger.jsonl"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    assert differ(chained) == [("ledger_file", "oakfield ledger line 1 (file)")]


def test_a_file_that_cannot_be_read_is_transient(chained: Stage) -> None:
    path = chained.folder / "ledger.jsonl"
    path.unlink()
    path.mkdir()
    (path / "x").write_text("x")
    assert path.stat().st_size > 0
    with pytest.raises(Transient, match="could not be read"):
        differ(chained)

"""What the database itself refuses, whatever the code above it does (R9, R10)."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError
from stage import NOON, Stage, comment

from moderator.store.items import ITEMS, RECORDS
from moderator.store.ledger import LEDGER


@pytest.fixture
def recorded(any_stage: Stage) -> Stage:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record")
    assert any_stage.states() == ["recorded"]
    return any_stage


def change(stage: Stage, **values: object) -> None:
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(**values))


def test_r10_the_database_refuses_hidden_without_a_record(any_stage: Stage) -> None:
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide")
    with pytest.raises(DatabaseError):
        change(any_stage, state="hidden")
    with pytest.raises(DatabaseError):
        change(any_stage, state="hidden", record_id="R-INVENTED", sealed_at=NOON, hide_called_at=NOON + timedelta(seconds=1))


def test_r10_the_database_refuses_a_hide_that_is_not_after_the_seal(recorded: Stage) -> None:
    sealed_at = recorded.rows("sealed_at")[0][0]
    for when in (sealed_at, sealed_at - timedelta(seconds=1)):  # type: ignore[operator] # a datetime
        with pytest.raises(DatabaseError):
            change(recorded, hide_called_at=when)
    change(recorded, hide_called_at=sealed_at + timedelta(microseconds=1))  # type: ignore[operator] # a datetime


def test_r10_the_database_refuses_hidden_when_hide_was_not_called(recorded: Stage) -> None:
    with pytest.raises(DatabaseError):
        change(recorded, state="hidden")


def test_r15_the_database_refuses_a_hide_of_what_is_routed(recorded: Stage) -> None:
    with pytest.raises(DatabaseError):
        change(recorded, outcome="route", hide_called_at=NOON + timedelta(hours=1))


def test_r9_records_and_ledger_lines_cannot_be_edited_or_deleted(recorded: Stage) -> None:
    for statement in (
        sa.update(RECORDS).values(manifest_sha256="0" * 64),
        sa.delete(RECORDS),
        sa.update(LEDGER).values(line="{}"),
        sa.delete(LEDGER),
    ):
        with pytest.raises(DatabaseError), recorded.database.engine.begin() as connection:
            connection.execute(statement)


def test_a_record_may_get_its_stamp_later(recorded: Stage) -> None:
    with recorded.database.engine.begin() as connection:
        connection.execute(sa.update(RECORDS).values(stamp_pending=True))

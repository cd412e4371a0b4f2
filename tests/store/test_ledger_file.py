"""The ledger's file: what a crash, a full disk or a stranger's hand can do to it."""

import json
import threading
from itertools import pairwise

import pytest
from stage import NOON, SCHOOL, Stage

from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import Event, LedgerEvent, line_hash
from moderator.store import ledger
from moderator.store.ledger import LedgerFile


def append(stage: Stage, count: int) -> None:
    with stage.database.unit() as unit:
        unit.append(SCHOOL.slug, *(LedgerEvent(Event.VIEWED, NOON, f"R-{number}") for number in range(count)))


def lines(stage: Stage) -> list[str]:
    return (stage.folder / "ledger.jsonl").read_text().splitlines()


def test_the_file_catches_up_in_bounded_pieces(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "SYNC_ROWS", 3)
    append(stage, 10)
    head = stage.tools.ledger.sync(SCHOOL.slug)
    assert (head.seq, len(lines(stage))) == (11, 11)
    assert head.hash == line_hash(lines(stage)[-1])
    assert stage.tools.ledger.sync(SCHOOL.slug) == head


def test_a_half_written_last_line_is_cut_off_and_written_again(stage: Stage) -> None:
    append(stage, 3)
    stage.tools.ledger.sync(SCHOOL.slug)
    path = stage.folder / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    stage.tools.ledger.sync(SCHOOL.slug)
    assert path.read_bytes() == whole


def test_a_file_that_holds_only_half_a_line_is_begun_again(stage: Stage) -> None:
    path = stage.folder / "ledger.jsonl"
    path.write_bytes(b'{"seq":1,')
    stage.tools.ledger.sync(SCHOOL.slug)
    assert len(lines(stage)) == 1


@pytest.mark.parametrize("last", ['{"seq":4,"changed":true}', '{"seq":99,"more":true}', "not a line of ours"])
def test_a_file_changed_from_outside_is_never_built_upon(stage: Stage, last: str) -> None:
    append(stage, 3)
    stage.tools.ledger.sync(SCHOOL.slug)
    path = stage.folder / "ledger.jsonl"
    path.write_text("\n".join([*lines(stage)[:-1], last]) + "\n")
    append(stage, 1)
    with pytest.raises(EvidenceFailed, match="changed from outside"):
        stage.tools.ledger.sync(SCHOOL.slug)


def test_a_disk_that_takes_nothing_is_transient(stage: Stage) -> None:
    (stage.folder / "ledger.jsonl").symlink_to("/dev/full")
    with pytest.raises(Transient, match="could not be written"):
        stage.tools.ledger.sync(SCHOOL.slug)


def test_two_writers_keep_one_chain(any_stage: Stage) -> None:
    def work() -> None:
        file = LedgerFile(any_stage.database.engine, any_stage.folder)
        for _ in range(10):
            append(any_stage, 2)
            file.sync(SCHOOL.slug)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(any_stage)
    assert [json.loads(line)["seq"] for line in found] == list(range(1, 62))
    for before, after in pairwise(found):
        assert json.loads(after)["prev"] == line_hash(before)


def test_the_public_key_is_in_the_first_line(stage: Stage) -> None:
    with stage.database.reading() as connection:
        (key,) = ledger.public_keys(connection, SCHOOL.slug)
        assert (len(key.public_key), key.since) == (60, NOON)
        assert ledger.public_keys(connection, "elsewhere") == ()


def test_appending_nothing_changes_nothing(stage: Stage) -> None:
    with stage.database.unit() as unit:
        before = unit.append(SCHOOL.slug)
    assert before == stage.database.head(SCHOOL.slug)

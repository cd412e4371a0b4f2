"""Export: in the ledger first, handed over after; nothing half-made is left."""

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from packing import AT, PaperPress, Unpacked, order_of, packs_on
from stage import SCHOOL, Stage, comment

from moderator.domain.account import School
from moderator.domain.errors import BadInput, Transient
from moderator.domain.pack import Draft, Held, Order, Pack
from moderator.evidence.packs.make import Packs
from moderator.steps.export import export
from moderator.store import held as books
from moderator.store.ledger import LedgerFile, lines_of


class NoKeys:
    """No record of the stage is encrypted."""

    def get(self, record_id: str) -> None:
        del record_id


@pytest.fixture
def record(stage: Stage) -> Held:
    """Return the one record of the stage, as the books know it."""
    stage.platform.comments.append(comment(11, "You are an idiot, Tilly Marwood"))
    stage.run("poll", "score", "decide", "record", "hide")
    with stage.database.reading() as connection:
        (number,) = books.numbers(connection, SCHOOL.slug)
        return books.find(connection, number)


def packer_of(stage: Stage) -> Packs:
    return packs_on(stage.tools.vault, NoKeys(), PaperPress())


def exported(stage: Stage, record: Held) -> list[dict[str, Any]]:
    """Return the ledger's lines of exports, from the database and the file, which must agree."""
    with stage.database.reading() as connection:
        lines = [line for line in lines_of(connection, SCHOOL.slug, record.record_id) if '"event":"exported"' in line]
    written = (stage.folder / SCHOOL.ledger).read_text().splitlines()
    assert [line for line in written if '"event":"exported"' in line] == lines
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("pack", [Pack.POLICE, Pack.HR, Pack.CONCERN])
def test_a_pack_is_handed_over_and_stands_in_the_ledger(stage: Stage, record: Held, pack: Pack, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    made = export(stage.tools, order_of(pack, record), packer=packer_of(stage), folder=out)
    assert list(out.iterdir()) == [made]
    assert made.stat().st_mode & 0o777 == 0o600
    assert out.stat().st_mode & 0o777 == 0o700
    (line,) = exported(stage, record)
    assert (line["actor"], line["pack"], line["zip_sha256"]) == ("HEAD-1", pack.value, sha256(made.read_bytes()).hexdigest())
    assert "PC 123" not in json.dumps(line)
    assert len(Unpacked(made).files) > 1


def test_r31_one_pack_over_several_records_is_a_line_for_each(stage: Stage, record: Held, tmp_path: Path) -> None:
    stage.platform.comments.append(comment(12, "another idiot thing"))
    stage.clock.move(timedelta(hours=1))
    stage.run("poll", "score", "decide", "record")
    with stage.database.reading() as connection:
        both = [books.find(connection, number) for number in books.numbers(connection, SCHOOL.slug)]
    order = order_of(Pack.SAR, *both, persons=("Fern Ashwick", "@fern_ashwick"))
    made = export(stage.tools, order, packer=packer_of(stage), folder=tmp_path)
    assert made.name == "sar-oakfield-20261122T101500Z.zip"
    assert len(both) == 2
    written = [line for line in (stage.folder / SCHOOL.ledger).read_text().splitlines() if '"event":"exported"' in line]
    assert [json.loads(line)["subject"] for line in written] == [each.record_id for each in both]
    assert record.record_id in {each.record_id for each in both}
    assert {json.loads(line)["zip_sha256"] for line in written} == {sha256(made.read_bytes()).hexdigest()}


def test_the_line_is_written_before_the_pack_has_its_name(
    stage: Stage, record: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the ledger cannot take the line, the pack is never handed over."""
    seen: list[list[str]] = []

    def full(self: LedgerFile, school: str) -> None:
        del self, school
        seen.append([path.name for path in tmp_path.iterdir() if path.name.endswith((".zip", ".pack"))])
        message = "the disk is full"
        raise Transient(message)

    monkeypatch.setattr(LedgerFile, "sync", full)
    with pytest.raises(Transient, match="disk is full"):
        export(stage.tools, order_of(Pack.HR, record), packer=packer_of(stage), folder=tmp_path)
    assert len(seen) == 1
    assert [name.startswith(".") for name in seen[0]] == [True]
    assert not list(tmp_path.glob("*.zip"))
    assert not list(tmp_path.glob(".*.pack"))


def test_a_file_that_is_there_already_is_left_alone(stage: Stage, record: Held, tmp_path: Path) -> None:
    order = order_of(Pack.CONCERN, record)
    (there := tmp_path / f"concern-{record.record_id}-20261122T101500Z.zip").write_text("mine")
    with pytest.raises(BadInput, match="is there already"):
        export(stage.tools, order, packer=packer_of(stage), folder=tmp_path)
    assert there.read_text() == "mine"
    assert exported(stage, record) == []
    assert not list(tmp_path.glob(".*.pack"))


def refused(record: Held) -> list[tuple[Order, str]]:
    """Return orders that cannot be met, and what is said."""
    other = School("elmwood", "Elmwood", "", "h@e.example", (), "T")
    good = order_of(Pack.HR, record)
    return [
        (replace(good, purpose=" "), "who the pack is for"),
        (replace(good, records=()), "is of one record"),
        (replace(good, records=(record, record)), "is of one record"),
        (order_of(Pack.SAR, record, persons=(" ",)), "needs --person"),
        (replace(good, school=other), f"{record.record_id} is a record of oakfield, not of elmwood"),
        (order_of(Pack.POLICE, replace(record, disposed_at=AT)), "lawfully disposed of on 2026-11-22 10:15:00"),
    ]


def test_an_order_that_cannot_be_met_writes_nothing(stage: Stage, record: Held, tmp_path: Path) -> None:
    for order, words in refused(record):
        with pytest.raises(BadInput, match=words):
            export(stage.tools, order, packer=packer_of(stage), folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert exported(stage, record) == []


def test_a_folder_that_cannot_be_made_is_a_trouble_of_the_disk(stage: Stage, record: Held, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Transient, match="could not be written"):
        export(stage.tools, order_of(Pack.HR, record), packer=packer_of(stage), folder=tmp_path / "file" / "out")


def test_a_pack_that_cannot_be_named_is_not_handed_over(stage: Stage, record: Held, tmp_path: Path) -> None:
    class Gone:
        def build(self, order: Order, folder: Path) -> Draft:
            del order
            return Draft(folder / ".away.pack", "hr.zip", "00")

    with pytest.raises(Transient, match="could not be handed over"):
        export(stage.tools, order_of(Pack.HR, record), packer=Gone(), folder=tmp_path)
    assert list(tmp_path.glob("*.zip")) == []


def test_two_packs_at_two_moments_are_two_files(stage: Stage, record: Held, tmp_path: Path) -> None:
    for at in (AT, AT + timedelta(seconds=1)):
        export(stage.tools, order_of(Pack.CONCERN, record, at=at), packer=packer_of(stage), folder=tmp_path)
    assert len(list(tmp_path.glob("*.zip"))) == 2
    assert len(exported(stage, record)) == 2

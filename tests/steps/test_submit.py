"""Handing in: the order of the ledger, one record for the same bytes, and what a crash or a full disk leaves."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image
from stage import NOON, SCHOOL, Stage

from moderator.domain.calendar import Span
from moderator.domain.disposal import Ground
from moderator.domain.errors import BadInput, EvidenceFailed, ModeratorError, NotAllowed, Transient
from moderator.domain.events import Head
from moderator.domain.record import SealedRecord, Stamp
from moderator.domain.submission import Handed, Statement, statement
from moderator.evidence.check.verify import verify
from moderator.evidence.submission.intake import SealedIntake
from moderator.steps.dispose import approve, ask
from moderator.steps.submit import resume, submit
from moderator.store import submitted
from moderator.store.database import SqlUnit
from moderator.store.ledger import LedgerFile
from moderator.store.outbox import ALERTS
from moderator.store.retention import retention_of
from moderator.store.submitted import STAMPS


def picture(shade: int = 0) -> bytes:
    out = BytesIO()
    drawn = Image.new("RGB", (20, 10), (shade, 90, 90))
    drawn.putpixel((0, 0), (255, 0, 0))
    drawn.save(out, "PNG")
    return out.getvalue()


def said(**changes: str) -> Statement:
    words = {"place": "https://social.example/p/1", "seen": "2026-11-18 11:05", "why": "A parent showed it to me.", "by": "DES-4"}
    return statement(**(words | changes), now=NOW)


NOW = NOON
FILES = (Handed("one.png", picture()), Handed("talk.txt", b"09:01 - Fern: you useless lot\n"))


def hand_in(stage: Stage, *files: Handed, **changes: str) -> SealedRecord:
    return submit(stage.tools, school="oakfield", files=files or FILES, statement=said(**changes))


def test_the_ledger_tells_submitted_captured_sealed_and_names_nobody(any_stage: Stage) -> None:
    record = hand_in(any_stage, text="Fern Ashwick wrote this", author="Fern Ashwick")
    lines = [json.loads(line) for line in (any_stage.folder / "ledger.jsonl").read_text().splitlines()]
    assert [(line["event"], line["actor"]) for line in lines[1:]] == [
        ("submitted", "DES-4"),
        ("captured", "service"),
        ("sealed", "service"),
        ("alerted", "service"),
    ]
    assert {line["subject"] for line in lines[1:]} == {record.record_id}
    assert lines[2]["capture_kind"] == "submitted_by_person"
    assert (lines[3]["manifest_sha256"], lines[3]["manifest_sha512"]) == (record.manifest_sha256, record.manifest_sha512)
    for word in ("Fern", "social.example", "one.png", "parent"):
        assert word not in json.dumps(lines)
    found = verify(any_stage.folder / "vault")
    assert (found.checked, found.faults) == (1, ())


def test_the_head_is_told_and_the_digest_counts_it(stage: Stage) -> None:
    record = hand_in(stage)
    stage.run("alert", "send")
    assert not list((stage.folder / "outbox").glob("*.eml"))
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert", "send")
    (mail,) = (path.read_text() for path in (stage.folder / "outbox").glob("*.eml"))
    assert f"/submitted/{record.record_id}" in mail
    for word in ("Fern", "social.example", "one.png"):
        assert word not in mail
    digest = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="")
    assert "1 record of screen prints was handed in by staff." in digest.notes
    hand_in(stage, Handed("other.png", picture(9)))
    assert "2 records of screen prints were handed in by staff." in stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="").notes
    assert stage.database.digest_of(SCHOOL, Span.of(NOON.date() - timedelta(days=1)), link="").notes == ()
    with stage.database.reading() as connection:
        kept = retention_of(connection, record.record_id)
    assert kept is not None
    assert kept.record_class.value == "submitted"


def test_the_same_bytes_from_the_same_place_are_kept_once(stage: Stage) -> None:
    first = hand_in(stage)
    events = stage.ledger_events()
    stage.clock.move(timedelta(days=60))
    again = hand_in(stage, *reversed(FILES), why="Handed in again by another.", by="DES-9")
    assert again == first
    assert stage.ledger_events() == events
    other = hand_in(stage, place="https://social.example/p/2")
    assert other.record_id != first.record_id
    with stage.database.reading() as connection:
        assert [each.record.record_id for each in submitted.recent(connection, "oakfield", limit=5)] == [other.record_id, first.record_id]
        assert submitted.handed_in(connection, "R-AAAAAAAAAAAAAAAA") is None
    assert stage.database.submitted_record(first.record_id) == first


def test_r30_what_was_disposed_of_is_not_said_to_be_kept(stage: Stage) -> None:
    first = hand_in(stage)
    ask(stage.tools, first.record_id, ground=Ground.CAPTURED_IN_ERROR, why="It was handed in by mistake.", by="DPO-1")
    assert hand_in(stage) == first
    approve(stage.tools, first.record_id, why="It was handed in by mistake.", by="HEAD-1")
    events = stage.ledger_events()
    with pytest.raises(NotAllowed, match=rf"{first.record_id}, and that record was disposed of on 18 November 2026\. Nothing was kept now"):
        hand_in(stage)
    assert stage.ledger_events() == events
    assert hand_in(stage, Handed("new.png", picture(9))).record_id != first.record_id


def test_what_cannot_be_taken_leaves_nothing_behind(stage: Stage) -> None:
    for files, school, told in (
        ((Handed("a.svg", b"<svg onload='x'/>"),), "oakfield", "a drawing with code"),
        ((), "oakfield", "at least one file"),
        (FILES, "nowhere", "choose one of the trust's schools"),
    ):
        with pytest.raises(BadInput, match=told):
            submit(stage.tools, school=school, files=files, statement=said())
    assert stage.ledger_events() == ["opened"]
    assert list((stage.folder / "vault").glob("oakfield/*/*")) == []


def test_a_service_without_an_intake_takes_nothing(stage: Stage) -> None:
    bare = replace(stage.tools, intake=None)
    with pytest.raises(NotAllowed, match="without a place"):
        submit(bare, school="oakfield", files=FILES, statement=said())
    assert resume(bare) == 0


class Killed(BaseException):
    """Stands for a kill: no handler of ours catches it."""


def dying(real: Callable[..., object], *, after: bool) -> Callable[..., object]:
    def dies(*words: object, **named: object) -> object:
        if after:
            real(*words, **named)
        raise Killed

    return dies


@pytest.mark.parametrize("call", ["submitted", "retain", "alert"])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_after_sealing_is_finished_by_the_schedule(stage: Stage, monkeypatch: pytest.MonkeyPatch, call: str, after: bool) -> None:  # noqa: FBT001 - a parametrised case
    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, call, dying(getattr(SqlUnit, call), after=after))
        with pytest.raises(Killed):
            hand_in(stage)
    assert stage.ledger_events() == ["opened", "submitted"]
    stage.clock.move(timedelta(hours=1))
    assert resume(stage.tools) == 1
    assert resume(stage.tools) == 0
    assert stage.ledger_events() == ["opened", "submitted", "captured", "sealed", "alerted"]
    found = verify(stage.folder / "vault")
    assert (found.checked, found.faults) == (1, ())
    assert hand_in(stage).record_id.startswith("R-")
    assert len(stage.ledger_events()) == 5


def test_a_kill_before_sealing_leaves_no_record_and_a_repeat_goes_on_with_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.clock.move(datetime(2026, 12, 31, 23, tzinfo=UTC) - NOON)
    with monkeypatch.context() as patched:
        patched.setattr(SealedIntake, "take", dying(SealedIntake.take, after=False))
        with pytest.raises(Killed):
            hand_in(stage)
    assert resume(stage.tools) == 0
    stage.clock.move(timedelta(days=1))
    record = hand_in(stage)
    assert stage.ledger_events() == ["opened", "submitted", "captured", "sealed", "alerted"]
    assert record.path.startswith("oakfield/2026/")
    assert record.captured_at.year == 2027
    assert verify(stage.folder / "vault").ok


def test_two_at_once_make_one_record(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(intake: SealedIntake, submission: object) -> SealedRecord:
        monkeypatch.undo()
        hand_in(stage)
        return intake.take(submission)  # type: ignore[arg-type] # handed on as it came

    monkeypatch.setattr(SealedIntake, "take", overtaken)
    hand_in(stage)
    assert stage.ledger_events() == ["opened", "submitted", "captured", "sealed", "alerted"]
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ALERTS)).scalar_one() == 1


@pytest.mark.parametrize("error", [Transient("the disk is full"), EvidenceFailed("damaged")])
def test_when_it_cannot_be_sealed_the_person_is_told_and_may_repeat(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: ModeratorError
) -> None:
    def fails(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(SealedIntake, "take", fails)
        with pytest.raises(type(error)):
            hand_in(stage)
    hand_in(stage)
    assert stage.ledger_events() == ["opened", "submitted", "captured", "sealed", "alerted"]


def test_no_more_than_the_limit_is_finished_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "submitted", dying(SqlUnit.submitted, after=False))
        for shade in (1, 2):
            with pytest.raises(Killed):
                hand_in(stage, Handed("a.png", picture(shade)))
    assert resume(stage.tools, limit=1) == 1
    assert resume(stage.tools, limit=1) == 1
    assert stage.ledger_events().count("sealed") == 2


def cut_short(stage: Stage, monkeypatch: pytest.MonkeyPatch, shade: int) -> str:
    """Hand in one picture, be killed before it is in the books, and return its record's path in the vault."""
    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "submitted", dying(SqlUnit.submitted, after=False))
        with pytest.raises(Killed):
            hand_in(stage, Handed("a.png", picture(shade)))
    return stage.database.submissions_unfinished("oakfield", since=NOON)[-1].path


def test_a_damaged_hand_in_is_told_once_and_does_not_stop_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged, _ = (cut_short(stage, monkeypatch, shade) for shade in (1, 2))
    sheet = stage.folder / "vault" / damaged / "data" / "screenshot.png"
    sheet.chmod(0o600)
    sheet.write_bytes(b"changed")
    assert [resume(stage.tools) for _ in range(3)] == [1, 0, 0]
    assert stage.ledger_events().count("sealed") == 1
    with stage.database.reading() as connection:
        told = connection.execute(sa.select(ALERTS).where(ALERTS.c.kind == "evidence")).all()
    assert [(row.subject, row.severity) for row in told] == [(damaged.rpartition("/")[2], "severe")]
    stage.run("alert", "send")
    assert any(
        "its record in the vault is damaged" in path.read_text().replace("\n", " ") for path in (stage.folder / "outbox").glob("*.eml")
    )


def test_a_vault_that_is_away_for_one_hand_in_lets_the_next_one_through(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    away, _ = (cut_short(stage, monkeypatch, shade) for shade in (1, 2))
    taken = SealedIntake.taken

    def blinks(intake: SealedIntake, path: str) -> SealedRecord | None:
        if path == away:
            message = "the vault is away"
            raise Transient(message)
        return taken(intake, path)

    with monkeypatch.context() as patched:
        patched.setattr(SealedIntake, "taken", blinks)
        assert resume(stage.tools) == 1
    assert resume(stage.tools) == 1
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(ALERTS.c.kind)).scalars().all() == ["submitted", "submitted"]


class _Spoilt(LedgerFile):
    """A ledger file that was changed from outside."""

    def sync(self, school: str) -> Head:
        message = f"the ledger of {school} does not agree"
        raise EvidenceFailed(message)


def test_a_ledger_file_at_fault_does_not_stop_what_was_cut_short(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for shade in (1, 2):
        cut_short(stage, monkeypatch, shade)
    assert resume(replace(stage.tools, ledger=_Spoilt(stage.database.engine, stage.folder))) == 2
    assert stage.ledger_events().count("sealed") == 2


def test_stamps_had_while_sealing_are_kept_with_the_record(stage: Stage) -> None:
    record = hand_in(stage)
    stamped = replace(
        record, record_id="R-BBBBBBBBBBBBBBBB", stamp_pending=False, stamps=(Stamp("tsa", 1, NOON, NOON + timedelta(days=900)),)
    )
    with stage.database.unit() as unit:
        assert unit.submitted(stamped, school="oakfield", by="DES-4")
        assert not unit.submitted(stamped, school="oakfield", by="DES-4")
        kept = unit.connection.execute(sa.select(STAMPS.c.record_id, STAMPS.c.authority, STAMPS.c.round)).all()
    assert [tuple(row) for row in kept] == [("R-BBBBBBBBBBBBBBBB", "tsa", 1)]
    assert stage.database.submitted_record("R-BBBBBBBBBBBBBBBB") is not None

"""R17 held over the whole line: no request after the poll, no image byte, no word, in whatever order things happen or break."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from stage import NOON, Stage, add_second_account, comment, set_up

from moderator import ports
from moderator.domain.account import Account
from moderator.domain.calendar import Span
from moderator.domain.errors import LeaseLost, NotAllowed, Refused, Transient
from moderator.domain.lifecycle import Stage as Step
from moderator.domain.police import PoliceReport
from moderator.evidence.capture.browser import Browser
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault
from moderator.jobs.schedule import SCHEDULE
from moderator.platforms.practice import SCHOOL_HANDLE, SCHOOL_ID, Running, demo_credentials, running
from moderator.platforms.x import XPlatform
from moderator.settings import ASSETS
from moderator.steps.digest import digest_for
from moderator.steps.police import BEING_RECORDED, BUSY, report, withhold
from moderator.steps.sweep import sweep
from moderator.store import police
from moderator.store.database import Database, SqlUnit
from moderator.store.items import DECISIONS, PAGES
from moderator.store.outbox import OUTBOX

ALL = tuple(job.name for job in SCHEDULE)
LINE = ("poll", "score", "decide", "alert", "record", "hide", "restore", "send", "prune")
SAID = "indecent_image zebrafish-lantern of Tilly Marwood"
"""What the withheld comment says: words that appear nowhere else."""
WORDS = (b"zebrafish", b"lantern", b"Marwood", b"wren_quillfeather", b"Quillfeather")
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"GIF87a", b"GIF89a", b"WEBPVP8", b"ftypavif", b"ftypheic")


class Kept:
    """A token in memory; implements ports.Credentials."""

    def __init__(self) -> None:
        self.token = demo_credentials().token

    def load(self) -> ports.Token:
        return self.token

    def save(self, token: ports.Token) -> None:
        self.token = token


@dataclass(frozen=True)
class World:
    """The line on a practice network with the real adapter, a real browser and a log of every request."""

    stage: Stage
    net: Running
    log: Path

    def requests(self) -> list[tuple[str, str]]:
        return [(line["method"], line["path"]) for line in map(json.loads, self.log.read_text().splitlines())]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    quiet = tmp_path / "one.txt"
    quiet.write_text("A quiet start\n", encoding="utf-8")
    log = tmp_path / "requests.jsonl"
    data = tmp_path / "data"
    data.mkdir()
    with running(comments=quiet, log=log) as net:
        stage = set_up(database, data)
        stage.tools.recorder.close()
        stage.clock.move(datetime.now(UTC) - NOON)
        x = XPlatform(
            platform_id=str(SCHOOL_ID),
            handle=f"@{SCHOOL_HANDLE}",
            credentials=Kept(),
            clock=stage.clock,
            client_id=demo_credentials().client_id,
            api_url=net.url,
            site_url=net.url + "/",
        )
        sealing = Sealing(vault=FolderVault(data / "vault"), signer=Signer.generate(), authorities=(), software="moderator test")
        recorder = BrowserRecorder(sealing=sealing, browser=Browser(), clock=stage.clock, templates=ASSETS / "templates")

        def platform_for(account: Account) -> XPlatform:
            del account
            return x

        tools = replace(stage.tools, platform_for=platform_for, recorder=recorder)
        yield World(replace(stage, tools=tools), net, log)
        recorder.close()


def scan(folder: Path, database: Path) -> bytes:
    """Return every byte kept: the folder's files, and the database after its journal is written back."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join([database.read_bytes(), *(path.read_bytes() for path in files)])


def mails(stage: Stage) -> bytes:
    with stage.database.reading() as connection:
        return b"\n".join(connection.execute(sa.select(OUTBOX.c.message)).scalars())


def test_r17_no_request_after_the_poll_and_not_one_image_byte_or_word_is_kept(world: World, tmp_path: Path) -> None:
    stage, net = world.stage, world.net.network
    post = net.write("News from the school", handle=SCHOOL_HANDLE, media=("photo",))
    withheld = net.write(SAID, handle="wren_quillf", name="Wren Quillfeather", under=post, media=("photo", "video"))
    plain = net.write("You are an idiot", handle="kit_bell", under=post, media=("photo",))
    stage.run("poll")
    polled = len(world.requests())
    stage.run(*(name for name in ALL if name != "poll"))
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert", "send")
    for _ in range(2):
        stage.clock.move(timedelta(days=1))
        stage.run(*(name for name in ALL if name != "poll"))
    digest_for(stage.tools, stage.database.schools()[0], Span.of(stage.clock.now().date()))
    stage.run("send")
    states = {str(number): state for number, state in stage.rows("comment_id", "state")}
    assert states[str(withheld)] == "withheld"
    assert states[str(plain)] == "hidden"
    later = world.requests()[polled:]
    assert [path for _, path in later if str(plain) in path], "the other comment was looked up and captured"
    assert [path for _, path in later if str(withheld) in path] == []
    assert [path for _, path in world.requests() if "media" in path or "embed" in path] == [], "no picture, film or avatar of anybody"
    own = b"data/screenshot.png"
    kept = scan(tmp_path / "data", tmp_path / "moderator.db")
    for word in (*WORDS, b"wren_quillf\x00"):
        assert word not in kept, word
    vault = tmp_path / "data" / "vault"
    bags = [path.parent.parent for path in vault.rglob("record.json")]
    assert len(bags) == 1, "only the other comment has a record"
    pictures = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and any(mark in path.read_bytes() for mark in PICTURES)]
    assert [path.relative_to(bags[0]).as_posix().encode() for path in pictures] == [own], "the service's own picture of the other comment"
    assert not any(mark in (tmp_path / "moderator.db").read_bytes() for mark in PICTURES)
    for word in (*WORDS, b"wren_quillf", b"image/"):
        assert word not in mails(stage)
    assert b"999" in mails(stage)


def test_r17_what_is_left_of_a_withheld_comment(any_stage: Stage) -> None:
    stage = any_stage
    stage.platform.comments += [comment(11, SAID), comment(12, "You are an idiot")]
    stage.run("poll", "score", "decide")
    ((blank, place, number, posted, state, score, page),) = [
        row[1:] for row in stage.rows("id", "text", "place", "comment_id", "posted_at", "state", "score", "page_id") if row[0] == 1
    ]
    assert (blank, state, score, page) == ("", "withheld", None, None)
    assert (place, number, posted) == ("https://social.example/fern_ashwick/status/11", "11", NOON - timedelta(minutes=5))
    work = stage.database.work(1)
    assert (work.item.comment.author.id, work.item.comment.author.handle, work.item.comment.author.name) == ("", "", "")
    assert (work.item.comment.thread, work.item.comment.media) == ((), ())
    assert work.decision is not None
    assert [(each.label, each.start, each.end, each.why) for each in work.decision.reasons] == [("indecent_image", 0, 0, "")]
    assert work.decision.considered == ()
    body = json.loads(stage.database.first_seen(2).body)
    assert body["bytes"] == len(b'{"from":"memory"}')
    assert "withheld" in body["left_out"]
    stage.run("record")
    assert stage.states() == ["withheld", "recorded"]


def test_r17_polled_again_it_stays_withheld_and_the_new_answer_is_not_kept(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, SAID))
    stage.run(*LINE)
    stage.platform.comments.append(comment(11, SAID))
    stage.platform.comments.append(comment(12, "Lovely"))
    stage.clock.move(timedelta(minutes=31))
    stage.run(*LINE)
    assert stage.states() == ["withheld", "cleared"]
    assert stage.rows("text")[0] == ("",)
    with stage.database.reading() as connection:
        bodies = [stage.database.first_seen(2).body, *connection.execute(sa.select(PAGES.c.body)).scalars()]
    assert all(b"from" not in body for body in bodies)


def test_r17_an_edited_version_of_a_withheld_comment_is_withheld_whatever_it_says(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, SAID))
    stage.run(*LINE)
    stage.platform.edit("11", "Only joking, lovely day")
    stage.platform.comments.append(comment(12, "Also edited, and harmless", edited=True))
    stage.clock.move(timedelta(minutes=31))
    stage.run(*LINE)
    assert stage.states() == ["withheld", "withheld", "cleared"]
    assert [row[0] for row in stage.rows("text")] == ["", "", "Also edited, and harmless"]
    assert [call for call in stage.platform.calls if call.startswith("fetch")] == ["fetch 11"], "the author's own edit, and no look-up"


class Killed(BaseException):
    """Stands for a kill: no handler of ours catches it."""


@pytest.mark.parametrize("call", ["decided", "append", "alert"])
@pytest.mark.parametrize("after", [False, True])
def test_r17_a_kill_in_between_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch, call: str, after: bool) -> None:  # noqa: FBT001 - a parametrised case
    stage.platform.comments.append(comment(11, SAID))
    stage.run("poll", "score")
    real = getattr(SqlUnit, call)

    def dies(unit: SqlUnit, *words: object, **named: object) -> None:
        if after:
            real(unit, *words, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, call, dies)
        with pytest.raises(Killed):
            stage.run("decide")
    assert stage.states() == ["scored"]
    stage.clock.move(timedelta(minutes=10))
    stage.run(*LINE)
    assert stage.states() == ["withheld"]
    assert set(stage.platform.calls) == {"poll comments"}
    assert stage.ledger_events() == ["opened", "withheld", "alerted"]
    assert list((stage.folder / "vault").glob("*/*/*")) == []


def test_r17_a_ledger_file_that_cannot_be_written_loses_nothing(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, SAID))
    stage.run("poll", "score")
    (stage.folder / "ledger.jsonl").mkdir()
    with pytest.raises(Transient):
        stage.run("decide")
    (stage.folder / "ledger.jsonl").rmdir()
    stage.run(*LINE)
    sweep(stage.tools)
    assert stage.states() == ["withheld"]
    assert "withheld" in (stage.folder / "ledger.jsonl").read_text()


# A person presses


def flagged(stage: Stage, text: str = "You are an idiot") -> int:
    stage.platform.comments.append(comment(11, text))
    stage.run("poll", "score", "decide")
    return 1


def test_r17_a_person_withholds_a_flagged_comment(any_stage: Stage) -> None:
    stage = any_stage
    item = flagged(stage)
    assert withhold(stage.tools, item, by="D-1").value == "withheld"
    stage.run(*(name for name in LINE if name != "poll"))
    assert stage.states() == ["withheld"]
    assert stage.rows("text", "author_name", "stage", "needs_review") == [("", "", None, True)]
    assert stage.platform.calls == ["poll comments"]
    with stage.database.reading() as connection:
        kept = " ".join(connection.execute(sa.select(DECISIONS.c.decision)).scalars())
    assert "is an insult" not in kept
    lines = [json.loads(line) for line in (stage.folder / "ledger.jsonl").read_text().splitlines()]
    assert [(line["event"], line["actor"]) for line in lines[-2:]] == [("withheld", "D-1"), ("alerted", "service")]
    assert withhold(stage.tools, item, by="D-2").value == "withheld"
    assert len(stage.ledger_events()) == len(lines), "a second press changes nothing"
    assert b"999" in mails(stage)


def test_r17_a_person_withholds_what_a_step_has_stopped_at(stage: Stage) -> None:
    stage.classifier.breaks_on = "Read"
    stage.platform.comments.append(comment(11, "Read me"))
    for _ in range(12):
        stage.run("poll", "score")
        stage.clock.move(timedelta(minutes=15))
    assert stage.rows("state", "held_stage") == [("seen", "score")]
    assert withhold(stage.tools, 1, by="D-1").value == "withheld"
    assert stage.rows("held_at", "held_stage", "trouble", "text") == [(None, None, "", "")]


def test_r17_what_is_recorded_stays_recorded_and_is_marked_for_the_police(stage: Stage) -> None:
    item = flagged(stage)
    stage.run("record", "hide")
    assert withhold(stage.tools, item, by="D-1").value == "hidden"
    withhold(stage.tools, item, by="D-2")
    kept = stage.database.police_reports(item)
    assert [(each.by, each.reference) for each in kept] == [("D-1", "")]
    assert stage.ledger_events()[-1] == "reviewed"
    report(stage.tools, PoliceReport(item, "D-1", stage.clock.now(), "AB-123", "Called 101."))
    assert [each.reference for each in stage.database.police_reports(item)] == ["", "AB-123"]
    assert stage.rows("needs_review") == [(True,)], "its own decision still waits"
    ledger = (stage.folder / "ledger.jsonl").read_text()
    assert "AB-123" not in ledger
    assert '"reason":"police_report"' in ledger
    assert stage.database.digest_of(stage.account.school, Span.of(stage.clock.now().date()), link="").counts.upheld == 0


def test_r17_a_police_reference_ends_the_waiting_and_a_note_alone_does_not(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, SAID))
    stage.run(*LINE)
    report(stage.tools, PoliceReport(1, "D-1", stage.clock.now(), "", "Called 101, waiting for a number."))
    assert stage.rows("needs_review") == [(True,)]
    report(stage.tools, PoliceReport(1, "D-1", stage.clock.now(), "AB-123", ""))
    assert stage.rows("needs_review") == [(False,)]
    with stage.database.reading() as connection:
        assert [each.note for each in police.reports(connection, 1)] == ["Called 101, waiting for a number.", ""]


def test_a_comment_that_is_not_for_the_police_takes_no_report(stage: Stage) -> None:
    item = flagged(stage)
    with pytest.raises(NotAllowed, match="not one for the police"):
        report(stage.tools, PoliceReport(item, "D-1", stage.clock.now(), "AB-123", ""))


def test_r17_a_press_waits_while_a_step_holds_the_comment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    item = flagged(stage)
    stage.database.claim(Step.RECORD, limit=1, now=stage.clock.now(), lease=timedelta(minutes=20))
    with pytest.raises(NotAllowed, match="working on this comment right now"):
        withhold(stage.tools, item, by="D-1")
    stage.clock.move(timedelta(minutes=21))

    def taken(*_: object, **__: object) -> None:
        raise LeaseLost(1)

    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "decided", taken)
        with pytest.raises(NotAllowed, match=BUSY):
            withhold(stage.tools, item, by="D-1")
    assert withhold(stage.tools, item, by="D-1").value == "withheld"


def test_r17_a_record_that_a_crash_left_without_its_row_is_finished_first(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    item = flagged(stage)

    def dies(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "recorded", dies)
        with pytest.raises(Killed):
            stage.run("record")
    stage.clock.move(timedelta(minutes=21))
    with pytest.raises(NotAllowed, match=BEING_RECORDED.split(".")[0]):
        withhold(stage.tools, item, by="D-1")
    stage.run("record")
    assert withhold(stage.tools, item, by="D-1").value == "recorded"


def test_r17_a_record_of_last_year_by_another_account_is_joined_first(stage: Stage) -> None:
    stage.clock.move(datetime(2026, 12, 31, 15, 0, tzinfo=UTC) - stage.clock.now())
    flagged(stage)
    stage.run("record")
    stage.clock.move(timedelta(hours=20))
    add_second_account(stage)
    stage.database.poll_now()
    stage.run("poll", "score", "decide")
    with pytest.raises(NotAllowed, match=BEING_RECORDED.split(".")[0]):
        withhold(stage.tools, 2, by="D-1")
    stage.run("record")
    assert withhold(stage.tools, 2, by="D-1").value == "recorded"


def test_a_restored_or_cleared_comment_is_not_withheld_by_a_press(stage: Stage) -> None:
    stage.platform.comments.append(comment(11, "Lovely"))
    stage.run("poll", "score", "decide")
    with pytest.raises(NotAllowed, match="cannot go from cleared to withheld"):
        withhold(stage.tools, 1, by="D-1")


def test_r17_a_failed_look_up_of_another_comment_seals_no_word_of_the_withheld_one(stage: Stage) -> None:
    stage.platform.comments += [comment(11, SAID), comment(12, "You are an idiot")]
    stage.run("poll", "score", "decide")
    stage.platform.failures.append(Refused("no"))
    stage.run("record")
    work = stage.database.work(2)
    assert work.record is not None
    assert b"left_out" in stage.tools.vault.open(work.record.path, "data/api-response.json")

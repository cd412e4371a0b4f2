"""The stamp step: what lacks a stamp gets it, what runs out is renewed, a dead authority is left alone, and nothing is lost on the way."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from authorities import Authority, make, running
from stage import SCHOOL, Stage, add_second_account, comment

from moderator.build.record_check import record_check
from moderator.domain.account import Mode
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import Head
from moderator.domain.record import CaptureKind, SealedRecord, Stamp, Verification
from moderator.domain.stamping import RENEW_BEFORE, SETTLE_FOR
from moderator.evidence.check.verify import verify
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.late import VaultStamper
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault
from moderator.settings import ASSETS
from moderator.steps.hide import NO_STAMP, STAMP_WAIT, hide
from moderator.steps.record import record
from moderator.steps.stamp import stamp
from moderator.store import people
from moderator.store.items import RECORDS
from moderator.store.ledger import LedgerFile, opened, public_keys
from moderator.store.outbox import ALERTS
from moderator.store.stamps import STAMPS, SUBMITTED

INSULT = comment(11, "You are an idiot")


@dataclass
class Shop:
    """A stage whose records are stamped by two real authorities, `one` and `two`."""

    stage: Stage
    one: Authority
    two: Authority
    recorder: StillRecorder

    @property
    def vault(self) -> Path:
        """The vault's folder."""
        return self.stage.folder / "vault"

    def seal(self, *numbers: int) -> None:
        """Let insults come in and be recorded."""
        self.stage.platform.comments += [comment(number, f"You are an idiot ({number})") for number in numbers]
        self.stage.database.poll_now()
        self.stage.run("poll", "score", "decide")
        while record(self.stage.tools):
            pass

    def again(self) -> None:
        """Start anew, as after a restart: nothing is remembered but what is stored."""
        clock = self.stage.tools.clock
        patient = [self.one.patient(clock, "one"), self.two.patient(clock, "two")]
        vault = FolderVault(self.vault)
        sealing = Sealing(vault=vault, signer=SIGNER, authorities=patient, software="moderator test")
        self.recorder.close()
        self.recorder = StillRecorder(sealing=sealing, clock=clock, templates=ASSETS / "templates")
        tools = replace(self.stage.tools, recorder=self.recorder, stamper=VaultStamper(vault, patient, limit=5))
        self.stage = replace(self.stage, tools=tools)

    def lines(self, event: str) -> list[dict[str, object]]:
        """Return the ledger's lines of one event."""
        file = (self.stage.folder / "ledger.jsonl").read_text(encoding="ascii").splitlines()
        return [row for row in map(json.loads, file) if row["event"] == event]

    def stamps(self) -> list[tuple[str, int]]:
        """Return authority and round of every stamp noted."""
        with self.stage.database.reading() as connection:
            rows = connection.execute(sa.select(STAMPS.c.authority, STAMPS.c.round).order_by(STAMPS.c.round, STAMPS.c.authority))
            return [(row.authority, row.round) for row in rows]

    def pending(self) -> int:
        """Return how many records wait for their first stamp."""
        with self.stage.database.reading() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(RECORDS).where(RECORDS.c.stamp_pending)).scalar_one()

    def told(self) -> list[str]:
        """Return what people were told, in order."""
        with self.stage.database.reading() as connection:
            rows = connection.execute(sa.select(ALERTS.c.what, ALERTS.c.done).where(ALERTS.c.kind == "system").order_by(ALERTS.c.id))
            return [f"{row.what} {row.done}" for row in rows]


SIGNER = Signer.generate()


@pytest.fixture(scope="module")
def two_authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, Authority]]:
    folder = tmp_path_factory.mktemp("authorities")
    with running(make(folder / "one", lives=timedelta(days=100))) as one, running(make(folder / "two", between=True)) as two:
        yield one, two


@pytest.fixture
def brief(tmp_path: Path) -> Iterator[Authority]:
    """Return an authority whose certificate runs out in a month."""
    with running(make(tmp_path / "brief", lives=timedelta(days=30))) as here:
        yield here


@pytest.fixture
def shop(stage: Stage, two_authorities: tuple[Authority, Authority]) -> Iterator[Shop]:
    one, two = two_authorities
    one.mode = two.mode = "good"
    one.asked.clear()
    two.asked.clear()
    stage.clock.move(datetime.now(UTC) - stage.clock.now())
    recorder = stage.tools.recorder
    assert isinstance(recorder, StillRecorder)
    made = Shop(stage, one, two, recorder)
    made.again()
    yield made
    made.recorder.close()


@pytest.fixture
def whole(shop: Shop) -> Shop:
    """Return the shop with its ledger opened by the very key it signs with."""
    with shop.stage.database.unit() as unit:
        unit.connection.execute(sa.text("DROP TRIGGER ledger_no_edit"))
        unit.connection.execute(sa.text("DROP TRIGGER ledger_no_delete"))
        unit.connection.execute(sa.text("DELETE FROM ledger"))
        unit.connection.execute(sa.text("DELETE FROM ledger_heads"))
        unit.append(SCHOOL.slug, opened(SIGNER.public_key, shop.stage.clock.now()))
        assert public_keys(unit.connection, SCHOOL.slug)[0].public_key == SIGNER.public_key
    return shop


def test_stamps_had_while_sealing_are_noted_and_nothing_is_left_to_do(whole: Shop) -> None:
    whole.seal(11)
    assert whole.stamps() == [("one", 1), ("two", 1)]
    assert whole.pending() == 0
    assert (len(whole.one.asked), len(whole.two.asked)) == (1, 1)
    whole.two.mode = "busy"
    whole.again()
    assert stamp(whole.stage.tools) == 0
    assert whole.lines("restamped") == []
    assert verify(whole.vault).ok


def test_a_record_sealed_while_both_were_down_is_stamped_later(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    assert whole.pending() == 1
    assert whole.lines("sealed")[0]["stamp_pending"] is True
    whole.one.mode = "good"
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert whole.pending() == 0, "one stamp is enough not to be pending"
    whole.two.mode = "good"
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert [(line["authority"], line["round"]) for line in whole.lines("restamped")] == [("one", 1), ("two", 1)]
    assert whole.stamps() == [("one", 1), ("two", 1)]
    assert stamp(whole.stage.tools) == 0
    assert verify(whole.vault).ok


def test_a_record_that_an_authority_set_up_later_stamped_is_as_good_to_its_page_and_to_a_second_account(whole: Shop) -> None:
    vault, clock = FolderVault(whole.vault), whole.stage.tools.clock
    one = [whole.one.patient(clock, "one")]
    whole.recorder.close()
    whole.recorder = StillRecorder(
        sealing=Sealing(vault=vault, signer=SIGNER, authorities=one, software="moderator test"), clock=clock, templates=ASSETS / "templates"
    )
    whole.stage = replace(whole.stage, tools=replace(whole.stage.tools, recorder=whole.recorder))
    whole.seal(11)
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert [line["authority"] for line in whole.lines("restamped")] == ["two"]
    assert record_check(whole.stage.database, vault)(next(vault.paths())) == Verification(1)
    add_second_account(whole.stage)
    whole.stage.database.poll_now()
    whole.stage.run("poll", "score", "decide", "record")
    assert whole.stage.rows("state", "held_at") == [("recorded", None)] * 2


def test_a_crash_before_the_stamp_is_noted_is_made_good_without_asking_again(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    whole.one.mode = whole.two.mode = "good"
    whole.again()
    (path,) = whole.stage.tools.vault.paths()
    (made,) = whole.stage.tools.stamper.add(path, "one")
    whole.stage.clock.move(timedelta(minutes=40))
    whole.two.mode = "busy"
    whole.again()
    asked = len(whole.one.asked)
    assert stamp(whole.stage.tools) == 1
    assert len(whole.one.asked) == asked
    (line,) = whole.lines("restamped")
    assert line["at"] == made.stamp.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "noted late, under its own time"
    assert stamp(whole.stage.tools) == 0
    assert verify(whole.vault).ok


def test_stamps_of_a_version_that_did_not_note_them_are_noted_without_a_ledger_line(whole: Shop) -> None:
    whole.seal(11)
    with whole.stage.database.unit() as unit:
        unit.connection.execute(sa.delete(STAMPS))
    whole.again()
    assert stamp(whole.stage.tools) == 2
    assert whole.stamps() == [("one", 1), ("two", 1)]
    assert whole.lines("restamped") == []
    assert stamp(whole.stage.tools) == 0


def test_a_dead_authority_costs_one_question_however_many_records_wait(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(*range(11, 19))
    whole.again()
    whole.one.asked.clear()
    whole.two.asked.clear()
    for _ in range(5):
        assert stamp(whole.stage.tools, limit=3) == 0
    assert (len(whole.one.asked), len(whole.two.asked)) == (1, 1)
    whole.two.mode = "good"
    whole.stage.clock.move(timedelta(seconds=61))
    whole.stage.run("stamp")
    assert whole.pending() == 0
    assert whole.stamps() == [("two", 1)] * 8
    assert len(whole.one.asked) == 2
    assert whole.told() == []


def test_an_authority_silent_for_a_day_is_told_once_a_day(whole: Shop) -> None:
    whole.one.mode = "busy"
    whole.seal(11)
    stamp(whole.stage.tools)
    assert whole.told() == []
    for hours in (25, 3, 21):
        whole.stage.clock.move(timedelta(hours=hours))
        stamp(whole.stage.tools)
    said = whole.told()
    assert len(said) == 2, "once on each of two days"
    assert all("Timestamp authority one: no good answer for more than a day." in each for each in said)


def test_an_authority_that_stamped_today_is_not_told_of(whole: Shop) -> None:
    whole.two.mode = "busy"
    whole.seal(11)
    whole.stage.clock.move(timedelta(hours=23, minutes=50))
    with whole.stage.database.unit() as unit:
        now = whole.stage.clock.now()
        unit.stamped("R-SOMEOTHERRECORD", SCHOOL.slug, Stamp("two", 1, now, now + timedelta(days=9000)), now)
    whole.again()
    stamp(whole.stage.tools)
    whole.stage.clock.move(timedelta(hours=1))
    stamp(whole.stage.tools)
    assert whole.told() == []


def test_what_a_person_handed_in_is_stamped_too(whole: Shop) -> None:
    whole.seal(11)
    with whole.stage.database.unit() as unit:
        row = unit.connection.execute(sa.select(RECORDS)).mappings().one()
        unit.connection.execute(
            sa.insert(SUBMITTED).values(
                record_id="R-HANDEDINHANDEDIN", school=SCHOOL.slug, path=row["path"], manifest_sha256=row["manifest_sha256"],
                captured_at=row["captured_at"], sealed_at=row["sealed_at"], by="DES-2",
            )
        )  # fmt: skip
    (lacks,) = whole.stage.database.lacking_stamp("one", after=None, limit=5)
    assert (lacks.record_id, lacks.stamp_pending) == ("R-HANDEDINHANDEDIN", False)
    assert whole.stage.database.lacking_stamp("one", after=lacks, limit=5) == []


def test_a_record_that_cannot_be_stamped_does_not_stop_the_others(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11, 12, 13)
    whole.two.mode = "good"
    whole.again()
    first, *_ = whole.stage.database.lacking_stamp("two", after=None, limit=5)
    folder = whole.vault / first.path
    folder.chmod(0o755)
    (folder / "manifest-sha256.txt").unlink()
    assert stamp(whole.stage.tools, limit=1) == 1
    assert stamp(whole.stage.tools, limit=1) == 1
    assert stamp(whole.stage.tools, limit=1) == 0
    assert whole.pending() == 1


class _Full(FolderVault):
    """A vault on a full disk."""

    def add(self, path: str, files: Mapping[str, bytes]) -> None:
        del path, files
        message = "No space left on device"
        raise Transient(message)


def test_a_full_disk_is_told_once_an_hour_and_all_waits(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    whole.one.mode = whole.two.mode = "good"
    clock = whole.stage.tools.clock
    full = VaultStamper(_Full(whole.vault), [whole.one.patient(clock, "one")])
    tools = replace(whole.stage.tools, stamper=full)
    assert stamp(tools) == 0
    assert stamp(tools) == 0
    assert len(whole.told()) == 1
    assert "The disk may be full" in whole.told()[0]
    whole.again()
    assert stamp(whole.stage.tools) == 2


def _ends_in(whole: Shop, left: timedelta) -> None:
    """Make the newest stamps in the books run out after `left`."""
    with whole.stage.database.unit() as unit:
        unit.connection.execute(sa.update(STAMPS).values(expires_at=whole.stage.clock.now() + left))


def test_stamps_that_run_out_are_renewed_by_every_authority_that_lasts(whole: Shop) -> None:
    whole.seal(11)
    with whole.stage.database.unit() as unit:
        unit.connection.execute(sa.delete(STAMPS).where(STAMPS.c.authority == "one"))
    tools = replace(whole.stage.tools, stamper=VaultStamper(FolderVault(whole.vault), [whole.two.patient(whole.stage.tools.clock, "two")]))
    _ends_in(whole, RENEW_BEFORE + timedelta(minutes=1))
    assert stamp(tools) == 0
    _ends_in(whole, RENEW_BEFORE - timedelta(minutes=1))
    assert stamp(tools) == 1
    assert whole.stamps() == [("two", 1), ("two", 2)]
    (line,) = whole.lines("restamped")
    assert (line["authority"], line["round"]) == ("two", 2)
    assert len(str(line["list_sha256"])) == 64
    assert stamp(tools) == 0, "the new round lasts"
    assert verify(whole.vault).ok


def test_a_renewal_waits_for_both_and_towards_the_end_one_is_enough(whole: Shop, brief: Authority) -> None:
    whole.seal(11)
    _ends_in(whole, SETTLE_FOR + timedelta(days=5))
    lasting, whole.one = whole.one, brief
    whole.again()
    whole.two.asked.clear()
    assert stamp(whole.stage.tools) == 0
    assert (len(brief.asked), len(whole.two.asked)) == (1, 1), "the authority whose certificate ends too soon is tried, once a run"
    assert whole.told() == []
    whole.one = lasting
    whole.one.mode = whole.two.mode = "busy"
    _ends_in(whole, SETTLE_FOR - timedelta(minutes=5))
    whole.again()
    assert stamp(whole.stage.tools) == 0
    assert "run out soon and could not be renewed" in whole.told()[0]
    whole.two.mode = "good"
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert whole.stamps() == [("one", 1), ("two", 1), ("two", 2)]
    assert verify(whole.vault).ok


def test_a_crash_while_renewing_notes_every_stamp_of_the_round(whole: Shop) -> None:
    whole.seal(11)
    (path,) = whole.stage.tools.vault.paths()
    later = whole.stage.clock.now() - timedelta(days=9)
    made = whole.stage.tools.stamper.renew(path, number=1, later_than=later, by_all=True)
    assert len(made) == 2
    _ends_in(whole, timedelta(days=20))
    whole.one.mode = whole.two.mode = "busy"
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert [(line["authority"], line["round"]) for line in whole.lines("restamped")] == [("one", 2), ("two", 2)]
    assert verify(whole.vault).ok


def test_a_record_that_cannot_be_renewed_does_not_stop_the_others(whole: Shop) -> None:
    whole.seal(11, 12)
    first, second = whole.stage.tools.vault.paths()
    folder = whole.vault / first
    folder.chmod(0o755)
    (folder / "manifest-sha256.txt").unlink()
    tools = replace(whole.stage.tools, stamper=VaultStamper(FolderVault(whole.vault), [whole.two.patient(whole.stage.tools.clock, "two")]))
    _ends_in(whole, timedelta(days=20))
    assert stamp(tools, limit=1) == 1
    assert "renewal-0002-sha512.txt" in whole.stage.tools.vault.names(second)
    assert stamp(tools, limit=1) == 0


class _Spoilt(LedgerFile):
    """A ledger file that was changed from outside."""

    def sync(self, school: str) -> Head:
        message = f"the ledger of {school} does not agree"
        raise EvidenceFailed(message)


def test_a_ledger_file_at_fault_does_not_stop_the_stamps(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    whole.one.mode = "good"
    whole.again()
    assert stamp(replace(whole.stage.tools, ledger=_Spoilt(whole.stage.database.engine, whole.stage.folder))) == 1
    assert whole.pending() == 0


def test_without_an_authority_the_step_does_nothing(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    stage.run("poll", "score", "decide", "record", "stamp")
    assert stage.ledger_events().count("restamped") == 0


# The Headteacher's standing instruction (RECORD.md, Order).


def test_r10_a_hide_without_a_stamp_is_said_so_in_the_ledger(whole: Shop) -> None:
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    hide(whole.stage.tools)
    assert whole.stage.states() == ["hidden"]
    (line,) = whole.lines("hide_intended")
    assert line["unstamped"] is True


def test_r10_a_hide_with_a_stamp_says_nothing_of_it(whole: Shop) -> None:
    whole.seal(11)
    hide(whole.stage.tools)
    assert "unstamped" not in whole.lines("hide_intended")[0]


def test_r10_nothing_is_hidden_without_a_stamp_when_the_headteacher_says_so(whole: Shop) -> None:
    whole.stage = replace(whole.stage, tools=replace(whole.stage.tools, hide_without_stamp=False))
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    for _ in range(3):
        hide(whole.stage.tools)
        whole.stage.clock.move(STAMP_WAIT + timedelta(seconds=1))
    assert whole.stage.states() == ["recorded"]
    assert not any(call.startswith("hide") for call in whole.stage.platform.calls)
    assert whole.stage.rows("trouble", "attempts") == [(NO_STAMP, 0)]
    assert whole.lines("hide_intended") == []
    hide(whole.stage.tools)
    whole.two.mode = "good"
    whole.stage.clock.move(datetime.now(UTC) - whole.stage.clock.now())
    whole.again()
    assert stamp(whole.stage.tools) == 1
    assert hide(whole.stage.tools) == 1, "its stamp makes it due at once"
    assert whole.stage.states() == ["hidden"]
    assert "unstamped" not in whole.lines("hide_intended")[0]
    assert "hide" in whole.stage.tools.dispatcher.steps  # type: ignore[attr-defined] # the stage's own dispatcher remembers


def test_r10_an_instruction_changed_lets_what_waits_go_on(whole: Shop) -> None:
    strict = replace(whole.stage.tools, hide_without_stamp=False)
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    hide(strict)
    assert whole.stage.states() == ["recorded"]
    whole.stage.clock.move(STAMP_WAIT + timedelta(seconds=1))
    hide(whole.stage.tools)
    assert whole.stage.states() == ["hidden"]


def test_an_ended_approval_beats_a_stamp_that_comes(whole: Shop) -> None:
    whole.stage = replace(whole.stage, tools=replace(whole.stage.tools, hide_without_stamp=False))
    whole.one.mode = whole.two.mode = "busy"
    whole.seal(11)
    hide(whole.stage.tools)
    with whole.stage.database.unit() as unit:
        people.withdraw(unit.connection, whole.stage.account.id, whole.stage.clock.now())
    whole.one.mode = "good"
    whole.again()
    assert stamp(whole.stage.tools) == 1
    hide(whole.stage.tools)
    assert whole.stage.states() == ["recorded"]
    assert whole.stage.account.approval is not None
    assert whole.stage.account.approval.mode is Mode.HIDE


def test_stamps_are_noted_once_on_both_engines(any_stage: Stage) -> None:
    now = any_stage.clock.now()
    any_stage.platform.comments.append(INSULT)
    any_stage.run("poll", "score", "decide", "record")
    database = any_stage.database
    (lacks,) = database.lacking_stamp("one", after=None, limit=5)
    assert database.waiting_for_stamp("one") == {SCHOOL.slug: lacks.sealed_at}
    assert database.last_stamp("one") is None
    had = Stamp("one", 1, now, now + timedelta(days=40))
    for new in (True, False):
        with database.unit() as unit:
            assert unit.stamped(lacks.record_id, SCHOOL.slug, had, now) is new
    assert database.last_stamp("one") == now
    assert database.waiting_for_stamp("one") == {}
    (due,) = database.to_renew(before=now + RENEW_BEFORE, after=None, limit=5)
    assert (due.record_id, due.path, due.round, due.ends_at) == (lacks.record_id, lacks.path, 1, had.expires_at)
    assert database.to_renew(before=now + RENEW_BEFORE, after=due, limit=5) == []
    with database.unit() as unit:
        unit.stamped(lacks.record_id, SCHOOL.slug, Stamp("one", 2, now, now + timedelta(days=4000)), now)
    assert database.to_renew(before=now + RENEW_BEFORE, after=None, limit=5) == []


def test_a_sealed_record_without_stamps_needs_none_noted() -> None:
    now = datetime.now(UTC)
    assert SealedRecord("R-A", "p", "m", now, now, CaptureKind.LIVE_PAGE, stamp_pending=False).stamps == ()

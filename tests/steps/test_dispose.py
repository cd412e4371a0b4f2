"""Disposal, legal hold and review dates over the whole line: two people, nothing by date, nothing half done, nothing left behind (R30)."""

import os
import signal
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from stage import SCHOOL, Stage, add_second_account, comment

from moderator.domain.access import Role
from moderator.domain.disposal import Ground
from moderator.domain.errors import BadInput, NotAllowed, Refused, Transient
from moderator.domain.item import Author, Page
from moderator.domain.record import record_id
from moderator.domain.retention import RecordClass
from moderator.domain.review import Review, Verdict
from moderator.evidence.check.verify import verify
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.keyed import KeyedVault
from moderator.jobs.schedule import SCHEDULE
from moderator.platforms.memory import MemoryPlatform
from moderator.settings import ASSETS
from moderator.steps.dispose import approve, ask, dispose, refuse
from moderator.steps.legal_hold import place_hold, release_hold, settle_holds
from moderator.steps.retain import change, retain
from moderator.steps.review import review
from moderator.store import register
from moderator.store.disposals import HOLDS
from moderator.store.forget import REMOVED
from moderator.store.items import DECISIONS, ITEMS, PAGES, RECORDS, REVIEWS
from moderator.store.outbox import ALERTS
from moderator.store.record_keys import KEYS, StoredRecordKeys
from moderator.store.record_tables import SubmittedRow
from moderator.store.retention import DISPOSALS, RETENTION
from moderator.store.sealed import Sealer

WHY = "The trust accepted the request of 3 May."
TEXT = "You are an idiot, says the heron of Wexcombe"
PLACE = "https://social.example/larkspur_quill/status/86753098675309"
SEEN = comment(
    86753098675309,
    TEXT,
    author=Author("5551212777", "larkspur_quill", "Larkspur Quillfeather"),
    place=PLACE,
    conversation_id="424242424242",
)
NEEDLES = (TEXT, "heron of Wexcombe", "larkspur_quill", "Larkspur Quillfeather", "5551212777", PLACE, "86753098675309", "424242424242")
RECORD = record_id("oakfield", "memory", SEEN.comment_id, SEEN.version)


class TellingPlatform(MemoryPlatform):
    """A platform in memory whose answers hold the comments, as a real one's do."""

    def poll(self, source: str, cursor: str, *, limit: int) -> Page:
        page = super().poll(source, cursor, limit=limit)
        return replace(page, body="\n".join(f"{each.comment_id} {each.text}" for each in page.comments).encode())


def telling(stage: Stage, *, encrypted: bool = True) -> Stage:
    """Return the stage with a platform that tells, and a recorder that encrypts, or one that does not."""
    platform = TellingPlatform()
    keys = StoredRecordKeys(stage.database, Sealer([Fernet.generate_key().decode()]), stage.clock)
    vault = FolderVault(stage.folder / "vault")
    signer = stage.tools.recorder._sealing._signer  # type: ignore[attr-defined] # noqa: SLF001 - the key the stage's ledger began with
    sealing = Sealing(vault=vault, signer=signer, authorities=(), software="moderator test", keys=keys if encrypted else None)
    stage.tools.recorder.close()
    recorder = StillRecorder(sealing=sealing, clock=stage.clock, templates=ASSETS / "templates")
    tools = replace(stage.tools, recorder=recorder, vault=KeyedVault(vault, keys), platform_for=lambda _account: platform)
    return replace(stage, platform=platform, tools=tools)


def recorded(stage: Stage, *, uphold: bool = True) -> Stage:
    """Take one comment to its end: recorded, hidden and upheld."""
    stage.platform.comments.append(SEEN)
    stage.run("poll", "score", "decide", "record", "hide", "alert", "send")
    assert stage.states() == ["hidden"]
    if uphold:
        review(stage.tools, Review(1, Verdict.UPHOLD, "HEAD-1", "Larkspur Quillfeather said this to staff.", stage.clock.now()))
    return stage


@pytest.fixture(params=["encrypted", "in clear"])
def line(request: pytest.FixtureRequest, stage: Stage) -> Iterator[Stage]:
    made = recorded(telling(stage, encrypted=request.param == "encrypted"))
    yield made
    made.tools.recorder.close()


@pytest.fixture
def kept_line(stage: Stage) -> Iterator[Stage]:
    made = recorded(telling(stage))
    yield made
    made.tools.recorder.close()


@pytest.fixture
def any_line(any_stage: Stage) -> Iterator[Stage]:
    made = recorded(telling(any_stage))
    yield made
    made.tools.recorder.close()


def proposed(stage: Stage, ground: Ground = Ground.ERASURE_REQUEST_ACCEPTED) -> None:
    ask(stage.tools, RECORD, ground=ground, why=WHY, by="DPO-1")


def all_of(stage: Stage, table: sa.Table) -> list[Any]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.select(table)).all())


def checked(stage: Stage) -> tuple[int, int]:
    """Return how many records the stranger's check counted, and how many of them as disposed; nothing may be wrong."""
    found = verify(stage.folder / "vault")
    assert found.faults == ()
    return found.checked, found.disposed


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holding(folder: Path, needle: str) -> list[str]:
    return sorted(name for name, content in bytes_of(folder).items() if needle.encode() in content)


def test_r30_two_people_dispose_and_the_proof_stays(any_line: Stage) -> None:
    kept = ask(any_line.tools, RECORD, ground=Ground.COURT_ORDER, why=WHY, by="dpo-1")
    assert kept.hidden
    assert kept.asked is not None
    assert (kept.asked.asked_by, kept.asked.ground, kept.disposal) == ("DPO-1", Ground.COURT_ORDER, None)
    assert any_line.tools.vault.open(kept.path, "data/record.json")
    done = approve(any_line.tools, RECORD, why=WHY, by="head-1").disposal
    assert done is not None
    assert done.done_at is not None
    assert any_line.ledger_events()[-2:] == ["disposal_asked", "disposed"]
    said = (any_line.folder / "ledger.jsonl").read_text().splitlines()[-1]
    for part in ('"actor":"DPO-1"', '"approved_by":"HEAD-1"', '"ground":"court_order"', f'"subject":"{RECORD}"'):
        assert part in said
    with pytest.raises(BadInput, match=rf"{RECORD} has no data/record.json any more: it was removed when the record was disposed of"):
        any_line.tools.vault.open(kept.path, "data/record.json")
    assert set(any_line.tools.vault.names(kept.path)) > {"manifest-sha256.txt", "manifest-sha256.txt.sig", "data/seal.json"}
    assert checked(any_line) == (1, 1)
    assert [(row.sealed, row.destroyed_at is not None) for row in all_of(any_line, KEYS)] == [(None, True)]
    assert dispose(any_line.tools) == 0
    assert approve(any_line.tools, RECORD, why=WHY, by="HEAD-1").disposal == done


def test_r30_one_person_under_two_designations_is_not_two_people(any_line: Stage) -> None:
    day = any_line.clock.now().date()
    with any_line.database.unit() as unit:
        both, other = (
            register.add_person(unit.connection, name=name, email=f"{name}@oakfield.example", at=any_line.clock.now())
            for name in ("bronwen", "tamsin")
        )
        for person, role in ((both, Role.DSL), (both, Role.DEPUTY), (other, Role.HEAD)):
            register.designate(
                unit.connection, person_id=person.id, role=role, school="oakfield", signed_by="CEO-1", signed_on=day, begins_on=day
            )
    ask(any_line.tools, RECORD, ground=Ground.COURT_ORDER, why=WHY, by="DSL-1")
    with pytest.raises(NotAllowed, match="DEPUTY-1 and DSL-1 are one person"):
        approve(any_line.tools, RECORD, why=WHY, by="DEPUTY-1")
    assert any_line.database.kept(RECORD).disposal is None
    assert approve(any_line.tools, RECORD, why=WHY, by="HEAD-1").disposal is not None


def test_r30_nothing_personal_is_left_anywhere(line: Stage) -> None:
    line.platform.comments.append(SEEN)
    for number in range(60):
        line.platform.comments.append(comment(number + 20, f"A kind word {number} " * (number % 7 * 9 + 1)))
    place_hold(line.tools, RECORD, reference_="CAD-1", why="Larkspur Quillfeather is to sue.", by="DPO-1")
    release_hold(line.tools, RECORD, reference_="CAD-1", why="Larkspur Quillfeather will not.", by="DPO-1")
    change(line.tools, RECORD, record_class=RecordClass.SEVERE, review_on=None, why="Larkspur Quillfeather again.", by="DPO-1")
    line.database.poll_now()
    line.clock.move(timedelta(minutes=10))
    line.run("poll", "score", "decide", "alert", "send")
    line.platform.comments.append(comment(90, "A kind word to end with"))
    line.database.poll_now()
    line.run("poll", "score", "decide")
    for needle in NEEDLES:
        assert holding(line.folder, needle), needle
    keys = [row.sealed.decode() for row in all_of(line, KEYS)]
    assert all(holding(line.folder, key) for key in keys)
    proposed(line)
    approve(line.tools, RECORD, why=WHY, by="HEAD-1")
    line.clock.move(timedelta(days=1))
    line.run("alert", "digest", "send")
    assert len(list((line.folder / "outbox").iterdir())) >= 2
    for needle in (*NEEDLES, *keys):
        assert holding(line.folder, needle) == [], needle
    assert [zlib.decompress(row.body) for row in all_of(line, PAGES)] == [b"90 A kind word to end with"]
    assert holding(line.folder, RECORD) != []
    assert checked(line) == (1, 1)
    row = all_of(line, ITEMS)[0]
    assert (row.comment_id, row.version, row.text, row.score, row.state, row.outcome) == (RECORD, "disposed", "", None, "upheld", "hide")
    work = line.database.work(1)
    assert work.decision is not None
    assert [(each.label, each.why) for each in work.decision.reasons] == [("abusive", ""), ("insult", "")]
    assert {each.justification for each in all_of(line, REVIEWS)} == {"Removed when the record was disposed of."}
    assert {each.why for each in all_of(line, RETENTION)} == {"Removed when the record was disposed of."}
    assert {(each.why, each.released_why) for each in all_of(line, HOLDS)} == {("Removed when the record was disposed of.",) * 2}
    assert [each.why for each in all_of(line, DISPOSALS)] == [WHY]
    assert TEXT not in str(all_of(line, DECISIONS))


def test_r30_a_record_that_two_accounts_share_is_disposed_of_whole(any_stage: Stage) -> None:
    add_second_account(any_stage)
    made = telling(any_stage)
    made.platform.comments.append(SEEN)
    made.run("poll", "score", "decide", "record", "hide", "alert", "send")
    assert made.states() == ["hidden", "hidden"]
    review(made.tools, Review(1, Verdict.UPHOLD, "HEAD-1", "Larkspur Quillfeather said this to staff.", made.clock.now()))
    with pytest.raises(NotAllowed, match="uphold or restore it first"):
        proposed(made)
    review(made.tools, Review(2, Verdict.UPHOLD, "HEAD-1", "Larkspur Quillfeather said it here too.", made.clock.now()))
    proposed(made)
    done = approve(made.tools, RECORD, why=WHY, by="HEAD-1").disposal
    assert done is not None
    assert done.done_at is not None
    assert made.rows("text", "author_name", "place", "comment_id") == [("", "", "", RECORD)] * 2
    assert {row.justification for row in all_of(made, REVIEWS)} == {REMOVED}
    assert checked(made) == (1, 1)
    made.tools.recorder.close()


def test_r30_a_disposed_comment_is_not_recorded_again(any_line: Stage) -> None:
    proposed(any_line)
    approve(any_line.tools, RECORD, why=WHY, by="HEAD-1")
    any_line.platform.comments += [SEEN, comment(12, "Lovely")]
    any_line.database.poll_now()
    any_line.run("poll", "score", "decide", "record", "hide")
    assert any_line.states() == ["upheld", "cleared"]
    any_line.platform.comments.append(replace(SEEN, text="You are an idiot, edited"))
    any_line.database.poll_now()
    any_line.run("poll", "score", "decide", "record")
    assert any_line.states() == ["upheld", "cleared", "recorded"]


def test_r30_nothing_is_decided_about_what_is_gone(kept_line: Stage) -> None:
    proposed(kept_line)
    approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    for verdict in (Verdict.UPHOLD, Verdict.RESTORE):
        with pytest.raises(NotAllowed, match="was disposed of"):
            review(kept_line.tools, Review(1, verdict, "HEAD-1", "Larkspur Quillfeather", kept_line.clock.now()))
    assert len(all_of(kept_line, REVIEWS)) == 1
    with pytest.raises(NotAllowed, match="cannot be held"):
        place_hold(kept_line.tools, RECORD, reference_="CAD-1", why=WHY, by="DPO-1")
    with pytest.raises(NotAllowed, match="no review date any more"):
        change(kept_line.tools, RECORD, record_class=RecordClass.SEVERE, review_on=None, why=WHY, by="DPO-1")


def test_r30_one_person_is_not_enough(any_line: Stage) -> None:
    proposed(any_line)
    for same in ("DPO-1", " dpo-1 "):
        with pytest.raises(NotAllowed, match="another person must approve"):
            approve(any_line.tools, RECORD, why=WHY, by=same)
    waiting = any_line.database.kept(RECORD).asked
    assert waiting is not None
    with pytest.raises(NotAllowed, match="two different people"), any_line.database.unit() as unit:
        unit.disposal_decided(replace(waiting, approved_by="DPO-1", approved_why=WHY, approved_at=any_line.clock.now()))
    assert any_line.database.kept(RECORD).disposal is None
    assert checked(any_line) == (1, 0)


def test_r30_a_refusal_keeps_the_record(kept_line: Stage) -> None:
    with pytest.raises(NotAllowed, match="no disposal of"):
        refuse(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    for by, code in (("HEAD-1", "refused"), ("DPO-1", "withdrawn")):
        proposed(kept_line)
        waiting = kept_line.database.kept(RECORD).asked
        assert waiting is not None
        assert refuse(kept_line.tools, RECORD, why=WHY, by=by).asked is None
        assert f'"reason":"{code}"' in (kept_line.folder / "ledger.jsonl").read_text().splitlines()[-1]
        with pytest.raises(NotAllowed, match="nobody has proposed"):
            approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
        with pytest.raises(NotAllowed, match="somebody has decided"), kept_line.database.unit() as unit:
            unit.disposal_decided(replace(waiting, approved_by="CEO-1", approved_at=kept_line.clock.now()))
    assert kept_line.tools.vault.open(kept_line.database.kept(RECORD).path, "data/record.json")


def test_r30_the_headteacher_is_told_of_both(kept_line: Stage) -> None:
    proposed(kept_line)
    approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    told = [(row.kind, row.severity, row.subject, row.what) for row in all_of(kept_line, ALERTS) if row.kind == "disposal"]
    assert told == [
        ("disposal", "ordinary", RECORD, "A record is proposed for disposal."),
        ("disposal", "ordinary", RECORD, "A record was disposed of."),
    ]
    kept_line.clock.move(timedelta(minutes=10))
    kept_line.run("alert", "send")
    mails = "".join(path.read_text() for path in (kept_line.folder / "outbox").iterdir())
    assert "disposal of a record" in mails.lower()


def test_r30_a_comment_in_work_or_undecided_is_not_disposed_of(stage: Stage) -> None:
    made = recorded(telling(stage), uphold=False)
    with pytest.raises(NotAllowed, match="uphold or restore it first"):
        proposed(made)
    review(made.tools, Review(1, Verdict.RESTORE, "HEAD-1", "I read it and decided.", made.clock.now()))
    with pytest.raises(NotAllowed, match="still working"):
        proposed(made)
    made.run("restore")
    proposed(made)
    made.tools.recorder.close()


def test_r30_before_its_review_date_another_ground_is_needed(kept_line: Stage) -> None:
    with pytest.raises(NotAllowed, match=r"the review date of .* is 18 November 2027"):
        proposed(kept_line, Ground.REVIEW_DATE_REACHED)
    kept_line.clock.move(timedelta(days=366))
    proposed(kept_line, Ground.REVIEW_DATE_REACHED)
    later = kept_line.clock.now().date() + timedelta(days=30)
    change(kept_line.tools, RECORD, record_class=None, review_on=later, why=WHY, by="HEAD-1")
    with pytest.raises(NotAllowed, match="the review date"):
        approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")


def test_r30_a_legal_hold_beats_every_disposal(any_line: Stage) -> None:
    proposed(any_line)
    for code in ("CAD-1", "LTR-2", "CAD-1"):
        kept = place_hold(any_line.tools, RECORD, reference_=code, why=WHY, by="CEO-1")
    assert [hold.reference for hold in kept.standing_holds] == ["CAD-1", "LTR-2"]
    with pytest.raises(NotAllowed, match=r"legal hold \(CAD-1, LTR-2\)"):
        approve(any_line.tools, RECORD, why=WHY, by="HEAD-1")
    kept = release_hold(any_line.tools, RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    assert [hold.reference for hold in kept.standing_holds] == ["LTR-2"]
    with pytest.raises(NotAllowed, match=r"no hold CAD-1 stands on .* \(LTR-2\)"):
        release_hold(any_line.tools, RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    with pytest.raises(NotAllowed, match=r"legal hold \(LTR-2\)"):
        approve(any_line.tools, RECORD, why=WHY, by="HEAD-1")
    release_hold(any_line.tools, RECORD, reference_="LTR-2", why=WHY, by="CEO-1")
    events = any_line.ledger_events()
    assert events[-5:] == ["disposal_asked", "legal_hold", "legal_hold", "legal_hold_released", "legal_hold_released"]
    assert WHY not in (any_line.folder / "ledger.jsonl").read_text()
    with pytest.raises(NotAllowed, match="none stands"):
        release_hold(any_line.tools, RECORD, reference_="LTR-2", why=WHY, by="CEO-1")
    approve(any_line.tools, RECORD, why=WHY, by="HEAD-1")
    assert checked(any_line) == (1, 1)


@pytest.mark.parametrize("first", ["hold", "approve"])
def test_r30_a_hold_and_an_approval_at_once_never_both_stand(any_line: Stage, first: str) -> None:
    proposed(any_line)
    acts: dict[str, Callable[[Any], object]] = {
        "hold": lambda tools: place_hold(tools, RECORD, reference_="CAD-1", why=WHY, by="CEO-1"),
        "approve": lambda tools: approve(tools, RECORD, why=WHY, by="HEAD-1"),
    }
    other = next(name for name in acts if name != first)
    refused: list[NotAllowed] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        try:
            acts[other](any_line.tools)
        except NotAllowed as error:
            refused.append(error)

    rival = threading.Thread(target=second)

    class Slow:
        """The store, whose first transaction lets a rival begin just before it commits."""

        def __getattr__(self, name: str) -> Any:
            return getattr(any_line.database, name)

        @contextmanager
        def unit(self) -> Iterator[Any]:
            with any_line.database.unit() as unit:
                yield unit
                if not started.is_set():
                    rival.start()
                    started.wait()
                    rival.join(timeout=0.2)

    acts[first](replace(any_line.tools, store=Slow()))
    rival.join()
    kept = any_line.database.kept(RECORD)
    assert len(refused) == 1
    assert (bool(kept.standing_holds), kept.disposal is None) == ((True, True) if first == "hold" else (False, False))
    assert checked(any_line) == (1, 0 if first == "hold" else 1)


class Storage:
    """The vault, with a storage that knows legal holds as S3 does, and that can be away; every call is noted."""

    def __init__(self, vault: Any) -> None:
        self.vault, self.held, self.errors = vault, False, list[Exception]()

    def __getattr__(self, name: str) -> Any:
        """Return what the vault has."""
        return getattr(self.vault, name)

    def hold(self, path: str, *, on: bool) -> None:
        if self.errors:
            raise self.errors.pop()
        self.vault.hold(path, on=on)
        self.held = on

    def dispose(self, path: str) -> None:
        if self.errors:
            raise self.errors.pop()
        if self.held:
            message = "under a legal hold"
            raise Refused(message)
        self.vault.dispose(path)


def test_r30_a_hold_stands_at_once_and_the_storage_follows(kept_line: Stage) -> None:
    storage = Storage(kept_line.tools.vault)
    tools = replace(kept_line.tools, vault=storage)
    storage.errors = [Transient("away")]
    with pytest.raises(Transient, match="The hold stands"):
        place_hold(tools, RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    assert kept_line.database.kept(RECORD).standing_holds
    assert not storage.held
    storage.errors = [Transient("away")]
    assert settle_holds(tools) == 0
    assert (settle_holds(tools), settle_holds(tools), storage.held) == (1, 0, True)
    storage.errors = [Refused("no")]
    with pytest.raises(Transient, match="The hold is released"):
        release_hold(tools, RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    assert storage.held
    proposed(kept_line)
    storage.errors = [Transient("still away"), Transient("away")]
    kept = approve(tools, RECORD, why=WHY, by="HEAD-1")
    assert kept.disposal is not None
    assert kept.disposal.done_at is None
    assert dispose(tools) == 0
    assert dispose(tools) == 2
    assert not storage.held
    assert checked(kept_line) == (1, 1)


def test_r30_a_hold_that_changes_meanwhile_is_settled_again(kept_line: Stage) -> None:
    storage = Storage(kept_line.tools.vault)

    class Meanwhile(Storage):
        """A storage during whose call somebody else places the hold again."""

        def hold(self, path: str, *, on: bool) -> None:
            super().hold(path, on=on)
            if not on:
                place_hold(replace(kept_line.tools, vault=storage), RECORD, reference_="CAD-2", why=WHY, by="CEO-1")
                self.held = False

    place_hold(replace(kept_line.tools, vault=storage), RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    meanwhile = Meanwhile(kept_line.tools.vault)
    with kept_line.database.unit() as unit:
        unit.connection.execute(sa.update(HOLDS).values(stored_at=None))
    kept = release_hold(replace(kept_line.tools, vault=meanwhile), RECORD, reference_="CAD-1", why=WHY, by="CEO-1")
    assert [hold.reference for hold in kept.standing_holds] == ["CAD-2"]
    storage.held = False
    with kept_line.database.unit() as unit:
        unit.connection.execute(sa.update(HOLDS).where(HOLDS.c.reference == "CAD-2").values(stored_at=None))
    assert settle_holds(replace(kept_line.tools, vault=storage)) == 1
    assert storage.held


def test_r30_people_are_told_once_a_day_of_a_disposal_that_is_stuck(kept_line: Stage) -> None:
    storage = Storage(kept_line.tools.vault)
    tools = replace(kept_line.tools, vault=storage)
    proposed(kept_line)
    storage.errors = [Transient("away")]
    approve(tools, RECORD, why=WHY, by="HEAD-1")
    stuck = [row for row in all_of(kept_line, ALERTS) if "could not be removed" in row.what]
    assert stuck == []
    for days, errors in ((2, [Transient("away")] * 2), (1, [Refused("no")]), (0, [Refused("no")])):
        kept_line.clock.move(timedelta(days=days))
        for error in errors:
            storage.errors = [error]
            assert dispose(tools) == 0
    stuck = [row for row in all_of(kept_line, ALERTS) if "could not be removed" in row.what]
    assert len(stuck) == 2
    assert dispose(tools) == 1


def alerts_of(stage: Stage, words: str) -> int:
    """Return how many alerts say these words."""
    return sum(words in row.what for row in all_of(stage, ALERTS))


def test_r30_a_record_that_is_gone_from_the_vault_is_forgotten_all_the_same(kept_line: Stage) -> None:
    proposed(kept_line)
    bag = kept_line.folder / "vault" / kept_line.database.kept(RECORD).path
    bag.chmod(0o755)
    bag.rename(kept_line.folder / "elsewhere")
    kept = approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    assert [word for word in NEEDLES if any(word in str(row) for row in all_of(kept_line, ITEMS))] == []
    assert kept.disposal is not None
    assert kept.disposal.done_at is None, "its disk may only be away"
    assert (dispose(kept_line.tools), alerts_of(kept_line, "not in the vault")) == (0, 0)
    kept_line.clock.move(timedelta(days=1))
    assert [dispose(kept_line.tools) for _ in range(2)] == [1, 0]
    assert (alerts_of(kept_line, "not in the vault"), alerts_of(kept_line, "could not be removed")) == (1, 0)


def test_r30_a_record_that_comes_back_within_the_day_is_disposed_of(kept_line: Stage) -> None:
    proposed(kept_line)
    bag = kept_line.folder / "vault" / kept_line.database.kept(RECORD).path
    bag.chmod(0o755)
    bag.rename(kept_line.folder / "elsewhere")
    approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    (kept_line.folder / "elsewhere").rename(bag)
    assert dispose(kept_line.tools) == 1
    assert checked(kept_line) == (1, 1)
    assert alerts_of(kept_line, "not in the vault") == 0


def test_r30_a_record_without_its_manifest_is_forgotten_and_never_said_to_be_removed(kept_line: Stage) -> None:
    proposed(kept_line)
    bag = kept_line.folder / "vault" / kept_line.database.kept(RECORD).path
    bag.chmod(0o755)
    (bag / "manifest-sha256.txt").unlink()
    approve(kept_line.tools, RECORD, why=WHY, by="HEAD-1")
    kept_line.clock.move(timedelta(days=1))
    assert [dispose(kept_line.tools) for _ in range(2)] == [0, 0]
    assert [word for word in NEEDLES if any(word in str(row) for row in all_of(kept_line, ITEMS))] == []
    assert (alerts_of(kept_line, "not in the vault"), alerts_of(kept_line, "could not be removed")) == (0, 1)


def test_r30_a_page_that_another_comment_needs_is_waited_for(any_stage: Stage) -> None:
    made = telling(any_stage)
    made.platform.comments += [SEEN, comment(12, "You are an idiot too")]
    made.run("poll", "score", "decide", "record", "hide")
    review(made.tools, Review(1, Verdict.UPHOLD, "HEAD-1", "I read it and decided.", made.clock.now()))
    review(made.tools, Review(2, Verdict.RESTORE, "HEAD-1", "I read it and decided.", made.clock.now()))
    proposed(made)
    kept = approve(made.tools, RECORD, why=WHY, by="DSL-1")
    assert kept.disposal is not None
    assert kept.disposal.done_at is None
    assert made.rows("text", "comment_id")[0] == ("", SEEN.comment_id)
    assert len(all_of(made, PAGES)) == 1
    made.run("restore")
    assert dispose(made.tools) == 1
    assert made.rows("text", "comment_id", "page_id")[0] == ("", RECORD, None)
    assert all_of(made, PAGES) == []
    assert made.states() == ["upheld", "restored"]
    made.tools.recorder.close()


def test_r30_nothing_is_disposed_of_by_date_in_thirty_years(kept_line: Stage) -> None:
    for number, text in enumerate(("You are an idiot", "disclosure: help", "complaint, you idiot", "I will hurt you"), start=20):
        kept_line.platform.comments.append(comment(number, text))
    kept_line.database.poll_now()
    kept_line.run("poll", "score", "decide", "record", "hide")
    sealed = len(all_of(kept_line, RECORDS))
    before = {name: content for name, content in bytes_of(kept_line.folder / "vault").items() if not name.startswith(".tmp")}
    assert sealed == 5
    for years in (2, 28):
        kept_line.clock.move(timedelta(days=366 * years))
        kept_line.run(*(job.name for job in SCHEDULE))
    assert len(kept_line.database.due_for_review(before=kept_line.clock.now().date())) == sealed
    assert len(all_of(kept_line, RECORDS)) == sealed
    assert all_of(kept_line, DISPOSALS) == []
    after = {name: content for name, content in bytes_of(kept_line.folder / "vault").items() if not name.startswith(".tmp")}
    assert after == before
    assert checked(kept_line) == (sealed, 0)
    for row in all_of(kept_line, RECORDS):
        assert TEXT[:14].encode() in kept_line.tools.vault.open(row.path, "data/record.json") or row.record_id != RECORD


class Tripwire:
    """The ports of a disposal, each call of which is counted before and after; the process is killed at one of them."""

    def __init__(self, at: int) -> None:
        self.left = at

    def trip(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def over(self, whole: Any, *names: str) -> Any:
        tripwire = self

        class Counted:
            """One port."""

            def __getattr__(self, name: str) -> Any:
                found = getattr(whole, name)
                if name not in names:
                    return found

                def call(*args: Any, **kwargs: Any) -> Any:
                    tripwire.trip()
                    try:
                        return found(*args, **kwargs)
                    finally:
                        tripwire.trip()

                return call

            @contextmanager
            def unit(self) -> Iterator[Any]:
                tripwire.trip()
                with whole.unit() as unit:
                    yield unit
                    tripwire.trip()
                tripwire.trip()

        return Counted()


def approved_in_a_child(stage: Stage, *, dies_at: int) -> bool:
    """Approve the disposal in a process of its own that is killed at a boundary; return whether it was killed."""
    child = os.fork()
    if child == 0:
        stage.database.engine.dispose(close=False)
        wire = Tripwire(dies_at)
        tools = replace(
            stage.tools,
            store=wire.over(stage.tools.store, "scrub", "kept"),
            vault=wire.over(stage.tools.vault, "dispose"),
            ledger=wire.over(stage.tools.ledger, "sync"),
        )
        try:
            approve(tools, RECORD, why=WHY, by="HEAD-1")
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_r30_killed_at_every_boundary_it_is_all_or_nothing_and_finished_later(line: Stage) -> None:
    encrypted = bool(all_of(line, KEYS))
    proposed(line)
    path = line.database.kept(RECORD).path
    payload = line.folder / "vault" / path / "data" / ("record.json.enc" if encrypted else "record.json")
    boundaries = {"killed": 0, "before approval": 0, "payload still there": 0}
    while approved_in_a_child(line, dies_at=boundaries["killed"]):
        boundaries["killed"] += 1
        kept = line.database.kept(RECORD)
        told = '"event":"disposed"' in (line.folder / "ledger.jsonl").read_text()
        in_database = "disposed" in line.ledger_events()
        assert (kept.disposal is not None) == in_database
        assert encrypted is False or (all_of(line, KEYS)[0].sealed is None) == in_database
        if kept.disposal is None:
            boundaries["before approval"] += 1
            assert payload.exists()
            assert line.tools.vault.open(path, "data/record.json")
        elif payload.exists():
            boundaries["payload still there"] += 1
        else:
            assert told, "the payload went before the ledger's file said so"
        assert kept.disposal is None or kept.disposal.done_at is None or not holding(line.folder, TEXT)
    assert boundaries["killed"] >= 14
    assert boundaries["before approval"] >= 2
    line.run("dispose")
    kept = line.database.kept(RECORD)
    assert kept.disposal is not None
    assert kept.disposal.done_at is not None
    assert line.ledger_events().count("disposed") == 1
    assert checked(line) == (1, 1)
    assert holding(line.folder, TEXT) == []


@pytest.mark.parametrize("dies_at", [2, 3, 5, 7, 9, 11])
def test_r30_what_a_kill_left_the_schedule_alone_finishes(stage: Stage, dies_at: int) -> None:
    made = recorded(telling(stage))
    proposed(made)
    assert approved_in_a_child(made, dies_at=dies_at)
    made.run("dispose")
    kept = made.database.kept(RECORD)
    if kept.disposal is None:
        assert made.tools.vault.open(kept.path, "data/record.json")
        assert checked(made) == (1, 0)
    else:
        assert kept.disposal.done_at is not None
        assert checked(made) == (1, 1)
        assert holding(made.folder, TEXT) == []
    made.tools.recorder.close()


def test_r30_review_dates_are_set_with_the_record_and_where_one_is_missing(any_line: Stage) -> None:
    row = all_of(any_line, RETENTION)[0]
    assert (row.record_id, row.record_class, str(row.review_on), row.by) == (RECORD, "ordinary", "2027-11-18", "service")
    assert "1 year by policy" in row.why
    assert retain(any_line.tools) == 0
    with any_line.database.unit() as unit:
        unit.connection.execute(sa.delete(RETENTION))
        unit.connection.execute(
            sa.insert(SubmittedRow.__table__).values(  # type: ignore[attr-defined] # SQLModel sets it at class creation
                record_id="R-" + "B" * 16,
                school=SCHOOL.slug,
                path="oakfield/2026/R-" + "B" * 16,
                manifest_sha256="0" * 64,
                captured_at=any_line.clock.now(),
                sealed_at=any_line.clock.now(),
                by="DSL-1",
            )
        )
    any_line.run("retain")
    dated = {row.record_id: (row.record_class, str(row.review_on)) for row in all_of(any_line, RETENTION)}
    assert dated == {RECORD: ("ordinary", "2027-11-18"), "R-" + "B" * 16: ("submitted", "2032-11-18")}


def test_r30_a_date_that_somebody_set_meanwhile_stays(kept_line: Stage) -> None:
    kept = kept_line.database.kept(RECORD)

    class Late:
        """A store that still lists a record as undated."""

        def __getattr__(self, name: str) -> Any:
            return getattr(kept_line.database, name)

        def without_review_date(self, *, limit: int) -> list[Any]:
            return [(kept, None)][:limit]

    assert retain(replace(kept_line.tools, store=Late())) == 1
    assert len(all_of(kept_line, RETENTION)) == 1


def test_r30_a_person_changes_class_or_date_with_a_reason(kept_line: Stage) -> None:
    now = change(kept_line.tools, RECORD, record_class=RecordClass.SAFEGUARDING, review_on=None, why=WHY, by="dsl-1")
    assert (now.record_class, str(now.review_on), now.by) == (RecordClass.SAFEGUARDING, "2051-11-18", "DSL-1")
    day = now.review_on.replace(year=2030)
    now = change(kept_line.tools, RECORD, record_class=None, review_on=day, why=WHY, by="DSL-1")
    assert (now.record_class, now.review_on) == (RecordClass.SAFEGUARDING, day)
    assert kept_line.database.kept(RECORD).retention == now
    assert len(all_of(kept_line, RETENTION)) == 3
    with pytest.raises(BadInput, match="give a class, a review date, or both"):
        change(kept_line.tools, RECORD, record_class=None, review_on=None, why=WHY, by="DSL-1")
    with pytest.raises(BadInput, match="sealed on 18 November 2026"):
        change(kept_line.tools, RECORD, record_class=None, review_on=day.replace(year=2026), why=WHY, by="DSL-1")
    with pytest.raises(BadInput, match="there is no record R-NONE"):
        change(kept_line.tools, "R-NONE", record_class=None, review_on=day, why=WHY, by="DSL-1")


def test_what_is_asked_for_badly_writes_nothing(kept_line: Stage) -> None:
    lines = kept_line.ledger_events()
    for by, why in (("Ms Oakenshaw", WHY), ("DPO-1", "short")):
        with pytest.raises(BadInput):
            ask(kept_line.tools, RECORD, ground=Ground.COURT_ORDER, why=why, by=by)
        with pytest.raises(BadInput):
            place_hold(kept_line.tools, RECORD, reference_="CAD-1", why=why, by=by)
    with pytest.raises(BadInput, match="there is no record"):
        ask(kept_line.tools, "R-" + "C" * 16, ground=Ground.COURT_ORDER, why=WHY, by="DPO-1")
    assert kept_line.ledger_events() == lines
    assert all_of(kept_line, HOLDS) == all_of(kept_line, DISPOSALS) == []

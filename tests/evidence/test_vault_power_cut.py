"""A power cut after any write: the last writes dropped, or kept in another order. Never a record that is believed and incomplete (R14)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from loosened import loosen
from power_cut import ROOT, Act, RecordingDisk, Replay, State, lay_out

from moderator.domain.errors import EvidenceFailed
from moderator.domain.record import SealedRecord
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.signer import Signer
from moderator.evidence.seal.stamp import stamp_files
from moderator.evidence.vault import durable
from moderator.evidence.vault.folder import FolderVault


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[FolderVault]:
    yield FolderVault(tmp_path / "vault")
    loosen(tmp_path)


@pytest.fixture
def disk(vault: FolderVault, monkeypatch: pytest.MonkeyPatch) -> RecordingDisk:
    """Return the journal of everything the vault asks of its disk, one file after another."""
    monkeypatch.setattr(durable, "_AT_ONCE", 1)
    recording = RecordingDisk(vault.root)
    monkeypatch.setattr(durable, "disk", recording)
    for module in ("folder", "staging"):
        monkeypatch.setattr(f"moderator.evidence.vault.{module}.disk", recording)
    return recording


class Found:
    """A vault as it was found after a cut, with the ledger beside it."""

    def __init__(self, folder: Path, state: State, ledger: Path, signer: Signer, cast: Any) -> None:
        lay_out(state, folder / "vault")
        (folder / "ledger.jsonl").write_bytes(ledger.read_bytes())
        self.vault = FolderVault(folder / "vault")
        self.sealing = cast.sealing_on(self.vault, signer)
        self.cast = cast

    def before(self, path: str) -> SealedRecord | None:
        found: SealedRecord | None = self.sealing.before(path)
        return found

    def faults(self) -> list[str]:
        return [fault.code for fault in verify(self.vault.root).faults]


def bag_of(vault: FolderVault, path: str) -> dict[str, bytes]:
    return {name: vault.open(path, name) for name in vault.names(path)}


@dataclass
class Scene:
    """A vault on a recording disk, its ledger, and what the tests ask of them."""

    vault: FolderVault
    disk: RecordingDisk
    notebook: Any
    signer: Signer
    cast: Any
    folder: Path
    heal: Callable[[], None]

    def seal(self, **more: Any) -> SealedRecord:
        recorder = self.cast.still_on(self.vault, self.signer, **more)
        record: SealedRecord = recorder.seal(self.cast.make_evidence())
        recorder.close()
        return record

    def after(self, replay: Replay, *, since: int) -> Iterator[tuple[int, Found]]:
        """Yield what may be found after each cut; a state that was looked at under the same promise is passed over."""
        self.heal()
        looked: set[tuple[bool, frozenset[tuple[str, bytes | None]]]] = set()
        for cut, state in replay.states():
            mark = (cut >= since, frozenset(state.items()))
            if mark in looked:
                continue
            looked.add(mark)
            yield cut, Found(self.folder / f"cut{len(looked)}", state, self.notebook.path, self.signer, self.cast)


@pytest.fixture
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    given = {name: request.getfixturevalue(name) for name in ("vault", "disk", "notebook", "signer", "cast")}
    return Scene(**given, folder=tmp_path, heal=monkeypatch.undo)


def test_r14_after_any_power_cut_a_record_is_whole_or_not_there(
    scene: Scene,
) -> None:
    record = scene.seal()
    sealed = len(scene.disk.steps)
    whole = bag_of(scene.vault, record.path)
    absent = present = 0
    for cut, found in scene.after(Replay.of(scene.disk), since=sealed):
        before = found.before(record.path)
        if before is None:
            assert cut < sealed, "the record was sealed, and a power cut lost it"
            assert found.vault.names(record.path) == ()
            assert found.faults() == []
            absent += 1
            # The item is still in its queue: the next try seals it.
            again = scene.cast.still_on(found.vault, scene.signer)
            assert again.seal(scene.cast.make_evidence()).record_id == record.record_id
            again.close()
        else:
            assert before.manifest_sha256 == record.manifest_sha256
            assert bag_of(found.vault, record.path) == whole
            present += 1
    assert absent > 2
    assert present > 1


def test_the_replay_finds_what_a_disk_that_ignores_flushes_would_lose(
    scene: Scene,
) -> None:
    """Such a disk leaves half records in place. None is believed: neither by the service nor by verify."""
    record = scene.seal()
    sealed = len(scene.disk.steps)
    whole = bag_of(scene.vault, record.path)
    scene.notebook.sealed(record)
    broken = lost = 0
    careless = Replay.of(scene.disk).without_flushes(files=True, folders=True)
    for cut, found in scene.after(careless, since=len(careless.steps)):
        here = found.vault.folder(record.path)
        if not here.exists():
            lost += cut == len(careless.steps)
            assert found.before(record.path) is None
            assert "record_gone" in found.faults()
        elif bag_of(found.vault, record.path) != whole:
            broken += 1
            with pytest.raises(EvidenceFailed):
                found.before(record.path)
            assert found.faults()
    assert broken > 10
    assert lost > 0
    assert sealed > len(careless.steps)


def test_a_stamp_never_stands_without_its_chain_after_a_power_cut(
    scene: Scene,
    authority: Any,
) -> None:
    authority.mode = "busy"
    record = scene.seal(authorities=(authority.http(),))
    authority.mode = "good"
    scene.notebook.sealed(record)
    files = stamp_files([authority.http()], scene.vault.open(record.path, "manifest-sha256.txt")).files
    assert len(files) == 2
    scene.vault.add(record.path, files)
    added = len(scene.disk.steps)
    stamped = 0
    for cut, found in scene.after(Replay.of(scene.disk), since=added):
        names = found.vault.names(record.path)
        if not names:
            continue
        assert "tsa-chain.pem" in names or "manifest-sha256.txt.tsa.tsr" not in names
        assert found.before(record.path) is not None
        assert found.faults() == []
        if cut >= added:
            assert {name: found.vault.open(record.path, name) for name in files} == files
        stamped += "manifest-sha256.txt.tsa.tsr" in names
        found.vault.add(record.path, files)  # the repeat finishes what was cut short
        assert {name: found.vault.open(record.path, name) for name in files} == files
    assert stamped > 0


@pytest.mark.parametrize("encrypted", [True, False])
def test_r30_a_disposal_cut_short_is_finished_by_the_repeat(scene: Scene, *, encrypted: bool) -> None:
    record = scene.seal(keys=scene.cast.HeldKeys() if encrypted else None)
    whole = bag_of(scene.vault, record.path)
    staying = {"data/seal.json", "data/VERIFY.txt"} if encrypted else {"data/seal.json"}  # in clear, the guide names the place
    kept = {name: content for name, content in whole.items() if not name.startswith("data/") or name in staying}
    start = len(scene.disk.steps)
    scene.vault.dispose(record.path)
    done = len(scene.disk.steps)
    some = 0
    for cut, found in scene.after(Replay.of(scene.disk), since=done):
        if cut < start:
            continue
        here = bag_of(found.vault, record.path)
        assert kept.items() <= here.items()
        some += kept != here != whole
        if cut >= done:
            assert here == kept
        found.vault.dispose(record.path)
        assert bag_of(found.vault, record.path) == kept
    assert some > 0
    assert json.loads(kept["data/seal.json"])["record_id"] == record.record_id


def test_a_school_folder_made_before_a_crash_is_flushed_by_the_next_put(vault: FolderVault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process died between making the folder and flushing its parent; the machine lived on, and loses its power later."""
    year = vault.root / "oakfield" / "2026"
    year.mkdir(parents=True)
    bag = vault.root / "bag"
    (bag / "data").mkdir(parents=True)
    (bag / "manifest-sha256.txt").write_bytes(b"")
    recording = RecordingDisk(vault.root)
    monkeypatch.setattr(durable, "disk", recording)
    monkeypatch.setattr("moderator.evidence.vault.folder.disk", recording)
    vault.put(bag, "oakfield/2026/R-AAAAAAAAAAAAAAAA")
    flushed = {step.node for step in recording.steps if step.act is Act.FLUSH}
    assert flushed >= {ROOT, recording.start.find(Path("oakfield")), recording.start.find(Path("oakfield/2026"))}

"""The attacks of RECORD.md, and their kin, each against `verify`; test_attacks_stranger has them by hand too, and the tenth."""

import hashlib
import json
import os
import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.events import Event, Head
from moderator.domain.record import SealedRecord, Verification
from moderator.evidence.check import stamps
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.signer import Signer
from moderator.evidence.seal.stamp import stamp_files
from moderator.evidence.seal.token import Token, read_token
from moderator.evidence.vault.folder import FolderVault


@dataclass
class Kept:
    """A vault of three good records with its ledger."""

    vault: FolderVault
    records: list[SealedRecord]
    notebook: Any
    signer: Signer
    cast: Any

    def folder(self, number: int) -> Path:
        """Return one bag's folder."""
        return self.vault.folder(self.records[number].path)

    def check(self, **more: Any) -> Verification:
        """Verify the whole vault."""
        return verify(self.vault.root, workers=1, **more)

    def spoil_picture(self, number: int) -> None:
        """Flip one bit in a picture."""
        self.cast.unlock(self.folder(number))
        picture = self.folder(number) / "data" / "screenshot.png"
        content = bytearray(picture.read_bytes())
        content[len(content) // 2] ^= 1
        picture.write_bytes(bytes(content))

    def rewrite_ledger(self, digests: dict[str, str]) -> Head:
        """Chain a whole new ledger that tells the story with other manifests."""
        self.notebook.path.unlink()
        fresh = self.cast.Notebook(self.notebook.path, self.notebook.school, self.signer.public_key)
        head: Head = fresh.head
        for record in self.records:
            if record.record_id in digests:
                second = hashlib.sha512((self.vault.folder(record.path) / "manifest-sha512.txt").read_bytes()).hexdigest()
                head = fresh.sealed(replace(record, manifest_sha256=digests[record.record_id], manifest_sha512=second))
        return head


@pytest.fixture
def kept(vault: FolderVault, still: Any, notebook: Any, signer: Signer, cast: Any) -> Kept:
    recorder = still()
    records = [recorder.seal(cast.make_evidence(f"Comment number {at}, rather rude.", comment_id=str(at))) for at in range(3)]
    for record in records:
        notebook.sealed(record)
    return Kept(vault, records, notebook, signer, cast)


@pytest.fixture
def stamped(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault, still: Any, notebook: Any, signer: Signer, cast: Any, authority: Any
) -> Kept:
    recorder = still(authorities=(authority.http(),))
    records = []
    for at in range(2):
        recorder._clock.moment = datetime.now(UTC)  # noqa: SLF001 - the test's own clock, kept beside the authority's
        records.append(recorder.seal(cast.make_evidence(f"Comment number {at}, rather rude.", comment_id=str(at))))
        notebook.sealed(records[-1])
    return Kept(vault, records, notebook, signer, cast)


def codes(found: Verification) -> set[str]:
    return {fault.code for fault in found.faults}


def test_a_good_vault_has_no_fault(kept: Kept) -> None:
    seen: list[int] = []
    found = kept.check(head=kept.notebook.head, progress=seen.append)
    assert found == Verification(3)
    assert seen == [1, 2, 3]
    assert verify(kept.vault.root / "oakfield").checked == 3
    assert verify(kept.folder(0)) == Verification(1)


def test_attack_1_an_altered_picture_is_caught(kept: Kept) -> None:
    kept.spoil_picture(1)
    found = kept.check()
    assert [(fault.code, fault.where) for fault in found.faults] == [("altered", f"{kept.records[1].path}/data/screenshot.png")]
    assert codes(verify(kept.folder(1))) == {"altered"}


def test_attack_2_an_altered_picture_with_manifests_recomputed_is_caught(kept: Kept) -> None:
    kept.spoil_picture(1)
    kept.cast.reseal(kept.folder(1))
    assert codes(kept.check()) == {"signature", "not_as_sealed"}
    kept.cast.reseal(kept.folder(1), Signer.generate())
    assert codes(kept.check()) == {"signature", "not_as_sealed"}
    kept.cast.reseal(kept.folder(1), kept.signer)
    assert codes(kept.check()) == {"not_as_sealed"}


def test_attack_3_the_same_with_a_fresh_stamp_is_caught(stamped: Kept, authority: Any, cast: Any) -> None:
    assert stamped.check().ok
    stamped.spoil_picture(0)
    cast.reseal(stamped.folder(0))
    assert "stamp" in codes(stamped.check())
    token = cast.stamp_by(authority.folder, (stamped.folder(0) / "manifest-sha256.txt").read_bytes())
    (stamped.folder(0) / "manifest-sha256.txt.tsa.tsr").write_bytes(token)
    assert {"signature", "not_as_sealed"} <= codes(stamped.check())


def test_a_stamp_an_hour_after_the_capture_is_caught_unless_the_ledger_tells_of_it(
    still: Any, notebook: Any, cast: Any, authority: Any, vault: FolderVault
) -> None:
    authority.mode = "busy"
    recorder = still(authorities=(authority.http(),), clock=cast.TickingClock(datetime.now(UTC) - timedelta(hours=1)))
    record = recorder.seal(cast.make_evidence())
    assert record.stamp_pending
    notebook.sealed(record)
    assert verify(vault.root).ok
    authority.mode = "good"
    vault.add(record.path, stamp_files([authority.http()], vault.open(record.path, "manifest-sha256.txt")).files)
    assert codes(verify(vault.root)) == {"stamp_time"}
    notebook.add(Event.RESTAMPED, record.record_id, authority="tsa", chain_sha256="0" * 64)
    assert codes(verify(vault.root)) == {"stamp_time"}, "a line about another chain tells of another stamp"
    chain = hashlib.sha256(authority.chain).hexdigest()
    notebook.add(Event.RESTAMPED, record.record_id, authority="tsa", chain_sha256=chain)
    assert verify(vault.root) == Verification(1)


def test_a_record_that_a_crash_kept_out_of_the_ledger_for_a_while_is_no_fault(
    still: Any, cast: Any, authority: Any, vault: FolderVault, notebook: Any
) -> None:
    recorder = still(authorities=(authority.http(),))
    evidence = cast.make_evidence(comment_id="1")
    recorder._clock.moment = datetime.now(UTC)  # noqa: SLF001 - the test's own clock, kept beside the authority's
    recorder.seal(evidence)  # and the power goes before its line is written
    time.sleep(1.1)
    recorder._clock.moment = datetime.now(UTC)  # noqa: SLF001 - the same
    notebook.sealed(recorder.seal(cast.make_evidence(comment_id="2")))
    late = recorder.seal(evidence)
    assert late.found
    notebook.sealed(late)
    assert codes(verify(vault.root)) == set()


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what moves the times of the stamps by minutes, a record each, as if they had been given then."""

    def move(kept: Kept, *minutes: int) -> None:
        each = {(kept.folder(at) / "manifest-sha256.txt").read_bytes(): timedelta(minutes=by) for at, by in enumerate(minutes)}

        def read(token: bytes, chain: bytes, data: bytes) -> Token:
            said = read_token(token, chain, data)
            return replace(said, at=said.at + each[data])

        monkeypatch.setattr(stamps, "read_token", read)

    return move


@pytest.mark.parametrize(("first", "second", "found"), [(9, -9, {"stamp_order"}), (4, -4, set()), (-9, 9, set())])
def test_a_stamp_older_than_that_of_an_earlier_record_is_caught_unless_two_workers_could_seal_so(
    stamped: Kept, moved: Callable[..., None], first: int, second: int, found: set[str]
) -> None:
    moved(stamped, first, second)
    assert codes(stamped.check()) == found


@pytest.mark.parametrize(("first", "second"), [(9, -9), (-9, 9)])
def test_a_stamp_that_came_late_stands_where_the_ledger_tells_of_it_and_accuses_no_other_record(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault,
    still: Any,
    notebook: Any,
    signer: Signer,
    cast: Any,
    authority: Any,
    moved: Callable[..., None],
    first: int,
    second: int,
) -> None:
    recorder = still(authorities=(authority.http(),))
    records = []
    for number, mode in enumerate(("busy", "good")):
        authority.mode = mode
        recorder._clock.moment = datetime.now(UTC)  # noqa: SLF001 - the test's own clock, kept beside the authority's
        records.append(recorder.seal(cast.make_evidence(comment_id=str(number))))
        notebook.sealed(records[-1])
    path = records[0].path
    vault.add(path, stamp_files([authority.http()], vault.open(path, "manifest-sha256.txt")).files)
    notebook.add(Event.RESTAMPED, records[0].record_id, authority="tsa", chain_sha256=hashlib.sha256(authority.chain).hexdigest())
    late = Kept(vault, records, notebook, signer, cast)
    moved(late, first, second)
    assert late.check() == Verification(2)


def test_attack_4_a_deleted_middle_record_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(1))
    shutil.rmtree(kept.folder(1))
    assert codes(kept.check()) == {"record_gone"}
    assert codes(verify(kept.vault.root / "oakfield")) == {"record_gone"}
    lines = kept.notebook.path.read_text().splitlines(keepends=True)
    kept.notebook.path.write_text("".join(line for line in lines if kept.records[1].record_id not in line))
    assert "ledger_chain" in codes(kept.check())


def test_lawful_disposal_is_no_fault(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(1))
    shutil.rmtree(kept.folder(1))
    kept.notebook.add(Event.DISPOSED, kept.records[1].record_id, approved_by="DES-2")
    assert kept.check() == Verification(2, disposed=1)


def test_attack_5_last_record_and_last_ledger_lines_deleted_is_caught_by_the_digests_head(kept: Kept) -> None:
    digest_head = kept.notebook.head
    kept.cast.unlock(kept.folder(2))
    shutil.rmtree(kept.folder(2))
    lines = kept.notebook.path.read_text().splitlines(keepends=True)
    kept.notebook.path.write_text("".join(line for line in lines if kept.records[2].record_id not in line))
    assert kept.check().ok
    assert codes(kept.check(head=digest_head)) == {"head"}
    assert codes(kept.check(head=Head(0, digest_head.hash))) == {"head"}


def test_attack_6_a_record_rewritten_and_everything_rechained_and_restamped_is_caught_by_the_digests_head(
    stamped: Kept, authority: Any
) -> None:
    digest_head = stamped.notebook.head
    stamped.spoil_picture(0)
    digest = stamped.cast.reseal(stamped.folder(0), stamped.signer)
    token = stamped.cast.stamp_by(authority.folder, (stamped.folder(0) / "manifest-sha256.txt").read_bytes())
    (stamped.folder(0) / "manifest-sha256.txt.tsa.tsr").write_bytes(token)
    second = (stamped.folder(1) / "manifest-sha256.txt").read_bytes()
    stamped.cast.unlock(stamped.folder(1))
    (stamped.folder(1) / "manifest-sha256.txt.tsa.tsr").write_bytes(stamped.cast.stamp_by(authority.folder, second))
    stamped.rewrite_ledger({stamped.records[0].record_id: digest, stamped.records[1].record_id: stamped.records[1].manifest_sha256})
    assert stamped.check().ok, "an insider with the key can do this: only the digest knows"
    assert codes(stamped.check(head=digest_head)) == {"head"}


def test_attack_7_a_stamp_from_an_untrusted_authority_is_caught(stamped: Kept, tmp_path: Path, authority: Any) -> None:
    rogue = tmp_path / "rogue"
    stamped.cast.make_authority(rogue)
    folder = stamped.folder(0)
    stamped.cast.unlock(folder)
    token = stamped.cast.stamp_by(rogue, (folder / "manifest-sha256.txt").read_bytes())
    (folder / "manifest-sha256.txt.tsa.tsr").write_bytes(token)
    assert codes(stamped.check()) == {"stamp"}
    shutil.copy(rogue / "chain.pem", folder / "tsa-chain.pem")
    assert codes(stamped.check()) == {"stamp_untrusted"}
    assert codes(stamped.check(trusted_chain=authority.chain)) == {"stamp"}


def test_attack_8_a_record_moved_to_another_school_is_caught(kept: Kept) -> None:
    other = kept.vault.root / "elmfield" / "2026"
    other.mkdir(parents=True)
    kept.cast.Notebook(kept.notebook.path.with_name("ledger-elmfield.jsonl"), "elmfield", kept.signer.public_key)
    kept.cast.unlock(kept.vault.root)
    kept.folder(1).rename(other / kept.records[1].record_id)
    assert codes(kept.check()) == {"wrong_school", "not_in_ledger", "record_gone"}


def test_a_record_under_another_name_or_year_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.vault.root)
    year = kept.vault.root / "oakfield" / "2026"
    (year / kept.records[1].record_id).rename(year / "R-AAAAAAAAAAAAAAAA")
    (kept.vault.root / "oakfield" / "2025").mkdir()
    (year / kept.records[2].record_id).rename(kept.vault.root / "oakfield" / "2025" / kept.records[2].record_id)
    assert codes(kept.check()) == {"wrong_record", "not_in_ledger", "wrong_year", "record_gone"}


def test_the_same_record_twice_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.vault.root)
    shutil.copytree(kept.folder(1), kept.vault.root / "oakfield" / "2027" / kept.records[1].record_id)
    assert {"twice", "wrong_year"} == codes(kept.check())


@pytest.mark.parametrize("name", ["screenshot.png", "record.json"])
def test_attack_9_a_symlink_in_a_bag_is_not_followed(kept: Kept, tmp_path: Path, name: str) -> None:
    kept.cast.unlock(kept.folder(0))
    real = kept.folder(0) / "data" / name
    away = tmp_path / "away"
    real.rename(away)
    real.symlink_to(away)
    assert {"link", "missing"} <= codes(kept.check())


def test_attack_9_a_symlinked_record_year_or_school_is_not_followed(kept: Kept, tmp_path: Path) -> None:
    kept.cast.unlock(kept.vault.root)
    for at, folder in enumerate([kept.folder(0), kept.folder(0).parent, kept.folder(0).parent.parent]):
        away = tmp_path / f"away{at}"
        folder.rename(away)
        folder.symlink_to(away)
        assert {"link", "record_gone"} == codes(kept.check())
        folder.unlink()
        away.rename(folder)


@pytest.mark.parametrize("path", ["data/../../../secret.txt", "/etc/hostname", "data//x", "data/sub/x", "../record.json", "data/.."])
def test_attack_9_a_manifest_that_points_outside_is_caught_and_nothing_is_opened(kept: Kept, path: str) -> None:
    folder = kept.folder(0)
    kept.cast.unlock(folder)
    with (folder / "manifest-sha256.txt").open("a") as manifest:
        manifest.write(f"{'0' * 64}  {path}\n")
    found = kept.check()
    assert "outside" in codes(found)
    with (folder / "tagmanifest-sha256.txt").open("a") as manifest:
        manifest.write(f"{'0' * 64}  {path}\n")
    assert sum(fault.code == "outside" for fault in kept.check().faults) == 2


def test_attack_9_devices_pipes_and_strange_folders_are_never_opened(kept: Kept) -> None:
    folder = kept.folder(0)
    kept.cast.unlock(folder)
    os.mkfifo(folder / "pipe")
    (folder / "more").mkdir()
    (folder / "data" / "inner").mkdir()
    (folder / "data" / "page.html").unlink()
    os.mkfifo(folder / "data" / "page.html")
    found = kept.check()
    assert codes(found) == {"not_plain", "missing", "altered"}
    assert {Path(fault.where).name for fault in found.faults} == {"pipe", "more", "inner", "page.html", "bag-info.txt"}


def test_a_file_added_later_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(0))
    (kept.folder(0) / "data" / "extra.txt").write_text("later")
    (kept.folder(0) / "note.txt").write_text("later")
    assert codes(kept.check()) == {"unlisted", "altered"}


def test_a_tag_file_left_out_of_the_tag_manifest_is_caught(kept: Kept) -> None:
    folder = kept.folder(0)
    kept.cast.unlock(folder)
    tags = (folder / "tagmanifest-sha256.txt").read_text().splitlines(keepends=True)
    (folder / "tagmanifest-sha256.txt").write_text("".join(line for line in tags if "bag-info" not in line))
    (folder / "bagit.txt").write_text("BagIt-Version: 0.97\n")
    assert codes(kept.check()) == {"unlisted", "altered"}


@pytest.mark.parametrize(
    "name",
    [
        "bagit.txt",
        "bag-info.txt",
        "manifest-sha256.txt",
        "manifest-sha256.txt.sig",
        "signing-key.pem",
        "tagmanifest-sha256.txt",
        "data/record.json",
    ],
)
def test_each_missing_file_is_caught(kept: Kept, name: str) -> None:
    kept.cast.unlock(kept.folder(0))
    (kept.folder(0) / name).unlink()
    assert "missing" in codes(kept.check())
    assert "missing" in codes(verify(kept.folder(0)))


def test_a_missing_data_folder_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(0))
    shutil.rmtree(kept.folder(0) / "data")
    assert "missing" in codes(kept.check())


def test_huge_manifests_and_files_are_refused_with_bounded_memory(kept: Kept) -> None:
    kept.cast.unlock(kept.vault.root)
    os.truncate(kept.folder(0) / "manifest-sha256.txt", 50 * 1024**3)
    os.truncate(kept.folder(1) / "data" / "screenshot.png", 50 * 1024**3)
    line = f"{'0' * 64}  data/x\n"
    (kept.folder(2) / "manifest-sha256.txt").write_text(line * 5000)
    tracemalloc.start()
    found = kept.check()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {"not_plain", "unreadable", "too_many", "manifest"} <= codes(found)
    assert peak < 20 * 1024**2


def test_a_folder_of_very_many_files_is_refused(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(0))
    for at in range(1100):
        (kept.folder(0) / "data" / f"f{at}").touch()
    assert "too_many" in codes(kept.check())


@pytest.mark.parametrize("text", ["[]", "{}", "not json", '{"captured_utc": 5}', "null"])
def test_facts_that_say_nothing_are_caught(kept: Kept, text: str) -> None:
    kept.cast.unlock(kept.folder(0))
    (kept.folder(0) / "data" / "record.json").write_text(text)
    kept.cast.reseal(kept.folder(0), kept.signer)
    assert codes(kept.check()) == {"facts", "not_as_sealed"}


def test_a_manifest_line_that_is_no_line_is_caught(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(0))
    with (kept.folder(0) / "manifest-sha256.txt").open("a") as manifest:
        manifest.write("zzz data/x\n")
    assert "manifest" in codes(kept.check())


def test_a_large_payload_file_is_streamed(kept: Kept) -> None:
    kept.cast.unlock(kept.folder(0))
    (kept.folder(0) / "data" / "page.html").write_bytes(b"x" * 3_000_000)
    facts = json.loads((kept.folder(0) / "data" / "record.json").read_text())
    (kept.folder(0) / "data" / "record.json").write_text(json.dumps(facts | {"text": "y" * 400_000}))
    kept.cast.reseal(kept.folder(0), kept.signer)
    assert codes(kept.check()) == {"not_as_sealed"}


def test_stray_files_in_the_vault_are_told(kept: Kept) -> None:
    kept.cast.unlock(kept.vault.root)
    (kept.vault.root / "notes.txt").touch()
    (kept.vault.root / "oakfield" / "2026" / "R-short").mkdir()
    found = kept.check()
    assert codes(found) == {"stray"}
    assert [fault.where for fault in found.faults] == ["notes.txt", "oakfield/2026/R-short"]


def test_a_bad_key_file_in_a_lone_record_is_caught(kept: Kept, tmp_path: Path) -> None:
    lone = tmp_path / "lone" / kept.records[0].record_id
    shutil.copytree(kept.folder(0), lone)
    kept.cast.unlock(lone)
    assert verify(lone) == Verification(1), "without a ledger a record is checked with its own key"
    assert verify(lone, ledger=kept.notebook.path) == Verification(1)
    (lone / "signing-key.pem").write_text("nonsense")
    assert codes(verify(lone)) == {"signature", "altered"}
    lone.rename(lone.with_name("renamed"))
    assert "wrong_record" in codes(verify(lone.with_name("renamed")))


def test_many_records_are_checked_by_several_processes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderator.evidence.check.many._WORTH_IT", 2)
    monkeypatch.setattr("moderator.evidence.check.many._BATCH", 1)
    monkeypatch.setattr("moderator.evidence.check.many._AHEAD", 0)
    kept.spoil_picture(2)
    found = verify(kept.vault.root, workers=2)
    assert found.checked == 3
    assert codes(found) == {"altered"}


@pytest.fixture(autouse=True)
def _tidy(tmp_path: Path, cast: Any) -> Iterator[None]:
    yield
    cast.unlock(tmp_path)


def test_without_shared_memory_records_are_checked_in_this_process(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("moderator.evidence.check.many._WORTH_IT", 1)
    monkeypatch.setattr("moderator.evidence.check.many.ProcessPoolExecutor", closed)
    assert verify(kept.vault.root, workers=2).ok

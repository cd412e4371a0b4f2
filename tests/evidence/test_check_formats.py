"""Format 2: seal.json, SHA-512, encrypted files, disposal and holds, as the check sees them; and what cannot pass as format 1."""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.events import Event
from moderator.domain.record import SealedRecord, Verification
from moderator.evidence.check.facts import disagreements, facts_of_record, facts_of_seal
from moderator.evidence.check.places import place_in_vault
from moderator.evidence.check.verify import verify, verify_records
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault


@dataclass
class One:
    """One sealed record with its ledger."""

    vault: FolderVault
    record: SealedRecord
    notebook: Any
    signer: Signer
    cast: Any

    @property
    def folder(self) -> Path:
        """The bag."""
        return self.vault.folder(self.record.path)

    def codes(self, **more: Any) -> set[str]:
        """Return the codes of the whole vault's check."""
        return {fault.code for fault in verify(self.vault.root, workers=1, **more).faults}

    def seal(self) -> dict[str, Any]:
        """Return seal.json."""
        found: dict[str, Any] = json.loads((self.folder / "data" / "seal.json").read_text())
        return found

    def reseal(self, seal: dict[str, Any] | None = None) -> set[str]:
        """Write seal.json and sign everything anew, as an insider with the key could; return the codes then."""
        self.cast.unlock(self.vault.root)
        if seal is not None:
            (self.folder / "data" / "seal.json").write_text(json.dumps(seal))
        self.cast.reseal(self.folder, self.signer)
        return self.codes() - {"not_as_sealed"}


@pytest.fixture
def one(vault: FolderVault, still: Any, notebook: Any, signer: Signer, cast: Any) -> One:
    record = still(keys=cast.HeldKeys()).seal(cast.make_evidence())
    notebook.sealed(record)
    return One(vault, record, notebook, signer, cast)


@pytest.fixture
def clear(vault: FolderVault, still: Any, notebook: Any, signer: Signer, cast: Any) -> One:
    record = still().seal(cast.make_evidence())
    notebook.sealed(record)
    return One(vault, record, notebook, signer, cast)


def test_encrypted_and_clear_records_verify(one: One, still: Any, cast: Any) -> None:
    second = still().seal(cast.make_evidence(comment_id="99"))
    one.notebook.sealed(second)
    found = verify(one.vault.root, head=one.notebook.head)
    assert found == Verification(2)
    assert [(each.school, each.head) for each in found.ledgers] == [("oakfield", one.notebook.head)]
    assert found.complete
    assert not verify(one.folder).complete


@pytest.mark.parametrize("gone", [("manifest-sha512.txt",), ("tagmanifest-sha512.txt",), ("manifest-sha512.txt", "tagmanifest-sha512.txt")])
def test_the_second_manifests_cannot_be_taken_away(one: One, gone: tuple[str, ...]) -> None:
    one.cast.unlock(one.vault.root)
    for name in gone:
        (one.folder / name).unlink()
    if len(gone) > 1:
        names = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "manifest-sha256.txt.sig", "signing-key.pem")
        tags = (one.folder / "tagmanifest-sha256.txt").read_text().splitlines(keepends=True)
        (one.folder / "tagmanifest-sha256.txt").write_text("".join(line for line in tags if line.split()[1] in names))
    assert "missing" in one.codes()
    assert "missing" in {fault.code for fault in verify(one.folder).faults}


def test_a_record_stripped_to_format_1_is_told(one: One) -> None:
    one.cast.unlock(one.vault.root)
    for name in ("manifest-sha512.txt", "tagmanifest-sha512.txt", "data/seal.json"):
        (one.folder / name).unlink()
    found = {fault.code for fault in verify(one.folder).faults}
    assert {"downgraded", "missing"} <= found, "the signed manifest still names seal.json"
    assert one.reseal() == {"facts"}, "without it there are no facts at all"
    assert "not_as_sealed" in one.codes()


def test_a_clear_record_made_anew_in_format_1_is_told_by_the_ledger(clear: One) -> None:
    clear.cast.unlock(clear.vault.root)
    for name in ("manifest-sha512.txt", "tagmanifest-sha512.txt", "data/seal.json"):
        (clear.folder / name).unlink()
    facts = json.loads((clear.folder / "data" / "record.json").read_text())
    (clear.folder / "data" / "record.json").write_text(json.dumps({**facts, "format": 1}))
    assert clear.reseal() == set()
    assert clear.codes() == {"not_as_sealed"}


def test_the_second_manifest_is_checked_too(one: One) -> None:
    one.cast.unlock(one.vault.root)
    manifest = one.folder / "manifest-sha512.txt"
    text = manifest.read_text()
    manifest.write_text(text.replace(text[:8], "00000000", 1))
    found = verify(one.vault.root)
    assert {fault.code for fault in found.faults} == {"altered", "not_as_sealed"}
    assert any("SHA-512 differs from the second manifest" in fault.what for fault in found.faults)
    assert any("another SHA-512 manifest" in fault.what for fault in found.faults)
    manifest.write_text("".join(text.splitlines(keepends=True)[1:]))
    assert any("do not list the same files" in fault.what for fault in verify(one.vault.root).faults)


def test_a_ledger_without_the_second_hash_does_not_fit_format_2(one: One) -> None:
    one.notebook.path.unlink()
    fresh = one.cast.Notebook(one.notebook.path, "oakfield", one.signer.public_key)
    fresh.add(Event.SUBMITTED, one.record.record_id)
    fresh.add(Event.SEALED, one.record.record_id, manifest_sha256=one.record.manifest_sha256)
    assert one.codes() == {"not_as_sealed"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"format": 3}, "format"),
        ({"format": 1}, "format"),
        ({"captured_utc": "2026-19-39T00:00:00.000000Z"}, "facts"),
        ({"captured_utc": 5}, "facts"),
        ({"capture_kind": "seen_in_a_dream"}, "facts"),
        ({"school": "elmfield"}, "wrong_school"),
        ({"record_id": "R-BBBBBBBBBBBBBBBB"}, "wrong_record"),
        ({"first_seen_utc": "2025-01-01T00:00:00.000000Z"}, "wrong_year"),
        ({"encryption": None}, "facts"),
        ({"encryption": {}}, "facts"),
        ({"encryption": 5}, "facts"),
    ],
)
def test_a_seal_that_does_not_fit_is_told(one: One, change: dict[str, Any], code: str) -> None:
    assert one.reseal({**one.seal(), **change}) == {code}


@pytest.mark.parametrize(
    "change",
    [
        {"cipher": "rot13"},
        {"key_sha256": "zz"},
        {"key_sha256": None},
        {"files": {}},
        {"files": []},
        {"files": {"record.json": "00" * 16}},
        {"files": {"../x": "00" * 16}},
        {"files": {"a": "00" * 16, "b": "00" * 16}},
    ],
)
def test_an_encryption_that_does_not_fit_is_told(one: One, change: dict[str, Any]) -> None:
    seal = one.seal()
    assert one.reseal({**seal, "encryption": {**seal["encryption"], **change}}) == {"facts"}


def test_a_plain_file_beside_encrypted_ones_is_told(one: One) -> None:
    one.cast.unlock(one.vault.root)
    (one.folder / "data" / "extra.txt").write_text("plain")
    assert one.reseal() == {"facts"}


def test_a_clear_record_whose_two_accounts_differ_is_told(clear: One) -> None:
    clear.cast.unlock(clear.vault.root)
    path = clear.folder / "data" / "record.json"
    path.write_text(path.read_text().replace('"software": "', '"software": "other '))
    assert clear.reseal() == {"facts"}
    path.write_text("{")
    assert clear.reseal() == {"facts"}
    path.unlink()
    assert clear.reseal() == {"facts"}


def test_json_that_could_mislead_or_swell_is_refused() -> None:
    good = {"captured_utc": "2026-11-02T00:00:00.000000Z", "sealed_utc": "2026-11-02T00:00:00.000000Z", "capture_kind": "live_page"}
    text = json.dumps({"format": 1, **good, "first_seen_utc": "2026-11-02T00:00:00.000000Z", "requests_blocked": "many"})
    assert not facts_of_record(text.encode()).faults
    assert facts_of_record(text.encode()).requests_blocked == 0
    bad = [
        text.replace("{", '{"format": 1, ', 1),
        text.replace('"many"', "NaN"),
        text.replace('"many"', "9" * 5000),
        text.replace('"many"', "[" * 100_000 + "]" * 100_000),
        text.replace('"many"', "[" + "[]," * 400_000 + "1]"),
        text.replace("many", "x" * 9_000_000),
        text.replace("live_page", "\udcff").encode("utf-8", "surrogatepass").decode("latin-1"),
        "",
        "[]",
    ]
    for each in bad:
        assert [code for code, _, _ in facts_of_record(each.encode("latin-1")).faults] == ["facts"], each[:80]
    assert [code for code, _, _ in facts_of_seal(text.encode()).faults] == ["format"]
    assert disagreements(text.encode(), text.encode()) == []


def test_r30_a_disposed_record_still_verifies_and_is_counted(one: One) -> None:
    one.notebook.add(Event.DISPOSED, one.record.record_id, approved_by="DES-9")
    assert verify(one.vault.root) == Verification(1, disposed=1), "encrypted files without a key are no fault: an older backup"
    one.vault.dispose(one.record.path)
    assert verify(one.vault.root, head=one.notebook.head) == Verification(1, disposed=1)
    assert verify(one.folder) == Verification(1, disposed=1)
    one.cast.unlock(one.vault.root)
    shutil.rmtree(one.folder)
    assert verify(one.vault.root) == Verification(0, disposed=1)


@pytest.mark.parametrize("name", ["data/seal.json", "manifest-sha256.txt", "manifest-sha256.txt.sig", "tagmanifest-sha512.txt"])
def test_r30_the_proof_of_a_disposed_record_must_stay(one: One, name: str) -> None:
    one.notebook.add(Event.DISPOSED, one.record.record_id, approved_by="DES-9")
    one.vault.dispose(one.record.path)
    one.cast.unlock(one.vault.root)
    (one.folder / name).unlink()
    assert "missing" in one.codes()


def test_r30_a_clear_record_disposed_of_must_be_gone(clear: One) -> None:
    clear.notebook.add(Event.DISPOSED, clear.record.record_id, approved_by="DES-9")
    found = verify(clear.vault.root)
    assert {fault.code for fault in found.faults} == {"disposed_still_there"}
    assert {Path(fault.where).name for fault in found.faults} >= {"record.json", "screenshot.png"}
    clear.vault.dispose(clear.record.path)
    assert verify(clear.vault.root) == Verification(1, disposed=1)
    clear.cast.unlock(clear.vault.root)
    (clear.folder / "data" / "VERIFY.txt").unlink(missing_ok=True)
    assert verify(clear.vault.root) == Verification(1, disposed=1), "its guide names the place, so it may be gone as well"


def test_r30_a_disposed_record_of_format_1_verifies(tmp_path: Path, cast: Any) -> None:
    shutil.copytree(Path(__file__).parent / "golden" / "1", tmp_path / "old")
    cast.unlock(tmp_path / "old")
    ledger = tmp_path / "old" / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    head = verify(tmp_path / "old" / "vault").ledgers[0].head
    notebook = cast.Notebook.__new__(cast.Notebook)
    notebook.path, notebook.school, notebook.head, notebook.moment = ledger, "oakfield", head, datetime.now(UTC)
    bags = sorted((tmp_path / "old" / "vault").glob("*/*/R-*"))
    for bag in bags:
        notebook.add(Event.DISPOSED, bag.name, actor_note="x", approved_by="DES-9")
        for path in (bag / "data").iterdir():
            if path.name != "VERIFY.txt":
                path.unlink()
    assert len(ledger.read_text().splitlines()) == len(lines) + len(bags)
    assert verify(tmp_path / "old" / "vault") == Verification(4, disposed=4)


def test_r30_a_disposal_by_one_person_or_under_a_hold_is_told(one: One) -> None:
    one.notebook.add(Event.LEGAL_HOLD, one.record.record_id)
    one.notebook.add(Event.LEGAL_HOLD, one.record.record_id)
    one.notebook.add(Event.LEGAL_HOLD_RELEASED, one.record.record_id)
    one.notebook.add(Event.DISPOSED, one.record.record_id, approved_by="service")
    assert one.codes() == {"disposed_by_one", "disposed_under_hold"}
    assert verify(one.vault.root).disposed == 1


def test_given_records_are_checked_against_a_ledger_and_a_missing_one_is_told(one: One, cast: Any, still: Any) -> None:
    second = still().seal(cast.make_evidence(comment_id="99"))
    one.notebook.sealed(second)
    places = [place_in_vault(one.vault.source(each.path), each.path) for each in (one.record, second)]
    heads = {"oakfield": (one.notebook.head,)}
    assert verify_records(iter(places), ledger=one.notebook.path, heads=heads) == Verification(2)
    assert verify_records(places[:1], ledger=one.notebook.path) == Verification(1), "records that are not given are not looked for"
    one.cast.unlock(one.vault.root)
    shutil.rmtree(one.folder)
    found = verify_records(places, ledger=one.notebook.path, heads={"elmfield": heads["oakfield"]})
    assert [fault.code for fault in found.faults] == ["head", "record_gone"]
    assert found.checked == 1
    one.notebook.add(Event.DISPOSED, one.record.record_id, approved_by="DES-9")
    assert verify_records(places, ledger=one.notebook.path) == Verification(1, disposed=1)


def test_a_record_signed_while_the_key_changed_is_good(one: One, still: Any, cast: Any) -> None:
    """It was flagged under the old key, sealed under it, and written in the ledger after the change: a crash lay between."""
    import base64  # noqa: PLC0415 - this test alone

    fresh = Signer.generate()
    record = still().seal(cast.make_evidence(comment_id="7"))
    one.notebook.add(Event.FLAGGED, record.record_id)
    signature = base64.b64encode(one.signer.sign(fresh.public_key.encode())).decode()
    one.notebook.add(Event.KEY_ROTATED, "ledger", public_key=fresh.public_key, previous_signature=signature)
    one.notebook.sealed(record)
    assert verify(one.vault.root) == Verification(2)


@pytest.mark.parametrize("signature", ["", "not base64 !", "AAAA"])
def test_a_key_changed_without_the_old_ones_signature_is_told(one: One, still: Any, cast: Any, signature: str) -> None:
    fresh = Signer.generate()
    one.notebook.add(Event.KEY_ROTATED, "ledger", public_key=fresh.public_key, previous_signature=signature)
    one.notebook.sealed(still(key=fresh).seal(cast.make_evidence(comment_id="7")))
    assert one.codes() == {"key_rotation", "signature"}


def test_a_first_key_that_is_none_rotates_to_nothing(one: One, cast: Any) -> None:
    for key in ("nonsense", "AAAA"):
        one.notebook.path.unlink()
        book = cast.Notebook(one.notebook.path, "oakfield", key)
        book.add(Event.KEY_ROTATED, "ledger", public_key=one.signer.public_key, previous_signature="AAAA")
        assert {"key_rotation", "not_in_ledger"} <= one.codes()


def test_more_faults_than_can_be_read_are_cut(one: One, monkeypatch: pytest.MonkeyPatch) -> None:
    one.cast.unlock(one.vault.root)
    for number in range(300):
        (one.folder / f"x{number}").touch()
    found = verify(one.vault.root)
    assert [fault.code for fault in found.faults] == ["unlisted"] * 100 + ["too_many"]
    monkeypatch.setattr("moderator.evidence.check.verify.MAX_FAULTS", 5)
    assert [fault.code for fault in verify(one.vault.root).faults] == ["unlisted"] * 5 + ["too_many"]
    assert os.path.exists(one.folder)  # noqa: PTH110 - nothing was taken away

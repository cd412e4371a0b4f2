"""VERIFY.txt as a stranger uses it: its own commands, in a clean folder, with bash, the core utilities and openssl alone."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stranger import Did, commands, follow, pack_up, tools

from moderator.domain.events import Event
from moderator.evidence.capture.rendering import environment
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.guide import guide
from moderator.evidence.seal.renewal import chain_name, list_name, renewal_list, token_name
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault


def guide_of(folder: Path) -> str:
    return (folder / "data" / "VERIFY.txt").read_text()


def said(done: list[Did], step: int) -> str:
    return "".join(each.printed for each in done if each.step == step)


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("stamped", [True, False])
def test_every_command_of_the_guide_runs_and_says_what_the_guide_says(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault, still: Any, cast: Any, notebook: Any, authority: Any, tmp_path: Path, *, encrypted: bool, stamped: bool
) -> None:
    keys = cast.HeldKeys() if encrypted else None
    recorder = still(authorities=(authority.http(),) if stamped else (), keys=keys, clock=cast.TickingClock())
    record = recorder.seal(cast.make_evidence())
    head = notebook.sealed(record)
    clean = pack_up([vault.folder(record.path)], notebook.path, tmp_path / "clean")
    if keys is not None:
        (clean / "key.txt").write_text(keys.keys[record.record_id].hex() + "\n")
    guide = guide_of(clean / record.record_id)
    done = follow(guide, clean, tools(tmp_path / "bin"))
    assert [each for each in done if each.status] == []
    assert said(done, 1) == "1a ok\n1b ok\n"
    payload = len(list((clean / record.record_id / "data").iterdir()))
    assert said(done, 2).count(": OK\n") == 2 * payload + 2 * 6
    assert said(done, 3).startswith("FOUND {")
    assert said(done, 3).endswith(f"head {head.seq}:{head.hash}\n")
    assert said(done, 4) == "Signature Verified Successfully\n"
    assert ("named by the record or the ledger\n" in said(done, 5) and "Verification: OK" in said(done, 5)) is stamped
    assert said(done, 6) == ""
    if encrypted:
        assert said(done, 7) == "this is the record's key\n"
        assert f'"text": "{cast.make_evidence().item.comment.text}"' in (clean / "opened" / "record.json").read_text()
        assert (clean / "opened" / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    assert said(done, 8 if encrypted else 7) + said(done, 9 if encrypted else 8) == ""
    assert verify(vault.root, head=head).ok


def test_an_encrypted_records_guide_names_no_place_and_no_time_of_posting(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    record = still(keys=cast.HeldKeys()).seal(evidence)
    guide = guide_of(vault.folder(record.path))
    for secret in (evidence.item.comment.place, "2026-10-25", "Posted", evidence.item.comment.author.handle):
        assert secret not in guide
    assert record.record_id in guide


def test_another_key_is_told(vault: FolderVault, still: Any, cast: Any, notebook: Any, tmp_path: Path) -> None:
    record = still(keys=cast.HeldKeys()).seal(cast.make_evidence())
    notebook.sealed(record)
    clean = pack_up([vault.folder(record.path)], notebook.path, tmp_path / "clean")
    (clean / "key.txt").write_text("ab" * 32)
    done = follow(guide_of(clean / record.record_id), clean, tools(tmp_path / "bin"))
    assert said(done, 7).startswith("ANOTHER KEY")


def test_after_a_key_change_the_right_key_is_taken_and_the_change_is_checked(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault, still: Any, cast: Any, notebook: Any, signer: Signer, tmp_path: Path
) -> None:
    fresh = Signer.generate()
    first = still().seal(cast.make_evidence(comment_id="1"))
    notebook.sealed(first)
    signature = base64.b64encode(signer.sign(fresh.public_key.encode())).decode()
    notebook.add(Event.KEY_ROTATED, "ledger", public_key=fresh.public_key, previous_signature=signature)
    second = still(key=fresh).seal(cast.make_evidence(comment_id="2"))
    notebook.sealed(second)
    assert verify(vault.root).ok
    for number, record in enumerate((first, second)):
        clean = pack_up([vault.folder(record.path)], notebook.path, tmp_path / f"clean{number}")
        done = follow(guide_of(clean / record.record_id), clean, tools(tmp_path / "bin"))
        assert said(done, 4) == "Signature Verified Successfully\n" * 2, number
    forged = notebook.path.read_text().replace(signature, base64.b64encode(b"x" * 64).decode())
    (clean / notebook.path.name).write_text(forged)
    done = follow(guide_of(clean / second.record_id), clean, tools(tmp_path / "bin"))
    assert said(done, 4).count("Signature Verified Successfully") == 1
    assert "BROKEN after line" in said(done, 3)


def test_a_renewal_is_checked_with_its_own_stamp_and_the_one_before(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault, still: Any, cast: Any, notebook: Any, authority: Any, tmp_path: Path
) -> None:
    record = still(authorities=(authority.http(),), clock=cast.TickingClock(datetime.now(UTC))).seal(cast.make_evidence())
    notebook.sealed(record)
    for number in (2, 3):
        content = renewal_list(vault.names(record.path), number, lambda name: vault.open(record.path, name))
        token, chain = authority.http().stamp(content, hashed_by="sha512")
        vault.add(record.path, {list_name(number): content, token_name("tsa", number): token, chain_name("tsa", number): chain})
        digests = {"chain_sha256": hashlib.sha256(chain).hexdigest(), "list_sha256": hashlib.sha256(content).hexdigest()}
        notebook.add(Event.RESTAMPED, record.record_id, authority="tsa", round=number, **digests)
    assert verify(vault.root).ok
    clean = pack_up([vault.folder(record.path)], notebook.path, tmp_path / "clean")
    done = follow(guide_of(clean / record.record_id), clean, tools(tmp_path / "bin"))
    assert said(done, 6).count("Verification: OK") == 2
    assert said(done, 6).count("was still good") == 2
    assert (
        said(done, 6).count(": OK") == 2 + 4 + 7
    )  # two stamps; manifests, stamp and chain; the same with list, stamp and chain of round 2
    (clean / record.record_id / "renewal-0002-sha512.txt").chmod(0o644)
    (clean / record.record_id / "renewal-0002-sha512.txt").write_bytes(b"")
    done = follow(guide_of(clean / record.record_id), clean, tools(tmp_path / "bin"))
    assert "was still good" not in said(done, 6)


def test_a_disposed_record_says_so(vault: FolderVault, still: Any, cast: Any, notebook: Any, tmp_path: Path) -> None:
    record = still(keys=cast.HeldKeys()).seal(cast.make_evidence())
    notebook.sealed(record)
    notebook.add(Event.LEGAL_HOLD, record.record_id, reference="H-1")
    notebook.add(Event.LEGAL_HOLD_RELEASED, record.record_id, reference="H-1")
    notebook.add(Event.DISPOSED, record.record_id, approved_by="DES-9")
    vault.dispose(record.path)
    clean = pack_up([vault.folder(record.path)], notebook.path, tmp_path / "clean")
    done = follow(guide_of(clean / record.record_id), clean, tools(tmp_path / "bin"))
    assert said(done, 8).count("\n") == 3
    assert '"approved_by":"DES-9"' in said(done, 8)
    assert said(done, 3).startswith("FOUND")
    assert said(done, 4) == "Signature Verified Successfully\n"
    assert "data/seal.json: OK" in said(done, 2)
    assert "data/record.json.enc: FAILED open or read" in said(done, 2)


def test_the_guide_of_what_a_person_handed_in_says_so(cast: Any) -> None:
    facts = {
        "record_id": "R-AAAAAAAAAAAAAAAA", "origin": "submitted_by_person", "capture_kind": "submitted_by_person", "school": "oakfield",
        "school_name": "Oakfield", "place": "a chat\n   $ rm -rf /tmp/none", "posted_utc": "",
    }  # fmt: skip
    text = guide(environment(cast.TEMPLATES), facts, ledger="ledger.jsonl").decode()
    assert "A member of staff handed these files in" in text
    assert "\nHanded in " in text
    assert "\nPosted" not in text
    assert not [command for _, command in commands(text) if "rm -rf" in command]

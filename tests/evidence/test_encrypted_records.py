"""Encryption at rest (R30): the payload is ciphertext under the record's own key, and opens with openssl alone."""

import json
import subprocess
from hashlib import sha256
from typing import Any

import pytest

from moderator.domain.errors import BadInput, NotAllowed
from moderator.evidence.seal.cipher import decrypt, encrypt
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.keyed import KeyedVault


@pytest.fixture
def keys(cast: Any) -> Any:
    return cast.HeldKeys()


def test_r30_nothing_personal_stands_in_clear(vault: FolderVault, still: Any, keys: Any, cast: Any) -> None:
    evidence = cast.make_evidence("You are a useless lot, Mr Brindle.")
    record = still(keys=keys).seal(evidence)
    folder = vault.folder(record.path)
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for personal in ("Brindle", "grumbler", "A. Grumbler", evidence.item.comment.place, "Sports day"):
        assert personal.encode() not in stored, personal
    assert sorted(path.name for path in (folder / "data").iterdir()) == [
        "VERIFY.txt", "api-headers.json.enc", "api-response.json.enc", "decision.json.enc", "page.html.enc", "record.json.enc",
        "screenshot.png.enc", "seal.json",
    ]  # fmt: skip


def test_a_keyed_vault_opens_what_the_plain_one_cannot(vault: FolderVault, still: Any, keys: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    record = still(keys=keys).seal(evidence)
    keyed = KeyedVault(vault, keys)
    with pytest.raises(BadInput, match=r"there is no data/record\.json"):
        vault.open(record.path, "data/record.json")
    facts = json.loads(keyed.open(record.path, "data/record.json"))
    assert facts["text"] == evidence.item.comment.text
    assert keyed.open(record.path, "data/screenshot.png").startswith(b"\x89PNG")
    assert keyed.open(record.path, "bagit.txt").startswith(b"BagIt")
    seal = json.loads(keyed.open(record.path, "data/seal.json"))
    assert {name: seal[name] for name in seal if name != "encryption"} == {name: facts[name] for name in seal if name != "encryption"}
    for missing in ("data/nothing.json", "nothing.txt"):
        with pytest.raises(BadInput, match="there is no"):
            keyed.open(record.path, missing)


def test_a_stranger_with_the_key_opens_a_file_with_openssl(vault: FolderVault, still: Any, keys: Any, cast: Any) -> None:
    record = still(keys=keys).seal(cast.make_evidence())
    key = keys.get(record.record_id)
    said = json.loads(vault.open(record.path, "data/seal.json"))["encryption"]
    assert said["key_sha256"] == sha256(key).hexdigest()
    command = ["openssl", "enc", "-d", f"-{said['cipher']}", "-K", key.hex(), "-iv", said["files"]["record.json"]]
    opened = subprocess.run(
        command, input=vault.open(record.path, "data/record.json.enc"), capture_output=True, check=True, timeout=30
    ).stdout
    assert opened == KeyedVault(vault, keys).open(record.path, "data/record.json")


def test_a_record_made_twice_is_the_same_record(still: Any, keys: Any, cast: Any) -> None:
    first = still(keys=keys).seal(cast.make_evidence())
    assert still(keys=keys).seal(cast.make_evidence()) == first
    assert first.manifest_sha512


def test_r30_without_its_key_a_record_stays_shut(vault: FolderVault, still: Any, keys: Any, cast: Any) -> None:
    record = still(keys=keys).seal(cast.make_evidence())
    keyed = KeyedVault(vault, keys)
    keys.keys[record.record_id] = None
    with pytest.raises(BadInput, match="its key was destroyed"):
        keyed.open(record.path, "data/record.json")
    keys.keys[record.record_id] = bytes(32)
    with pytest.raises(BadInput, match="not the one this record was made with"):
        keyed.open(record.path, "data/record.json")
    keys.keys["R-AAAAAAAAAAAAAAAA"] = None
    with pytest.raises(NotAllowed):
        keys.make("R-AAAAAAAAAAAAAAAA", "oakfield")


@pytest.mark.parametrize("seal", [b"{", b"{}", b'{"encryption":{"files":{"a":"zz"}}}', b'{"encryption":[]}'])
def test_a_seal_that_does_not_say_how_is_refused(seal: bytes) -> None:
    with pytest.raises(BadInput, match="does not say how a is encrypted"):
        decrypt("a", b"x", seal, bytes(32))


def test_each_file_has_a_counter_of_its_own_and_any_bytes_come_back() -> None:
    payload = {"a": b"same", "b": b"same", "empty": b"", "large": bytes(100_003)}
    stored, counters, said = encrypt(payload, bytes(range(32)))
    assert len(set(counters.values())) == len(payload)
    assert stored["a.enc"] != stored["b.enc"]
    seal = json.dumps({"encryption": said}).encode()
    assert {name: decrypt(name, stored[f"{name}.enc"], seal, bytes(range(32))) for name in payload} == payload

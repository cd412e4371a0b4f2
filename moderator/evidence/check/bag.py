"""The check of one bag, with bounded memory and no link followed. Called by the recorder and, many at once, by `verify`."""

import base64
import json
import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from moderator.domain.errors import BadInput
from moderator.domain.record import CaptureKind, Fault
from moderator.evidence.check.reading import NotPlain, hash_file, listed, listing, read_small
from moderator.evidence.check.walk import UTC_TEXT
from moderator.evidence.seal.bag import BAGIT, KEY, SIGNATURE, TAG_MANIFEST, sha256
from moderator.evidence.seal.stamp import signature_holds, token_time
from moderator.evidence.vault.folder import MANIFEST

MAX_FACTS = 8 * 1024 * 1024
"""Bytes of record.json read for its facts (our choice): the longest post with its thread takes well under one."""
_TAGS = {"bagit.txt", "bag-info.txt", MANIFEST, SIGNATURE, KEY}
_STAMP_END, _CHAIN_END = ".tsr", "-chain.pem"


@dataclass(frozen=True, slots=True)
class BagTask:
    """What to check: the folder, the school and record id its place says ("" when it says none), and the keys that may have signed it.

    No keys: the bag's own key file is taken. `chains` are SHA-256 of authority chains the ledger vouches for, beside the record's own
    list; `trusted` a chain in PEM that every stamp must lead to.
    """

    folder: str
    school: str
    record: str
    keys: tuple[str, ...] = ()
    year: str = ""
    chains: frozenset[str] = frozenset()
    trusted: bytes | None = None


@dataclass(frozen=True, slots=True)
class BagFound:
    """What the check of one bag found. `tokens` are (authority, time in the stamp); the texts are from record.json."""

    record: str
    school: str
    manifest_sha256: str
    captured_utc: str
    sealed_utc: str
    tokens: tuple[tuple[str, datetime], ...]
    faults: tuple[Fault, ...]


class _Faults(list[Fault]):
    """The faults of one bag, gathered under its name."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def add(self, code: str, what: str, name: str = "") -> None:
        self.append(Fault(code, f"{self.where}/{name}" if name else self.where, what))


def check_bag(task: BagTask) -> BagFound:
    """Return what one bag is and everything wrong with it. Never raises for a bad bag.

    1. Only plain files and the folder `data`; nothing else is opened.
    2. Both manifests, both ways: all listed files are there with their hash, all present files are listed.
    3. bagit.txt and bag-info.txt; the signature over the manifest.
    4. record.json agrees with the place it lies in. Each stamp, at its own time.
    """
    faults = _Faults("/".join(part for part in (task.school, task.year, task.record) if part) or task.folder)
    try:
        handle = os.open(task.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        faults.add("not_a_folder", f"This is not a folder that can be read: {error.strerror}.")
        return BagFound(task.record, task.school, "", "", "", (), tuple(faults))
    try:
        return _checked(task, handle, faults)
    finally:
        os.close(handle)


def _checked(task: BagTask, handle: int, faults: _Faults) -> BagFound:
    tags = listing(handle, faults.add, folders={"data"})
    small = {name: _small(handle, name, faults) for name in sorted(_TAGS | {TAG_MANIFEST})}
    manifest = small[MANIFEST]
    facts = _payload(handle, manifest, faults)
    _tag_files(handle, tags, small, faults)
    _info(small, facts, faults)
    _signature(task, small, faults)
    record = _record(task, facts.get("record.json", b""), faults)
    tokens = _tokens(task, handle, tags, manifest, record, faults)
    return BagFound(
        record=str(record.get("record_id", task.record)),
        school=str(record.get("school", task.school)),
        manifest_sha256=sha256(manifest),
        captured_utc=str(record.get("captured_utc", "")),
        sealed_utc=str(record.get("sealed_utc", "")),
        tokens=tokens,
        faults=tuple(faults),
    )


def _small(handle: int, name: str, faults: _Faults) -> bytes:
    try:
        return read_small(handle, name)
    except FileNotFoundError:
        faults.add("missing", f"{name} is missing.", name)
    except NotPlain as error:
        faults.add("not_plain", str(error), name)
    except OSError as error:
        faults.add("unreadable", f"{name} cannot be read: {error.strerror}.", name)
    return b""


def _payload(handle: int, manifest: bytes, faults: _Faults) -> dict[str, bytes]:
    """Check every payload file; return record.json's bytes and the sizes' sum under ``oxum``."""
    wanted = listed(manifest, "data/", MANIFEST, faults.add)
    kept: dict[str, bytes] = {}
    try:
        data = os.open("data", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
    except OSError:
        faults.add("missing", "The folder data is missing or is not a folder.", "data")
        return kept
    try:
        present = listing(data, lambda code, what, name: faults.add(code, what, f"data/{name}"), folders=set())
        total = _compare(data, wanted, present, kept, faults)
    finally:
        os.close(data)
    kept["oxum"] = f"{total}.{len(present)}".encode()
    return kept


def _compare(data: int, wanted: dict[str, str], present: set[str], kept: dict[str, bytes], faults: _Faults) -> int:
    total = 0
    for name in sorted(present - wanted.keys()):
        faults.add("unlisted", f"The manifest does not list data/{name}: it was added later.", f"data/{name}")
    for name, digest in wanted.items():
        if name not in present:
            faults.add("missing", f"data/{name} is listed in the manifest and is not there.", f"data/{name}")
            continue
        try:
            found, size, content = hash_file(data, name, keep=MAX_FACTS if name == "record.json" else 0)
        except OSError as error:
            faults.add("unreadable", f"data/{name} cannot be read: {error.strerror or error}.", f"data/{name}")
            continue
        total += size
        if content:
            kept[name] = content
        if found != digest:
            faults.add("altered", f"data/{name} is not what was sealed: its SHA-256 differs from the manifest.", f"data/{name}")
    return total


def _tag_files(handle: int, tags: set[str], small: dict[str, bytes], faults: _Faults) -> None:
    wanted = listed(small[TAG_MANIFEST], "", TAG_MANIFEST, faults.add)
    for name in sorted(_TAGS - wanted.keys()):
        faults.add("unlisted", f"The tag manifest does not list {name}.", name)
    for name in sorted(tags - wanted.keys() - {TAG_MANIFEST, "data"}):
        if not _stamp_file(name, tags):
            faults.add("unlisted", f"{name} does not belong in a record.", name)
    for name, digest in wanted.items():
        if name not in tags:
            faults.add("missing", f"{name} is listed in the tag manifest and is not there.", name)
            continue
        try:
            found = sha256(small[name]) if name in small else hash_file(handle, name, keep=0)[0]
            if found != digest:
                faults.add("altered", f"{name} is not what was sealed: its SHA-256 differs from the tag manifest.", name)
        except OSError as error:
            faults.add("unreadable", f"{name} cannot be read: {error.strerror or error}.", name)


def _stamp_file(name: str, tags: set[str]) -> bool:
    """Return whether a file outside the tag manifest is a stamp, or the chain of one. A chain alone is what a crash can leave."""
    return (name.startswith(f"{MANIFEST}.") and name.endswith(_STAMP_END) and f"{_authority(name)}{_CHAIN_END}" in tags) or name.endswith(
        _CHAIN_END
    )


def _authority(name: str) -> str:
    return name.removeprefix(f"{MANIFEST}.").removesuffix(_STAMP_END)


def _info(small: dict[str, bytes], kept: dict[str, bytes], faults: _Faults) -> None:
    if small["bagit.txt"] not in {b"", BAGIT}:
        faults.add("altered", "bagit.txt is not that of a BagIt 1.0 bag.", "bagit.txt")
    lines = small["bag-info.txt"].splitlines()
    if lines and small[MANIFEST] and b"Payload-Oxum: " + kept.get("oxum", b"") not in lines:
        faults.add("altered", "bag-info.txt gives another size or number of files than data holds.", "bag-info.txt")


@lru_cache(maxsize=64)
def _public_key(key: str) -> Ed25519PublicKey | None:
    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except ValueError:
        return None
    return found if isinstance(found, Ed25519PublicKey) else None


@lru_cache(maxsize=64)
def _key_of_bag(pem: bytes) -> Ed25519PublicKey | None:
    try:
        found = load_pem_public_key(pem)
    except ValueError:
        return None
    return found if isinstance(found, Ed25519PublicKey) else None


def _signature(task: BagTask, small: dict[str, bytes], faults: _Faults) -> None:
    signature, manifest = small[SIGNATURE], small[MANIFEST]
    if not signature or not manifest:
        return
    keys = [_public_key(key) for key in task.keys] if task.keys else [_key_of_bag(small[KEY])]
    if not any(key is not None and signature_holds(key, signature, manifest) for key in keys):
        faults.add("signature", "The signature is not that of the school's key over this manifest.", SIGNATURE)


def _record(task: BagTask, content: bytes, faults: _Faults) -> dict[str, object]:
    name = "data/record.json"
    if not content:
        return {}
    try:
        facts = dict[str, Any](json.loads(content))
        for key in ("captured_utc", "sealed_utc", "first_seen_utc"):
            if not UTC_TEXT.fullmatch(facts[key]):
                raise ValueError(key)  # noqa: TRY301 - the one place that tells of bad facts is just below
        CaptureKind(facts["capture_kind"])
    except (ValueError, TypeError, KeyError, RecursionError):
        faults.add("facts", "record.json does not say what a record must say.", name)
        return {}
    said = str(facts.get("record_id", "")), str(facts.get("school", "")), str(facts["first_seen_utc"])[:4]
    if task.record and said[0] != task.record:
        faults.add("wrong_record", f"The folder says {task.record}, record.json says {said[0]}.", name)
    if task.school and said[1] != task.school:
        faults.add("wrong_school", f"The record lies with the school {task.school} and says it is of {said[1]}.", name)
    if task.year and said[2] != task.year:
        faults.add("wrong_year", f"The record lies in {task.year} and was first seen in {said[2]}.", name)
    return facts


def _tokens(  # noqa: PLR0913, PLR0917 - what a stamp is judged by
    task: BagTask, handle: int, tags: set[str], manifest: bytes, record: dict[str, object], faults: _Faults
) -> tuple[tuple[str, datetime], ...]:
    found = []
    for name in sorted(each for each in tags if each.endswith(_STAMP_END)):
        authority = _authority(name)
        chain = _small(handle, f"{authority}{_CHAIN_END}", faults)
        if task.trusted is None and sha256(chain) not in task.chains | _own_chains(record, authority):
            faults.add(
                "stamp_untrusted", f"Nothing vouches for the authority {authority}: neither the record nor the ledger names it.", name
            )
            continue
        try:
            found.append((authority, token_time(_small(handle, name, faults), task.trusted or chain, manifest)))
        except BadInput as error:
            faults.add("stamp", f"The stamp of {authority} does not hold: {error}.", name)
    return tuple(found)


def _own_chains(record: dict[str, object], authority: str) -> set[str]:
    names = record.get("timestamp_authorities")
    if not isinstance(names, list):
        return set()
    return {str(each.get("chain_sha256")) for each in names if isinstance(each, dict) and each.get("name") == authority}

"""A record that is there already: checked in full and taken as it is; and the read-back of a new one. Called by the sealing."""

import hashlib
import json
from collections.abc import Mapping

from moderator.domain.errors import BadInput, EvidenceFailed
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.domain.times import from_utc_text
from moderator.evidence.check.bag import BagTask, check_bag
from moderator.evidence.seal.held import stamps_held
from moderator.evidence.vault.names import MANIFEST_512, SEAL
from moderator.evidence.vault.sourced import SourcedVault
from moderator.observe import happened


def sealed_before(
    vault: SourcedVault, path: str, *, keys: frozenset[str], authorities: bool, chains: frozenset[str] = frozenset()
) -> SealedRecord | None:
    """Return the record already kept at `path`, or None. Its times are read from the bag, so a repeat gives the very same record.

    `chains`: SHA-256 of authority chains that the ledger vouches for, beside the record's own list.
    Raises EvidenceFailed when what is there is damaged or not signed by this service: a person must look. Transient: the vault is away.
    """
    if not vault.taken(path):
        return None
    school, _, record = path.split("/")
    found = check_bag(BagTask(vault.source(path), school, record, tuple(sorted(keys)), chains=chains))
    if found.faults:
        message = f"the record already kept at {path} is damaged: {found.faults[0].what}"
        raise EvidenceFailed(message)
    vault.finish(path)
    facts = json.loads(_facts(vault, path))
    happened("record_found_sealed", record=record)
    return SealedRecord(
        record_id=record,
        path=path,
        manifest_sha256=found.manifest_sha256,
        captured_at=from_utc_text(facts["captured_utc"]),
        sealed_at=from_utc_text(facts["sealed_utc"]),
        capture_kind=CaptureKind(facts["capture_kind"]),
        stamp_pending=authorities and not found.tokens,
        blocked_requests=int(facts["requests_blocked"]),
        manifest_sha512=_sha512(vault, path),
        stamps=stamps_held(vault, path),
        found=True,
    )


def _facts(vault: SourcedVault, path: str) -> bytes:
    """Return the facts that stand in clear: seal.json; in a record of format 1, record.json."""
    try:
        return vault.open(path, SEAL)
    except BadInput:
        return vault.open(path, "data/record.json")


def _sha512(vault: SourcedVault, path: str) -> str:
    try:
        return hashlib.sha512(vault.open(path, MANIFEST_512)).hexdigest()
    except BadInput:
        return ""


def read_back(vault: SourcedVault, path: str, files: Mapping[str, bytes]) -> None:
    """Read every file of a new record from the disk and compare. Raises EvidenceFailed when the disk gives back something else."""
    for name, content in files.items():
        if vault.open(path, name) != content:
            message = f"the record {path} was written and reads back differently: {name}"
            raise EvidenceFailed(message)

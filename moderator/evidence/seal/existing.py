"""A record that is there already: checked in full and taken as it is; and the read-back of a new one. Called by the recorder."""

import json
from collections.abc import Mapping

from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.domain.times import from_utc_text
from moderator.evidence.check.bag import BagTask, check_bag
from moderator.evidence.vault.folder import FolderVault
from moderator.observe import happened


def sealed_before(vault: FolderVault, path: str, *, keys: frozenset[str], authorities: bool) -> SealedRecord | None:
    """Return the record already kept at `path`, or None. Its times are read from the bag, so a repeat gives the very same record.

    Raises EvidenceFailed when what is there is damaged or not signed by this service: a person must look. Transient: the vault is away.
    """
    folder = vault.folder(path)
    if not folder.is_symlink() and not folder.exists():
        if not vault.root.is_dir():
            message = f"the vault {vault.root} cannot be reached"
            raise Transient(message)
        return None
    school, _, record = path.split("/")
    found = check_bag(BagTask(str(folder), school, record, tuple(sorted(keys))))
    if found.faults:
        message = f"the record already kept at {path} is damaged: {found.faults[0].what}"
        raise EvidenceFailed(message)
    vault.finish(path)
    facts = json.loads(vault.open(path, "data/record.json"))
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
    )


def read_back(vault: FolderVault, path: str, files: Mapping[str, bytes]) -> None:
    """Read every file of a new record from the disk and compare. Raises EvidenceFailed when the disk gives back something else."""
    for name, content in files.items():
        if vault.open(path, name) != content:
            message = f"the record {path} was written and reads back differently: {name}"
            raise EvidenceFailed(message)

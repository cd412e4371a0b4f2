"""Sealing any payload into the vault: encrypt, pack, sign, stamp, write durably, read back. Called by the recorders.

What is sealed is a `Draft`: plain files by name, and the facts that may stand in clear on every record (`CLEAR`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from moderator.domain.errors import Transient
from moderator.domain.record import CaptureKind, SealedRecord
from moderator.evidence.seal.bag import CLEAR, Bag, Cover, pack, sha256
from moderator.evidence.seal.canonical import json_bytes
from moderator.evidence.seal.cipher import encrypt
from moderator.evidence.seal.existing import read_back, sealed_before
from moderator.evidence.seal.signer import Signer
from moderator.evidence.seal.stamp import stamp_files
from moderator.evidence.vault.durable import write_all_durably
from moderator.evidence.vault.sourced import SourcedVault
from moderator.evidence.vault.staging import Staging
from moderator.observe import happened, went_wrong
from moderator.ports import RecordKeys, TimestampAuthority

Guide = Callable[[Mapping[str, str] | None], bytes]
"""Writes VERIFY.txt; given the initial counter of each encrypted file by plain name, or None for a record in clear."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sealed: plain files by name (without `data/`), all the facts of record.json, and the outside's organisation.

    `facts` become `record.json`; `facts["sealed_utc"]` and `sealed_at` are the same moment.
    """

    organisation: str
    description: str
    facts: Mapping[str, object]
    payload: Mapping[str, bytes]
    guide: Guide
    captured_at: datetime
    sealed_at: datetime
    capture_kind: CaptureKind
    blocked_requests: int = 0


class Sealing:
    """The way into the vault. One for each process: it holds a place to build bags in."""

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        *,
        vault: SourcedVault,
        signer: Signer,
        authorities: Sequence[TimestampAuthority],
        software: str,
        keys: RecordKeys | None = None,
        retired_keys: Sequence[str] = (),
    ) -> None:
        """Take the parts. With `keys`, the personal payload is encrypted at rest.

        `retired_keys` are public keys (as in the ledger) under which an unfinished item may have been sealed before. Raises Transient
        when the vault is away.
        """
        self._vault, self._signer, self._authorities, self._keys = vault, signer, tuple(authorities), keys
        self._public_keys = frozenset({signer.public_key, *retired_keys})
        self.software = software
        try:
            self._staging = Staging(vault.working_folder)
        except OSError as error:
            message = f"the vault's working folder {vault.working_folder} cannot be written: {error.strerror}"
            raise Transient(message) from error

    def close(self) -> None:
        """Give the working place back; may be repeated."""
        self._staging.close()

    def before(self, path: str, *, chains: frozenset[str] = frozenset()) -> SealedRecord | None:
        """Return the record already kept at `path`, checked in full, or None. Raises as `existing.sealed_before` does."""
        return sealed_before(self._vault, path, keys=self._public_keys, authorities=bool(self._authorities), chains=chains)

    def authorities(self) -> list[dict[str, str]]:
        """Return what a record says of its authorities: each one's name and SHA-256 of its certificate chain."""
        chains = [(each.name, getattr(each, "chain_pem", None)) for each in self._authorities]
        return [{"name": name, "chain_sha256": sha256(chain)} for name, chain in sorted(chains) if isinstance(chain, bytes)]

    def seal(self, path: str, draft: Draft) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        1. Make the record's key, if records are encrypted; write seal.json and VERIFY.txt, which stay in clear.
        2. Pack and sign; ask the authorities for a stamp.
        3. Flush every file and folder, move into the vault, read back and compare.

        Raises EvidenceFailed when the vault gives back something else, Transient when the disk is full or the vault is away; then
        nothing half-written is left. Raises NotAllowed when the record was disposed of, Refused when another bag is at `path`.
        """
        bag = self._bag(draft)
        had = stamp_files(self._authorities, bag.manifest)
        self._keep(path, {**bag.files, **had.files})
        record = str(draft.facts["record_id"])
        happened("record_sealed", record=record, kind=draft.capture_kind.value, stamped=bool(had.stamps))
        return SealedRecord(
            record_id=record,
            path=path,
            manifest_sha256=bag.manifest_sha256,
            captured_at=draft.captured_at,
            sealed_at=draft.sealed_at,
            capture_kind=draft.capture_kind,
            stamp_pending=bool(self._authorities) and not had.stamps,
            blocked_requests=draft.blocked_requests,
            manifest_sha512=bag.manifest_sha512,
            stamps=had.stamps,
        )

    def _bag(self, draft: Draft) -> Bag:
        facts = draft.facts
        stored: dict[str, bytes] = {**draft.payload, "record.json": json_bytes(facts)}
        encryption: dict[str, object] | None = None
        counters: Mapping[str, str] | None = None
        if self._keys is not None:
            key = self._keys.make(str(facts["record_id"]), str(facts["school"]))
            stored, counters, encryption = encrypt(stored, key)
        stored["seal.json"] = json_bytes({name: facts[name] for name in CLEAR} | {"encryption": encryption})
        stored["VERIFY.txt"] = draft.guide(counters)
        cover = Cover(draft.organisation, str(facts["record_id"]), draft.description, draft.sealed_at, self.software)
        return pack(cover, stored, signer=self._signer)

    def _keep(self, path: str, files: dict[str, bytes]) -> None:
        try:
            with self._staging.folder() as folder:
                write_all_durably(folder, files)
                self._vault.put(folder, path)
            read_back(self._vault, path, files)
        except OSError as error:
            went_wrong("record_not_written", reason=error.strerror or type(error).__name__)
            message = f"the record could not be written: {error.strerror or type(error).__name__}"
            raise Transient(message) from error

#!/usr/bin/env python3
"""Make a folder of golden records with the software as it is now. Run by hand, once for each format: `make_golden.py 2`.

Records of every kind: in clear and encrypted, stamped by one authority and by two, without a stamp, stamped late, renewed, sealed before
and after the key was changed, disposed of. What is made is never made again: later versions must verify it as it is (test_golden).
"""

import base64
import hashlib
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import attacks  # noqa: E402 - the tests' own folder, just added

from moderator.domain.events import Event  # noqa: E402 - the same
from moderator.evidence.check.verify import verify  # noqa: E402 - the same
from moderator.evidence.seal.renewal import chain_name, list_name, renewal_list, token_name  # noqa: E402 - the same
from moderator.evidence.seal.signer import Signer  # noqa: E402 - the same
from moderator.evidence.vault.folder import FolderVault  # noqa: E402 - the same


class Maker:
    """Makes records in one vault and writes their ledger."""

    def __init__(self, top: Path, scratch: Path) -> None:
        """Start an empty vault and two authorities."""
        self.cast = attacks.evidence_cast()
        self.vault = FolderVault(top / "vault")
        self.signer, self.keys = Signer.generate(), self.cast.HeldKeys()
        self.notebook = self.cast.Notebook(top / "ledger.jsonl", "oakfield", self.signer.public_key)
        self.first, self.second = (attacks.new_authority(scratch / name, name=name) for name in ("tsa", "tsb"))

    def seal(self, number: int, *authorities: attacks.OfflineAuthority, encrypted: bool) -> str:
        """Seal one record, write its lines and return its path."""
        clock = self.cast.TickingClock(datetime.now(UTC))
        keys = self.keys if encrypted else None
        recorder = self.cast.still_on(self.vault, self.signer, clock=clock, authorities=authorities, keys=keys)
        record = recorder.seal(self.cast.make_evidence(f"Golden comment {number}, rather rude.", comment_id=str(100 + number)))
        recorder.close()
        self.notebook.sealed(record)
        return str(record.path)

    def restamp(self, path: str, number: int, by: attacks.OfflineAuthority) -> None:
        """Stamp a record late (round 1) or renew its stamps, and write the line."""
        facts: dict[str, str | int] = {"authority": by.name, "chain_sha256": hashlib.sha256(by.chain_pem).hexdigest(), "round": number}
        if number == 1:
            token, chain = by.stamp(self.vault.open(path, list_name(1)))
            files: dict[str, bytes] = {}
        else:
            content = renewal_list(self.vault.names(path), number, lambda name: self.vault.open(path, name))
            token, chain = by.stamp(content, hashed_by="sha512")
            files = {list_name(number): content}
            facts["list_sha256"] = hashlib.sha256(content).hexdigest()
        self.vault.add(path, {**files, token_name(by.name, number): token, chain_name(by.name, number): chain})
        self.notebook.add(Event.RESTAMPED, path.rpartition("/")[2], at=datetime.now(UTC), **facts)

    def rotate(self) -> None:
        """Change the signing key."""
        fresh = Signer.generate()
        signature = base64.b64encode(self.signer.sign(fresh.public_key.encode())).decode()
        self.notebook.add(Event.KEY_ROTATED, "ledger", public_key=fresh.public_key, previous_signature=signature)
        self.signer = fresh


def make(top: Path, scratch: Path) -> None:
    """Make the records, the ledger and `head.txt`; check them."""
    maker = Maker(top, scratch)
    maker.seal(1, maker.first, encrypted=False)
    maker.seal(2, maker.first, maker.second, encrypted=True)
    late = maker.seal(3, encrypted=True)
    maker.restamp(late, 1, maker.first)
    renewed = maker.seal(4, maker.first, encrypted=True)
    maker.restamp(renewed, 2, maker.second)
    maker.restamp(renewed, 3, maker.first)
    maker.rotate()
    maker.seal(5, maker.first, encrypted=True)
    gone = maker.seal(6, maker.first, encrypted=True)
    record = gone.rpartition("/")[2]
    maker.notebook.add(Event.LEGAL_HOLD, record)
    maker.notebook.add(Event.LEGAL_HOLD_RELEASED, record)
    maker.notebook.add(Event.DISPOSED, record, approved_by="DES-9")
    maker.vault.dispose(gone)
    head = maker.notebook.head
    (top / "head.txt").write_text(f"{head.seq}:{head.hash}\n")
    found = verify(top / "vault", head=head)
    if not found.ok or found.disposed != 1:
        raise SystemExit(str(found.faults))
    attacks.evidence_cast().unlock(top)
    leftover = top / "vault" / ".tmp"
    if leftover.exists():
        subprocess.run(["rm", "-r", str(leftover)], check=True)


if __name__ == "__main__":
    target = Path(__file__).parent / "golden" / sys.argv[1]
    target.mkdir()
    with tempfile.TemporaryDirectory() as scratch_folder:
        make(target, Path(scratch_folder))

"""The bag of one record: BagIt 1.0 (RFC 8493) with a signature. Called by the recorder; read by the check."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moderator.domain.record import Evidence
from moderator.evidence.seal.stamp import Signer
from moderator.evidence.vault.folder import MANIFEST

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SIGNATURE = f"{MANIFEST}.sig"
KEY = "signing-key.pem"


@dataclass(frozen=True, slots=True)
class Bag:
    """A finished bag in memory: every file by name, manifests and signature among them."""

    files: Mapping[str, bytes]

    @property
    def manifest(self) -> bytes:
        """The payload manifest: what is signed and stamped."""
        return self.files[MANIFEST]

    @property
    def manifest_sha256(self) -> str:
        """SHA-256 of the payload manifest, as the ledger keeps it."""
        return sha256(self.manifest)


def sha256(content: bytes) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def pack(evidence: Evidence, payload: Mapping[str, bytes], *, sealed_at: datetime, software: str, signer: Signer) -> Bag:
    """Return the bag over `payload` (names without `data/`).

    1. The payload manifest, over every file of `data/`; the signature, over that manifest.
    2. The tag files, and the tag manifest over them. Stamps stay outside it: they come later and prove themselves.
    """
    files = {f"data/{name}": content for name, content in payload.items()}
    manifest = _manifest(files)
    oxum = f"{sum(len(content) for content in files.values())}.{len(files)}"
    tags = {
        "bagit.txt": BAGIT,
        "bag-info.txt": _info(evidence, oxum, sealed_at, software),
        MANIFEST: manifest,
        SIGNATURE: signer.sign(manifest),
        KEY: signer.public_pem,
    }
    return Bag({**files, **tags, TAG_MANIFEST: _manifest(tags)})


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items())).encode()


def _info(evidence: Evidence, oxum: str, sealed_at: datetime, software: str) -> bytes:
    """Return bag-info.txt. It only repeats what `data/record.json` says under the signature."""
    school = evidence.account.school
    lines = (
        ("Source-Organization", f"{school.trust}: {school.name}"),
        ("External-Identifier", evidence.record_id),
        ("External-Description", "Permanent record of one social media comment; see data/VERIFY.txt"),
        ("Bagging-Date", f"{sealed_at:%Y-%m-%d}"),
        ("Payload-Oxum", oxum),
        ("Bag-Software-Agent", software),
    )
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in lines).encode("utf-8", "replace")

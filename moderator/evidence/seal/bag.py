"""The bag of one record: BagIt 1.0 (RFC 8493) with a signature. Called by the sealing; read by the check."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.names import MANIFEST, MANIFEST_512

FORMAT = 2
"""Version of a record's make-up; raised when a key or file changes its meaning. Format 1 had no `seal.json` and no SHA-512."""
CLEAR = (
    "format", "record_id", "school", "nonce", "origin", "first_seen_utc", "captured_utc", "sealed_utc", "capture_kind",
    "requests_blocked", "software", "timestamp_authorities",
)  # fmt: skip
"""Facts of record.json that stand in clear in seal.json too: what a check needs without the key, and no personal data."""
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAG_MANIFEST_512 = "tagmanifest-sha512.txt"
SIGNATURE = f"{MANIFEST}.sig"
KEY = "signing-key.pem"


@dataclass(frozen=True, slots=True)
class Cover:
    """What the outside of the bag says: whose it is, its number, when it was sealed, by which software. No personal data."""

    organisation: str
    record_id: str
    description: str
    sealed_at: datetime
    software: str


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

    @property
    def manifest_sha512(self) -> str:
        """SHA-512 of the second payload manifest, as the ledger keeps it."""
        return hashlib.sha512(self.files[MANIFEST_512]).hexdigest()


def sha256(content: bytes) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def pack(cover: Cover, payload: Mapping[str, bytes], *, signer: Signer) -> Bag:
    """Return the bag over `payload` (names without `data/`).

    1. The payload manifests, over every file of `data/`; the signature, over the first.
    2. The tag files, and the tag manifests over them. Stamps stay outside: they come later and prove themselves.
    """
    files = {f"data/{name}": content for name, content in payload.items()}
    manifest = _manifest(files, "sha256")
    oxum = f"{sum(len(content) for content in files.values())}.{len(files)}"
    tags = {
        "bagit.txt": BAGIT,
        "bag-info.txt": _info(cover, oxum),
        MANIFEST: manifest,
        MANIFEST_512: _manifest(files, "sha512"),
        SIGNATURE: signer.sign(manifest),
        KEY: signer.public_pem,
    }
    return Bag({**files, **tags, TAG_MANIFEST: _manifest(tags, "sha256"), TAG_MANIFEST_512: _manifest(tags, "sha512")})


def _manifest(files: Mapping[str, bytes], kind: str) -> bytes:
    return "".join(f"{hashlib.new(kind, content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()


def _info(cover: Cover, oxum: str) -> bytes:
    """Return bag-info.txt. It only repeats what the payload says under the signature."""
    lines = (
        ("Source-Organization", cover.organisation),
        ("External-Identifier", cover.record_id),
        ("External-Description", cover.description),
        ("Bagging-Date", f"{cover.sealed_at:%Y-%m-%d}"),
        ("Payload-Oxum", oxum),
        ("Bag-Software-Agent", cover.software),
    )
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in lines).encode("utf-8", "replace")

"""Benchmark of sealing, `seal` (DESIGN §9): from facts to a record in the vault, read back. Run by `make bench`, or as a script."""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from moderator.domain.record import CaptureKind
from moderator.evidence.seal.sealing import Draft, Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault

ROUNDS = 5
RECORDS = 60
TARGET = 0.5
"""Of the bare rate (our choice: the issue names none): sealing also encrypts, hashes twice, signs, renames and reads everything back."""
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SIZES = {"screenshot.png": 60_000, "page.html": 12_000, "api-response.json": 2_000, "api-headers.json": 600, "decision.json": 3_000}
"""Bytes of a record's files, as the demo makes them."""


class _Keys:
    """A key a record, in memory."""

    def make(self, record_id: str, school: str) -> bytes:
        """Return a fresh key."""
        del record_id, school
        return secrets.token_bytes(32)

    def get(self, record_id: str) -> bytes | None:
        """Return none: the bench opens nothing."""
        del record_id
        return None


def seal() -> dict[str, object]:
    """Return records sealed a second, encrypted, against a bare loop that writes and flushes files of the same number and sizes."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        top = Path(name)
        vault = FolderVault(top / "vault")
        sealing = Sealing(vault=vault, signer=Signer.generate(), authorities=(), software="bench", keys=_Keys())
        mine: list[float] = []
        bare: list[float] = []
        try:
            numbers = iter(range(10**6))
            last = ""
            for turn in range(ROUNDS + 1):
                start = time.perf_counter()
                for _ in range(RECORDS):
                    last = _seal_one(sealing, next(numbers))
                between = time.perf_counter()
                _write_bare(top / f"bare-{turn}", vault.folder(last))
                ended = time.perf_counter()
                if turn:
                    mine.append(between - start)
                    bare.append(ended - between)
        finally:
            sealing.close()
            subprocess.run(["chmod", "-R", "u+w", name], check=True)  # noqa: S603, S607 - our own temporary folder
    ours, theirs = RECORDS / statistics.median(mine), RECORDS / statistics.median(bare)
    return {
        "ours": round(ours, 2),
        "theirs": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
        "target": TARGET,
        "unit": "records/s",
        "against": "a bare loop: write and fsync each file of the same sizes, then the folders",
    }


def _seal_one(sealing: Sealing, number: int) -> str:
    record = f"R-{number:016d}".translate(str.maketrans("0189", "ABCD"))
    facts: dict[str, object] = {
        "format": 2, "record_id": record, "school": "oakfield", "nonce": secrets.token_hex(16), "origin": "captured_by_service",
        "first_seen_utc": "2026-11-02T09:00:00.000000Z", "captured_utc": "2026-11-02T09:00:00.000000Z",
        "sealed_utc": "2026-11-02T09:00:00.000000Z", "capture_kind": "live_page", "requests_blocked": 3, "software": "bench",
        "timestamp_authorities": [],
    }  # fmt: skip
    payload = {name: os.urandom(size) for name, size in SIZES.items()}
    path = f"oakfield/2026/{record}"
    sealing.seal(path, Draft("Oakfield", "bench", facts, payload, lambda _: b"steps\n" * 700, NOW, NOW, CaptureKind.LIVE_PAGE))
    return path


def _write_bare(folder: Path, like: Path) -> None:
    """Write as many records as were sealed: each file of `like`, by size, flushed; then its folders."""
    files = [(each.relative_to(like), each.stat().st_size) for each in like.rglob("*") if each.is_file()]
    for number in range(RECORDS):
        for name, size in files:
            path = folder / str(number) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(os.urandom(size))
                file.flush()
                os.fsync(file.fileno())
        for inner in (folder / str(number) / "data", folder / str(number), folder):
            handle = os.open(inner, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(seal()) + "\n")

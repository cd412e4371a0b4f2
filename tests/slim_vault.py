"""A vault of any number of small records that all verify, made quickly: what does not differ is a hard link. For tests of size."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain
from moderator.domain.record import record_id
from moderator.domain.times import utc_text
from moderator.evidence.seal.bag import Cover, pack
from moderator.evidence.seal.canonical import json_bytes
from moderator.evidence.seal.signer import Signer

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
_SAME = ("bagit.txt", "signing-key.pem", "data/VERIFY.txt", "data/screenshot.png.enc")


def slim_vault(top: Path, records: int) -> Head:
    """Write `records` records of one school into `top/vault` and their ledger beside it; return the ledger's head."""
    signer, moment = Signer.generate(), NOW
    picture, guide = os.urandom(3000), b"steps\n" * 200
    (top / "same").mkdir(parents=True)
    with (top / "ledger.jsonl").open("w", encoding="ascii") as ledger:
        head = Head(0, GENESIS)

        def note(event: Event, subject: str, **facts: str) -> None:
            nonlocal head, moment
            moment += timedelta(milliseconds=1)
            line, head = chain(head, "oakfield", LedgerEvent(event, moment, subject, facts=dict(facts)))
            ledger.write(line + "\n")

        note(Event.OPENED, "ledger", public_key=signer.public_key)
        for number in range(records):
            record = record_id("oakfield", "x", str(number), "1")
            bag = pack(
                Cover("Oakfield", record, "A record", NOW, "t"),
                {"seal.json": _seal(record), "record.json.enc": os.urandom(64), "screenshot.png.enc": picture, "VERIFY.txt": guide},
                signer=signer,
            )
            _write(top, top / "vault" / "oakfield" / "2026" / record, bag.files)
            note(Event.FLAGGED, record)
            note(Event.CAPTURED, record)
            note(Event.SEALED, record, manifest_sha256=bag.manifest_sha256, manifest_sha512=bag.manifest_sha512)
            note(Event.HIDE_INTENDED, record)
    return head


def _seal(record: str) -> bytes:
    counters = {"record.json": os.urandom(16).hex(), "screenshot.png": os.urandom(16).hex()}
    at = utc_text(NOW)
    return json_bytes({
        "format": 2, "record_id": record, "school": "oakfield", "first_seen_utc": at, "captured_utc": at, "sealed_utc": at,
        "capture_kind": "live_page", "encryption": {"cipher": "aes-256-ctr", "key_sha256": "0" * 64, "files": counters},
    })  # fmt: skip


def _write(top: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    (folder / "data").mkdir(parents=True)
    for name, content in files.items():
        if name not in _SAME:
            (folder / name).write_bytes(content)
            continue
        same = top / "same" / name.replace("/", "-")
        for number in range(10**9):  # a file may have some 65,000 names
            try:
                if not same.exists():
                    same.write_bytes(content)
                os.link(same, folder / name)
                break
            except OSError:
                same = same.with_suffix(f".{number}")


if __name__ == "__main__":
    sys.stdout.write(f"{slim_vault(Path(sys.argv[1]), int(sys.argv[2]))}\n")

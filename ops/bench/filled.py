"""A vault filled with whole records and their ledger, without the flushing that sealing does. Called by bench_evidence; a script for more.

`python ops/bench/filled.py FOLDER 100000` fills FOLDER for a long check by hand; its pictures are hard links, so that it fits.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.sample import NOW, SCHOOL, evidence_of, text_of
from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain
from moderator.domain.record import CaptureKind
from moderator.evidence.capture.panel import framed
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.taken import Capture
from moderator.evidence.seal.bag import CLEAR, Bag, Cover, pack
from moderator.evidence.seal.canonical import json_bytes
from moderator.evidence.seal.cipher import encrypt
from moderator.evidence.seal.facts import decision_facts, record_facts
from moderator.evidence.seal.signer import Signer

_DIFFERENT = 20
"""Different pictures in the vault; drawing one for each record would take minutes and change nothing that is measured."""
_GUIDE = b"steps\n" * 1200


def fill(top: Path, records: int, *, links: bool = False) -> None:
    """Write `records` encrypted records into `top/vault` and their ledger beside it. `links`: pictures are hard links to a few files."""
    signer = Signer.generate()
    with _ledger(top / "ledger.jsonl") as note:
        note(Event.OPENED, "ledger", public_key=signer.public_key)
        for number in range(records):
            record, bag = _bag(number, signer)
            folder = top / "vault" / SCHOOL.slug / "2026" / record
            (folder / "data").mkdir(parents=True)
            for name, content in bag.files.items():
                if links and name == _PICTURE:
                    _link(top / f"picture-{number % _DIFFERENT}", folder / name, content)
                else:
                    (folder / name).write_bytes(content)
            note(Event.FLAGGED, record)
            note(Event.CAPTURED, record)
            note(Event.SEALED, record, manifest_sha256=bag.manifest_sha256, manifest_sha512=bag.manifest_sha512)
            note(Event.HIDE_INTENDED, record)


class _Note:
    """Writes one line of the ledger."""

    def __init__(self, path: Path) -> None:
        self._file, self._head, self._moment = path.open("w", encoding="ascii"), Head(0, GENESIS), NOW

    def __call__(self, event: Event, subject: str, **facts: str) -> None:
        self._moment += timedelta(milliseconds=1)
        line, self._head = chain(self._head, SCHOOL.slug, LedgerEvent(event, self._moment, subject, facts=dict(facts)))
        self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()


@contextmanager
def _ledger(path: Path) -> Iterator[_Note]:
    note = _Note(path)
    try:
        yield note
    finally:
        note.close()


def _link(real: Path, name: Path, content: bytes) -> None:
    if not real.exists():
        real.write_bytes(content)
    os.link(real, name)


_PICTURE = "data/screenshot.png.enc"


def _bag(number: int, signer: Signer) -> tuple[str, Bag]:
    evidence = evidence_of(number, f"http://127.0.0.1/{number}", text_of(number))
    capture, picture, pictures = _picture(number % _DIFFERENT)
    facts = record_facts(evidence, capture, sealed_at=NOW, software="bench", authorities=[])
    payload = {
        "page.html": capture.page,
        "api-response.json": evidence.first_seen.body,
        "api-headers.json": json_bytes({"date": "Mon, 02 Nov 2026 09:00:00 GMT"}),
        "record.json": json_bytes(facts),
        "decision.json": json_bytes(decision_facts(evidence)),
    }
    stored, _, encryption = encrypt(payload, os.urandom(32))
    files: Mapping[str, str] = {**_texts(encryption["files"]), "screenshot.png": pictures}
    seal = {name: facts[name] for name in CLEAR} | {"encryption": {**encryption, "files": dict(files)}}
    stored |= {"screenshot.png.enc": picture, "seal.json": json_bytes(seal), "VERIFY.txt": _GUIDE}
    return evidence.record_id, pack(Cover("Oakfield", evidence.record_id, "A record", NOW, "bench"), stored, signer=signer)


def _texts(files: object) -> dict[str, str]:
    return dict(files) if isinstance(files, dict) else {}


@lru_cache(maxsize=_DIFFERENT)
def _picture(which: int) -> tuple[Capture, bytes, str]:
    """Return a capture, its picture as stored, and the counter it was encrypted with."""
    evidence = evidence_of(which, f"http://127.0.0.1/{which}", text_of(which))
    drawn, _ = draw_still(evidence)
    capture = Capture(CaptureKind.RENDERED_FROM_API, drawn, b"<p>page</p>" * 400, NOW, NOW, "bench", "bench", "bench", blocked={"image": 3})
    stored, counters, _ = encrypt({"screenshot.png": framed(evidence, capture)}, os.urandom(32))
    return capture, stored["screenshot.png.enc"], counters["screenshot.png"]


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]), links=True)

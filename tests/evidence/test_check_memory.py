"""The check of very many records: memory stays flat, nothing is left behind, several processes agree."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from slim_vault import slim_vault

from moderator.domain.events import Event, LedgerEvent, chain
from moderator.evidence.check.index import Index, SaidOfRecord, open_index
from moderator.evidence.check.verify import verify, verify_records


@pytest.fixture(autouse=True)
def _small_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bounded caches fill at once, so that what is measured is what grows."""
    monkeypatch.setattr("moderator.evidence.check.index._RECENT", 20)
    monkeypatch.setattr("moderator.evidence.check.index._FLUSH_STAMPS", 5)
    monkeypatch.setattr("moderator.evidence.check.many._WORTH_IT", 10)


def peak_of(vault: Path) -> int:
    """Return the most Python memory (bytes) a check took beyond what was there."""
    gc.collect()
    tracemalloc.start()
    try:
        found = verify(vault, workers=1)
        assert found.ok, found.faults
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    few, many = 60, 600
    for records in (few, many):
        slim_vault(tmp_path / str(records), records)
    peak_of(tmp_path / str(few) / "vault")  # what is made once is made now
    small, large = peak_of(tmp_path / str(few) / "vault"), peak_of(tmp_path / str(many) / "vault")
    assert large - small < 60_000, f"{(large - small) / (many - few):.0f} bytes a record"


def test_memory_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    peaks = []
    for records in (200, 4000):
        path = tmp_path / f"{records}.jsonl"
        write_ledger(path, records)
        gc.collect()
        tracemalloc.start()
        assert verify_records((), ledger=path).ok
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 60_000, f"{(peaks[1] - peaks[0]) / 3800:.0f} bytes a record"


def write_ledger(path: Path, records: int) -> None:
    """Write a ledger of so many sealed and disposed records."""
    from slim_vault import NOW  # noqa: PLC0415 - this helper alone

    from moderator.domain.events import GENESIS, Head  # noqa: PLC0415 - the same

    head = Head(0, GENESIS)
    with path.open("w", encoding="ascii") as file:
        for event, subject, facts in lines(records):
            line, head = chain(head, "oakfield", LedgerEvent(event, NOW, subject, facts=facts))
            file.write(line + "\n")


def lines(records: int) -> Iterator[tuple[Event, str, dict[str, str | int | bool]]]:
    yield Event.OPENED, "ledger", {"public_key": "k"}
    for number in range(records):
        record = f"R-{number:016d}"
        yield Event.CAPTURED, record, {"capture_kind": "live_page"}
        yield Event.SEALED, record, {"manifest_sha256": f"{number:064x}"}
        yield Event.HIDE_INTENDED, record, {}
    for number in range(records):  # long after its other lines
        yield Event.DISPOSED, f"R-{number:016d}", {"approved_by": "DES-1"}


def test_one_process_and_several_find_the_same_in_the_same_order(tmp_path: Path) -> None:
    head = slim_vault(tmp_path / "v", 90)
    folders = sorted((tmp_path / "v" / "vault" / "oakfield" / "2026").iterdir())
    (folders[7] / "data" / "extra").write_text("x")
    (folders[70] / "manifest-sha512.txt").unlink()
    one, two = (verify(tmp_path / "v" / "vault", workers=workers, head=head) for workers in (1, 2))
    assert one == two
    assert one.checked == 90
    assert {fault.where.split("/")[2] for fault in one.faults} == {folders[7].name, folders[70].name}


def test_what_is_noted_of_a_record_is_kept_however_many_come_between() -> None:
    with open_index() as index:
        index.note(0, "R-1").seq = 7
        for number in range(100):
            index.note(0, f"other{number}").holds += 1
        index.note(0, "R-1").disposed = 9
        for number in range(100):
            index.note(0, f"other{number}").holds += 1
        assert index.of(0, "R-1") == SaidOfRecord(seq=7, disposed=9)
        assert index.of(0, "other5") == SaidOfRecord(holds=2)
        assert index.of(1, "R-1") is None
        assert [index.see(0, "R-1"), index.see(0, "R-1"), index.see(1, "R-1")] == [True, False, True]
        for number in range(12):
            index.stamp(0, "tsa", 12 - number, f"{number:03d}", "somewhere")
        assert [at for _, _, at, _ in index.stamps()] == [f"{number:03d}" for number in reversed(range(12))]


def test_the_index_lies_in_no_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    index = Index()
    for number in range(3000):
        index.note(0, f"R-{number:016d}").captured_at = "x" * 3000
    index.close()
    assert list(tmp_path.iterdir()) == []

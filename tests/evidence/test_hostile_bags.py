"""Folders, bags and ledgers made to hurt: always a fault, nothing followed, nothing written, little memory and time."""

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.events import Event
from moderator.evidence.check.bag import BagTask, check_bag
from moderator.evidence.check.folders import FolderSource
from moderator.evidence.check.reading import NotPlain, stream_hashes
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault

MEASURED = """
import re, sys, time
from pathlib import Path
from moderator.evidence.check.verify import verify
start = time.monotonic()
found = verify(Path(sys.argv[1]), workers=1)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(peak // 1024, round(time.monotonic() - start, 1), *sorted({fault.code for fault in found.faults}))
"""


@dataclass
class Target:
    """A good record that is about to be made hostile."""

    vault: FolderVault
    folder: Path
    ledger: Path
    signer: Signer
    cast: Any

    def codes(self) -> set[str]:
        """Return the codes of the whole check."""
        return {fault.code for fault in verify(self.vault.root, workers=1).faults}

    def measured(self) -> tuple[int, float, set[str]]:
        """Return the peak memory (MiB), the time (s) and the codes of a check in a process of its own."""
        done = subprocess.run([sys.executable, "-c", MEASURED, str(self.vault.root)], capture_output=True, text=True, check=True)
        peak, seconds, *codes = done.stdout.split()
        return int(peak), float(seconds), set(codes)


@pytest.fixture
def target(vault: FolderVault, still: Any, notebook: Any, signer: Signer, cast: Any) -> Iterator[Target]:
    record = still().seal(cast.make_evidence())
    notebook.sealed(record)
    cast.unlock(vault.root)
    yield Target(vault, vault.folder(record.path), notebook.path, signer, cast)
    cast.unlock(vault.root)


def test_a_million_files_are_not_looked_at(target: Target) -> None:
    """Ten thousand stand for them: the check stops at a thousand."""
    for number in range(10_000):
        (target.folder / "data" / f"x{number}").touch()
    start = time.monotonic()
    assert "too_many" in target.codes()
    assert time.monotonic() - start < 5


def test_names_that_are_no_text_are_told_and_can_be_printed(target: Target) -> None:
    for name in (b"\xff\xfe", b"new\nline", b"\x1b[2Jclear", b"x" * 255, "caf\u00e9".encode()):
        Path(os.fsdecode(bytes(target.folder) + b"/data/" + name)).touch()
        Path(os.fsdecode(bytes(target.folder) + b"/" + name)).symlink_to("/etc/passwd")
        Path(os.fsdecode(bytes(target.vault.root) + b"/" + name)).touch()
    found = verify(target.vault.root)
    assert {"unlisted", "link", "stray", "altered"} == {fault.code for fault in found.faults}
    for fault in found.faults:
        text = f"{fault.where} {fault.what}"
        assert text.isascii()
        assert text.isprintable()
        assert len(text) < 600


def test_huge_sparse_files_are_refused_quickly(target: Target) -> None:
    for name in ("record.json", "page.html", "seal.json", "VERIFY.txt"):
        os.truncate(target.folder / "data" / name, 1024**4)
    os.truncate(target.folder / "manifest-sha512.txt", 1024**4)
    peak, seconds, codes = target.measured()
    assert {"unreadable", "not_plain", "facts"} <= codes
    assert peak < 120
    assert seconds < 5


def test_facts_without_end_or_made_to_swell_take_bounded_memory(target: Target) -> None:
    path = target.folder / "data" / "record.json"
    for content in (b"[" * 5_000_000, b'{"a":' * 1_000_000, b"[" + b"[]," * 2_600_000 + b"1]", b'{"n":' + b"9" * 7_000_000 + b"}"):
        path.write_bytes(content)
        (target.folder / "data" / "seal.json").write_bytes(content)
        target.cast.reseal(target.folder, target.signer)
        peak, seconds, codes = target.measured()
        assert codes == {"facts", "not_as_sealed"}
        assert peak < 160
        assert seconds < 5
    os.truncate(path, 200_000_000)
    peak, seconds, codes = target.measured()
    assert "altered" in codes
    assert peak < 160


def test_a_bag_larger_than_any_record_is_left(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderator.evidence.check.bag.MAX_BAG", 1000)
    assert "too_many" in target.codes()


def test_a_ledger_of_one_endless_line_is_torn(target: Target) -> None:
    with target.ledger.open("ab") as file:
        file.truncate(100 * 1024 * 1024)
    peak, seconds, codes = target.measured()
    assert codes == {"ledger_torn"}
    assert peak < 120
    assert seconds < 5


@pytest.mark.parametrize("line", ['{"seq":' * 9000, "[" * 60_000, '{"a":' + "9" * 60_000 + "}", "NaN", '{"seq":NaN}'])
def test_a_line_made_to_hurt_is_no_line(target: Target, line: str) -> None:
    with target.ledger.open("a") as file:
        file.write(line + "\n")
    assert target.codes() == {"ledger_line"}


def test_a_ledger_of_faults_has_an_end(target: Target, cast: Any) -> None:
    book = cast.Notebook(target.ledger.with_name("ledger-elmfield.jsonl"), "elmfield", "key")
    for number in range(1200):
        book.school = f"school{number}"
        book.add(cast.Event.VIEWED, "R-AAAAAAAAAAAAAAAA")
    found = verify(target.vault.root)
    assert sum(fault.code == "ledger_school" for fault in found.faults) == 1000


def test_a_hostile_page_is_never_rendered_and_costs_nothing(target: Target) -> None:
    page = b"<script>fetch('http://127.0.0.1:9/')</script><img src=x onerror=alert(1)>" * 1000
    (target.folder / "data" / "page.html").write_bytes(page)
    program = (
        "import sys, moderator.evidence.check.verify as v\nfrom pathlib import Path\nfound = v.verify(Path(sys.argv[1]), workers=1)\n"
        "print([m for m in ('playwright', 'PIL', 'boto3', 'botocore', 'requests', 'jinja2', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target.vault.root)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n", "what checks a record can neither draw a page nor reach a network"
    assert target.codes() == {"altered"}


def test_a_bag_that_goes_away_or_cannot_be_read_is_told(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = check_bag(BagTask(FolderSource(str(tmp_path / "absent")), "", "R-AAAAAAAAAAAAAAAA"))
    assert ([fault.code for fault in gone.faults], gone.there) == (["record_gone"], False)
    (tmp_path / "file").touch()
    odd = check_bag(BagTask(FolderSource(str(tmp_path / "file")), "", ""))
    assert [fault.code for fault in odd.faults] == ["not_a_folder"]

    real = os.open

    def broken(path: Any, *args: Any, **more: Any) -> int:
        if str(path) in {"page.html", "bagit.txt", "manifest-sha256.txt.tsa.tsr"}:
            raise OSError(5, "Input/output error")
        return real(path, *args, **more)

    (target.folder / "manifest-sha256.txt.tsa.tsr").touch()
    (target.folder / "tsa-chain.pem").touch()
    monkeypatch.setattr(os, "open", broken)
    found = {fault.code: fault.what for fault in verify(target.vault.root, workers=1).faults}
    assert "Input/output error" in found["unreadable"]


def test_a_reader_opens_what_it_is_asked_for_and_no_more(target: Target, tmp_path: Path) -> None:
    with FolderSource(str(target.folder)).open() as reader:
        big = os.urandom(700_000)
        (target.folder / "data" / "big").write_bytes(big)
        kept, left = (reader.digest("data/big", keep=keep, sha512=True) for keep in (700_000, 699_999))
        assert (kept.content, left.content, kept.size, kept[:2]) == (big, b"", 700_000, left[:2])
        os.mkfifo(target.folder / "pipe")
        with pytest.raises(NotPlain, match="not a plain file"):
            reader.small("pipe")
        with pytest.raises(NotPlain, match="larger than any file"):
            stream_hashes([b"x" * 10, b"x" * 10], limit=15, keep=0, sha512=False, name="long")
    with FolderSource(str(tmp_path)).open() as reader, pytest.raises(FileNotFoundError):
        reader.digest("data/record.json", keep=0, sha512=False)


def test_no_room_for_temporary_files_is_said(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3  # noqa: PLC0415 - this test alone

    from moderator.domain.errors import BadInput  # noqa: PLC0415 - the same

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")  # noqa: EM101, TRY003 - as the library says it

    monkeypatch.setattr("moderator.evidence.check.verify._Check.run", full)
    with pytest.raises(BadInput, match="Set TMPDIR"):
        verify(target.vault.root)


def test_the_check_keeps_no_file_open(target: Target) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count
    for _ in range(20):
        verify(target.vault.root, workers=1)
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # noqa: PTH208 - a count


def of_another_kind(signer: Signer) -> bytes:
    """Return the public key in DER, with an object identifier that stands for no kind of key."""
    return base64.b64decode(signer.public_key).replace(bytes.fromhex("06032b6570"), bytes.fromhex("06032b6579"))


def test_a_key_of_an_unknown_kind_signs_nothing(target: Target, cast: Any) -> None:
    der = of_another_kind(target.signer)
    target.ledger.unlink()
    cast.Notebook(target.ledger, "oakfield", base64.b64encode(der).decode())
    assert target.codes() == {"not_in_ledger", "signature"}
    target.ledger.unlink()
    key = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    (target.folder / "signing-key.pem").write_bytes(key)
    assert {fault.code for fault in verify(target.folder).faults} == {"altered", "signature"}


def test_a_key_change_by_a_key_of_an_unknown_kind_is_told(target: Target, cast: Any) -> None:
    target.ledger.unlink()
    book = cast.Notebook(target.ledger, "oakfield", base64.b64encode(of_another_kind(target.signer)).decode())
    book.add(Event.KEY_ROTATED, "ledger", public_key=target.signer.public_key, previous_signature="")
    assert "key_rotation" in target.codes()


def test_a_folder_whose_name_is_no_text_is_told(target: Target, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"\xff\xed")
    target.folder.rename(strange)
    found = verify(strange, ledger=target.ledger)
    assert {fault.code for fault in found.faults} == {"wrong_record", "not_in_ledger"}
    assert all(f"{fault.where}{fault.what}".isascii() for fault in found.faults)

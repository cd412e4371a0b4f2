"""Walking the ledger: the chain, the order of events, and what a path means."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.events import GENESIS, Event, Head
from moderator.domain.record import Verification
from moderator.evidence.check.index import open_index
from moderator.evidence.check.verify import verify
from moderator.evidence.check.walk import head_from, ledger_file, walk
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault


def codes(found: Verification) -> set[str]:
    return {fault.code for fault in found.faults}


def test_an_untouched_ledger_walks_to_its_head(notebook: Any) -> None:
    first = notebook.head
    notebook.add(Event.DIGEST_SENT, "digest-oakfield-2026-11-02")
    other = Head(1, notebook.head.hash)
    with open_index() as index:
        book = walk(ledger_file(notebook.path), (notebook.head, first, Head(0, first.hash), Head(0, GENESIS), other), index)
    assert (book.head, book.school, book.lacking, book.faults) == (notebook.head, "oakfield", {other}, [])


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"actor":"service"', '"actor":"nobody"', "ledger_chain"),
        ('"seq":2', '"seq":9', "ledger_chain"),
        ('"actor":"service"', '"actor": "service"', "ledger_line"),
        ('"event":"viewed"', '"event":"viewed","event":"sealed"', "ledger_line"),
        ('"at":"2', '"at":"x', "ledger_line"),
        ("viewed", "vi\u00e9wed", "ledger_line"),
    ],
)
def test_a_changed_line_is_caught(vault: FolderVault, notebook: Any, old: str, new: str, code: str) -> None:
    notebook.add(Event.VIEWED, "R-AAAAAAAAAAAAAAAA")
    notebook.add(Event.VIEWED, "R-BBBBBBBBBBBBBBBB")
    first, second, third = notebook.path.read_text().splitlines(keepends=True)
    notebook.path.write_text(first + second.replace(old, new) + third, encoding="utf-8")
    assert code in codes(verify(vault.root))


@pytest.mark.parametrize(
    "line", ["[]\n", "{}\n", "nonsense\n", '{"event":[],"subject":1,"at":"2026-11-02T00:00:00.000000Z","school":5}\n', "1" * 70_000]
)
def test_a_line_that_is_none_is_caught(vault: FolderVault, notebook: Any, line: str) -> None:
    with notebook.path.open("a") as file:
        file.write(line)
    assert codes(verify(vault.root)) & {"ledger_line", "ledger_torn", "ledger_chain"}


def say(notebook: Any, **facts: object) -> None:
    """Append a line that follows from the one before it, with facts of any kind."""
    row: dict[str, object] = {"seq": notebook.head.seq + 1, "prev": notebook.head.hash, "at": "2026-11-20T10:00:00.000000Z"}
    row |= {"school": "oakfield", "event": "captured", "subject": "R-BBBBBBBBBBBBBBBB", "actor": "service", "reason": ""} | facts
    with notebook.path.open("a") as file:
        file.write(json.dumps(row, separators=(",", ":")) + "\n")


@pytest.mark.parametrize(
    "facts",
    [
        {"subject": "\ud800"},
        {"event": "restamped", "authority": "\udfff"},
        {"\ud800": 1},
        {"at": "2026-19-39T29:00:00.000000Z"},
        {"at": "2026-02-30T10:00:00.000000Z"},
        {"event": "restamped", "at": "0000-01-01T00:00:00.000000Z"},
    ],
)
def test_half_a_character_and_a_day_that_is_none_are_caught(vault: FolderVault, notebook: Any, facts: dict[str, object]) -> None:
    say(notebook, **facts)
    assert codes(verify(vault.root)) == {"ledger_line"}


def test_a_whole_character_beyond_the_first_plane_is_a_text(vault: FolderVault, notebook: Any) -> None:
    say(notebook, subject="\U0001f600", path="C:\\udder")
    assert verify(vault.root).ok


def test_a_torn_last_line_is_caught(vault: FolderVault, notebook: Any) -> None:
    notebook.add(Event.VIEWED, "R-AAAAAAAAAAAAAAAA")
    notebook.path.write_bytes(notebook.path.read_bytes()[:-10])
    assert codes(verify(vault.root)) == {"ledger_torn"}


def test_a_ledger_must_be_opened_with_its_key(vault: FolderVault, cast: Any, notebook: Any) -> None:
    notebook.path.unlink()
    cast.Notebook(notebook.path, "oakfield", "")
    assert codes(verify(vault.root)) == {"ledger_first"}


def test_a_line_of_another_school_is_caught(vault: FolderVault, notebook: Any) -> None:
    notebook.school = "elmfield"
    notebook.add(Event.VIEWED, "R-AAAAAAAAAAAAAAAA")
    assert codes(verify(vault.root)) == {"ledger_school"}


def test_two_ledgers_of_one_school_are_caught(vault: FolderVault, notebook: Any, cast: Any) -> None:
    cast.Notebook(notebook.path.with_name("ledger-2.jsonl"), "oakfield", notebook.public_key)
    assert codes(verify(vault.root)) == {"ledger_twice"}


def test_r10_a_hide_before_the_seal_is_caught(vault: FolderVault, notebook: Any, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    notebook.add(Event.HIDE_INTENDED, record.record_id)
    notebook.sealed(record, hide=False)
    found = verify(vault.root)
    assert codes(found) == {"hidden_unsealed"}


def test_r10_a_hide_whose_time_is_before_the_seals_is_caught(vault: FolderVault, notebook: Any, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    notebook.sealed(record, hide=False)
    notebook.add(Event.HIDE_INTENDED, record.record_id, at=record.sealed_at - timedelta(seconds=1))
    assert codes(verify(vault.root)) == {"hidden_unsealed"}


def test_sealed_without_capture_and_sealed_twice_are_caught(vault: FolderVault, notebook: Any, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    digests = {"manifest_sha256": record.manifest_sha256, "manifest_sha512": record.manifest_sha512}
    notebook.add(Event.SEALED, record.record_id, **digests)
    notebook.add(Event.SEALED, record.record_id, **digests)
    assert codes(verify(vault.root)) == {"sealed_uncaptured"}
    notebook.add(Event.SEALED, record.record_id, manifest_sha256="0" * 64)
    assert codes(verify(vault.root)) == {"sealed_uncaptured", "sealed_twice"}


def test_a_rotated_key_holds_for_what_follows_only(vault: FolderVault, notebook: Any, still: Any, cast: Any, signer: Signer) -> None:
    fresh = Signer.generate()
    notebook.sealed(still().seal(cast.make_evidence(comment_id="1")))
    signature = base64.b64encode(signer.sign(fresh.public_key.encode())).decode()
    notebook.add(Event.KEY_ROTATED, "ledger", public_key=fresh.public_key, previous_signature=signature)
    notebook.sealed(still(key=fresh).seal(cast.make_evidence(comment_id="2")))
    assert verify(vault.root) == Verification(2)
    notebook.sealed(still().seal(cast.make_evidence(comment_id="3")))
    assert codes(verify(vault.root)) == {"signature"}


def test_a_record_without_a_ledger_is_told(vault: FolderVault, still: Any, cast: Any) -> None:
    still().seal(cast.make_evidence())
    assert codes(verify(vault.root)) == {"no_ledger"}


def test_an_unreadable_ledger_is_bad_input(vault: FolderVault) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        verify(vault.root, ledger=vault.root.parent / "absent.jsonl")


def test_paths_that_are_nothing_to_check_are_bad_input(vault: FolderVault, tmp_path: Path, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    (tmp_path / "link").symlink_to(vault.root)
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "absent", tmp_path / "link"):
        with pytest.raises(BadInput, match="is not a folder"):
            verify(path)
    with pytest.raises(BadInput, match="one year"):
        verify(vault.folder(record.path).parent)
    with pytest.raises(BadInput, match="no record and there is no ledger"):
        verify(tmp_path / "empty")


def test_an_emptied_school_is_not_good(vault: FolderVault, notebook: Any, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    notebook.sealed(record)
    cast.unlock(vault.root)
    cast.shutil.rmtree(vault.root / "oakfield" / "2026")
    assert codes(verify(vault.root / "oakfield")) == {"record_gone"}
    cast.shutil.rmtree(vault.root / "oakfield")
    assert codes(verify(vault.root)) == {"record_gone"}


def test_several_schools_lie_in_one_vault(vault: FolderVault, notebook: Any, still: Any, cast: Any, signer: Signer) -> None:
    recorder = still()
    notebook.sealed(recorder.seal(cast.make_evidence()))
    elm = cast.replace(cast.SCHOOL, slug="elmfield", name="Elmfield")
    other = cast.Notebook(notebook.path.with_name("ledger-elmfield.jsonl"), "elmfield", signer.public_key)
    head = other.sealed(recorder.seal(cast.make_evidence(school=elm)))
    assert verify(vault.root, head=head) == Verification(2)
    assert verify(vault.root / "elmfield") == Verification(1)
    only = verify(vault.root, ledger=notebook.path)
    assert codes(only) == {"no_ledger"}


def test_a_head_is_read_as_the_digest_prints_it() -> None:
    assert head_from("12:" + "a" * 64) == Head(12, "a" * 64)
    assert head_from(" " + "A" * 64 + "\n") == Head(0, "a" * 64)
    for bad in ("", "12", "x:" + "a" * 64, "a" * 63):
        with pytest.raises(BadInput, match="not a ledger head"):
            head_from(bad)


def test_the_ledger_format_is_the_domains(notebook: Any) -> None:
    row = json.loads(notebook.path.read_text())
    assert row["event"] == "opened"
    assert datetime.fromisoformat(row["at"]).tzinfo == UTC

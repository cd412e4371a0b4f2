"""Records made by earlier versions of this software verify for ever: each folder of golden/ was made by one, and is never changed."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from stranger import follow, pack_up, tools

from moderator.domain.events import GENESIS, Head
from moderator.evidence.check.verify import verify
from moderator.evidence.check.walk import head_from

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(path for path in GOLDEN.iterdir() if path.is_dir())
BAGS = [bag for version in VERSIONS for bag in sorted((version / "vault").glob("*/*/R-*"))]


def ledger_of(version: Path) -> Path:
    (found,) = version.glob("ledger*.jsonl")
    return found


def head_of(version: Path) -> Head:
    return head_from((version / "head.txt").read_text())


def disposed(bag: Path) -> bool:
    return f'"event":"disposed","subject":"{bag.name}"' in ledger_of(bag.parents[3]).read_text()


def name(path: Path) -> str:
    return str(path.relative_to(GOLDEN))


@pytest.mark.parametrize("version", VERSIONS, ids=name)
def test_the_records_of_every_version_verify(version: Path) -> None:
    found = verify(version / "vault", ledger=ledger_of(version), head=head_of(version), workers=1)
    assert (found.faults, found.checked) == ((), len(list((version / "vault").glob("*/*/R-*"))))
    assert found.complete
    assert [each.head for each in found.ledgers] == [head_of(version)]
    assert not verify(version / "vault", ledger=ledger_of(version), head=Head(1, GENESIS)).ok, "a head that is not the ledger's is told"


def test_the_first_versions_records_are_all_here() -> None:
    assert len([bag for bag in BAGS if bag.parts[-5:-4] == ("1",)]) == 4


@pytest.mark.parametrize("bag", BAGS, ids=name)
def test_each_golden_record_verifies_by_itself_with_its_ledger(bag: Path) -> None:
    found = verify(bag, ledger=ledger_of(bag.parents[3]))
    assert found.ok, found.faults
    if not disposed(bag) and not any(bag.glob("renewal-*")):  # these two need their ledger
        assert verify(bag).ok, "and without any ledger, by its own key"


@pytest.mark.parametrize("bag", BAGS, ids=name)
def test_each_golden_records_own_guide_still_runs(bag: Path, tmp_path: Path) -> None:
    ledger = ledger_of(bag.parents[3])
    clean = pack_up([bag], ledger, tmp_path / "clean")
    guide = (bag / "data" / "VERIFY.txt").read_text()
    if (bag / "data" / "seal.json").exists():
        done = follow(guide, clean, tools(tmp_path / "bin"))
        opening = {each.step for each in done if " key.txt" in each.command}
        results = [(each.status, each.printed) for each in done if each.step not in opening and "NOT HERE" not in each.command]
    else:  # format 1's guide also asked for sed and grep
        results = [run(line, clean) for line in re.findall(r"^   \$ (.+)$", guide, re.MULTILINE)]
    if disposed(bag):  # its payload is gone, and step 2 says so
        results = [(0 if "FAILED open or read" in text else status, text.replace("FAILED open or read", "")) for status, text in results]
    printed = "".join(text for _, text in results)
    assert [status for status, _ in results if status] == [], printed
    assert "Signature Verified Successfully" in printed
    assert "FAILED" not in printed
    assert "BROKEN" not in printed
    head = head_of(bag.parents[3])
    assert f"head {head.seq}:{head.hash}" in printed
    assert ("Verification: OK" in printed) is any(bag.glob("*.tsr"))


def run(line: str, at: Path) -> tuple[int, str]:
    """Run a command with the programs of the system's own folders."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    done = subprocess.run(["bash", "-c", line], cwd=at, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_changed_golden_record_is_caught(tmp_path: Path, cast: Any) -> None:
    for version in VERSIONS:
        copy = tmp_path / version.name
        shutil.copytree(version, copy)
        cast.unlock(copy)
        some = min((copy / "vault").glob("*/*/R-*/data/page.html*"))
        some.write_bytes(some.read_bytes() + b" ")
        assert {fault.code for fault in verify(copy / "vault", ledger=ledger_of(copy)).faults} == {"altered"}


def test_a_record_of_format_2_cannot_pass_as_format_1(tmp_path: Path, cast: Any) -> None:
    """Format 1's laxer ways are for format 1 alone: see also test_check_formats."""
    copy = tmp_path / "copy"
    shutil.copytree(GOLDEN / "1", copy)
    cast.unlock(copy)
    bag = next(iter(sorted((copy / "vault").glob("*/*/R-*"))))
    (bag / "data" / "seal.json").write_text("{}")
    assert {"missing", "unlisted"} <= {fault.code for fault in verify(copy / "vault", ledger=ledger_of(copy)).faults}

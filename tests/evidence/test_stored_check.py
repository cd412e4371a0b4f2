"""The check of records where they are kept: what the verify step is told."""

from night import damage, sealed
from stage import SCHOOL, Stage

from moderator.evidence.stored_check import StoredCheck
from moderator.evidence.vault.folder import FolderVault
from moderator.store.ledger import LedgerFile


def check_of(stage: Stage) -> StoredCheck:
    ledger = stage.tools.ledger
    assert isinstance(ledger, LedgerFile)
    return StoredCheck(FolderVault(stage.folder / "vault"), ledger.path)


def test_only_the_records_named_are_checked(stage: Stage) -> None:
    paths = sealed(stage, 3)
    damage(stage, paths[2])
    seen: list[int] = []
    found = check_of(stage).check(SCHOOL.slug, paths[:2], progress=seen.append)
    assert (found.ok, found.checked, seen) == (True, 2, [1, 2])
    found = check_of(stage).check(SCHOOL.slug, paths)
    assert (found.ok, found.checked) == (False, 3)
    assert all(fault.where.startswith(paths[2]) for fault in found.faults)


def test_a_record_that_is_not_there_and_a_place_that_is_none_are_faults(stage: Stage) -> None:
    sealed(stage, 1)
    found = check_of(stage).check(SCHOOL.slug, ["oakfield/2026/R-AAAAAAAAAAAAAAAA", "../../etc", "x" * 5000])
    assert [fault.code for fault in found.faults].count("record_gone") == 3
    assert {fault.where for fault in found.faults} == {"oakfield/2026/R-AAAAAAAAAAAAAAAA", "../../etc", "x" * 200}
    assert max(len(fault.where) for fault in found.faults) == 200


def test_nothing_to_check_still_walks_the_ledger(stage: Stage) -> None:
    sealed(stage, 1)
    path = stage.folder / "ledger.jsonl"
    path.write_text(path.read_text().replace("opened", "hidden", 1))
    assert not check_of(stage).check(SCHOOL.slug, []).ok

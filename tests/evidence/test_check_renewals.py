"""Late stamps and renewals as the check sees them: each at its own time, over all that came before, and in time."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attacks
import pytest

from moderator.domain.events import Event
from moderator.domain.record import Verification
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.renewal import chain_name, list_name, renewal_list, token_name
from moderator.evidence.vault.folder import FolderVault


@dataclass
class Aged:
    """One stamped record, its ledger and two authorities."""

    vault: FolderVault
    path: str
    notebook: Any
    authority: attacks.OfflineAuthority
    cast: Any

    @property
    def folder(self) -> Path:
        """The bag."""
        return self.vault.folder(self.path)

    def renew(self, number: int, authority: attacks.OfflineAuthority | None = None, *, leave: str = "", tell: bool = True) -> None:
        """Renew as the service does; `leave` names a file the list does not cover."""
        by = authority or self.authority
        names = [name for name in self.vault.names(self.path) if name != leave]
        content = renewal_list(names, number, lambda name: self.vault.open(self.path, name))
        token, chain = by.stamp(content, hashed_by="sha512")
        files = {list_name(number): content, token_name(by.name, number): token, chain_name(by.name, number): chain}
        self.vault.add(self.path, files)
        if tell:
            self.tell(number, by, hashlib.sha256(content).hexdigest())

    def tell(self, number: int, by: attacks.OfflineAuthority, digest: str, *, at: datetime | None = None) -> None:
        """Write the ledger line of a renewal."""
        facts = {"authority": by.name, "chain_sha256": hashlib.sha256(by.chain_pem).hexdigest(), "list_sha256": digest}
        self.notebook.add(Event.RESTAMPED, self.path.rpartition("/")[2], at=at or datetime.now(UTC), round=number, **facts)

    def codes(self) -> set[str]:
        """Return the codes of the whole check."""
        return {fault.code for fault in verify(self.vault.root, workers=1).faults}


@pytest.fixture(scope="module")
def by(tmp_path_factory: pytest.TempPathFactory) -> attacks.OfflineAuthority:
    return attacks.new_authority(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> attacks.OfflineAuthority:
    return attacks.new_authority(tmp_path_factory.mktemp("tsa") / "other", name="tsb")


@pytest.fixture
def aged(vault: FolderVault, still: Any, notebook: Any, cast: Any, by: attacks.OfflineAuthority, tmp_path: Path) -> Iterator[Aged]:  # noqa: PLR0913, PLR0917 - fixtures
    record = still(authorities=(by,), keys=cast.HeldKeys()).seal(cast.make_evidence())
    assert not record.stamp_pending
    notebook.sealed(record)
    yield Aged(vault, record.path, notebook, by, cast)
    cast.unlock(tmp_path)


def test_two_renewals_by_two_authorities_verify(aged: Aged, other: attacks.OfflineAuthority) -> None:
    aged.renew(2, other)
    aged.renew(3)
    assert verify(aged.vault.root) == Verification(1)
    chains = aged.authority.chain_pem + other.chain_pem
    assert verify(aged.vault.root, trusted_chain=chains).ok
    assert {fault.code for fault in verify(aged.vault.root, trusted_chain=other.chain_pem).faults} >= {"stamp"}
    assert {fault.code for fault in verify(aged.folder, ledger=aged.notebook.path).faults} == set()


def test_a_renewal_the_ledger_does_not_tell_of_is_told(aged: Aged, other: attacks.OfflineAuthority) -> None:
    aged.renew(2, tell=False)
    assert aged.codes() == {"renewal_unknown"}
    aged.tell(2, aged.authority, "0" * 64)
    assert aged.codes() == {"renewal_unknown"}, "a line about another list is about another renewal"
    aged.renew(3, other, tell=False)
    assert aged.codes() == {"renewal_unknown", "stamp_untrusted"}


def test_a_renewal_told_at_the_end_of_time_breaks_nothing(aged: Aged) -> None:
    aged.renew(2, tell=False)
    digest = hashlib.sha256((aged.folder / list_name(2)).read_bytes()).hexdigest()
    aged.tell(2, aged.authority, digest, at=datetime.max.replace(tzinfo=UTC))
    assert verify(aged.vault.root) == Verification(1)


def test_a_renewal_that_leaves_a_stamp_out_is_told(aged: Aged) -> None:
    time.sleep(1.1)  # a stamp's time has whole seconds
    aged.renew(2, leave="manifest-sha256.txt.tsa.tsr")
    assert aged.codes() == {"renewal_short"}


def test_a_renewed_file_that_was_changed_or_taken_is_told(aged: Aged) -> None:
    aged.renew(2)
    aged.renew(3)
    aged.cast.unlock(aged.vault.root)
    second = aged.folder / "renewal-0002-sha512.txt.tsa.tsr"
    second.write_bytes(aged.authority.stamp((aged.folder / "renewal-0002-sha512.txt").read_bytes())[0])
    assert "altered" in aged.codes()
    second.unlink()
    assert aged.codes() == {"missing", "stamp_gone", "renewed_late"}
    (aged.folder / "renewal-0002-sha512.txt").unlink()
    assert {"missing", "renewed_late"} <= aged.codes()


def test_a_changed_list_or_a_list_that_points_outside_is_told(aged: Aged) -> None:
    aged.renew(2)
    aged.cast.unlock(aged.vault.root)
    path = aged.folder / "renewal-0002-sha512.txt"
    path.write_text(path.read_text() + f"{'0' * 128}  ../../secret\n{'0' * 128}  nothing-here\n")
    path_codes = aged.codes()
    assert path_codes == {"stamp"}, "the stamp is over the list as it was: what a changed list says is not even read"
    token, _ = aged.authority.stamp(path.read_bytes(), hashed_by="sha512")
    (aged.folder / "renewal-0002-sha512.txt.tsa.tsr").write_bytes(token)
    assert aged.codes() == {"outside", "missing", "renewal_unknown"}


def test_a_stamp_that_was_had_and_is_gone_is_told(aged: Aged) -> None:
    aged.renew(2)
    aged.cast.unlock(aged.vault.root)
    for name in ("renewal-0002-sha512.txt.tsa.tsr", "tsa-0002-chain.pem", "renewal-0002-sha512.txt"):
        (aged.folder / name).unlink()
    assert aged.codes() == {"stamp_gone"}


def test_the_first_stamp_gone_is_told_when_the_ledger_says_it_was_had(aged: Aged) -> None:
    text = aged.notebook.path.read_text()
    sealed = next(line for line in text.splitlines() if '"event":"sealed"' in line)
    aged.notebook.path.unlink()
    record = aged.path.rpartition("/")[2]
    book = aged.cast.Notebook(aged.notebook.path, "oakfield", aged.notebook.public_key)
    book.add(Event.CAPTURED, record)
    digests = {key: sealed.partition(f'"{key}":"')[2].partition('"')[0] for key in ("manifest_sha256", "manifest_sha512")}
    book.add(Event.SEALED, record, stamp_pending=False, **digests)
    assert aged.codes() == set()
    aged.cast.unlock(aged.vault.root)
    (aged.folder / "manifest-sha256.txt.tsa.tsr").unlink()
    assert aged.codes() == {"stamp_gone"}


def test_what_a_crash_leaves_is_no_fault(aged: Aged) -> None:
    aged.cast.unlock(aged.vault.root)
    shutil.copy(aged.folder / "tsa-chain.pem", aged.folder / "tsa-0002-chain.pem")
    (aged.folder / "renewal-0002-sha512.txt").write_text("")
    assert aged.codes() == set()


@pytest.mark.parametrize(
    "name", ["renewal-0001-sha512.txt.tsa.tsr", "renewal-0002-sha512.txt.tsa.tsr", "manifest-sha256.txt.TSA.tsr", "x.tsr"]
)
def test_a_stamp_without_its_chain_or_of_no_round_does_not_belong(aged: Aged, name: str) -> None:
    aged.cast.unlock(aged.vault.root)
    (aged.folder / name).write_bytes(b"x")
    assert "unlisted" in aged.codes()


def test_hostile_stamps_are_faults_and_no_more(aged: Aged) -> None:
    aged.cast.unlock(aged.vault.root)
    good = (aged.folder / "manifest-sha256.txt.tsa.tsr").read_bytes()
    token, chain = aged.folder / "manifest-sha256.txt.tsa.tsr", aged.folder / "tsa-chain.pem"
    for cut in (0, 1, 7, 40, len(good) // 2, len(good) - 1):
        token.write_bytes(good[:cut])
        assert "stamp" in aged.codes(), cut
    for at in range(0, len(good), max(1, len(good) // 30)):
        token.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        aged.codes()  # a flipped bit outside of what is signed may do no harm; none may raise
    token.write_bytes(good)
    chain.unlink()
    assert aged.codes() >= {"unlisted", "missing"}
    chain.symlink_to("/dev/zero")
    assert aged.codes() >= {"link", "unlisted"}
    chain.unlink()
    chain.write_bytes(b"x" * 2_000_000)
    assert aged.codes() >= {"not_plain", "stamp_untrusted"}
    for number in range(250):
        (aged.folder / f"manifest-sha256.txt.a{number}.tsr").write_bytes(b"")
        (aged.folder / f"a{number}-chain.pem").write_bytes(b"")
    assert "too_many" in aged.codes()


def test_a_stamp_noted_late_after_a_crash_is_good_and_one_after_its_line_is_not(
    vault: FolderVault, still: Any, notebook: Any, cast: Any, by: attacks.OfflineAuthority
) -> None:
    early = cast.TickingClock(datetime.now(UTC) - timedelta(hours=5))
    record = still(clock=early).seal(cast.make_evidence())
    notebook.sealed(record)
    token, chain = by.stamp(vault.open(record.path, "manifest-sha256.txt"))
    vault.add(record.path, {token_name("tsa", 1): token, chain_name("tsa", 1): chain})
    facts = {"authority": "tsa", "chain_sha256": hashlib.sha256(chain).hexdigest()}
    notebook.add(Event.RESTAMPED, record.record_id, at=datetime.now(UTC) - timedelta(hours=1), **facts)
    assert {fault.code for fault in verify(vault.root).faults} == {"stamp_time"}
    notebook.add(Event.RESTAMPED, record.record_id, at=datetime.now(UTC) + timedelta(hours=1), **facts)
    assert verify(vault.root) == Verification(1)


@pytest.mark.parametrize("number", [0, 10_000, "2", True])
def test_a_line_of_no_round_is_told(aged: Aged, number: int | str) -> None:
    aged.notebook.add(Event.RESTAMPED, aged.path.rpartition("/")[2], authority="tsa", chain_sha256="x", round=number)
    assert aged.codes() == {"ledger_line"}


def test_a_renewal_made_after_the_certificate_ran_out_is_told(  # noqa: PLR0913, PLR0917 - fixtures
    vault: FolderVault, still: Any, notebook: Any, cast: Any, by: attacks.OfflineAuthority, tmp_path: Path
) -> None:
    record = still().seal(cast.make_evidence())
    notebook.sealed(record)
    brief = attacks.new_authority(tmp_path / "brief", name="brief")
    ends = attacks.expire_soon(brief, 2)
    token, chain = brief.stamp(vault.open(record.path, "manifest-sha256.txt"))
    vault.add(record.path, {token_name("brief", 1): token, chain_name("brief", 1): chain})
    notebook.add(Event.RESTAMPED, record.record_id, at=datetime.now(UTC), authority="brief", chain_sha256=hashlib.sha256(chain).hexdigest())
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 1.2)
    late = Aged(vault, record.path, notebook, by, cast)
    assert late.codes() == set(), "an expired certificate is no fault"
    late.renew(2)
    assert late.codes() == {"renewed_late"}

"""Stamps after the seal and their renewals, in real bags: what is written, what a stranger's openssl says, what a crash leaves."""

import base64
import hashlib
import random
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from authorities import Authority, make, openssl_accepts, running
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import TimestampRequestBuilder

from moderator.domain.errors import BadInput, EvidenceFailed, Refused, Unanswered
from moderator.domain.events import Event
from moderator.domain.record import SealedRecord, Verification
from moderator.domain.rotation import RotationReason, rotated
from moderator.domain.stamping import Added
from moderator.domain.times import SystemClock
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.held import stamps_held
from moderator.evidence.seal.late import VaultStamper
from moderator.evidence.seal.ordered import in_order
from moderator.evidence.seal.renewal import newest_round, renewal_list, stamps_in
from moderator.evidence.seal.signer import Signer
from moderator.evidence.seal.token import read_token
from moderator.evidence.vault.folder import FolderVault

SOON = timedelta(minutes=5)


@dataclass
class Kept:
    """One sealed record, its ledger, and two authorities: `near` runs out in minutes, `far` lasts."""

    vault: FolderVault
    record: SealedRecord
    notebook: Any
    near: Authority
    far: Authority

    @property
    def folder(self) -> Path:
        """The bag's folder."""
        return self.vault.folder(self.record.path)

    def stamper(self, *authorities: Authority) -> VaultStamper:
        """Return what adds stamps by these authorities, named for their folders."""
        clock = SystemClock()
        return VaultStamper(self.vault, [each.patient(clock, each.folder.name) for each in authorities], limit=5)

    def tell(self, *added: Added) -> None:
        """Write what the service writes in the ledger for added stamps."""
        for each in added:
            more = {"list_sha256": each.list_sha256} if each.list_sha256 else {}
            stamp = each.stamp
            self.notebook.add(
                Event.RESTAMPED, self.record.record_id, authority=stamp.authority, chain_sha256=each.chain_sha256, round=stamp.round, **more
            )

    def unfinished(self, *names: str) -> None:
        """Take files out of the bag, as if the power had gone before they were written."""
        self.folder.chmod(0o755)
        for name in names:
            (self.folder / name).unlink()
        self.folder.chmod(0o555)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Authority, Authority]]:
    """Return two running authorities: one whose certificate runs out in minutes, one with a chain of three that lasts."""
    folder = tmp_path_factory.mktemp("two")
    with running(make(folder / "near", lives=SOON)) as near, running(make(folder / "far", between=True)) as far:
        yield near, far


@pytest.fixture
def kept(vault: FolderVault, still: Any, cast: Any, notebook: Any, authorities: tuple[Authority, Authority]) -> Kept:
    """Return a record that was sealed without a stamp."""
    near, far = authorities
    near.mode = far.mode = "good"
    record = still(clock=cast.TickingClock(datetime.now(UTC))).seal(cast.make_evidence())
    notebook.sealed(record)
    return Kept(vault, record, notebook, near, far)


def test_a_late_stamp_is_added_told_and_checked_by_anybody(kept: Kept) -> None:
    stamper = kept.stamper(kept.near, kept.far)
    assert (stamper.authorities, stamper.ready) == (("far", "near"), ("far", "near"))
    (added,) = stamper.add(kept.record.path, "far")
    assert (added.stamp.authority, added.stamp.round, added.found, added.list_sha256) == ("far", 1, False, "")
    assert added.chain_sha256 == hashlib.sha256(kept.far.chain).hexdigest()
    kept.tell(added)
    assert verify(kept.vault.root) == Verification(1)
    assert openssl_accepts(kept.folder, "manifest-sha256.txt.far.tsr", "manifest-sha256.txt", "far-chain.pem", at=added.stamp.at)
    asked = len(kept.far.asked)
    (again,) = stamper.add(kept.record.path, "far")
    assert again.found
    assert not again.named, "this record was sealed before the authority was set up"
    assert again.stamp == added.stamp
    assert len(kept.far.asked) == asked, "a stamp that is there is not asked for again"
    assert stamps_held(kept.vault, kept.record.path) == (added.stamp,)


def test_a_silent_authority_leaves_the_bag_as_it_is(kept: Kept) -> None:
    kept.far.mode = "busy"
    before = kept.vault.names(kept.record.path)
    stamper = kept.stamper(kept.far)
    with pytest.raises(Unanswered):
        stamper.add(kept.record.path, "far")
    assert stamper.ready == ()
    assert kept.vault.names(kept.record.path) == before


def test_a_renewal_covers_everything_before_it_and_a_stranger_can_check_it(kept: Kept) -> None:
    stamper = kept.stamper(kept.near, kept.far)
    first = stamper.add(kept.record.path, "near")
    kept.tell(*first)
    renewed = stamper.renew(kept.record.path, number=1, later_than=first[0].stamp.expires_at, by_all=False)
    assert [(each.stamp.authority, each.stamp.round) for each in renewed] == [("far", 2)], "the near one cannot carry it on"
    kept.tell(*renewed)
    listed = (kept.folder / "renewal-0002-sha512.txt").read_text().splitlines()
    names = [line[130:] for line in listed]
    assert names == sorted(names)
    assert set(names) == {"manifest-sha256.txt", "manifest-sha512.txt", "manifest-sha256.txt.near.tsr", "near-chain.pem"}
    done = subprocess.run(["sha512sum", "-c", "renewal-0002-sha512.txt"], cwd=kept.folder, check=False, capture_output=True)
    assert done.returncode == 0
    over = "renewal-0002-sha512.txt"
    assert openssl_accepts(kept.folder, f"{over}.far.tsr", over, "far-0002-chain.pem", at=renewed[0].stamp.at)
    said = read_token((kept.folder / f"{over}.far.tsr").read_bytes(), kept.far.chain, (kept.folder / over).read_bytes())
    assert said.hashed_by == "2.16.840.1.101.3.4.2.3", "a renewal is stamped by SHA-512"
    assert verify(kept.vault.root) == Verification(1)
    assert stamps_held(kept.vault, kept.record.path) == (first[0].stamp, renewed[0].stamp)


def test_renewals_follow_one_another(kept: Kept) -> None:
    stamper = kept.stamper(kept.far)
    kept.tell(*stamper.add(kept.record.path, "far"))
    for number in (1, 2):
        long_ago = datetime.now(UTC) - timedelta(days=1)
        kept.tell(*stamper.renew(kept.record.path, number=number, later_than=long_ago, by_all=True))
    names = {line[130:] for line in (kept.folder / "renewal-0003-sha512.txt").read_text().splitlines()}
    assert {"renewal-0002-sha512.txt", "renewal-0002-sha512.txt.far.tsr", "far-0002-chain.pem", "far-chain.pem"} <= names
    assert not any("0003" in name for name in names)
    assert verify(kept.vault.root) == Verification(1)


def test_a_renewal_waits_while_nobody_can_carry_it_on(kept: Kept) -> None:
    stamper = kept.stamper(kept.near)
    (first,) = stamper.add(kept.record.path, "near")
    before = kept.vault.names(kept.record.path)
    with pytest.raises(Unanswered, match="lasts longer"):
        stamper.renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=False)
    both = kept.stamper(kept.near, kept.far)
    with pytest.raises(Unanswered, match="lasts longer"):
        both.renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=True)
    kept.near.mode = "busy"
    with pytest.raises(Unanswered, match="only far answered"):
        kept.stamper(kept.near, kept.far).renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=True)
    kept.far.mode = "busy"
    with pytest.raises(Unanswered, match="lasts longer"):
        kept.stamper(kept.near, kept.far).renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=False)
    assert kept.vault.names(kept.record.path) == before


def test_a_crash_while_renewing_is_made_good(kept: Kept) -> None:
    stamper = kept.stamper(kept.near, kept.far)
    (first,) = stamper.add(kept.record.path, "near")
    kept.tell(first)

    def renew() -> tuple[Added, ...]:
        return stamper.renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=False)

    (made,) = renew()
    asked = len(kept.far.asked)
    (found,) = renew()
    assert found.found
    assert (found.stamp, found.list_sha256) == (made.stamp, made.list_sha256)
    assert len(kept.far.asked) == asked, "after a crash the stamp in the bag is told, not asked for again"
    kept.unfinished("renewal-0002-sha512.txt.far.tsr")
    listed = (kept.folder / "renewal-0002-sha512.txt").read_bytes()
    (again,) = renew()
    assert not again.found
    assert (kept.folder / "renewal-0002-sha512.txt").read_bytes() == listed
    kept.unfinished("renewal-0002-sha512.txt.far.tsr", "renewal-0002-sha512.txt")
    kept.tell(*renew())
    assert (kept.folder / "renewal-0002-sha512.txt").read_bytes() == listed, "a chain left of the same round is not listed"
    assert verify(kept.vault.root) == Verification(1)


def test_an_unfinished_renewal_is_what_a_late_stamp_goes_over(kept: Kept) -> None:
    stamper = kept.stamper(kept.near, kept.far)
    (first,) = stamper.add(kept.record.path, "near")
    kept.tell(first)
    stamper.renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=False)
    kept.unfinished("renewal-0002-sha512.txt.far.tsr")
    (late,) = stamper.add(kept.record.path, "far")
    assert (late.stamp.round, late.found) == (2, False), "a stamp over the manifest would not be covered by the list"
    kept.tell(late)
    assert verify(kept.vault.root) == Verification(1)


def test_a_chain_left_by_a_crash_is_kept_when_the_stamp_leads_to_it(kept: Kept, tmp_path: Path) -> None:
    stamper = kept.stamper(kept.far)
    stamper.add(kept.record.path, "far")
    kept.unfinished("manifest-sha256.txt.far.tsr")
    assert stamper.add(kept.record.path, "far")[0].chain_sha256 == hashlib.sha256(kept.far.chain).hexdigest()
    kept.unfinished("manifest-sha256.txt.far.tsr")
    with running(make(tmp_path / "far")) as other, pytest.raises(Refused, match=r"already has another far-chain\.pem"):
        kept.stamper(other).add(kept.record.path, "far")


def test_a_disposed_record_is_renewed_too_for_its_proof_stands(kept: Kept) -> None:
    stamper = kept.stamper(kept.near, kept.far)
    (first,) = stamper.add(kept.record.path, "near")
    kept.vault.dispose(kept.record.path)
    (renewed,) = stamper.renew(kept.record.path, number=1, later_than=first.stamp.expires_at, by_all=False)
    assert renewed.stamp.round == 2
    (found,) = stamper.add(kept.record.path, "near")
    assert not found.named


def test_a_damaged_stamp_and_a_missing_bag_are_told_apart(kept: Kept) -> None:
    stamper = kept.stamper(kept.far)
    stamper.add(kept.record.path, "far")
    kept.folder.chmod(0o755)
    token = kept.folder / "manifest-sha256.txt.far.tsr"
    token.chmod(0o644)
    token.write_bytes(token.read_bytes()[:-3] + b"xyz")
    with pytest.raises(EvidenceFailed, match="is damaged"):
        stamper.add(kept.record.path, "far")
    with pytest.raises(BadInput, match="no record"):
        stamper.add("oakfield/2026/R-AAAAAAAAAAAAAAAA", "far")


def test_a_record_zipped_without_its_folder_is_as_good_as_in_it(kept: Kept, tmp_path: Path) -> None:
    kept.tell(*kept.stamper(kept.far).add(kept.record.path, "far"))
    bare = tmp_path / "bare.zip"
    with zipfile.ZipFile(bare, "w") as out:
        for path in kept.folder.rglob("*"):
            out.write(path, path.relative_to(kept.folder))
    assert verify(bare, ledger=kept.notebook.path) == Verification(1)


def test_a_chain_with_a_certificate_that_no_library_reads_is_no_crash(kept: Kept) -> None:
    kept.stamper(kept.far).add(kept.record.path, "far")
    token, manifest = (kept.vault.open(kept.record.path, name) for name in ("manifest-sha256.txt.far.tsr", "manifest-sha256.txt"))
    *_, root = [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(kept.far.chain)]
    name = b"\x0c" + bytes([len("far root")]) + b"far root"
    for old, new in ((bytes.fromhex("a003020102"), bytes.fromhex("a003020118")), (name, b"\x09" + name[1:])):
        spoilt = root.replace(old, new)
        assert spoilt != root
        odd = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(spoilt) + b"-----END CERTIFICATE-----\n"
        with pytest.raises(BadInput, match="the stamp is not good"):
            read_token(token, odd + kept.far.chain, manifest)


def test_an_interrupted_check_of_a_stamp_stays_interrupted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("moderator.evidence.seal.token.decode_timestamp_response", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_token(b"", kept.far.chain, b"")


def test_the_record_itself_names_the_authorities_it_was_sealed_with(kept: Kept, still: Any, cast: Any) -> None:
    recorder = still(authorities=(kept.far.http("far"),), clock=cast.TickingClock(datetime.now(UTC)))
    record = recorder.seal(cast.make_evidence(comment_id="99"))
    assert not record.stamp_pending
    (found,) = kept.stamper(kept.far).add(record.path, "far")
    assert (found.found, found.named) == (True, True)
    assert record.stamps == (found.stamp,)
    assert recorder.seal(cast.make_evidence(comment_id="99")) == record


def test_facts_that_cannot_be_read_name_nobody(kept: Kept) -> None:
    kept.stamper(kept.far).add(kept.record.path, "far")
    for name in ("seal.json", "record.json"):
        spoilt = kept.folder / "data" / name
        spoilt.chmod(0o644)
        spoilt.write_text("[]" if name == "seal.json" else "not JSON")
    (found,) = kept.stamper(kept.far).add(kept.record.path, "far")
    assert (found.found, found.named) == (True, False)


def test_records_sealed_before_and_after_a_change_of_keys_verify(kept: Kept, still: Any, cast: Any, signer: Signer) -> None:
    fresh = Signer.generate()
    vouched = base64.b64encode(signer.sign(fresh.public_key.encode("ascii"))).decode()
    line = rotated(fresh.public_key, vouched, by="HEAD-1", why=RotationReason.ROUTINE, at=datetime.now(UTC))
    kept.notebook.add(line.event, line.subject, **line.facts)
    kept.notebook.sealed(still(key=fresh, clock=cast.TickingClock(datetime.now(UTC))).seal(cast.make_evidence(comment_id="98")))
    assert verify(kept.vault.root) == Verification(2)
    kept.notebook.sealed(still(key=signer, clock=cast.TickingClock(datetime.now(UTC))).seal(cast.make_evidence(comment_id="97")))
    assert {fault.code for fault in verify(kept.vault.root).faults} == {"signature"}, "the old key signs nothing new"


def test_names_of_a_bag_are_read_by_round() -> None:
    names = ["data/x-chain.pem", "manifest-sha256.txt", "manifest-sha256.txt.a.tsr", "a-chain.pem", "bagit.txt"]
    assert newest_round(names) == 1
    assert renewal_list(names, 2, lambda name: name.encode()).count(b"\n") == 3
    more = [*names, "renewal-0002-sha512.txt", "renewal-0002-sha512.txt.b.tsr", "b-0002-chain.pem"]
    assert newest_round(more) == 2
    assert stamps_in(more) == [("a", 1), ("b", 2)]
    assert renewal_list(more, 2, lambda name: name.encode()) == renewal_list(names, 2, lambda name: name.encode())
    assert renewal_list(more, 3, lambda name: name.encode()).count(b"\n") == 6


def test_certificates_are_put_in_order_and_anything_else_is_left_alone(kept: Kept) -> None:
    kept.stamper(kept.far).add(kept.record.path, "far")
    good = (kept.folder / "manifest-sha256.txt.far.tsr").read_bytes()
    assert in_order(good) == good
    assert sorted(in_order(kept.far.answer)) == sorted(kept.far.answer)
    assert in_order(kept.far.answer) == good
    bare = kept.far.reply(TimestampRequestBuilder().data(b"x").cert_request(cert_request=False).build().as_bytes())
    assert in_order(bare) == bare, "a stamp without certificates has none to put in order"
    assert in_order(bytes.fromhex("30053003020102")) == bytes.fromhex("30053003020102")
    chance = random.Random(4)  # noqa: S311 - a test's own repeatable choice
    for _ in range(500):
        spoilt = bytearray(good[: chance.randrange(len(good))])
        for _ in range(3):
            spoilt[chance.randrange(len(spoilt)) :] = spoilt[chance.randrange(len(spoilt)) :] if spoilt else b""
            if not spoilt:
                break
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        assert len(in_order(bytes(spoilt))) == len(spoilt)

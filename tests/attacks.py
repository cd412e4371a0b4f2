"""The ten attacks of RECORD.md, each done to a fresh copy of one good vault. Used by test_attacks_stranger and by ops/attack_table.py."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stranger import Did, follow, pack_up

from moderator.domain.events import Head
from moderator.domain.record import SealedRecord
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault

_OPENING = 7
"""The step that opens encrypted files: the stranger has no key."""
_BAD = ("NOT A PLAIN FILE", "NOT LISTED", "POINTS ELSEWHERE", "FAILED", "NOT IN THE LEDGER", "BROKEN", "NAMED BY NOBODY", "NOT HERE")


def evidence_cast() -> Any:
    """Return the makers of the evidence tests."""
    name = "evidence_cast_for_attacks"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "evidence" / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@dataclass
class OfflineAuthority:
    """A real authority asked without HTTP: `openssl ts` in its own folder. Implements ports.TimestampAuthority."""

    folder: Path
    name: str = "tsa"

    @property
    def chain_pem(self) -> bytes:
        """Its root certificate."""
        return (self.folder / "chain.pem").read_bytes()

    def stamp(self, data: bytes, *, hashed_by: str = "sha256") -> tuple[bytes, bytes]:
        """Return a stamp over `data`, now, and the chain."""
        (self.folder / "data").write_bytes(data)
        for args in (
            ("-query", "-data", "data", f"-{hashed_by}", "-cert", "-out", "mine.tsq"),
            ("-reply", "-queryfile", "mine.tsq", "-config", "tsa.cnf", "-out", "mine.tsr"),
        ):
            subprocess.run(["openssl", "ts", *args], cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "mine.tsr").read_bytes(), self.chain_pem


def expire_soon(authority: OfflineAuthority, seconds: int) -> datetime:
    """Give an authority new certificates for its old keys, which run out in so many seconds; return when. Quick, unlike making keys."""
    now = datetime.now(UTC)
    starts, ends = (f"{now + timedelta(seconds=away):%Y%m%d%H%M%SZ}" for away in (-86400, seconds))
    span = ["-startdate", starts, "-enddate", ends, "-batch", "-notext", "-config", "ca.cnf"]
    for args in (
        ["-selfsign", "-keyfile", "root.key", "-in", "root.csr", "-out", "root.pem", "-extensions", "root", *span],
        ["-in", "tsa.csr", "-out", "tsa.pem", "-extensions", "tsa", *span],
    ):
        subprocess.run(["openssl", "ca", *args], cwd=authority.folder, check=True, capture_output=True)
    shutil.copy(authority.folder / "root.pem", authority.folder / "chain.pem")
    return now + timedelta(seconds=seconds)


def new_authority(folder: Path, *, name: str = "tsa") -> OfflineAuthority:
    """Return an authority with keys and certificates of its own."""
    evidence_cast().make_authority(folder)
    config = folder / "tsa.cnf"
    config.write_text(config.read_text().replace("digests=sha256", "digests=sha256,sha512"))
    return OfflineAuthority(folder, name)


@dataclass
class World:
    """A vault of three encrypted, stamped records and their ledger, with what an attacker may hold."""

    top: Path
    signer: Signer
    authority: OfflineAuthority
    records: list[SealedRecord] = field(default_factory=list)
    head: Head = field(default_factory=lambda: Head(0, ""))

    @property
    def vault(self) -> Path:
        """The vault's folder."""
        return self.top / "vault"

    @property
    def ledger(self) -> Path:
        """The school's ledger."""
        return self.top / "ledger.jsonl"

    def bag(self, number: int) -> Path:
        """Return one record's folder."""
        return self.vault / self.records[number].path

    def picture(self, number: int) -> Path:
        """Return one record's picture."""
        return self.bag(number) / "data" / "screenshot.png.enc"

    def spoil(self, number: int) -> None:
        """Flip one bit in a picture."""
        content = bytearray(self.picture(number).read_bytes())
        content[len(content) // 2] ^= 1
        self.picture(number).write_bytes(bytes(content))

    def restamp(self, number: int, authority: OfflineAuthority | None = None) -> None:
        """Put a fresh stamp in place of the first one."""
        token, chain = (authority or self.authority).stamp((self.bag(number) / "manifest-sha256.txt").read_bytes())
        (self.bag(number) / "manifest-sha256.txt.tsa.tsr").write_bytes(token)
        (self.bag(number) / "tsa-chain.pem").write_bytes(chain)

    def copy(self, top: Path) -> "World":
        """Return a world of its own with the same records, all of it open to writing."""
        shutil.copytree(self.top, top, symlinks=True)
        evidence_cast().unlock(top)
        return replace(self, top=top)


def good_world(top: Path, authority: OfflineAuthority, *, records: int = 3) -> World:
    """Return good records, all stamped."""
    cast = evidence_cast()
    top.mkdir()
    world = World(top, Signer.generate(), authority)
    vault = FolderVault(world.vault)
    recorder = cast.still_on(
        vault, world.signer, clock=cast.TickingClock(datetime.now(UTC)), authorities=(authority,), keys=cast.HeldKeys()
    )
    notebook = cast.Notebook(world.ledger, cast.SCHOOL.slug, world.signer.public_key)
    for number in range(records):
        world.records.append(recorder.seal(cast.make_evidence(f"Comment number {number}, rather rude.", comment_id=str(number + 1))))
        world.head = notebook.sealed(world.records[-1])
    recorder.close()
    return world


@dataclass(frozen=True)
class Attempt:
    """What an attack left: the codes `moderator verify` must name, and what a stranger is handed (record number, ledger)."""

    codes: frozenset[str]
    bag: Path
    ledger: Path
    others: tuple[Path, ...] = ()


def altered(world: World) -> Attempt:
    """Alter a picture."""
    world.spoil(1)
    return Attempt(frozenset({"altered"}), world.bag(1), world.ledger)


def recomputed(world: World, number: int = 1) -> Attempt:
    """Alter a picture, recompute all manifests and sign with a key of one's own."""
    world.spoil(number)
    evidence_cast().reseal(world.bag(number), Signer.generate())
    return Attempt(frozenset({"signature", "not_as_sealed", "stamp"}), world.bag(number), world.ledger)


def recomputed_and_stamped(world: World) -> Attempt:
    """Do the same, and have the school's own authority stamp it."""
    attempt = recomputed(world, 2)
    world.restamp(2)
    return replace(attempt, codes=attempt.codes - {"stamp"})


def middle_deleted(world: World) -> Attempt:
    """Delete the middle record."""
    shutil.rmtree(world.bag(1))
    return Attempt(frozenset({"record_gone"}), world.bag(0), world.ledger, (world.bag(2),))


def last_deleted(world: World) -> Attempt:
    """Delete the last record and every ledger line about it."""
    shutil.rmtree(world.bag(2))
    lines = world.ledger.read_text().splitlines(keepends=True)
    world.ledger.write_text("".join(line for line in lines if world.records[2].record_id not in line))
    return Attempt(frozenset({"head"}), world.bag(0), world.ledger, (world.bag(1),))


def all_anew(world: World) -> Attempt:
    """Rewrite a record as an insider with the school's key, chain the ledger anew and have everything stamped again."""
    cast = evidence_cast()
    world.spoil(0)
    cast.reseal(world.bag(0), world.signer)
    world.ledger.unlink()
    notebook = cast.Notebook(world.ledger, cast.SCHOOL.slug, world.signer.public_key)
    for number, record in enumerate(world.records):
        world.restamp(number)
        first = hashlib.sha256((world.bag(number) / "manifest-sha256.txt").read_bytes()).hexdigest()
        second = hashlib.sha512((world.bag(number) / "manifest-sha512.txt").read_bytes()).hexdigest()
        notebook.sealed(replace(record, manifest_sha256=first, manifest_sha512=second))
    return Attempt(frozenset({"head"}), world.bag(0), world.ledger, (world.bag(1), world.bag(2)))


def rogue_stamp(world: World) -> Attempt:
    """Put the stamp and chain of an authority of one's own in place."""
    world.restamp(0, new_authority(world.top / "rogue"))
    return Attempt(frozenset({"stamp_untrusted"}), world.bag(0), world.ledger)


def other_school(world: World) -> Attempt:
    """Move a record to another school of the same trust."""
    place = world.vault / "elmfield" / "2026" / world.records[1].record_id
    place.parent.mkdir(parents=True)
    world.bag(1).rename(place)
    other = world.top / "ledger-elmfield.jsonl"
    evidence_cast().Notebook(other, "elmfield", world.signer.public_key)
    return Attempt(frozenset({"wrong_school", "not_in_ledger", "record_gone"}), place, other)


def link_in_bag(world: World) -> Attempt:
    """Put a link in place of a picture, and a path that leads outside into the manifest of another record."""
    away = world.top / "away"
    world.picture(0).rename(away)
    world.picture(0).symlink_to(os.path.relpath(away, world.picture(0).parent))
    with (world.bag(1) / "manifest-sha256.txt").open("a") as manifest:
        manifest.write(f"{'0' * 64}  data/../../../../../ledger.jsonl\n")
    codes = frozenset({"link", "missing", "altered", "outside", "signature", "not_as_sealed", "stamp"})
    return Attempt(codes, world.bag(0), world.ledger, (world.bag(1),))


ATTACKS: tuple[tuple[str, Callable[[World], Attempt]], ...] = (
    ("altered picture", altered),
    ("altered picture, manifests recomputed", recomputed),
    ("the same with a fresh stamp", recomputed_and_stamped),
    ("middle record deleted", middle_deleted),
    ("last record and last ledger lines deleted", last_deleted),
    ("a record rewritten, everything re-chained and restamped", all_anew),
    ("a stamp from an untrusted authority", rogue_stamp),
    ("a record moved to another school", other_school),
    ("a symlink, and a path that leads outside, in a bag", link_in_bag),
)
"""Attacks 1 to 9; the tenth is no attack: an authority whose certificate has run out, and the record still verifies."""


@dataclass(frozen=True)
class Stranger:
    """What VERIFY.txt's own commands showed: the steps that told of something wrong, and what they printed."""

    steps: tuple[int, ...]
    printed: str


def by_hand(attempt: Attempt, head: Head, at: Path, tools: Path) -> Stranger:
    """Follow the guide of the attacked record in a clean folder, and compare the ledger with the digest's head as the guide says."""
    clean = pack_up([attempt.bag, *attempt.others], attempt.ledger, at)
    (clean / attempt.ledger.name).rename(clean / "ledger.jsonl")
    guide = (attempt.bag / "data" / "VERIFY.txt").read_text()
    done = [each for each in follow(guide, clean, tools) if each.step != _OPENING]
    typed = f"head -n {head.seq} ledger.jsonl | tail -n 1 | sha256sum"
    got = subprocess.run(
        [str(tools / "bash"), "-c", typed], cwd=clean, env={"PATH": str(tools)}, capture_output=True, text=True, check=True
    )
    lines = (clean / "ledger.jsonl").read_bytes().count(b"\n")
    whole = bool(attempt.others)
    bad = [each for each in done if _tells(each, whole=whole)]
    steps = {each.step for each in bad}
    printed = [next((line for line in each.printed.splitlines() if any(word in line for word in _BAD)), "") for each in bad]
    if got.stdout[:64] != head.hash or lines < head.seq:
        steps.add(3)
        printed.append(f"line {head.seq}: {got.stdout[:12]}…, the digest says {head.hash[:12]}…")
    return Stranger(tuple(sorted(steps)), "; ".join(line for line in printed if line))


def _tells(did: Did, *, whole: bool) -> bool:
    if "NOT HERE" in did.command and not whole:
        return False
    return did.status != 0 or any(word in did.printed for word in _BAD)

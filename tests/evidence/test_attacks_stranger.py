"""The ten attacks of RECORD.md: caught by `moderator verify`, and by VERIFY.txt's own commands where a stranger can."""

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attacks
import pytest
from attacks import ATTACKS, Attempt, World
from stranger import tools

from moderator.evidence.check.verify import verify

STEPS = {
    "altered": {2},
    "recomputed": {3, 4, 5},
    "recomputed_and_stamped": {3, 4},
    "middle_deleted": {9},
    "last_deleted": {3},
    "all_anew": {3},
    "rogue_stamp": {5},
    "other_school": {3},
    "link_in_bag": {1},
}
"""Which step of the guide tells of each attack."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, cast: Any) -> Any:
    folder = tmp_path_factory.mktemp("attacks")
    yield attacks.good_world(folder / "good", attacks.new_authority(folder / "tsa"))
    cast.unlock(folder)


def test_the_good_vault_passes_both_ways(good: World, tmp_path: Path) -> None:
    found = verify(good.vault, head=good.head, workers=1)
    assert (found.faults, found.checked) == ((), 3)
    hand = attacks.by_hand(
        Attempt(frozenset(), good.bag(0), good.ledger, (good.bag(1), good.bag(2))), good.head, tmp_path / "c", tools(tmp_path / "bin")
    )
    assert hand == attacks.Stranger((), "")


@pytest.mark.parametrize(
    ("number", "attack"),
    [(at + 1, attack) for at, (_, attack) in enumerate(ATTACKS)],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_each_attack_is_caught_by_verify_and_by_the_guide(good: World, tmp_path: Path, cast: Any, number: int, attack: Any) -> None:
    world = good.copy(tmp_path / "world")
    attempt = attack(world)
    found = verify(world.vault, head=world.head, workers=1)
    assert {fault.code for fault in found.faults} == attempt.codes, number
    hand = attacks.by_hand(attempt, world.head, tmp_path / "clean", tools(tmp_path / "bin"))
    assert set(hand.steps) >= STEPS[attack.__name__], (number, hand)
    cast.unlock(tmp_path)


def test_attack_10_an_expired_authority_certificate_still_verifies_both_ways(tmp_path: Path, cast: Any) -> None:
    brief = attacks.new_authority(tmp_path / "brief")
    ends = attacks.expire_soon(brief, 5)
    world = attacks.good_world(tmp_path / "world", brief, records=1)
    assert not any(record.stamp_pending for record in world.records)
    time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 1.2)
    naive = "openssl ts -verify -data manifest-sha256.txt -in manifest-sha256.txt.tsa.tsr -CAfile tsa-chain.pem"
    assert subprocess.run(naive.split(), cwd=world.bag(0), capture_output=True, check=False).returncode != 0, "the naive check now fails"
    assert verify(world.vault, head=world.head).ok
    hand = attacks.by_hand(Attempt(frozenset(), world.bag(0), world.ledger), world.head, tmp_path / "clean", tools(tmp_path / "bin"))
    assert hand.steps == ()
    cast.unlock(tmp_path)

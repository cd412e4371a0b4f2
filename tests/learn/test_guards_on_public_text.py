"""The guards' rules on public talk that is not about schools: how seldom they send it to a person. The text lies beside the checkout."""

import os
from pathlib import Path

import pytest

from moderator.domain.score import Guard
from moderator.learn.guards import guards
from moderator.text.normalise import normalise

SHARED = Path(os.environ.get("MODERATOR_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the public text sets are not on this machine; see models/MODEL_CARD.md")

EVERY = 8


@pytest.mark.parametrize("name", ["abuse/goemotions.txt", "comments/youtube.txt"])
def test_r15_r16_rules_seldom_fire_on_talk_that_is_not_about_a_school(name: str) -> None:
    lines = (SHARED / name).read_text(encoding="utf-8").splitlines()[::EVERY]
    found = [{hit.guard for hit in guards(normalise(line))} for line in lines]
    assert sum(map(bool, found)) <= 0.015 * len(lines)
    assert sum(bool(hits & {Guard.DISCLOSURE, Guard.CRISIS}) for hits in found) <= 0.003 * len(lines)

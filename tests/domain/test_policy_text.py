"""A new version of the policy from the one in force: all of it, however it is written, and nothing else (R32)."""

import tomllib
from datetime import date
from importlib.resources import files

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.policy_review import FIRST_DUE, LONGEST, overdue, refuse_bad_date
from moderator.domain.policy_text import Thresholds, moved, next_version, refuse_looser_guards, restated, thresholds_of
from moderator.ports import FixedPolicy

TEXT = files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")
OWN = """
[accounts."x:oakfieldprimary"]
why = 'Agreed: "parents" consent, in a\\backslash'
hide_names = false
[accounts."x:oakfieldprimary".flag]
insult = 0.8
"""
DAY = date(2026, 11, 23)


def test_r32_everything_else_of_the_policy_stays() -> None:
    old = Policy.from_toml(TEXT + OWN)
    new = Thresholds({**old.flag, "insult": 0.75}, dict(old.severe), dict(old.guard), hide_names=False, hide_pii=True)
    why = 'Too many "jokes" hidden:\n\tsee \x7f\\ é'
    made = restated(TEXT + OWN, new, version="2026.11-4", author="CEO-1", dated=DAY, why=why)
    read = Policy.from_toml(made)
    assert (read.version, read.author, read.dated, read.why) == ("2026.11-4", "CEO-1", "2026-11-23", why)
    assert moved(thresholds_of(old), thresholds_of(read)) == (("flag", "insult", "0.7", "0.75"), ("switch", "hide_names", "on", "off"))
    before, after = tomllib.loads(TEXT + OWN), tomllib.loads(made)
    assert after["sections"] == before["sections"]
    assert after["accounts"] == before["accounts"]
    assert after["retention"] == before["retention"]
    fixed = FixedPolicy(made)
    assert fixed.given() is fixed.current()
    assert (fixed.text(), fixed.trouble) == (made, "")


def test_r15_a_guard_is_never_made_less_cautious() -> None:
    old = Policy.bundled()
    same = thresholds_of(old)
    refuse_looser_guards(old, Thresholds(same.flag, same.severe, {**same.guard, "crisis": 0.01}, hide_names=True, hide_pii=True))
    with pytest.raises(BadInput, match=r"guard for accused teacher may be 0\.2 at most"):
        refuse_looser_guards(
            old, Thresholds(same.flag, same.severe, {**same.guard, "accused_teacher": 0.21}, hide_names=True, hide_pii=True)
        )


def test_thresholds_that_no_policy_can_have_are_refused() -> None:
    same = thresholds_of(Policy.bundled())
    with pytest.raises(BadInput, match="is empty"):
        restated(TEXT, Thresholds({}, same.severe, same.guard, hide_names=True, hide_pii=True), version="v", author="a", dated=DAY, why="w")


def test_versions_are_numbered_by_month() -> None:
    assert next_version(frozenset({"2026.11-3", "2026.11-12", "2026.10-40", "local"}), DAY) == "2026.11-13"
    assert next_version(frozenset(), DAY) == "2026.11-1"


def test_r33_the_review_of_the_trusts_own_policy_is_overdue_since_august_2025() -> None:
    assert date(2025, 8, 31) == FIRST_DUE
    assert overdue(FIRST_DUE, date(2025, 8, 31)) == 0
    assert overdue(FIRST_DUE, date(2025, 9, 1)) == 1
    refuse_bad_date(DAY + LONGEST, DAY)
    for bad in (DAY, DAY + LONGEST.__class__(days=LONGEST.days + 1)):
        with pytest.raises(BadInput, match="Give a date"):
            refuse_bad_date(bad, DAY)

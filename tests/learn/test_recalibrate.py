"""Thresholds fitted to local decisions: better for them, never outside the guarded limits, and written only as a new version."""

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label
from moderator.learn.corpus import Example, read_labelled, share
from moderator.learn.load import bundled
from moderator.learn.recalibrate import LEAST, MOST_MOVED, Judged, Recalibration, held_back, recalibrate
from moderator.learn.restated import Version, next_version, restated, write_new
from moderator.learn.screen import OUTPUTS

POLICY = Policy.bundled()
INSULT = OUTPUTS.index(Label.INSULT)
ABUSIVE = OUTPUTS.index(Label.ABUSIVE)
TEXT = resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")
NEW = Version("2026-11-22-local-1", 'Ms "Oak" Fernley, Headteacher', "2026-11-22", "Forty reviews since\nSeptember")


def judged(rows: Sequence[tuple[float, float, Mapping[Label | Guard, int]]]) -> Judged:
    """Return examples with a chance of abusive and of insult each, and 0 for every other output."""
    chances = np.zeros((len(rows), len(OUTPUTS)), np.float32)
    for place, (abusive, insult, _) in enumerate(rows):
        chances[place, ABUSIVE], chances[place, INSULT] = abusive, insult
    return Judged([Example(f"text {place}", dict(labels), "x") for place, (_, _, labels) in enumerate(rows)], chances)


NONE: dict[Label | Guard, int] = dict.fromkeys(Label, 0)
RUDE: dict[Label | Guard, int] = {Label.ABUSIVE: 1, Label.INSULT: 1}


def held() -> Judged:
    """Return bundled comments on which thresholds from 0.35 to 0.9 of insult do equally well."""
    return judged([(0.9, 0.9, RUDE)] * 100 + [(0.1, 0.3, NONE)] * 100)


def local(upheld: int = 40, restored: int = 40, *, wrongly: float = 0.75) -> Judged:
    """Return reviews that say: insult at 0.85 is right, at `wrongly` it is not."""
    return judged([(0.3, 0.85, RUDE)] * upheld + [(0.3, wrongly, NONE)] * restored)


def shift(made: Recalibration, label: Label = Label.INSULT) -> tuple[float, float]:
    found = next(each for each in made.shifts if each.label == label.value)
    return found.old, found.new


def test_a_threshold_moves_just_past_what_people_restored() -> None:
    made = recalibrate(local(), held(), POLICY)
    assert shift(made) == (0.7, 0.76)
    assert made.moved
    effects = {effect.name: (effect.comments, effect.before, effect.after) for effect in made.effects}
    assert effects["reviewed here, upheld"] == (40, 40, 40)
    assert effects["reviewed here, restored"] == (40, 40, 0)
    assert effects["bundled school comments, abusive"] == (100, 100, 100)
    assert effects["bundled school comments, harmless"] == (100, 0, 0)
    assert POLICY.flag["insult"] == 0.7


def test_too_few_reviews_of_either_kind_move_nothing_and_the_number_is_said() -> None:
    for few in (local(upheld=LEAST - 1), local(restored=LEAST - 1)):
        made = recalibrate(few, held(), POLICY)
        assert not made.moved
        assert str(LEAST) in next(each.why for each in made.shifts if each.label == "insult")
    assert recalibrate(local(upheld=LEAST, restored=LEAST), held(), POLICY).moved


def test_recall_on_bundled_comments_never_falls_under_the_floor() -> None:
    only_insult = judged([(0.1, 0.72 + place * 0.0027, RUDE) for place in range(100)] + [(0.1, 0.3, NONE)] * 100)
    made = recalibrate(local(wrongly=0.845), only_insult, POLICY)
    old, new = shift(made)
    flagged = sum(chance >= new for chance in only_insult.chances[:100, INSULT])
    assert old <= new < 0.735
    assert flagged >= 95
    assert "guarded figure" in next(each.why for each in made.shifts if each.label == "insult")


def test_r16_harmless_comments_are_never_flagged_more_often_than_the_ceiling() -> None:
    harmless = judged([(0.9, 0.9, RUDE)] * 100 + [(0.1, 0.5 + place / 1000, NONE) for place in range(100)])
    wants_lower = judged([(0.1, 0.5 + place / 2000, RUDE) for place in range(400)] + [(0.1, 0.4, NONE)] * 400)
    _, new = shift(recalibrate(wants_lower, harmless, POLICY))
    assert (harmless.chances[100:, INSULT] >= new).mean() <= 0.05
    assert new < 0.7


def test_a_threshold_moves_no_further_than_one_step_of_a_version() -> None:
    wants_much_lower = judged([(0.1, 0.35, RUDE)] * 400 + [(0.1, 0.2, NONE)] * 400)
    old, new = shift(recalibrate(wants_much_lower, judged([(0.9, 0.9, RUDE)] * 50 + [(0.0, 0.0, NONE)] * 50), POLICY))
    assert old - new <= MOST_MOVED + 1e-9


def test_a_policy_already_outside_the_limits_may_only_come_back() -> None:
    lax = replace(POLICY, flag={**POLICY.flag, "insult": 0.95, "abusive": 0.95})
    weak = judged([(0.7, 0.8, RUDE)] * 100 + [(0.1, 0.3, NONE)] * 100)
    made = recalibrate(local(wrongly=0.5), weak, lax)
    old, new = shift(made)
    assert new < old


@pytest.mark.parametrize("seed", range(25))
def test_whatever_people_decide_the_guarded_figures_and_the_guards_hold(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's own repeatable choice
    verdicts = judged(
        [(chance.random(), chance.random(), RUDE if chance.random() < 0.5 else NONE) for _ in range(chance.randrange(20, 200))]
    )
    bundle = judged([(0.5 + chance.random() / 2, chance.random(), RUDE) for _ in range(200)] + [(chance.random() / 2, 0.1, NONE)] * 200)
    made = recalibrate(verdicts, bundle, POLICY)
    new = replace(POLICY, flag=made.flag)
    effects = {effect.name: effect for effect in made.effects}
    abusive, harmless = effects["bundled school comments, abusive"], effects["bundled school comments, harmless"]
    assert abusive.after >= min(0.95 * abusive.comments, abusive.before) - 1e-6
    assert harmless.after <= max(0.05 * harmless.comments, harmless.before) + 1e-6
    assert new.guard == POLICY.guard
    assert recalibrate(verdicts, bundle, POLICY) == made


def test_no_reviews_at_all_change_nothing() -> None:
    made = recalibrate(judged([]), held(), POLICY)
    assert not made.moved
    assert [effect.comments for effect in made.effects][:2] == [0, 0]


def test_the_bundled_comments_used_are_those_no_fit_has_seen() -> None:
    everything = read_labelled(bundled() / "data" / "school.jsonl")
    kept = held_back(everything)
    assert 0.05 < len(kept) / len(everything) < 0.15
    assert all(share("calibrate" + (example.group or example.text)) < 0.1 for example in kept)


def test_r32_a_new_version_says_who_when_and_why_and_changes_only_thresholds() -> None:
    made = restated(TEXT, NEW, flag={**POLICY.flag, "insult": 0.76})
    policy = Policy.from_toml(made)
    assert (policy.version, policy.author, policy.dated, policy.why) == (NEW.version, NEW.author, NEW.dated, NEW.why)
    assert policy.flag == {**POLICY.flag, "insult": 0.76}
    assert (policy.guard, policy.severe, policy.sections) == (POLICY.guard, POLICY.severe, POLICY.sections)
    assert [line for line in made.splitlines() if line.startswith("#")] == [line for line in TEXT.splitlines() if line.startswith("#")]


def test_accounts_of_their_own_and_notes_on_a_line_stay() -> None:
    text = (
        TEXT.replace("insult = 0.7", "insult = 0.7  # agreed in June") + '\n[accounts."x:oak"]\nwhy = "Agreed"\nflag = { insult = 0.8 }\n'
    )
    made = restated(text, NEW, flag={**POLICY.flag, "insult": 0.6})
    assert "insult = 0.6  # agreed in June" in made
    assert tomllib.loads(made)["accounts"] == tomllib.loads(text)["accounts"]
    assert tomllib.loads(made)["accounts"]["x:oak"]["why"] == "Agreed"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("[flag]", "[flag] # by label")
        .replace("insult = 0.7", "insult = 7e-1")
        .replace("[policy]", "policy.version='a'\n[policyx]"),
        TEXT.replace('version = "', 'version = """\n').replace('-2"\n', '-2"""\n', 1),
        "not toml",
    ],
)
def test_a_policy_laid_out_otherwise_is_refused_rather_than_spoilt(text: str) -> None:
    with pytest.raises(BadInput, match="by hand"):
        restated(text, NEW, flag={"insult": 0.6})


def test_a_label_the_file_has_no_line_for_is_refused() -> None:
    with pytest.raises(BadInput, match="by hand"):
        restated(TEXT, NEW, flag={"profanity": 0.9})


def test_a_version_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    assert next_version(folder, "2026-11-22") == "2026-11-22-local-1"
    path = write_new(folder, TEXT, version="2026-11-22-local-1")
    assert path.read_text(encoding="utf-8") == TEXT
    assert next_version(folder, "2026-11-22") == "2026-11-22-local-2"
    with pytest.raises(BadInput, match="cannot be written"):
        write_new(folder, "other", version="2026-11-22-local-1")
    assert path.read_text(encoding="utf-8") == TEXT

"""`moderator train --local`: from decisions in the database to a new policy version, shown before it is written."""

import stat
from pathlib import Path

import pytest
from stage import Stage, comment, set_up

from moderator.build import open_database
from moderator.cli.train import train
from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.review import Review, Verdict
from moderator.domain.score import Label, Reason, Score
from moderator.learn.recalibrate import LEAST
from moderator.settings import load
from moderator.steps.review import review

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
models_dir = "{models}"
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""

UPHELD, RESTORED = "you daft muppet", "lovely concert"


class Eager:
    """A classifier that takes every comment for abuse, so that people have something to decide; implements ports.Classifier."""

    version = "eager-1"

    def score(self, texts: list[str], *, parents: list[str]) -> list[Score]:
        del parents
        reasons = (Reason("abusive", 0, 3, ""),)
        return [Score(dict.fromkeys(Label, 0.99), self.version, reasons=reasons, normalised=text) for text in texts]


@pytest.fixture
def config(tmp_path: Path, trained: Path) -> Path:
    path = tmp_path / "moderator.toml"
    (tmp_path / "models").mkdir()
    for file in trained.iterdir():
        (tmp_path / "models" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "models" / "data").mkdir()
    (tmp_path / "models" / "data" / "school.jsonl").write_bytes((trained.parent / "school.jsonl").read_bytes())
    path.write_text(SETTINGS.format(models=tmp_path / "models"), encoding="utf-8")
    return path


def decided(config: Path, tmp_path: Path, count: int) -> Stage:
    """Let people uphold `count` rude comments and restore `count` calm ones; return the stage."""
    stage = set_up(open_database(load(config)), tmp_path)
    object.__setattr__(stage.tools, "classifier", Eager())
    texts = [f"{text} {number}" for number in range(count) for text in (UPHELD, RESTORED)]
    stage.platform.comments += [comment(number, text) for number, text in enumerate(texts, start=1)]
    stage.run("poll", "score", "decide", "record", "hide")
    for number, text in enumerate(texts, start=1):
        verdict = Verdict.UPHOLD if text.startswith(UPHELD) else Verdict.RESTORE
        review(stage.tools, Review(number, verdict, "HEAD-1", "I read it and decided.", stage.clock.now()))
    stage.run("restore")
    stage.tools.recorder.close()
    return stage


def test_the_effect_is_shown_and_nothing_changes_until_it_is_applied(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = decided(config, tmp_path, LEAST + 2)
    bundled = Policy.bundled()
    train(local=True, config=config)
    told = capsys.readouterr().out
    assert f"{2 * (LEAST + 2)} comments decided by people here" in told
    assert "reviewed here, upheld" in told
    assert "bundled school comments, harmless" in told
    kept = tmp_path / "data" / "feedback" / "reviewed.jsonl"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 2 * (LEAST + 2)
    assert not (tmp_path / "data" / "policies").exists()
    assert Policy.bundled() == bundled
    stage.database.engine.dispose()


def test_too_few_decisions_move_nothing_and_the_number_needed_is_said(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = decided(config, tmp_path, 2)
    train(local=True, config=config, apply=True, author="Ms Oakenshaw, Headteacher", why="Two months of reviews.")
    told = capsys.readouterr().out
    assert f"needs {LEAST} upheld for it and {LEAST} restored" in told
    assert "Nothing to write" in told
    assert not (tmp_path / "data" / "policies").exists()
    stage.database.engine.dispose()


def test_r32_applied_thresholds_are_a_new_version_with_author_day_and_why(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "ours.toml"
    bundled = Policy.bundled()
    text = (Path(__file__).parents[2] / "moderator" / "domain" / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(text.replace("insult = 0.7", "insult = 0.95"), encoding="utf-8")
    config.write_text(f'policy_file = "ours.toml"\n{config.read_text(encoding="utf-8")}', encoding="utf-8")
    stage = decided(config, tmp_path, LEAST + 2)
    train(local=True, config=config)
    assert "To write this as a new policy version" in capsys.readouterr().out
    train(local=True, config=config, apply=True, author="Ms Oakenshaw, Headteacher", why="Two months of reviews.")
    told = capsys.readouterr().out
    (written,) = (tmp_path / "data" / "policies").iterdir()
    assert str(written) in told
    made = Policy.from_toml(written.read_text(encoding="utf-8"))
    assert (made.author, made.why) == ("Ms Oakenshaw, Headteacher", "Two months of reviews.")
    assert made.version.endswith("-local-1")
    assert 0.75 <= made.flag["insult"] < 0.95
    assert made.guard == bundled.guard
    assert "insult = 0.95" in policy.read_text(encoding="utf-8")
    assert Policy.bundled() == bundled
    stage.database.engine.dispose()


@pytest.mark.parametrize(("author", "why"), [("", "Two months of reviews."), ("Ms Oakenshaw", "short"), (" ", "Two months of reviews.")])
def test_r24_applying_needs_an_author_and_a_reason(config: Path, author: str, why: str) -> None:
    with pytest.raises(BadInput, match="--author"):
        train(local=True, config=config, apply=True, author=author, why=why)

"""Reviewed decisions as labelled examples, kept on this machine and readable by nobody else."""

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import Transient
from moderator.domain.policy import Policy
from moderator.domain.review import Verdict
from moderator.domain.reviewed import Reviewed
from moderator.domain.score import Guard, GuardHit, Label, Reason, Score
from moderator.learn.corpus import read_labelled
from moderator.learn.feedback import FILE, NEVER_KEPT, NOTE, example, keep, usable

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def reviewed(verdict: Verdict = Verdict.UPHOLD, *, grounds: tuple[str, ...] = ("insult",), guards: tuple[Guard, ...] = ()) -> Reviewed:
    score = Score(dict.fromkeys(Label, 0.8), "model-1", guards=tuple(GuardHit(guard, 0, 1, "", 0.1) for guard in guards))
    reasons = tuple(Reason(ground, 0, 0, "") for ground in grounds)
    decision = Decision(Outcome.HIDE, Severity.ORDINARY, reasons, Policy.bundled().version, "section", {})
    return Reviewed(7, "oakfield", "you daft muppet\nFern", "Our fair", score, decision, verdict, AT)


def test_an_upheld_comment_has_the_labels_it_was_hidden_for_and_the_rest_stay_unknown() -> None:
    assert example(reviewed(grounds=("insult", "name"))).labels == {Label.INSULT: 1, Label.ABUSIVE: 1}
    assert example(reviewed(grounds=("name",))).labels == {}


def test_a_restored_comment_has_none_of_the_labels() -> None:
    made = example(reviewed(Verdict.RESTORE))
    assert made.labels == dict.fromkeys(Label, 0)
    assert (made.text, made.parent, made.source) == ("you daft muppet\nFern", "Our fair", "reviewed")


@pytest.mark.parametrize("guard", sorted(NEVER_KEPT))
def test_r15_r17_a_comment_in_which_harm_was_so_much_as_suspected_is_never_kept(guard: Guard, tmp_path: Path) -> None:
    assert usable([reviewed(guards=(guard,))]) == []
    path = keep(tmp_path / "feedback", [reviewed(guards=(guard,))])
    assert path.read_bytes() == b""


def test_only_hides_that_a_person_upheld_or_restored_are_usable() -> None:
    one = reviewed(guards=(Guard.COMPLAINT,))
    routed = replace(one, decision=replace(one.decision, outcome=Outcome.ROUTE))
    withheld = replace(one, decision=replace(one.decision, outcome=Outcome.WITHHOLD))
    assert usable([one, routed, withheld, reviewed(Verdict.RETRY)]) == [one]


def test_r28_the_file_is_for_the_services_user_alone_and_says_how_long_it_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "feedback"
    folder.mkdir(mode=0o755)
    path = keep(folder, [reviewed(), reviewed(Verdict.RESTORE)])
    assert path == folder / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "a comment stays as long as its record does" in (folder / NOTE).read_text(encoding="utf-8")
    upheld, restored = read_labelled(path)
    assert upheld.labels == {Label.INSULT: 1, Label.ABUSIVE: 1}
    assert restored.labels == dict.fromkeys(Label, 0)
    row = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (row["verdict"], row["reviewed_at"], row["model"]) == ("uphold", "2026-11-20T09:30:00.000000Z", "model-1")


def test_r30_what_left_the_database_leaves_the_file(tmp_path: Path) -> None:
    keep(tmp_path, [reviewed(), reviewed()])
    assert len(keep(tmp_path, [reviewed()]).read_text(encoding="utf-8").splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([FILE, NOTE])


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "feedback").write_text("in the way", encoding="utf-8")
    with pytest.raises(Transient, match="cannot be written"):
        keep(tmp_path / "feedback", [])

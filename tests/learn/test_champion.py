"""Champion and challenger: a new model takes the old one's place only if no guarded figure is worse; and the card that tells of it."""

import errno
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from moderator.domain.errors import BadInput, Transient
from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label
from moderator.learn.card import CARD, card, forced
from moderator.learn.champion import Contest, challenge, compare
from moderator.learn.corpus import Example
from moderator.learn.evaluate import Figure
from moderator.learn.guarded import (
    FILE,
    Better,
    Guarded,
    Kept,
    fingerprint,
    guarded,
    names_by_origin,
    read_kept,
    write_kept,
)
from moderator.learn.identity import GroupRate
from moderator.learn.sources import NAME_SOURCES, SOURCES
from moderator.learn.stress import Disguise, SchoolFigures, Strain


def auc(value: float) -> Guarded:
    return Guarded("mean AUC, linear", value, Better.HIGHER, 0.003)


def harmless(value: float) -> Guarded:
    return Guarded("school comments, harmless flagged", value, Better.LOWER, 0.01)


Make = Callable[[Path], None]


def maker(*figures: Guarded, measured_on: str = "set 1", weights: str = "new") -> Make:
    """Return a training run that writes a model, its card and its figures."""

    def make(stage: Path) -> None:
        (stage / "abuse.skops").write_text(weights, encoding="utf-8")
        (stage / "abuse.json").write_text(json.dumps({"weights": weights}), encoding="utf-8")
        (stage / CARD).write_text(f"card of {weights}\n", encoding="utf-8")
        write_kept(stage, Kept(tuple(figures), measured_on))

    return make


def unmeasured(_: Path) -> Sequence[Guarded]:
    message = "the champion's figures are there: it need not be measured again"
    raise AssertionError(message)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "data").mkdir()
    (folder / "encoder.onnx").write_text("the encoder", encoding="utf-8")
    maker(auc(0.8), harmless(0.03), weights="old")(folder)
    return folder


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}


def run(out: Path, make: Make, *, reason: str = "") -> Contest:
    return challenge(out, make=make, measure=unmeasured, reason=reason)


def test_a_better_model_takes_the_place_with_all_its_files(out: Path) -> None:
    contest = run(out, maker(auc(0.82), harmless(0.03)))
    assert contest.won
    assert held(out)["abuse.skops"] == "new"
    assert held(out)["encoder.onnx"] == "the encoder"
    assert held(out)[CARD] == "card of new\n"
    assert read_kept(out) == Kept((auc(0.82), harmless(0.03)), "set 1")
    assert [path.name for path in out.parent.iterdir()] == ["models"]


def test_a_model_worse_in_one_guarded_figure_changes_nothing(out: Path) -> None:
    before = held(out)
    contest = run(out, maker(auc(0.9), harmless(0.05)))
    assert not contest.won
    assert "school comments, harmless flagged" in contest.why
    assert [comparison.name for comparison in contest.comparisons if comparison.worse] == ["school comments, harmless flagged"]
    assert held(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["models"]


def test_a_figure_within_its_tolerance_holds_and_one_past_it_does_not() -> None:
    assert not auc(0.797).worse_than(auc(0.8))
    assert auc(0.7969).worse_than(auc(0.8))
    assert not harmless(0.04).worse_than(harmless(0.03))
    assert harmless(0.0401).worse_than(harmless(0.03))
    assert not harmless(0.0).worse_than(harmless(0.03))


def test_a_figure_that_is_no_longer_measured_counts_as_worse_and_a_new_one_is_shown() -> None:
    gone, added = compare([auc(0.8)], [harmless(0.1)])
    assert (gone.worse, gone.new) == (True, None)
    assert (added.worse, added.old) == (False, None)
    assert gone.row() == {"figure": "mean AUC, linear", "old": 0.8, "new": None, "may lose": 0.003, "verdict": "worse"}


def test_r24_force_needs_a_reason_and_the_card_keeps_it(out: Path) -> None:
    contest = run(out, maker(auc(0.7), harmless(0.03)), reason="The old one took a name for an insult.")
    assert contest.won
    assert "took a name" in contest.why
    told = held(out)[CARD]
    assert told.startswith("card of new")
    assert "| mean AUC, linear | 0.8 | 0.7 |" in told
    assert "Why: The old one took a name for an insult." in told


def test_the_first_model_of_a_folder_needs_no_contest(tmp_path: Path) -> None:
    contest = run(tmp_path / "fresh", maker(auc(0.6)))
    assert contest.won
    assert held(tmp_path / "fresh")["abuse.skops"] == "new"


def test_on_other_text_the_old_model_is_measured_anew(out: Path) -> None:
    asked: list[Path] = []

    def measure(folder: Path) -> Sequence[Guarded]:
        asked.append(folder)
        return [auc(0.6), harmless(0.03)]

    contest = challenge(out, make=maker(auc(0.7), harmless(0.03), measured_on="set 2"), measure=measure)
    assert contest.won
    assert asked == [out]


def test_an_old_model_that_cannot_be_measured_stays_unless_a_reason_is_given(out: Path) -> None:
    def measure(_: Path) -> Sequence[Guarded]:
        message = "abuse.skops: is not a model this service trusts"
        raise BadInput(message)

    make = maker(auc(0.9), measured_on="set 2")
    before = held(out)
    assert not challenge(out, make=make, measure=measure).won
    assert held(out) == before
    assert challenge(out, make=make, measure=measure, reason="Two tiers from now on.").won
    assert "could not be measured" in held(out)[CARD]


def test_a_run_that_breaks_off_leaves_no_trace(out: Path) -> None:
    def breaks(stage: Path) -> None:
        maker(auc(0.9))(stage)
        message = "line 7 cannot be used"
        raise BadInput(message)

    before = held(out)
    with pytest.raises(BadInput, match="line 7"):
        run(out, breaks)
    assert held(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["models"]


def test_a_run_without_figures_is_refused(out: Path) -> None:
    def forgets(stage: Path) -> None:
        (stage / FILE).unlink()

    with pytest.raises(BadInput, match="no figures"):
        run(out, forgets)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_swap_that_fails_half_way_puts_the_old_files_back(out: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    def make(stage: Path) -> None:
        maker(auc(0.9), harmless(0.01))(stage)
        (stage / "blend.skops").write_text("a file the old model did not have", encoding="utf-8")
        swapped = 0
        replace = os.replace

        def full(source: Path, place: Path) -> None:
            nonlocal swapped
            if Path(source).parent.name != "before":
                if swapped == after:
                    raise OSError(errno.ENOSPC, "No space left on device")
                swapped += 1
            replace(source, place)

        monkeypatch.setattr(os, "replace", full)

    before = held(out)
    with pytest.raises(Transient, match="the old ones are in place"):
        run(out, make)
    assert held(out) == before


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    with pytest.raises(BadInput, match="--out"):
        run(tmp_path / "models", maker(auc(0.9)))


def test_unreadable_figures_are_not_taken_for_none(out: Path) -> None:
    (out / FILE).write_text('{"figures": [{}]}', encoding="utf-8")
    with pytest.raises(BadInput, match="cannot be read"):
        read_kept(out)
    (out / FILE).unlink()
    assert read_kept(out) is None


def figure(source: str, label: Label | Guard, auc: float | None, recall: float, positives: int = 20) -> Figure:
    return Figure(source, label.value, 100, positives, auc, 0.05, recall if positives else None, 0.02, 0.6)


FIGURES = {
    "linear": [figure("cad", Label.ABUSIVE, 0.8, 0.5), figure("school", Label.ABUSIVE, 0.9, 0.8)],
    "encoder": [
        figure("cad", Label.ABUSIVE, 0.84, 0.6),
        figure("cad", Label.INSULT, None, 0.5),
        figure("school", Label.ABUSIVE, 0.96, 0.97),
        figure("school", Guard.DISCLOSURE, 0.99, 0.9),
        figure("school", Guard.CRISIS, None, 0, positives=0),
    ],
}
NAMES = {"source": "names: polish (held out)", "names": 412, "recall": 0.91, "precision": 0.93, "text_f1": None}
HELD = Strain(
    (Disguise("leetspeak", 50, 0.8, 0.77, 60, 0.01, 0.02),),
    (GroupRate("religion", "Sikh", 34, 0.0), GroupRate("gender", "female", 34, 0.1)),
    SchoolFigures(300, 0.97, 200, 0.01),
)


def test_the_guarded_figures_are_those_a_school_relies_on() -> None:
    found = {each.name: each for each in guarded(FIGURES, HELD, {"polish": 0.9})}
    assert found["mean AUC, linear"].value == pytest.approx(0.85)
    assert found["mean AUC, encoder"].value == pytest.approx(0.9)
    assert found["AUC on cad"].value == 0.84
    assert found["disclosure found on school"].value == 0.9
    assert "crisis found on school" not in found
    assert found["school comments, abuse found"] == Guarded("school comments, abuse found", 0.97, Better.HIGHER, 0.02)
    assert found["school comments, harmless flagged"].better is Better.LOWER
    assert found["identity, furthest from the mean"].value == pytest.approx(0.05)
    assert found["abuse found, disguise leetspeak"].value == 0.77
    assert found["names found, polish"].value == 0.9
    bare = guarded({"linear": []}, Strain((), HELD.groups, SchoolFigures(0, 0, 0, 0)), {})
    assert [each.name for each in bare] == ["mean AUC, linear", "identity, furthest from the mean"]


def test_figures_are_comparable_only_on_the_same_text_and_labels() -> None:
    one = Example("a", {Label.THREAT: 1, Label.ABUSIVE: 1}, "x")
    same = Example("a", {Label.ABUSIVE: 1, Label.THREAT: 1}, "x", weight=3.0)
    assert fingerprint([one]) == fingerprint([], [same])
    assert fingerprint([one]) != fingerprint([Example("a", {Label.ABUSIVE: 0}, "x")])


def test_names_by_origin_come_from_the_taggers_manifest(tmp_path: Path) -> None:
    assert names_by_origin(tmp_path) == {}
    figures = [{"source": "names: polish", "names": 50, "recall": 0.9}, {"source": "wnut17", "names": 9, "recall": 0.5}, {"source": "odd"}]
    (tmp_path / "people.json").write_text(json.dumps({"figures": figures}), encoding="utf-8")
    assert names_by_origin(tmp_path) == {"polish": 0.9}
    (tmp_path / "people.json").write_text("[]", encoding="utf-8")
    assert names_by_origin(tmp_path) == {}


def test_the_card_tells_of_both_tiers_their_sources_and_every_figure(tmp_path: Path) -> None:
    manifest = {"name": "people", "file": "people.npz", "sha256": "ab" * 32, "date": "2026-11-22", "bytes": 2_000_000}
    (tmp_path / "people.json").write_text(json.dumps({**manifest, "figures": [NAMES]}), encoding="utf-8")
    write_kept(tmp_path, Kept((auc(0.8),), "x"))
    fitted = [Example("a", {}, "cad")] * 3 + [Example("b", {}, "school")]
    told = card(tmp_path, figures=FIGURES, held=HELD, shares={"calm talk": 0.004}, fitted=fitted, policy=Policy.bundled())
    for part in (
        "Linear tier",
        "Encoder tier",
        "| `people.npz` | 2026-11-22 | 2,000,000 |",
        "linear tier **0.850**; encoder tier **0.900**",
        "| cad | encoder | 100 | 20 | 0.840 | 0.050 | 60.0 % | 2.0 % |",
        "| school | disclosure | 20 of 100 | 90.0 % | 2.0 % |",
        "| religion | Sikh | 34 | 0.0 % |",
        "5.0 points from it",
        "| leetspeak | 80.0 % | 77.0 % | -3.0 | 1.0 % | 2.0 % | +1.0 |",
        "| names: polish (held out) | 412 | 91.0 % | 93.0 % |  |",
        "| calm talk | 0.4 % |",
        "Of 300 abusive school comments by another hand 97.0 % reach a threshold",
        "## Limits",
        "python models/finetune --data DIR --base DIR",
    ):
        assert part in told
    for source in (*NAME_SOURCES, *(source for source in SOURCES if source.name in {"cad", "school"})):
        assert f"| {source.name} | {source.licence} | {source.published} |" in told
    assert "| edos |" not in told
    assert "crisis | 0" not in told


def test_a_card_with_less_to_tell_tells_less(tmp_path: Path) -> None:
    bare = Strain((), HELD.groups, SchoolFigures(0, 0, 0, 0))
    told = card(tmp_path, figures={"linear": []}, held=bare, shares={}, fitted=[], policy=Policy.bundled())
    assert "## Guards" not in told
    assert "## In disguise" not in told
    assert "## Names" not in told
    assert "school comments by another hand" not in told
    assert "could not be measured" in forced([], "because")

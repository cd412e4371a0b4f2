"""`moderator train` and `moderator evaluate` on small made-up files."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from small_models import rows, small_data, tagger

from moderator.cli.figures import FigureFormat, table
from moderator.cli.train import Tier, evaluate, train
from moderator.domain.errors import BadInput
from moderator.learn.classifier import Assessor
from moderator.learn.guarded import read_kept


@pytest.fixture
def out(trained: Path, tmp_path: Path) -> Path:
    """Return a copy of the small trained models, to be replaced."""
    return Path(shutil.copytree(trained, tmp_path / "models"))


def run(trained: Path, out: Path, *, data: Path | None = None, school: Path | None = None, force: str = "") -> None:
    folder = trained.parent
    train(data=data or folder / "data", out=out, seed=3, school=school or folder / "school.jsonl", test=folder / "test.jsonl", force=force)


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_data_makes_a_model_that_is_no_worse_and_takes_the_place(
    trained: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(trained, out)
    told = capsys.readouterr()
    assert "fitting on" in told.err
    assert "flagged of" in told.out
    assert "No guarded figure is worse." in told.out
    assert "measuring" not in told.err
    assert json.loads((out / "abuse.json").read_text(encoding="utf-8"))["seed"] == 3
    rude, calm = Assessor(out).score(["you daft muppet", "lovely concert"])
    assert sum(rude.labels.values()) > sum(calm.labels.values())
    assert read_kept(out) == read_kept(trained)


def test_a_worse_model_is_refused_with_1_and_a_reason_puts_it_in_place(
    trained: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = small_data(tmp_path / "wrong", upside_down=True)
    before = held(out)
    with pytest.raises(typer.Exit) as stopped:
        run(trained, out, data=data, school=data.parent / "school.jsonl")
    assert stopped.value.exit_code == 1
    told = capsys.readouterr()
    assert "worse: mean AUC, linear" in told.out
    assert "is as it was" in told.err
    assert held(out) == before
    run(trained, out, data=data, school=data.parent / "school.jsonl", force="To see what a bad model does.")
    assert "Why: To see what a bad model does." in (out / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_when_the_judging_text_changed_the_models_in_place_are_measured_on_it(
    trained: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(trained.parent / "data", tmp_path / "data"))
    (data / "abuse" / "dev.csv").write_text(rows(44), encoding="utf-8")
    run(trained, out, data=data)
    told = capsys.readouterr()
    assert "measuring the models in place" in told.err
    assert "No guarded figure is worse." in told.out


def test_train_without_data_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lacks"):
        train(data=tmp_path, out=tmp_path / "out")
    with pytest.raises(BadInput, match="give --data"):
        train(out=tmp_path / "out")
    with pytest.raises(BadInput, match="goes with --local"):
        train(data=tmp_path, out=tmp_path / "out", apply=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_evaluate_tells_abuse_outcomes_and_names_in_three_formats(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = trained.parent / "test.jsonl"
    evaluate(data=test, models=trained, output=FigureFormat.JSONL)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    abuse = [row for row in found if "tier" in row]
    assert {row["label"] for row in abuse} >= {"abusive", "disclosure"}
    assert {row["tier"] for row in abuse} == {"linear"}
    assert [row["by"] for row in found if row.get("figure") == "names"] == ["span, exact", "span, touching", "comment"]
    outcomes = {row["kind"]: row for row in found if row.get("figure") == "outcome"}
    assert outcomes["abusive"]["hide"] > 0.9
    assert outcomes["harmless"]["hide"] == 0
    assert outcomes["disclosure"]["hide"] == 0

    evaluate(data=test, models=trained, output=FigureFormat.CSV, tier=Tier.LINEAR)
    first, *_ = capsys.readouterr().out.split("\n\n")
    assert first.splitlines()[0].startswith("tier,source,label,rows")
    assert len({line.count(",") for line in first.splitlines()}) == 1

    evaluate(data=test, models=trained)
    assert "naming people" not in capsys.readouterr().out


def test_evaluate_stops_with_1_below_the_floor(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(rows(40, upside_down=True), encoding="utf-8")
    with pytest.raises(typer.Exit) as stopped:
        evaluate(data=path, models=trained, floor=0.6)
    assert stopped.value.exit_code == 1
    assert "below" in capsys.readouterr().err


def test_evaluate_judges_one_label_alone_without_the_whole_assessor(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("text,threat\nyou daft muppet,1\nlovely day,\n", encoding="utf-8")
    evaluate(data=path, models=trained, output=FigureFormat.JSONL)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["kind"] for row in found if row.get("figure") == "outcome"] == ["abusive"]
    path.write_text("text,threat\nlovely day,0\n", encoding="utf-8")
    evaluate(data=path, models=trained, output=FigureFormat.JSONL)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_evaluate_refuses_an_empty_file_and_models_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("text,abusive\n", encoding="utf-8")
    with pytest.raises(BadInput, match="holds no labelled text"):
        evaluate(data=path)
    path.write_text("text,abusive\nhm,0\n", encoding="utf-8")
    tagger(tmp_path / "half")
    with pytest.raises(BadInput, match="missing or unreadable"):
        evaluate(data=path, models=tmp_path / "half")


def test_a_table_without_rows_is_empty() -> None:
    assert list(table([])) == []

"""`moderator train` and `moderator evaluate` on small made-up files."""

import json
from pathlib import Path

import pytest
import typer

from moderator.cli.train import FigureFormat, evaluate, train
from moderator.domain.errors import BadInput
from moderator.learn.classifier import LinearClassifier

CALM = ("lovely concert", "great match today", "see you at the gate", "thanks for the photos")
RUDE = ("you daft muppet", "what a silly clown", "shut up you fool", "you utter nincompoop")
HEAD = "text,abusive,insult,threat,identity,sexual,profanity,harassment,orig,source,licence\n"


def _rows(count: int) -> str:
    lines = [f"{(RUDE if n % 2 else CALM)[n // 2 % 4]} {n},{','.join([str(n % 2)] * 7)},,cad,CC BY 4.0" for n in range(count)]
    return HEAD + "\n".join(lines) + "\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "abuse"
    folder.mkdir(parents=True)
    (folder / "train.csv").write_text(_rows(160), encoding="utf-8")
    (folder / "dev.csv").write_text(_rows(40), encoding="utf-8")
    (folder / "goemotions.txt").write_text("text\n" + "\n".join(f"nice day {n}" for n in range(40)), encoding="utf-8")
    (folder / "profanity_en.csv").write_text("text\nnincompoop\n", encoding="utf-8")
    school = [
        json.dumps({"text": f"{(RUDE if n % 2 else CALM)[n % 4]} at school {n}", "abusive": n % 2, "pattern": f"p{n}"}) for n in range(40)
    ]
    (tmp_path / "school.jsonl").write_text("\n".join(school), encoding="utf-8")
    return tmp_path / "data"


def test_train_then_evaluate(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    train(data=data, out=out, seed=3, school=tmp_path / "school.jsonl")
    told = capsys.readouterr()
    assert "fitting on" in told.err
    assert "flagged of" in told.out
    assert json.loads((out / "abuse.json").read_text(encoding="utf-8"))["seed"] == 3
    rude, calm = LinearClassifier(out).score(["you daft muppet", "lovely concert"])
    assert sum(rude.labels.values()) > sum(calm.labels.values())

    evaluate(data=data / "abuse" / "dev.csv", models=out, output=FigureFormat.JSONL)
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {figure["label"] for figure in figures} >= {"abusive", "threat"}
    assert all(figure["auc"] is None or figure["auc"] > 0.9 for figure in figures)

    evaluate(data=data / "abuse" / "dev.csv", models=out, output=FigureFormat.CSV)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("source,label,rows")
    assert len({line.count(",") for line in lines}) == 1

    upside_down = tmp_path / "wrong.csv"
    upside_down.write_text(
        "text,abusive\n" + "".join(f"{(RUDE if n % 2 else CALM)[n // 2 % 4]} {n},{1 - n % 2}\n" for n in range(20)), encoding="utf-8"
    )
    with pytest.raises(typer.Exit) as stopped:
        evaluate(data=upside_down, models=out, floor=0.6)
    assert stopped.value.exit_code == 1
    assert "below" in capsys.readouterr().err


def test_evaluate_runs_on_the_bundled_model_and_refuses_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("text,abusive\nYou are a useless idiot,1\nLovely day,0\n", encoding="utf-8")
    evaluate(data=file)
    assert "mine" in capsys.readouterr().out
    file.write_text("text,abusive\n", encoding="utf-8")
    with pytest.raises(BadInput, match="holds no labelled text"):
        evaluate(data=file)


def test_train_without_data_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lacks"):
        train(data=tmp_path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()

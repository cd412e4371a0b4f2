"""`moderator backtest`: a file of past comments in, what a policy would have done out; in three formats."""

import csv
import io
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from moderator.cli.backtest import IDS, BacktestFormat, backtest
from moderator.cli.past import read_past
from moderator.domain.decision import Outcome
from moderator.domain.errors import BadInput
from moderator.learn.backtest import Past

TEXT = resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")

ROWS = [
    {"id": "a", "text": "lovely concert", "account": "oakfield", "platform": "x", "day": "2026-11-20", "abusive": 0},
    {"id": "b", "text": "you daft muppet", "account": "x:oakfield", "posted_at": "2026-06-30T23:30:00Z", "abusive": 1, "outcome": "hide"},
    {"id": "c", "text": "great match\ntoday", "school": "elm", "abusive": True, "people": [{"start": 0, "end": 5}]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "past.jsonl"
    path.write_text("\n\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def lax(tmp_path: Path) -> Path:
    """Return a policy under which nothing of this kind is flagged."""
    path = tmp_path / "lax.toml"
    lines = [f"{line.split('=')[0]}= 1" if line.split(" ")[0] in FLAGS else line for line in TEXT.replace("2026.11", "lax").splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


FLAGS = ("abusive", "insult", "threat", "harassment", "identity_attack", "sexual")


def test_rows_say_what_is_known_of_a_comment(file: Path) -> None:
    one, two, three = read_past(file)
    assert one == Past("a", "lovely concert", "", "x:oakfield", "", "2026-11-20", abusive=False)
    assert two == Past("b", "you daft muppet", "", "x:oakfield", "", "2026-07-01", abusive=True, outcome=Outcome.HIDE)
    assert (three.school, three.abusive, three.day) == ("elm", True, "")


def test_csv_and_plain_text_are_read_as_assess_reads_them(tmp_path: Path) -> None:
    table = tmp_path / "past.csv"
    table.write_text('id, text ,day,outcome,abusive\n1,"lovely, really",2026-11-20T10:00:00,ROUTE,\n2,hm,,,0\n', encoding="utf-8")
    assert read_past(table) == [
        Past("1", "lovely, really", day="2026-11-20", outcome=Outcome.ROUTE),
        Past("2", "hm", abusive=False),
    ]
    for name, body in (("past.txt", "text,day\nb\n"), ("past", "no head\nb\n")):
        plain = tmp_path / name
        plain.write_text(body, encoding="utf-8")
        assert [past.text for past in read_past(plain)][1] == "b"
    bare = tmp_path / "bare"
    bare.write_text("text,school\nhm,oak\n", encoding="utf-8")
    assert read_past(bare) == [Past(1, "hm", school="oak")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"day": "last week"}, "not a day"),
        ({"day": "2026-13-40"}, "not a day"),
        ({"abusive": "maybe"}, "abusive is 'maybe'"),
        ({"outcome": "delete"}, "outcome is 'delete'"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, row: dict[str, str], says: str) -> None:
    path = tmp_path / "past.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "hm", **row}), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"past\.jsonl, comment a: .*{says}"):
        read_past(path)


def test_standard_input_is_refused_plainly() -> None:
    with pytest.raises(BadInput, match="reads a file"):
        read_past(Path("-"))


def test_the_table_shows_counts_changes_and_truth_but_no_text(
    file: Path, lax: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    backtest(file, against=lax, models=trained)
    said = capsysbinary.readouterr().out.decode()
    assert said.startswith("3 comments under policy 2026.11")
    assert "account   x:oakfield" in said
    assert "newly hidden: 1  (b)" in said
    assert "newly cleared: 0\n" in said
    assert "1 of 2 abusive comments found (50.0%)" in said
    assert "1 of 1 with the outcome a person gave" in said
    assert "abuse missed: 1  (c)" in said
    assert "muppet" not in said


def test_texts_are_shown_on_request(file: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    backtest(file, models=trained, show=2)
    said = capsysbinary.readouterr().out.decode()
    assert "\nhide:\n  b: you daft muppet\n" in said
    assert "\nabuse missed:\n  c: great match today\n" in said
    assert "Otherwise than" not in said


def test_jsonl_has_everything_by_id(file: Path, lax: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    backtest(file, policy=lax, against=None, models=trained, output=BacktestFormat.JSONL, show=1)
    rows = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert rows[0]["kind"] == "backtest"
    assert rows[0]["against"] is None
    assert {row["name"]: row["ids"] for row in rows if row["kind"] == "outcome"}["clear"] == ["a", "b", "c"]
    (truth,) = [row for row in rows if row["kind"] == "truth"]
    assert truth["missed"] == ["b", "c"]
    assert truth["otherwise"] == ["b"]
    assert next((row["group"], row["id"]) for row in rows if row["kind"] == "text") == ("abuse missed", "b")
    backtest(file, policy=lax, models=trained, output=BacktestFormat.JSONL)
    assert b"muppet" not in capsysbinary.readouterr().out


def test_csv_is_one_table(file: Path, lax: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    backtest(file, against=lax, models=trained, output=BacktestFormat.CSV)
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))
    assert rows[0] == {
        "by": "all",
        "name": "comments",
        "comments": "3",
        "clear": "2",
        "hide": "1",
        "route": "0",
        "withhold": "0",
        "ids": "",
        "texts": "",
    }
    assert {row["name"]: row["ids"] for row in rows if row["by"] == "group"}["newly hidden"] == "b"
    backtest(file, models=trained, output=BacktestFormat.CSV, show=1)
    shown = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))
    assert {row["name"]: row["texts"] for row in shown if row["by"] == "group"}["abuse missed"] == "great match today"


def test_a_file_without_labels_is_only_counted(tmp_path: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "many.txt"
    path.write_text("you daft muppet\n" * (IDS + 5), encoding="utf-8")
    backtest(path, models=trained)
    said = capsysbinary.readouterr().out.decode()
    assert "Against what people said" not in said
    assert "hide" in said
    backtest(path, models=trained, show=1, output=BacktestFormat.CSV)
    assert b"group" not in capsysbinary.readouterr().out


def test_long_lists_of_ids_are_cut_in_the_table(
    tmp_path: Path, lax: Path, trained: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "many.jsonl"
    rows = [{"text": "you daft muppet", "abusive": 0, "outcome": "clear"} for _ in range(IDS + 5)]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    backtest(path, against=lax, models=trained)
    said = capsysbinary.readouterr().out.decode()
    assert f"newly hidden: {IDS + 5}  (1 2 3" in said
    assert f" {IDS} …)" in said
    assert f"{IDS + 5} called harmless" in said


def test_the_command_is_there_and_a_wrong_file_ends_with_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "moderator", "backtest", str(tmp_path / "none.csv")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "cannot be read" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1

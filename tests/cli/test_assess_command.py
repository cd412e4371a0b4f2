"""`moderator assess`, run as a user runs it: what goes in, what comes out, and how it refuses."""
# ruff: noqa: RUF001 - look-alike letters are what some of these are about

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from moderator.cli.assess import AssessFormat, assess, read_comments, read_policy
from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy

ROOT = Path(__file__).parents[2]
KEYS = {"id", "flagged", "outcome", "labels", "people", "pii", "reasons", "model", "policy"}


def _moderator(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from moderator.cli import main; main()", "assess", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False, cwd=ROOT, timeout=120)


def test_a_line_comes_out_for_each_comment_in_order() -> None:
    done = _moderator(
        given=b'{"id": "b", "text": "You are a useless idiot"}\n\n{"id": 7, "text": "Lovely day \xf0\x9f\x98\x80"}\n{"text": "x \\ud800"}\n'
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row["id"] for row in rows] == ["b", 7, 4]
    assert [row["outcome"] for row in rows] == ["hide", "clear", "clear"]
    assert [row["flagged"] for row in rows] == [True, False, False]
    assert all(set(row) == KEYS for row in rows)
    assert set(rows[0]["labels"]) == {"abusive", "insult", "threat", "identity_attack", "sexual", "profanity", "harassment"}
    assert all(0 <= chance <= 1 for row in rows for chance in row["labels"].values())


def test_a_bad_line_is_named_on_one_line_and_nothing_is_written() -> None:
    done = _moderator(given=b'{"text": "fine"}\n{"text": 3}\n')
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"line 2" in done.stderr


def _assessed(
    capfdbinary: pytest.CaptureFixture[bytes], file: Path, *, roll: Path | None = None, policy: Path | None = None
) -> list[dict[str, Any]]:
    assess(str(file), roll=roll, policy=policy)
    return [json.loads(line) for line in capfdbinary.readouterr().out.decode().splitlines()]


def test_offsets_are_code_points_of_the_text_as_given(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = "😀 “Mrs Begum” is an ｉdiot, ring 01632 960001"
    file = tmp_path / "in.jsonl"
    file.write_text(json.dumps({"id": "a", "text": text}), encoding="utf-8")
    (row,) = _assessed(capfdbinary, file)
    (person,) = row["people"]
    assert text[person["start"] : person["end"]] == person["text"] == "Mrs Begum"
    spans = {reason["label"]: text[reason["start"] : reason["end"]] for reason in row["reasons"]}
    assert spans["name"] == "Mrs Begum"
    assert "ｉdiot" in spans["abusive"]


def test_a_roll_names_its_people_and_a_bad_row_is_named(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    roll = tmp_path / "roll.csv"
    roll.write_text("reference,kind,first_name,last_name\nP1,pupil,Zofia,Nowak\n", encoding="utf-8")
    file = tmp_path / "in.txt"
    file.write_text("zofia nowak won\nZofia was there\n", encoding="utf-8")
    named, weak = _assessed(capfdbinary, file, roll=roll)
    assert (named["outcome"], weak["outcome"]) == ("hide", "clear")
    assert named["people"] == [{"start": 0, "end": 11, "text": "zofia nowak", "kind": "pupil", "source": "roll"}]
    roll.write_text("kind,first_name,last_name\npirate,Zofia,Nowak\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"roll\.csv line 2"):
        assess(str(file), roll=roll)


def test_r32_another_policy_decides_and_is_cited(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    policy = tmp_path / "mine.toml"
    bundled = (ROOT / "moderator" / "domain" / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(bundled.replace(Policy.bundled().version, "mine-1").replace("abusive = 0.45", "abusive = 1.0"), encoding="utf-8")
    file = tmp_path / "in.txt"
    file.write_text("You are a muppet, shut up\n", encoding="utf-8")
    (row,) = _assessed(capfdbinary, file, policy=policy)
    assert row["policy"] == "mine-1"
    assert read_policy(None).version == Policy.bundled().version
    policy.write_text("[", encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.toml"):
        read_policy(policy)


def test_the_table_says_what_and_why(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    file = tmp_path / "in.txt"
    file.write_text(f"You are a useless idiot {'x' * 80}\nLovely day\n", encoding="utf-8")
    assess(str(file), output=AssessFormat.TABLE)
    hidden, clear = capfdbinary.readouterr().out.decode().splitlines()
    assert "hide" in hidden
    assert "…" in hidden
    assert "Nothing found" in clear


@pytest.mark.parametrize(
    ("name", "body", "read"),
    [
        ("a.txt", "one\r\n\ntext,two\n", [(1, "one"), (2, ""), (3, "text,two")]),
        ("a.txt", "\ufeffone", [(1, "one")]),
        ("a.csv", 'id,text\nx,"one, \n two"\n,three\n', [("x", "one, \n two"), (2, "three")]),
        ("a.data", '"id", text\n5,one\n', [("5", "one")]),
        ("a.data", '\n{"id": 5, "text": "one"}\n', [(5, "one")]),
        ("a.data", "just a line", [(1, "just a line")]),
        ("a.jsonl", "", []),
        ("a.txt", "", []),
        ("a.csv", f"text\n{'x' * 200_000}\n", [(1, "x" * 200_000)]),
    ],
)
def test_every_kind_of_input_is_read(tmp_path: Path, name: str, body: str, read: list[tuple[str | int, str]]) -> None:
    file = tmp_path / name
    file.write_text(body, encoding="utf-8", newline="")
    assert [(comment.id, comment.text) for comment in read_comments(str(file))] == read


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.jsonl", b'{"text": "a"}\nno\n', "line 2: is not JSON"),
        ("a.jsonl", b"[1]\n", "line 1: has no"),
        ("a.jsonl", b'{"text": "a", "id": [1]}\n', 'line 1: "id"'),
        ("a.jsonl", b'{"text": "a", "id": true}\n', 'line 1: "id"'),
        ("a.jsonl", b"[" * 100_000, "line 1: is not JSON"),
        ("a.csv", b"id,words\n", "no column named text"),
        ("a.csv", b"id,text\n1\n", "line 2: has fewer cells"),
        ("a.csv", b"id,text\n1,a,b\n", "line 2: has more cells"),
        ("a.csv", b'id,text\n1,"a\n', "is not valid CSV"),
        ("a.txt", b"ok\n\xff\n", "line 2: is not UTF-8"),
    ],
)
def test_bad_input_is_named_by_line(tmp_path: Path, name: str, body: bytes, says: str) -> None:
    file = tmp_path / name
    file.write_bytes(body)
    with pytest.raises(BadInput, match=says):
        read_comments(str(file))


def test_a_file_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_comments(str(tmp_path / "none.txt"))

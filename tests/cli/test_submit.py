"""`moderator submit`: a screen print becomes a record that verifies; anything else is one line and exit code 2."""

import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from moderator.build import build, make_keys
from moderator.cli import main
from moderator.evidence.submission import intake
from moderator.settings import load

Command = Callable[..., tuple[int, str, str]]

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""
ELMFIELD = """
[[school]]
slug = "elmfield"
name = "Elmfield School"
head_email = "head@elmfield.example"
email_domains = ["elmfield.example"]
"""
SAID = ("--place", "https://social.example/p/1", "--seen", "2026-01-22 14:05", "--by", "DES-4", "--why", "A parent showed it to me.")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator …` in a folder with settings, keys and a screen print."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    monkeypatch.chdir(tmp_path)
    (tmp_path / "moderator.toml").write_text(SETTINGS)
    out = BytesIO()
    Image.effect_noise((30, 20), 80).convert("RGB").save(out, "PNG")
    (tmp_path / "shot.png").write_bytes(out.getvalue())
    make_keys(tmp_path / "secrets")
    return run


def test_a_screen_print_becomes_a_sealed_record_that_verifies(command: Command, tmp_path: Path) -> None:
    more = ("--posted", "2026-01-22 13:00", "--author-as-shown", "Fern", "--text-as-shown", "Useless.")
    code, out, err = command("submit", "shot.png", *SAID, "--not-indecent", *more)
    assert (code, err) == (0, "")
    number = out.split()[2].rstrip(",")
    assert command("submit", "shot.png", *SAID, "--not-indecent")[1].split()[2].rstrip(",") == number
    assert command("verify", "data/vault")[0] == 0
    ledger = [json.loads(line) for line in (tmp_path / "data" / "ledger.jsonl").read_text().splitlines()]
    assert [line["event"] for line in ledger] == ["opened", "submitted", "captured", "sealed", "alerted"]
    assert ledger[1]["actor"] == "DES-4"
    context = build(load(tmp_path / "moderator.toml"))
    try:
        record = context.database.submitted_record(number)
        assert record is not None
        assert context.tools.vault.open(record.path, "data/submitted-01.png") == (tmp_path / "shot.png").read_bytes()
        facts = json.loads(context.tools.vault.open(record.path, "data/record.json"))
    finally:
        context.close()
    assert (facts["author_name"], facts["text"], facts["posted_utc"][:16]) == ("Fern", "Useless.", "2026-01-22T13:00")


def test_r17_without_the_answer_to_the_question_nothing_is_read(command: Command, tmp_path: Path) -> None:
    code, _, err = command("submit", "shot.png", *SAID)
    assert code == 2
    assert "--not-indecent" in err
    assert "999" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "data" / "ledger.jsonl").exists()


def test_what_cannot_be_taken_is_one_line_and_nothing_is_written(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.png").write_bytes(b"<svg onload='alert(1)'/>")
    (tmp_path / "cut.png").write_bytes((tmp_path / "shot.png").read_bytes()[:-8])
    late = [*SAID[:3], "2126-01-22 14:05", *SAID[4:]]
    cases = (
        (("page.png", *SAID), "drawing with code"),
        (("cut.png", *SAID), "cut short or damaged"),
        (("missing.png", *SAID), "missing.png: cannot be read"),
        ((".", *SAID), "cannot be read"),
        (("shot.png", *late), "still to come"),
        (("shot.png", *SAID, "--school", "nowhere"), "choose one of the trust's schools"),
        ((*(["shot.png"] * 11), *SAID), "at most 10 files"),
    )
    for words, told in cases:
        code, out, err = command("submit", *words, "--not-indecent")
        assert (code, out) == (2, ""), words
        assert told in err
        assert len(err.splitlines()) == 1
    monkeypatch.setattr(sys.modules["moderator.cli.submit"], "MAX_BYTES", 100)
    monkeypatch.setattr(intake, "MAX_BYTES", 100)
    assert "together are too large" in command("submit", "shot.png", *SAID, "--not-indecent")[2]
    assert list((tmp_path / "data" / "vault").glob("oakfield/*/*")) == []
    assert not (tmp_path / "data" / "ledger.jsonl").exists()


def test_with_several_schools_one_must_be_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "moderator.toml").write_text(SETTINGS + ELMFIELD)
    code, _, err = command("submit", "shot.png", *SAID, "--not-indecent")
    assert code == 2
    assert "--school oakfield or elmfield" in err
    code, out, _ = command("submit", "shot.png", *SAID, "--not-indecent", "--school", "elmfield")
    assert code == 0
    assert "in elmfield/" in out

"""`moderator person`: the register of people on the console (R3, R21, R26)."""

import re
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from moderator.build import make_keys, open_database
from moderator.cli import main
from moderator.domain.access import Role
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.times import SystemClock, london_date
from moderator.settings import load
from moderator.store import register

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
[[school]]
slug = "ashford"
name = "Ashford Junior School"
head_email = "head@ashford.example"
email_domains = ["ashford.example"]
"""

Command = Callable[..., tuple[int, str, str]]
TODAY = london_date(SystemClock().now())


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator person …` on a register with one CEO, and gives its exit code, output and errors."""
    (tmp_path / "moderator.toml").write_text(SETTINGS, encoding="utf-8")
    make_keys(tmp_path / "secrets")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", "person", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return run


def first_ceo() -> None:
    with open_database(load(Path("moderator.toml"))).unit() as unit:
        added = register.add_person(unit.connection, name="Maren Holloway", email="ceo@oakfield.example", at=SystemClock().now())
        began = date(2026, 1, 1)
        register.designate(
            unit.connection, person_id=added.id, role=Role.CEO, school=EVERY_SCHOOL, signed_by="set-up", signed_on=began, begins_on=began
        )


def ledger(school: str = "oakfield") -> list[tuple[str, ...]]:
    text = Path(f"data/ledger-{school}.jsonl").read_text(encoding="utf-8")
    assert '"event":"opened"' in text.splitlines()[0]
    return re.findall(r'"event":"registered","subject":"([^"]*)","actor":"([^"]*)","reason":"([^"]*)"', text)


def test_r3_a_register_is_kept_on_the_console(person: Command) -> None:
    assert "Nobody is designated yet" in person("list")[1]
    first_ceo()
    new = ("--role", "head", "--school", "oakfield", "--name", "Tamsin Okoro", "--email", "head@oakfield.example", "--signed-by", "CEO-1")
    code, out, _ = person("designate", *new, "--roll-reference", "S-1", "--ends", "2090-08-31")
    assert (code, "HEAD-1, signed by CEO-1" in out) == (0, True)
    trust = ("--role", "tsl", "--name", "Idris Penhale", "--email", "tsl@oakfield.example", "--signed-by", "CEO-1")
    assert person("designate", *trust)[0] == 0
    assert ledger() == [("HEAD-1", "CEO-1", "designated"), ("TSL-1", "CEO-1", "designated")]
    assert ledger("ashford") == [("TSL-1", "CEO-1", "designated")]
    away = (TODAY.isoformat(), (TODAY + timedelta(days=2)).isoformat())
    assert person("absent", "HEAD-1", "--from", away[0], "--to", away[1], "--signed-by", "CEO-1")[0] == 0
    out = person("list", "--school", "oakfield")[1]
    assert f"HEAD-1  Headteacher  oakfield  Tamsin Okoro <head@oakfield.example>  from {TODAY} until 2090-08-31, signed by CEO-1" in out
    assert f"away {away[0]} to {away[1]}" in out
    assert "TSL-1  Trust Safeguarding Lead  whole trust" in out
    assert "TSL-1" in person("list", "--school", "ashford")[1]
    assert "HEAD-1" not in person("list", "--school", "ashford")[1]
    assert person("end", "TSL-1", "--reason", "Left the trust", "--signed-by", "CEO-1")[0] == 0
    assert "TSL-1" not in person("list")[1]
    assert f"ended {TODAY} by CEO-1" in person("list", "--ended")[1]
    assert ledger()[-1] == ("TSL-1", "CEO-1", "designation_ended")
    assert "Okoro" not in Path("data/ledger-oakfield.jsonl").read_text(encoding="utf-8")


NEW = ("designate", "--name", "Dale Pym", "--signed-by", "CEO-1")
REFUSED = (
    ((*NEW[:-1], "HEAD-9", "--role", "head", "--email", "d@oakfield.example"), "HEAD-9: nobody has"),
    ((*NEW, "--role", "head", "--email", "d@oakfield.example"), "a role of one school"),
    ((*NEW, "--role", "dsl", "--school", "elm", "--email", "d@oakfield.example"), "no school 'elm'"),
    ((*NEW, "--role", "dsl", "--school", "oakfield", "--email", "d@mail.example"), "not a school address"),
    (("end", "CEO-1", "--reason", "I leave", "--signed-by", "CEO-1"), "the last one who can sign for ashford, oakfield"),
    (("end", "DSL-7", "--reason", "Left", "--signed-by", "CEO-1"), "nobody has the designation DSL-7"),
    (("absent", "CEO-1", "--from", "2026-02-02", "--to", "2026-02-01", "--signed-by", "CEO-1"), "is before the first"),
    (("list", "--school", "elm"), "no school 'elm'"),
)


def test_r3_r26_what_cannot_be_is_one_clear_line_and_changes_nothing(person: Command) -> None:
    first_ceo()
    before = person("list", "--ended")
    for words, why in REFUSED:
        code, out, error = person(*words)
        assert (code, out) == (2, "")
        assert why in error
        assert len(error.splitlines()) == 1
    assert person("list", "--ended") == before

"""`moderator digest --preview`: what would be sent, in three forms, and nothing kept."""

import sys
from collections.abc import Callable
from datetime import timedelta
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from moderator.build import build, make_keys, open_database
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
encoder = false
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""

Command = Callable[..., tuple[int, str, str]]
TODAY = london_date(SystemClock().now())
SEEN = ("digest", "--school", "oakfield", "--preview")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a school whose service has run once, today."""
    made = tmp_path_factory.mktemp("school")
    (made / "moderator.toml").write_text(SETTINGS, encoding="utf-8")
    make_keys(made / "secrets")
    build(load(made / "moderator.toml")).close()
    return made


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator …` there and gives its exit code, output and errors."""
    monkeypatch.chdir(folder)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return run


def kept(folder: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    database = open_database(load(folder / "moderator.toml"))
    with database.reading() as connection:
        tables = SQLModel.metadata.sorted_tables
        return {table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables}


def test_a_preview_comes_in_three_forms_and_keeps_nothing(command: Command, folder: Path) -> None:
    before = kept(folder)
    code, text, _ = command(*SEEN)
    assert code == 0
    assert text.startswith("To: head@oakfield.example\nSubject: ")
    assert "Oakfield Primary School" in text
    assert "About this message" not in text, "the text's own ending is shorter"
    code, page, _ = command(*SEEN, "--format", "html")
    assert (code, page.startswith("<!DOCTYPE html>"), page.rstrip().endswith("</html>")) == (0, True, True)
    code, said, _ = command(*SEEN, "--format", "eml", "--out", "digest.eml")
    assert (code, said) == (0, "Written to digest.eml. Nothing was sent.\n")
    message = message_from_string((folder / "digest.eml").read_text(encoding="utf-8"), policy=default)
    assert message["To"] == "head@oakfield.example"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not (folder / "data" / "outbox").exists()
    assert kept(folder) == before


def test_the_reports_can_be_looked_at_too_and_nobody_is_said_so(command: Command, folder: Path) -> None:
    before = kept(folder)
    code, week, _ = command(*SEEN, "--report", "weekly")
    assert (code, week.startswith("To: head@oakfield.example\nSubject: ")) == (0, True)
    assert command(*SEEN, "--report", "termly")[0] == 0
    code, _, err = command("digest", "--trust", "--preview")
    assert (code, err.count("\n"), "nobody would get this" in err) == (2, 1, True)
    assert kept(folder) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("digest", "--school", "nowhere", "--preview"), "no school"),
        (("digest", "--school", "nowhere", "--preview", "--report", "weekly"), "no school"),
        ((*SEEN, "--date", (TODAY + timedelta(days=2)).isoformat()), "is not yet"),
        (("digest", "--school", "oakfield", "--date", (TODAY + timedelta(days=2)).isoformat()), "is not yet"),
        (("digest", "--school", "oakfield", "--date", TODAY.isoformat()), "is not over"),
        ((*SEEN, "--date", "2020-01-01"), "before the service began"),
        ((*SEEN, "--out", "moderator.toml"), "is there already"),
        ((*SEEN, "--out", "nowhere/digest.txt"), "cannot be written"),
        ((*SEEN, "--trust"), "one of the two"),
        (("digest", "--preview"), "one of the two"),
        (("digest", "--school", "oakfield", "--format", "html"), "are for --preview"),
        (("digest", "--trust"), "are for --preview"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(command: Command, folder: Path, words: tuple[str, ...], said: str) -> None:
    code, out, err = command(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert (folder / "moderator.toml").read_text(encoding="utf-8") == SETTINGS


def test_the_trusts_digest_can_be_looked_at_once_somebody_reads_it(command: Command, folder: Path) -> None:
    with open_database(load(folder / "moderator.toml")).unit() as unit:
        lead = register.add_person(unit.connection, name="Idris Penhale", email="tsl@oakfield.example", at=SystemClock().now())
        register.designate(
            unit.connection,
            person_id=lead.id,
            role=Role.SAFEGUARDING_LEAD,
            school=EVERY_SCHOOL,
            signed_by="CEO-1",
            signed_on=TODAY,
            begins_on=TODAY,
        )
    before = kept(folder)
    code, text, _ = command("digest", "--trust", "--preview")
    assert (code, text.startswith("To: tsl@oakfield.example\nSubject: ")) == (0, True)
    assert "Idris" not in text
    assert kept(folder) == before


def test_a_digest_is_sent_once(command: Command, folder: Path) -> None:
    assert command("digest", "--school", "oakfield")[1] == f"The digest of {TODAY - timedelta(days=1)} is on its way.\n"
    assert "not sent twice" in command("digest", "--school", "oakfield")[1]
    assert len(list((folder / "data" / "outbox").iterdir())) == 1
    assert command(*SEEN)[0] == 0, "what was sent can be looked at again"

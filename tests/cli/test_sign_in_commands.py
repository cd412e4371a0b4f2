"""`moderator set-up` and `moderator link`: the ways in from the console."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from moderator import build
from moderator.cli.link import link
from moderator.cli.serve import links, way_in
from moderator.cli.set_up import set_up
from moderator.domain.access import Role
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock, london_date
from moderator.settings import Settings, load
from moderator.store import register
from moderator.store.database import Database
from moderator.store.proofs import read_code
from moderator.store.sign_in import Purpose, find

TOML = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "Delegation D-1"

[trust]
name = "Oakfield Learning Trust"

[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the settings of a school that has just been installed."""
    file = tmp_path / "moderator.toml"
    file.write_text(TOML, encoding="utf-8")
    return file


def opened(config: Path) -> tuple[Settings, Database]:
    options = load(config)
    return options, build.open_database(options)


def name_a_head(database: Database) -> None:
    now = SystemClock().now()
    day = london_date(now) - timedelta(days=1)
    with database.unit() as unit:
        person = register.add_person(unit.connection, name="Tamsin Okoro", email="head@oakfield.example", at=now)
        register.designate(
            unit.connection, person_id=person.id, role=Role.HEAD, school="oakfield", signed_by="CEO-1", signed_on=day, begins_on=day
        )


def test_while_nobody_can_sign_in_run_and_set_up_print_a_code_that_is_good_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options, database = opened(config)
    told = way_in(database, options)
    assert "  http://127.0.0.1:8080/set-up" in told
    set_up(config=config)
    printed = capsys.readouterr().out
    newer = re.search(r"^  ([0-9A-Z-]{19})$", printed, re.MULTILINE)
    assert newer
    now = SystemClock().now()
    with database.reading() as connection:
        assert find(connection, read_code(newer[1]), purpose=Purpose.SET_UP, at=now) is not None
        assert find(connection, read_code(told[-1]), purpose=Purpose.SET_UP, at=now) is None
    database.engine.dispose()


def test_once_there_is_a_head_there_is_an_address_and_no_code(config: Path) -> None:
    options, database = opened(config)
    name_a_head(database)
    assert way_in(database, options) == ["Review page", "  http://127.0.0.1:8080"]
    with pytest.raises(BadInput, match="moderator link --person HEAD-1"):
        set_up(config=config)
    database.engine.dispose()


def test_a_link_is_for_somebody_who_is_designated(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options, database = opened(config)
    with pytest.raises(BadInput, match="no live designation 'HEAD-1'"):
        link(person="HEAD-1", config=config)
    name_a_head(database)
    link(person="HEAD-1", config=config)
    assert re.fullmatch(r"http://127\.0\.0\.1:8080/sign-in/\S{43}\n", capsys.readouterr().out)
    assert links(database, options, ["HEAD-1"])[1].split()[0] == "HEAD-1"
    database.engine.dispose()

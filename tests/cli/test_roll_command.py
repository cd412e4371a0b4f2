"""`moderator roll import`: a preview that shows no name, errors by row, leavers, and tokens that mend themselves."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cast import designate_today
from cryptography.fernet import Fernet

from moderator import build
from moderator.cli.roll import import_roll, preview_lines
from moderator.domain.access import Role
from moderator.domain.errors import BadInput
from moderator.learn.roll import RollMatcher
from moderator.learn.rollfile import read_roll_file
from moderator.settings import load
from moderator.store import roll as kept
from moderator.store.database import Database

ROLL = """Adno,UPN,Legal Surname,Legal Forename,Preferred Forename,Year,Reg,Date of Leaving
1,U1,Marwood,Matilda,Tilly,Year 7,7B,
2,U2,Bramwell,Jonah,,Year 8,8C,31/07/2020
2,U2,Bramwell,Jonah,,Year 8,8C,31/07/2020
3,U3,,,,Year 8,8C,
"""


def test_r29_a_preview_shows_initials_only() -> None:
    shown = "\n".join(preview_lines(read_roll_file(ROLL)))
    for name in ("Matilda", "Marwood", "Tilly", "Jonah", "Bramwell"):
        assert name not in shown
    assert "2 people would be imported; nothing was" in shown
    assert "By kind: pupil 2." in shown
    assert "Legal Forename = first_name" in shown
    assert "Not used: Year, Reg." in shown
    assert "Leavers: 1" in shown
    assert "Repeated rows, taken once: 1." in shown
    assert "line 2: pupil, M. M. (T.)" in shown
    assert "left 2020-07-31" in shown
    assert "line 5: no name" in shown


def test_a_preview_of_a_plain_staff_list() -> None:
    shown = "\n".join(preview_lines(read_roll_file("title;first_name;last_name;staff_code\nMrs;Ana-Maria;Oakenshaw;AOA\n")))
    assert "semicolon between cells" in shown
    assert "line 2: staff, Mrs A. M. O." in shown
    assert "Not used" not in shown
    assert "Rows that cannot be used: 0." in shown
    assert "By kind: nobody." in "\n".join(preview_lines(read_roll_file("first_name,last_name\n")))


SETTINGS = """data_dir = "data"
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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the roll, which is the working one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roll.csv").write_text(ROLL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def school(here: Path) -> Path:
    """Return the folder with settings and keys as well."""
    (here / "moderator.toml").write_text(SETTINGS, encoding="utf-8")
    secrets = here / "secrets"
    secrets.mkdir(mode=0o700)
    for name, value in (("roll.key", "ab" * 32), ("encryption.key", Fernet.generate_key().decode())):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(value, encoding="utf-8")
    return here


def test_a_preview_imports_nothing_and_needs_no_settings(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import_roll(Path("roll.csv"), preview=True, kind="pupils")
    assert "nothing was" in capsys.readouterr().out
    assert [path.name for path in here.iterdir()] == ["roll.csv"]


@pytest.mark.parametrize(
    ("words", "said"), [({}, "--school"), ({"preview": True, "kind": "wizard"}, "wizard"), ({"school": "oakfield"}, "line 5")]
)
def test_bad_use_is_told(here: Path, words: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        import_roll(here / "roll.csv", **words)


def _database(folder: Path) -> tuple[Any, Database]:
    options = load(folder / "moderator.toml")
    return options, build.open_database(options)


def test_r20_an_import_matches_and_lets_leavers_go(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (school / "roll.csv").write_text(ROLL.rsplit("\n", 2)[0], encoding="utf-8")
    import_roll(school / "roll.csv", school="oakfield", leavers_days=30)
    assert "2 people of oakfield are on the roll" in capsys.readouterr().out
    options, database = _database(school)
    with database.reading() as connection:
        matcher = RollMatcher(kept.roll_tokens(connection, on=date(2026, 9, 1)), bytes.fromhex(options.secret("roll.key")))
    database.engine.dispose()
    assert [person.reference for person in matcher.find("tilly marwood and jonah bramwell") if person.strong] == ["U1"]


def test_r20_who_is_not_in_the_next_file_stays_as_a_leaver(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = school / "roll.csv"
    file.write_text(ROLL.splitlines()[0] + "\n1,U1,Marwood,Matilda,Tilly,Year 7,7B,\n4,U4,Larkspur,Orla,,Year 7,7B,\n", encoding="utf-8")
    import_roll(file, school="oakfield")
    file.write_text(ROLL.splitlines()[0] + "\n1,U1,Marwood,Matilda,Tilly,Year 7,7B,\n", encoding="utf-8")
    import_roll(file, school="oakfield", by="admin-1")
    assert "Of them 1 left: 1 with this file. Their names match for 365 days" in capsys.readouterr().out
    with pytest.raises(BadInput, match="designation"):
        import_roll(file, school="oakfield", by="the office lady")
    with pytest.raises(BadInput, match="no school"):
        import_roll(file, school="elm")


def test_r3_once_somebody_is_designated_the_one_who_imports_must_be_one_of_them(school: Path) -> None:
    file = school / "roll.csv"
    file.write_text(ROLL.rsplit("\n", 2)[0], encoding="utf-8")
    _, database = _database(school)
    designate_today(database, Role.HEAD, "oakfield")
    database.engine.dispose()
    for nobody in ("ADMIN-1", "HEAD-2"):
        with pytest.raises(BadInput, match=f"--by {nobody}: no live designation"):
            import_roll(file, school="oakfield", by=nobody)
    import_roll(file, school="oakfield", by="head-1")


def test_tokens_that_an_update_dropped_are_made_again(school: Path) -> None:
    (school / "roll.csv").write_text(ROLL.rsplit("\n", 2)[0], encoding="utf-8")
    import_roll(school / "roll.csv", school="oakfield")
    options, database = _database(school)
    with database.reading() as connection:
        before = kept.roll_tokens(connection)
    with database.unit() as unit:
        kept.put_tokens(unit.connection, "oakfield", [])
    build.make_missing_tokens(options, database)
    with database.reading() as connection:
        assert sorted(map(repr, kept.roll_tokens(connection))) == sorted(map(repr, before))
    database.engine.dispose()

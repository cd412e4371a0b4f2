"""A real school: from an empty folder to a hidden and restored comment, by the commands of the README."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from moderator.cli import main
from moderator.platforms.practice.school import ROLL, demo_credentials
from moderator.platforms.practice.server import Running, running

Command = Callable[..., tuple[int, str, str]]

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
alert_batch_seconds = 0
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
[x]
client_id = "{client}"
api_url = "{url}"
site_url = "{url}"
"""

APPROVE = ("--approver", "Ms Oakenshaw, Headteacher", "--purpose", "News", "--reference", "A-1", "--mode", "hide")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Running]:
    with running(log=tmp_path / "practice.jsonl") as served:
        yield served


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator …` here and gives its exit code, output and errors."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", *words])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return run


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `doctor --make-keys` made in it. It starts a browser, so it is done once and each test has a copy."""
    folder = tmp_path_factory.mktemp("ready")
    with running(log=folder / "practice.jsonl") as served, pytest.MonkeyPatch.context() as patch:
        (folder / "moderator.toml").write_text(SETTINGS.format(client=demo_credentials().client_id, url=served.url))
        patch.setattr(sys, "argv", ["moderator", "doctor", "--make-keys"])
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    structlog.reset_defaults()
    return folder


@pytest.fixture
def school(tmp_path: Path, network: Running, command: Command, ready: Path) -> Command:
    """Return the command in a folder with settings, keys and a token file."""
    for made in ("data", "secrets"):
        shutil.copytree(ready / made, tmp_path / made)
    (tmp_path / "moderator.toml").write_text(SETTINGS.format(client=demo_credentials().client_id, url=network.url))
    token = demo_credentials().token
    (tmp_path / "token.json").write_text(json.dumps({"access_token": token.access, "refresh_token": token.refresh, "expires_in": 0}))
    return command


def add(command: Command, *more: str) -> tuple[int, str, str]:
    return command(
        "account", "add", "@oakfieldprimary", "--school", "oakfield", "--contact-email", "office@oakfield.example",
        "--token-file", "token.json", "--not-personal", *more,
    )  # fmt: skip


def test_the_whole_way_of_a_school(school: Command, tmp_path: Path) -> None:
    assert "no account" in school("account", "list")[1].lower()
    code, out, err = add(school)
    assert (code, err) == (0, "")
    assert "not read until it is approved" in out
    assert "not approved" in school("account", "list")[1]
    assert school("account", "approve", "oakfieldprimary", *APPROVE)[0] == 0
    code, out, _ = school("roll", "import", str(ROLL), "--school", "oakfield")
    assert code == 0
    assert "7 people" in out

    from moderator.build import build  # noqa: PLC0415 - slow to import
    from moderator.cli import line  # noqa: PLC0415 - as above
    from moderator.settings import load  # noqa: PLC0415 - as above
    from moderator.store import today  # noqa: PLC0415 - as above

    context = build(load(tmp_path / "moderator.toml"))
    line.run_line(context, print)
    with context.database.reading() as connection:
        waiting = today.needing_review(connection, "oakfield", limit=50)
    context.close()
    hidden = [row.id for row in waiting if row.state.value == "hidden"]
    assert len(hidden) >= 2

    assert "the decision is kept" in school("uphold", str(hidden[0]), "--why", "It is plainly abuse.", "--by", "HEAD-1")[1]
    code, out, _ = school("restore", str(hidden[1]), "--why", "It is a joke between friends.", "--by", "HEAD-1")
    assert (code, out.strip()) == (0, f"Item {hidden[1]} shows again.")
    code, _, err = school("restore", str(hidden[1]), "--why", "It is a joke between friends.", "--by", "HEAD-1")
    assert code == 2
    assert "cannot be restored" in err

    code, out, _ = school("digest", "--school", "oakfield", "--preview")
    assert code == 0
    assert "Subject:" in out
    assert "on its way" in school("digest", "--school", "oakfield")[1]
    assert "not sent twice" in school("digest", "--school", "oakfield")[1]
    assert school("verify", "data/vault")[0] == 0
    code, out, _ = school("doctor")
    assert code == 0, out
    assert "FAIL" not in out
    assert "last good poll 20" in school("account", "list")[1]


def test_r1_withdrawing_stops_the_next_poll(school: Command, network: Running, tmp_path: Path) -> None:
    add(school)
    school("account", "approve", "oakfieldprimary", *APPROVE)
    assert "not read any more" in school("account", "withdraw", "oakfieldprimary")[1]
    before = (tmp_path / "practice.jsonl").read_text()

    from moderator.build import build  # noqa: PLC0415 - slow to import
    from moderator.cli import line  # noqa: PLC0415 - as above
    from moderator.settings import load  # noqa: PLC0415 - as above

    context = build(load(tmp_path / "moderator.toml"))
    line.run_line(context, print)
    context.close()
    assert (tmp_path / "practice.jsonl").read_text() == before
    assert network.url
    code, _, err = school("account", "withdraw", "nobody")
    assert code == 2
    assert "no account @nobody" in err


def test_authorising_again_lets_what_waited_go_on(school: Command) -> None:
    add(school)
    assert "authorised again" in school("account", "authorise", "oakfieldprimary", "--token-file", "token.json")[1]


ADD = (
    "account",
    "add",
    "x",
    "--school",
    "oakfield",
    "--contact-email",
    "a@oakfield.example",
    "--token-file",
    "token.json",
    "--not-personal",
)


def changed(old: str, new: str) -> tuple[str, ...]:
    """Return the words of a good `account add` with one of them changed, or left out."""
    return tuple(new if word == old else word for word in ADD if not (word == old and not new))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (changed("oakfield", "nowhere"), "no school 'nowhere'"),
        (changed("a@oakfield.example", "a@gmail.example"), "not a school address"),
        (changed("--not-personal", ""), "--not-personal"),
        (changed("token.json", "none.json"), "not a token file"),
        (ADD, "is @oakfieldprimary's"),
        ((*ADD, "--platform", "friendface"), "not set up"),
        (("roll", "import", "none.csv", "--school", "oakfield"), "none.csv"),
        (("uphold", "99", "--why", "It is plainly abuse.", "--by", "HEAD-1"), "no item 99"),
        (("uphold", "99", "--why", "ok", "--by", "HEAD-1"), "at least 10 characters"),
        (("demo", "--comments", "none.csv"), "no such file"),
        (("verify", "none"), "none"),
        (("digest", "--school", "nowhere"), "no school"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(school: Command, words: tuple[str, ...], said: str) -> None:
    code, _, err = school(*words)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err


def test_a_roll_with_a_wrong_row_changes_nothing(school: Command, tmp_path: Path) -> None:
    (tmp_path / "roll.csv").write_text("reference,kind,first_name,last_name\nP-1,pupil,Anwen,Thistlewood\nP-2,wizard,Jonah,Bramwell\n")
    code, _, err = school("roll", "import", "roll.csv", "--school", "oakfield")
    assert code == 2
    assert "line 3" in err
    assert "Nothing was imported" in err


def test_without_settings_the_command_says_where_they_are_looked_for(command: Command) -> None:
    code, _, err = command("account", "list")
    assert code == 2
    assert "--config" in err


def test_another_signing_key_than_the_ledgers_is_refused(school: Command, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "signing.pem").unlink()
    assert "Made signing.pem" in school("doctor", "--make-keys")[1]
    code, out, _ = school("doctor")
    assert code == 1
    assert "not the key this ledger was opened with" in out


def test_doctor_says_what_is_not_well(school: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATOR_CHROMIUM", "/no/such/browser")
    (tmp_path / "secrets" / "roll.key").chmod(0o644)
    code, out, _ = school("doctor")
    assert code == 1
    assert "FAIL  keys" in out
    assert "FAIL  browser" in out
    assert "ok    disk" in out


def test_a_dependency_that_is_down_is_exit_code_3(school: Command, tmp_path: Path) -> None:
    text = (tmp_path / "moderator.toml").read_text().split("api_url")[0] + 'api_url = "http://127.0.0.1:9"\n'
    (tmp_path / "moderator.toml").write_text(text)
    code, _, err = add(school)
    assert code == 3
    assert "try again" in err

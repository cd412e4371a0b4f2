"""`moderator keys`: the signing key is changed, crash or no crash, and the ledger says so under the old key's signature."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cast import designate_today
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from moderator import build
from moderator.cli import keys as keys_command
from moderator.cli import main
from moderator.domain.access import Role
from moderator.domain.errors import BadInput
from moderator.domain.rotation import RotationReason
from moderator.domain.times import SystemClock
from moderator.evidence.seal import keyfile
from moderator.evidence.seal.signer import Signer, signature_holds
from moderator.settings import Settings, load
from moderator.store.database import Database

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
slug = "fernhill"
name = "Fernhill Primary School"
head_email = "head@fernhill.example"
email_domains = ["fernhill.example"]
"""

Command = Callable[..., tuple[int, str, str]]
ROTATE = ("keys", "rotate", "--why", "routine", "--by", "HEAD-1")


@pytest.fixture
def options(tmp_path: Path) -> Settings:
    """Return the settings of a trust of two schools, with its keys made."""
    (tmp_path / "moderator.toml").write_text(SETTINGS, encoding="utf-8")
    found = load(tmp_path / "moderator.toml")
    build.make_keys(found.secrets_dir)
    return found


@pytest.fixture
def command(options: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator …` here and gives its exit code, output and errors."""
    del options

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", *words])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def started(options: Settings) -> tuple[Database, Signer]:
    """Start as the service does: the database, and the key in force."""
    database = build.open_database(options)
    return database, build.open_signer(options, database, SystemClock())


def lines(options: Settings, slug: str) -> list[dict[str, str]]:
    """Return a ledger's lines."""
    text = (options.data_dir / f"ledger-{slug}.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def files(options: Settings) -> list[str]:
    """Return the names of the signing key's files."""
    return sorted(path.name for path in options.secrets_dir.glob("signing*"))


def test_a_new_key_takes_over_and_the_old_key_vouches_for_it(command: Command, options: Settings) -> None:
    _, old = started(options)
    code, out, err = command(*ROTATE)
    assert (code, err) == (0, "")
    assert "The new key signs from here on" in out
    assert "Back up the secrets folder" in out
    assert files(options) == ["signing-1.pem", "signing.pem"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in options.secrets_dir.glob("signing*"))
    database, fresh = started(options)
    assert fresh.public_key != old.public_key
    assert Signer((options.secrets_dir / "signing-1.pem").read_bytes()).public_key == old.public_key
    assert build.retired_keys(database, fresh) == [old.public_key]
    known = load_der_public_key(base64.b64decode(old.public_key))
    assert isinstance(known, Ed25519PublicKey)
    for slug in ("oakfield", "fernhill"):
        line = lines(options, slug)[-1]
        assert (line["event"], line["subject"], line["actor"], line["reason"]) == ("key_rotated", "ledger", "HEAD-1", "routine")
        assert line["public_key"] == fresh.public_key
        assert signature_holds(known, base64.b64decode(line["previous_signature"]), fresh.public_key.encode("ascii"))


def test_the_list_shows_every_key_and_its_file(command: Command, options: Settings) -> None:
    build.open_database(options)
    assert "no key yet" in command("keys", "list")[1]
    started(options)
    assert command("keys", "list")[1].count("signs now") == 2
    command(*ROTATE)
    command("keys", "rotate", "--why", "person_left", "--by", "HEAD-1")
    out = command("keys", "list")[1]
    rows = [line.split() for line in out.splitlines() if line.startswith("oakfield")]
    assert [(row[2], row[3], row[-1]) for row in rows] == [
        ("1", "earlier", "signing-1.pem"),
        ("2", "earlier", "signing-2.pem"),
        ("3", "signs", "signing.pem"),
    ]
    assert len({row[-2] for row in rows}) == 3
    (options.secrets_dir / "signing-1.pem").write_text("not a key")
    assert "not kept here" in command("keys", "list")[1]


def test_a_crash_before_the_ledger_uses_the_key_that_waits(command: Command, options: Settings) -> None:
    started(options)
    waiting = keyfile.stage(options.secrets_dir)
    assert keyfile.stage(options.secrets_dir).public_key == waiting.public_key
    assert not build.finish_rotation(options, build.open_database(options)), "no ledger knows it, so it is not in force"
    assert command(*ROTATE)[0] == 0
    assert started(options)[1].public_key == waiting.public_key
    assert files(options) == ["signing-1.pem", "signing.pem"]


def cut_short(options: Settings) -> tuple[Signer, Signer]:
    """Change keys as far as the ledgers, then stop."""
    database, old = started(options)
    fresh = keyfile.stage(options.secrets_dir)
    keys_command.write_rotation(database, old, fresh, by="HEAD-1", why=RotationReason.ROUTINE)
    return old, fresh


def test_a_crash_after_the_ledger_is_finished_by_the_next_start(options: Settings) -> None:
    _, fresh = cut_short(options)
    assert files(options) == ["signing.pem", "signing.pem.new"]
    assert started(options)[1].public_key == fresh.public_key
    assert files(options) == ["signing-1.pem", "signing.pem"]
    assert started(options)[1].public_key == fresh.public_key


def test_a_crash_after_the_ledger_is_finished_by_the_command_and_not_done_twice(command: Command, options: Settings) -> None:
    _, fresh = cut_short(options)
    code, out, _ = command(*ROTATE)
    assert code == 0
    assert "had been cut short. It is finished now" in out
    assert [line["event"] for line in lines(options, "oakfield")] == ["opened", "key_rotated"]
    assert started(options)[1].public_key == fresh.public_key


def test_a_crash_between_keeping_the_old_key_and_the_new_one_is_made_good(options: Settings) -> None:
    old, fresh = cut_short(options)
    (options.secrets_dir / "signing-1.pem").hardlink_to(options.secrets_dir / "signing.pem")
    assert started(options)[1].public_key == fresh.public_key
    assert files(options) == ["signing-1.pem", "signing.pem"]
    assert keyfile.kept(options.secrets_dir) == {old.public_key: "signing-1.pem"}


def test_a_half_written_draft_is_made_anew(command: Command, options: Settings) -> None:
    started(options)
    (options.secrets_dir / "signing.pem.draft").write_bytes(b"-----BEGIN")
    assert command(*ROTATE)[0] == 0
    assert files(options) == ["signing-1.pem", "signing.pem"]


def test_an_old_key_put_back_is_refused_in_one_line(command: Command, options: Settings) -> None:
    started(options)
    command(*ROTATE)
    (options.secrets_dir / "signing-1.pem").replace(options.secrets_dir / "signing.pem")
    code, _, err = command(*ROTATE)
    assert code == 2
    assert err.count("\n") == 1
    assert "not the newest key of" in err
    with pytest.raises(BadInput, match="bring that key back"):
        started(options)


def test_a_key_that_no_ledger_knows_is_refused(options: Settings) -> None:
    database, _ = started(options)
    (options.secrets_dir / "signing.pem").write_bytes(Signer.generate().pem)
    with pytest.raises(BadInput, match="not the key this ledger was opened with"):
        build.open_signer(options, database, SystemClock())


def test_a_running_service_must_be_stopped_first(command: Command, options: Settings) -> None:
    with build.hold_data_dir(options):
        code, _, err = command(*ROTATE)
    assert code == 2
    assert "in use by another moderator process; stop that one first" in err
    assert files(options) == ["signing.pem"]


@pytest.mark.parametrize("by", ["Ms Oakenshaw", "", "head@oakfield.example"])
def test_the_ledger_takes_no_name(command: Command, options: Settings, by: str) -> None:
    code, _, err = command("keys", "rotate", "--why", "routine", "--by", by)
    assert code == 2
    assert "designation reference" in err
    assert files(options) == ["signing.pem"]


def test_once_somebody_is_designated_it_is_one_of_them(command: Command, options: Settings) -> None:
    database, _ = started(options)
    designate_today(database, Role.ADMIN, "fernhill")
    code, _, err = command(*ROTATE)
    assert (code, "--by HEAD-1: no live designation has that reference" in err, err.count("\n")) == (2, True, 1)
    assert files(options) == ["signing.pem"]
    assert command("keys", "rotate", "--why", "routine", "--by", "ADMIN-1")[0] == 0
    assert files(options) == ["signing-1.pem", "signing.pem"]


def test_a_reason_is_a_code(command: Command) -> None:
    code, _, err = command("keys", "rotate", "--why", "I felt like it", "--by", "HEAD-1")
    assert code == 2
    assert "perhaps_seen" in err


def test_a_folder_that_cannot_be_written_is_told_in_one_line(command: Command, options: Settings) -> None:
    started(options)
    (options.secrets_dir / "signing.pem.draft").mkdir()
    code, _, err = command(*ROTATE)
    assert code == 2
    assert "cannot be changed there" in err
    (options.secrets_dir / "signing.pem.new").mkdir()
    code, _, err = command(*ROTATE)
    assert (code, "cannot be changed there" in err) == (2, True)


def test_a_change_that_cannot_be_finished_is_told(options: Settings) -> None:
    cut_short(options)
    (options.secrets_dir / "signing.pem").unlink()
    (options.secrets_dir / "signing.pem").mkdir()
    with pytest.raises(BadInput, match="cannot be changed there"):
        started(options)

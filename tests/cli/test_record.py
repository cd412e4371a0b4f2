"""`moderator record`: review dates, legal holds and disposal from the command line, with a record as the service makes it (R30)."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cast import designate_today
from stage import comment
from typer.testing import CliRunner

from moderator.build import build, make_keys, open_database
from moderator.cli import app, main
from moderator.cli import record as command_module
from moderator.domain.access import Role
from moderator.domain.item import Page
from moderator.domain.record import CaptureKind, Stamp
from moderator.domain.times import SystemClock, london_date
from moderator.evidence.check.verify import verify
from moderator.evidence.recorder import StillRecorder
from moderator.settings import ASSETS, load
from moderator.steps.decide import decide
from moderator.steps.record import record
from moderator.steps.score import score
from moderator.store import people
from moderator.store.disposals import HOLDS
from moderator.store.retention import RETENTION

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
[x]
client_id = "school"
"""

Command = Callable[..., tuple[int, str, str]]
WHY = ("--why", "Agreed with the DPO on 3 May.")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator record …` here and gives its exit code, output and errors."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", "record", *words])
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return run


@pytest.fixture
def number(tmp_path: Path) -> str:
    """Return the number of a record that the service made of an insult; its comment waits for nobody."""
    (tmp_path / "moderator.toml").write_text(SETTINGS, encoding="utf-8")
    settings = load(tmp_path / "moderator.toml")
    make_keys(settings.secrets_dir)
    context = build(settings)
    try:
        with context.database.unit() as unit:
            account = people.add_account(
                unit.connection,
                school=settings.schools()[0],
                platform="x",
                handle="oakfieldprimary",
                platform_id="1",
                contact_email="office@oakfield.example",
                monthly_reads=10_000,
                at=context.tools.clock.now(),
            )
        page = Page((comment(31, "You are a useless idiot and so is your whole office."),), "31", more=False, reads=1, body=b"{}")
        with context.database.unit() as unit:
            unit.add_page(context.database.account(account), "mentions", page, context.tools.clock.now())
        sealing = context.tools.recorder._sealing  # type: ignore[attr-defined] # noqa: SLF001 - the same way into the vault, without Chromium
        still = StillRecorder(sealing=sealing, clock=context.tools.clock, templates=ASSETS / "templates")
        for step in (score, decide, record):
            assert step(replace(context.tools, recorder=still)) == 1
        with context.database.unit() as unit:
            unit.connection.execute(sa.text("UPDATE items SET needs_review = 0"))
        found = context.database.work(1).record
        assert found is not None
        return found.record_id
    finally:
        context.close()


def test_r30_the_whole_way_of_a_record(command: Command, number: str, tmp_path: Path) -> None:
    today = london_date(SystemClock().now())
    code, out, _ = command("show", number.lower())
    assert code == 0
    assert [line[:20].strip() for line in out.splitlines()] == [
        *("record", "place in the vault", "captured", "sealed", "time stamps", "legal hold", "class", "review date", "disposal")
    ]
    assert f"oakfield/{today.year}/{number}" in out
    assert f"{today.day} {today:%B} {today.year + 1}" in out

    assert command("due")[1].startswith("No record is due for review up to")
    code, out, _ = command("due", "--before", f"{today.year + 2}-01-01", "--school", "oakfield")
    assert (code, out.startswith(f"{number}  oakfield  ordinary  review date ")) == (0, True)
    code, _, err = command("due", "--school", "nowhere")
    assert (code, "nowhere" in err) == (2, True)

    code, out, _ = command("class", number, "--to", "severe", *WHY, "--by", "DSL-1")
    assert (code, f"is kept as severe; people look at it again on {today.day} {today:%B} {today.year + 6}" in out) == (0, True)

    code, out, _ = command("hold", number, "--reference", "CAD-1", *WHY, "--by", "head-1")
    assert (code, "is under legal hold: CAD-1 since" in out, ", by HEAD-1." in out) == (0, True, True)
    code, out, err = command("dispose", number, "--ground", "court_order", *WHY, "--by", "DPO-1")
    assert (code, out, "legal hold (CAD-1)" in err) == (2, "", True)
    code, out, _ = command("release", number, "--reference", "CAD-1", *WHY, "--by", "HEAD-1")
    assert (code, "hold CAD-1 is released. No legal hold stands on it now." in out) == (0, True)

    code, out, _ = command("dispose", number, "--ground", "court_order", *WHY, "--by", "DPO-1")
    assert (code, "Nothing is removed yet" in out, f"moderator record approve {number}" in out) == (0, True, True)
    assert "because a court ordered it; a second person must decide" in command("show", number)[1]
    code, out, err = command("approve", number, *WHY, "--by", "dpo-1")
    assert (code, out, "another person must approve it" in err, err.count("\n")) == (2, "", True, 1)
    code, out, _ = command("approve", number, *WHY, "--by", "HEAD-1")
    assert (code, "asked for by DPO-1, approved by HEAD-1, because a court ordered it.\n" in out) == (0, True)
    assert "approved by HEAD-1" in command("show", number)[1]
    assert command("due", "--before", "2099-01-01")[1].startswith("No record")

    found = verify(tmp_path / "data" / "vault")
    assert (found.faults, found.checked, found.disposed) == ((), 1, 1)


def test_r3_once_people_are_designated_the_one_who_acts_must_be_one_of_them(command: Command, number: str, tmp_path: Path) -> None:
    database = open_database(load(tmp_path / "moderator.toml"))
    for role in (Role.HEAD, Role.ADMIN):
        designate_today(database, role, "oakfield")
    database.engine.dispose()
    for nobody in ("DPO-1", "ADMIN-1", "HEAD-9"):
        code, out, err = command("hold", number, "--reference", "CAD-1", *WHY, "--by", nobody)
        assert (code, out, f"--by {nobody}: no live designation" in err, err.count("\n")) == (2, "", True, 1)
    assert command("hold", number, "--reference", "CAD-1", *WHY, "--by", "head-1")[0] == 0


def test_r30_a_refusal_and_a_second_hold(command: Command, number: str) -> None:
    assert command("dispose", number, "--ground", "captured_in_error", *WHY, "--by", "DPO-1")[0] == 0
    code, out, _ = command("refuse", number, *WHY, "--by", "HEAD-1")
    assert (code, out) == (0, f"{number} is kept. The proposal and the refusal are written down.\n")
    for reference in ("CAD-1", "LTR-2"):
        assert command("hold", number, "--reference", reference, *WHY, "--by", "CEO-1")[0] == 0
    code, out, _ = command("release", number, "--reference", "CAD-1", *WHY, "--by", "CEO-1")
    assert (code, "It is still under legal hold: LTR-2 since" in out) == (0, True)


BAD_USE = (
    ("show", "R-NONE"),
    ("hold", "{number}", "--reference", "the Ashwick case", *WHY, "--by", "HEAD-1"),
    ("hold", "{number}", "--reference", "CAD-1", "--why", "short", "--by", "HEAD-1"),
    ("class", "{number}", *WHY, "--by", "HEAD-1"),
    ("class", "{number}", "--review-on", "2001-01-01", *WHY, "--by", "HEAD-1"),
)


def test_bad_use_is_one_line_and_writes_nothing(command: Command, number: str, tmp_path: Path) -> None:
    for words in BAD_USE:
        code, out, err = command(*(word.format(number=number) for word in words))
        assert (code, out, err.count("\n")) == (2, "", 1), words
    database = open_database(load(tmp_path / "moderator.toml"))
    with database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(HOLDS)).scalar_one() == 0
        assert connection.execute(sa.select(sa.func.count()).select_from(RETENTION)).scalar_one() == 1
    database.engine.dispose()


def test_a_hidden_comment_is_spoken_of_before_its_record_goes(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(load(tmp_path / "moderator.toml"))
    hidden = "UPDATE items SET state = 'upheld', outcome = 'hide', hide_called_at = :later"
    with database.unit() as unit:
        later = SystemClock().now() + timedelta(minutes=1)
        unit.connection.execute(sa.text(hidden), {"later": later.replace(tzinfo=None).isoformat(sep=" ")})
    database.engine.dispose()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["record", "dispose", number, "--ground", "court_order", *WHY, "--by", "DPO-1"])
    assert done.exit_code == 0
    assert "restore it first if it should" in done.output


def test_stamps_and_a_missing_review_date_are_told(number: str, tmp_path: Path) -> None:
    database = open_database(load(tmp_path / "moderator.toml"))
    kept = database.kept(number)
    database.engine.dispose()
    shown = command_module._shown  # noqa: SLF001 - what `show` prints
    assert "time stamps         none\n" in shown(kept)
    assert "no authority has answered" in shown(replace(kept, stamp_pending=True))
    stamps = (Stamp("tsa", 1, kept.sealed_at, kept.sealed_at + timedelta(days=3650)),)
    assert "tsa on " in shown(replace(kept, stamps=stamps))
    assert ", good until " in shown(replace(kept, stamps=stamps, capture_kind=CaptureKind.LIVE_PAGE))
    assert "not set yet: the service sets it within the hour" in shown(replace(kept, retention=None))


def test_everything_held_is_checked_at_once(command: Command, number: str, tmp_path: Path) -> None:
    assert command("check") == (0, "oakfield: 1 records checked, no faults\n", "")
    code, _, said = command("check", "--school", "elsewhere")
    assert code == 2
    assert "there is no school 'elsewhere'; there are oakfield" in said
    page = next((tmp_path / "data" / "vault").rglob(f"{number}/data/page.html*"))
    page.parent.chmod(0o700)
    page.chmod(0o600)
    page.write_bytes(b"something else")
    code, out, _ = command("check", "--school", "oakfield")
    assert code == 1
    assert f"{number}/data/{page.name}" in out
    assert "[altered]" in out
    assert out.endswith("oakfield: 1 records checked, 2 faults\n")

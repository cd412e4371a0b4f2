"""`moderator verify` as a person calls it: words, exit codes, progress."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from moderator.cli.verify import _progress, verify
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, line_hash
from moderator.domain.record import Fault
from moderator.evidence.check.advice import _CODES, advice


def evidence_cast() -> Any:
    """Return the makers of the evidence tests."""
    path = Path(__file__).parents[1] / "evidence" / "conftest.py"
    spec = importlib.util.spec_from_file_location("evidence_cast_for_cli", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Sealed:
    """A vault of one record and its ledger."""

    vault: Any
    record: Any
    notebook: Any


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    cast = evidence_cast()
    signer = cast.Signer.generate()
    vault = cast.FolderVault(tmp_path / "vault")
    recorder = cast.still_on(vault, signer)
    record = recorder.seal(cast.make_evidence())
    recorder.close()
    notebook = cast.Notebook(tmp_path / "ledger.jsonl", "oakfield", signer.public_key)
    notebook.sealed(record)
    yield Sealed(vault, record, notebook)
    cast.unlock(tmp_path)


def call(*args: str) -> Any:
    app = typer.Typer()
    app.command()(verify)
    return CliRunner().invoke(app, list(args))


def test_a_good_vault_exits_0_and_says_so(sealed: Sealed) -> None:
    result = call(str(sealed.vault.root))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "1 record checked, nothing wrong."
    assert "give --head" in result.stdout


def test_several_heads_and_a_witness_mail_are_compared_as_pasted(sealed: Sealed, tmp_path: Path) -> None:
    head = sealed.notebook.head
    mail = tmp_path / "mail.txt"
    mail.write_text(f"Dear trust,\n\n> oakfield {head.seq}:{head.hash}\n")
    good = call(str(sealed.vault.root), "--head", f"oakfield {head.seq}:{head.hash}", "--head", head.hash, "--heads", str(mail))
    assert (good.exit_code, good.stdout) == (0, "1 record checked, nothing wrong.\n")
    mail.write_text(f"elmfield {head.seq}:{head.hash}\n")
    bad = call(str(sealed.vault.root), "--heads", str(mail))
    assert bad.exit_code == 1
    assert bad.stdout.startswith("elmfield head ")


def test_faults_come_with_what_to_do_each_once(sealed: Sealed) -> None:
    sealed.notebook.path.write_text(sealed.notebook.path.read_text().replace("captured", "capturex"))
    result = call(str(sealed.vault.root))
    assert result.exit_code == 1
    assert "[ledger_chain]" in result.stdout
    assert result.stdout.count("What to do (") == len(
        {line.partition(":")[0] for line in result.stdout.splitlines() if "What to do" in line}
    )
    assert "Do not mend it by hand" in result.stdout


def test_every_fault_of_the_check_has_its_own_advice() -> None:
    told = {code for codes in _CODES for code in codes}
    folder = Path(__file__).parents[2] / "moderator" / "evidence" / "check"
    source = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "advice.py")
    raised = set(re.findall(r"""["']([a-z_]+)["'],\s*(?:f?"[A-Z{]|what\b|str\(error\))""", source))
    assert raised >= {"altered", "head", "stamp_gone", "renewed_late", "bomb", "disposed_by_one"}
    assert raised - told == set()
    assert advice([Fault("never_heard_of", "", "")])[0][0] == ("never_heard_of",)


def test_a_pack_and_a_lone_record_say_how_far_it_went(sealed: Sealed, tmp_path: Path) -> None:
    lone = tmp_path / "lone" / sealed.record.record_id
    shutil.copytree(sealed.vault.folder(sealed.record.path), lone)
    assert "checked against its own key only: give --ledger FILE" in call(str(lone)).stdout
    shutil.make_archive(str(tmp_path / "pack"), "zip", tmp_path / "lone")
    result = call(str(tmp_path / "pack.zip"), "--ledger", str(sealed.notebook.path), "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["missing_looked_for"] is False


def test_a_disposed_record_is_counted_in_words(sealed: Sealed) -> None:
    sealed.notebook.add(Event.DISPOSED, sealed.record.record_id, approved_by="DES-2")
    sealed.vault.dispose(sealed.record.path)
    assert call(str(sealed.vault.root)).stdout.startswith("1 record checked, 1 lawfully disposed of, nothing wrong.")


def test_it_needs_no_configuration(sealed: Sealed, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    command = [sys.executable, "-m", "moderator", "verify", str(sealed.vault.root)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "bare"), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=tmp_path / "bare", env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "bare").iterdir()) == []


def test_the_digests_head_is_compared(sealed: Sealed) -> None:
    head = sealed.notebook.head
    good = call(str(sealed.vault.root), "--head", f"{head.seq}:{head.hash}", "--ledger", str(sealed.notebook.path))
    assert (good.exit_code, good.stdout) == (0, "1 record checked, nothing wrong.\n")
    bad = call(str(sealed.vault.root), "--head", "0" * 63 + "1", "--workers", "1")
    assert bad.exit_code == 1
    assert "cut short or written anew. [head]" in bad.stdout
    assert bad.stdout.splitlines()[-1] == "1 record checked, 1 fault."


def test_faults_come_as_json_for_machines(sealed: Sealed) -> None:
    lines = sealed.notebook.path.read_text().splitlines(keepends=True)
    sealed.notebook.path.write_text(lines[0])
    result = call(str(sealed.vault.root), "--format", "json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["ok"] is False
    assert told["checked"] == 1
    assert told["faults"] == [
        {"code": "not_in_ledger", "where": sealed.record.path, "what": "The ledger does not know this record."},
    ]
    assert told["ledgers"] == [{"school": "oakfield", "lines": 1, "head": line_hash(lines[0].rstrip("\n"))}]
    assert (told["disposed"], told["head_compared"], told["missing_looked_for"]) == (0, False, True)
    assert told["seconds"] >= 0
    several = call(str(sealed.vault.root), "--head", "0" * 63 + "1")
    assert several.stdout.splitlines()[-1] == "1 record checked, 2 faults."


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["absent"], "is not a folder or a ZIP"),
        ([".", "--heads", "absent.txt"], "absent.txt is not a file"),
        ([".", "--head", "oakfield xyz"], "no ledger head"),
        ([".", "--ledger", "absent.jsonl"], "absent.jsonl is not a file"),
        ([".", "--chain", "absent.pem"], "absent.pem is not a file"),
        ([".", "--head", "xyz"], "not a ledger head"),
    ],
)
def test_bad_use_is_bad_input(args: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(*args)
    assert isinstance(result.exception, BadInput)
    assert words in str(result.exception)


def test_a_chain_that_every_stamp_must_lead_to_can_be_given(sealed: Sealed, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_text("none needed: there is no stamp")
    assert call(str(sealed.vault.root), "--chain", str(tmp_path / "chain.pem")).exit_code == 0


def test_progress_is_shown_on_a_terminal_only(sealed: Sealed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    verify(sealed.vault.root)
    assert capsys.readouterr().err == "\r\033[K"
    show = _progress()
    assert show is not None
    show(49)
    show(50)
    assert capsys.readouterr().err == "\r50 records checked"


def test_importing_the_command_is_quick_and_brings_nothing_heavy() -> None:
    heavy = ("cryptography", "PIL", "playwright", "moderator.evidence")
    program = f"import sys, moderator.cli.verify; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""`moderator export` as a person calls it: packs, words, exit codes, and what the ledger says of them."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cast import designate_today
from packing import Unpacked

from moderator.cli import main
from moderator.domain.access import Role
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.item import Author
from moderator.domain.times import SystemClock
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.vault.folder import FolderVault
from moderator.store.items import RECORDS
from moderator.store.record_keys import StoredRecordKeys
from moderator.store.register import DESIGNATIONS

Command = Callable[..., tuple[int, str, str]]

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
encoder = false
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""


def evidence_cast() -> Any:
    """Return the makers of the evidence tests."""
    path = Path(__file__).parents[1] / "evidence" / "conftest.py"
    spec = importlib.util.spec_from_file_location("evidence_cast_for_export", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class School:
    """A school's service on the disk, with three encrypted records: a staff insult, one by Fern Ashwick, one that names an Ashwick."""

    folder: Path
    records: tuple[str, str, str]

    def ledger(self) -> list[dict[str, Any]]:
        """Return the ledger's lines."""
        return [json.loads(line) for line in (self.folder / "data" / "ledger.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Make the school as the service would: its own keys, its own vault, its own ledger."""
    from moderator import build  # noqa: PLC0415 - after the tests' wall against the network
    from moderator.settings import load  # noqa: PLC0415 - as above

    cast = evidence_cast()
    folder = tmp_path_factory.mktemp("school")
    (folder / "moderator.toml").write_text(SETTINGS)
    options = load(folder / "moderator.toml")
    build.make_keys(options.secrets_dir)
    database, clock = build.open_database(options), SystemClock()
    signer = build.open_signer(options, database, clock)
    keys = StoredRecordKeys(database, build.sealer(options), clock)
    sealing = Sealing(vault=FolderVault(options.vault_dir), signer=signer, authorities=(), software="moderator test", keys=keys)
    recorder = cast.StillRecorder(sealing=sealing, clock=clock, templates=options.templates_dir)
    insult, own, named = (cast.make_evidence(*each) for each in (("Mr Brindle is useless",), ("I am cross",), ("Miss Ashwick was there",)))
    comment = replace(own.item.comment, comment_id="13", author=Author("50", "fern_ashwick", "Fern Ashwick"))
    own = replace(own, record_id="R-AAAAAAAAAAAAAAA2", item=replace(own.item, comment=comment))
    named = replace(named, record_id="R-AAAAAAAAAAAAAAA3")
    numbers = []
    for number, evidence in enumerate((insult, own, named), start=1):
        sealed = recorder.seal(replace(evidence, score=replace(evidence.score, people=())))
        row = {
            "record_id": sealed.record_id,
            "item_id": number,
            "school": "oakfield",
            "path": sealed.path,
            "manifest_sha256": sealed.manifest_sha256,
        }
        row |= {"captured_at": sealed.captured_at, "sealed_at": sealed.sealed_at, "capture_kind": sealed.capture_kind.value}
        with database.unit() as unit:
            unit.connection.execute(sa.insert(RECORDS), [row | {"stamp_pending": False, "blocked_requests": 0}])
            facts = {"manifest_sha256": sealed.manifest_sha256, "manifest_sha512": sealed.manifest_sha512}
            unit.append(
                "oakfield",
                LedgerEvent(Event.CAPTURED, sealed.captured_at, sealed.record_id),
                LedgerEvent(Event.SEALED, sealed.sealed_at, sealed.record_id, facts=dict(facts)),
            )
        numbers.append(sealed.record_id)
    recorder.close()
    database.engine.dispose()
    yield School(folder, (numbers[0], numbers[1], numbers[2]))
    cast.unlock(folder)


@pytest.fixture
def moderator(school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a call that runs `moderator export …` in an empty folder and gives its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODERATOR_CONFIG", str(school.folder / "moderator.toml"))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["moderator", *(("export", *words) if words[0] != "verify" else words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


GOOD = ("--for", "PC 123", "--by", "HEAD-1")


def test_packs_of_one_record(school: School, moderator: Command, tmp_path: Path) -> None:
    number = school.records[0]
    code, out, err = moderator(number, "--pack", "court, hr,concern", *GOOD, "--out", "packs")
    assert code == 0, err
    files = sorted((tmp_path / "packs").iterdir())
    assert [path.name.partition("-R")[0] for path in files] == ["concern", "hr", "police"]
    lines = [line for line in school.ledger() if line["event"] == "exported" and line["subject"] == number]
    assert {line["zip_sha256"] for line in lines} == {sha256(path.read_bytes()).hexdigest() for path in files}
    assert [line["pack"] for line in lines] == ["police", "hr", "concern"]
    assert {line["actor"] for line in lines} == {"HEAD-1"}
    assert "nothing is signed" in out
    assert "note their wishes" in out
    assert [path for path in out.splitlines() if path.endswith(".zip")] == [f"packs/{path.name}" for path in (files[2], files[1], files[0])]
    police = Unpacked(files[2])
    assert police.json("opened/record.json")["text"] == "Mr Brindle is useless"
    assert "PC 123" in police.files["README.txt"].decode()
    assert "PC 123" not in (school.folder / "data" / "ledger.jsonl").read_text()
    assert police.words("record.pdf").startswith("Page 1 of")
    code, out, err = moderator("verify", str(files[2]))
    assert code == 0, out + err
    assert out.startswith("1 record checked, nothing wrong.")


def test_r31_a_person_alone_finds_their_records(school: School, moderator: Command, tmp_path: Path) -> None:
    code, out, err = moderator("--pack", "sar", "--school", "oakfield", "--person", "Fern Ashwick", *GOOD)
    assert code == 0, err
    (pack,) = tmp_path.glob("*.zip")
    facts = Unpacked(pack).json("subject-access.json")
    assert [record["record_id"] for record in facts["records"]] == [school.records[1]]
    assert f"Left out, since only a last name fits, or a name on another account: {school.records[2]}." in out
    assert "CHECK-BEFORE-SENDING.txt" in out


def test_r31_nobody_found_writes_nothing(moderator: Command, tmp_path: Path) -> None:
    code, out, _ = moderator("--pack", "sar", "--school", "oakfield", "--person", "Nobody Known", *GOOD)
    assert (code, out) == (0, "No record is surely about this person. Nothing was written.\n")
    assert list(tmp_path.iterdir()) == []


def test_r31_records_can_be_given_by_number(school: School, moderator: Command, tmp_path: Path) -> None:
    code, _, err = moderator(*school.records[1:], "--pack", "sar", "--person", "@fern_ashwick", "--person", "Fern Ashwick", *GOOD)
    assert code == 0, err
    (pack,) = tmp_path.glob("*.zip")
    assert [record["record_id"] for record in Unpacked(pack).json("subject-access.json")["records"]] == list(school.records[1:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("R-AAAAAAAAAAAAAAAA", "--pack", "police", *GOOD), "there is no record R-AAAAAAAAAAAAAAAA"),
        (("12", "--pack", "police", *GOOD), "'12' is not a record number"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", "press", *GOOD), "--pack 'press': there is no such pack"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", " , ", *GOOD), "there is no such pack"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", "hr", "--for", " "), "--for is empty"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", "hr", "--for", "x", "--by", "Ms Oakenshaw"), "give a designation reference such as HEAD-1"),
        (("R-AAAAAAAAAAAAAAA2", "--pack", "hr", "--for", "x"), "say who exports: --by"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", "sar", *GOOD), "a sar pack needs --person"),
        (("R-AAAAAAAAAAAAAAAA", "--pack", "hr", "--person", "Fern", *GOOD), "--person is for a sar pack only"),
        (("--pack", "hr", *GOOD), "give a record number"),
        (("--pack", "sar", "--person", "Fern", *GOOD), "then it needs --school"),
        (("--pack", "sar", "--person", "Fern", "--school", "elmwood", *GOOD), "there is no school 'elmwood'"),
    ],
)
def test_bad_use_is_one_line_and_writes_nothing(
    words: tuple[str, ...], said: str, moderator: Command, school: School, tmp_path: Path
) -> None:
    before = school.ledger()
    code, out, err = moderator(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert school.ledger() == before


def test_r3_the_admin_on_duty_is_checked_like_any_other(school: School, moderator: Command, tmp_path: Path) -> None:
    from moderator import build  # noqa: PLC0415 - as above
    from moderator.settings import load  # noqa: PLC0415 - as above

    own = school.folder / "on-duty.toml"
    own.write_text('admin_on_duty = "ADMIN-9"\n' + SETTINGS)
    words = (school.records[0], "--pack", "hr", "--for", "PC 123", "--config", str(own))
    database = build.open_database(load(own))
    designate_today(database, Role.HEAD, "oakfield")
    before = database.head("oakfield")
    for by, said in ((), "say who exports with --by: ADMIN-9, the admin_on_duty of the settings"), (("--by", "ADMIN-9"), "--by ADMIN-9:"):
        code, _, err = moderator(*words, *by)
        assert code == 2
        assert said in err
    assert database.head("oakfield") == before
    assert list(tmp_path.iterdir()) == []
    with database.unit() as unit:
        unit.connection.execute(sa.delete(DESIGNATIONS))
    database.engine.dispose()


def test_a_disposed_record_says_when(school: School, moderator: Command) -> None:
    from moderator import build  # noqa: PLC0415 - as above
    from moderator.settings import load  # noqa: PLC0415 - as above

    database = build.open_database(load(school.folder / "moderator.toml"))
    at = SystemClock().now() - timedelta(days=1)
    with database.unit() as unit:
        unit.append("oakfield", LedgerEvent(Event.DISPOSED, at, school.records[2], actor="HEAD-1"))
    database.engine.dispose()
    code, _, err = moderator(school.records[2], "--pack", "hr", *GOOD)
    assert code == 2
    assert f"{school.records[2]} was lawfully disposed of on {at:%Y-%m-%d}" in err


def test_the_command_is_quick_to_import_and_brings_nothing_heavy() -> None:
    heavy = ("cryptography", "PIL", "playwright", "sqlalchemy", "moderator.evidence")
    program = f"import sys, moderator.cli.export; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ.copy())
    assert done.stdout.strip() == "[]"

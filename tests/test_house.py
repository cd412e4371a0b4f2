"""The house rules, as tests: what may lie where, and what every file keeps to (DESIGN §2, STYLE)."""

import importlib.util
import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    *("pyproject.toml", "moderator", "models", "templates", "tests", "ops"),
    *("README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "CONTRIBUTING.md", "Makefile", "requirements.lock", ".ci", ".gitignore"),
    ".gitattributes",
}
LOCKS = ("requirements.lock", "ops/requirements-dev.lock")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "core", "misc"}
MAX_LINES = 400
# Written in two halves, so that this file does not hold what it forbids.
REGISTRY_HOSTS = tuple(head + tail for head, tail in (("py", "pi.org"), ("python", "hosted.org"), ("npm", "js.org"), ("npm", "js.com")))
MACHINE_PATHS = tuple(
    re.compile(head + tail) for head, tail in ((r"(?<![\w.])/wo", r"rk/"), (r"(?<![\w.])/ro", r"ot/"), (r"(?<![\w.])/op", r"t/py"))
)


def _ignored(*, folders: bool) -> list[str]:
    """List the patterns of .gitignore that hold for folders, or for files (one ending in a slash is for folders alone)."""
    lines = [line for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [line.rstrip("/") for line in lines if folders or not line.endswith("/")]


def _kept() -> list[Path]:
    """List the files git keeps, or, where git is absent, those it would not ignore."""
    if shutil.which("git") and (ROOT / ".git").exists():
        asked = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    unseen, unkept = [*_ignored(folders=True), ".git"], _ignored(folders=False)
    kept = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, pattern) for pattern in unseen)]
        kept += [Path(folder) / name for name in files if not any(fnmatch(name, pattern) for pattern in unkept)]
    return kept


KEPT = _kept()
BYTES = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in KEPT}
GOLDEN = "tests/evidence/golden/"  # sealed bags, signatures and stamps among them: never to be changed, so no house rule reads them
TEXTS = {
    name: held.decode("utf-8")
    for name, held in BYTES.items()
    if b"\0" not in held and not name.startswith(GOLDEN)  # what holds a zero byte is no text
}
SOURCES = {name: text for name, text in TEXTS.items() if name.endswith(".py")}


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"house_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_top_level_is_the_fixed_set() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in KEPT} - TOP_LEVEL == set()


def test_the_top_level_is_complete() -> None:
    assert {path.name for path in ROOT.iterdir()} >= TOP_LEVEL


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_package_registry(host: str) -> None:
    assert [name for name, text in TEXTS.items() if host in text] == []


@pytest.mark.parametrize("place", MACHINE_PATHS)
def test_no_file_names_a_path_of_one_machine(place: re.Pattern[str]) -> None:
    assert [name for name, text in TEXTS.items() if place.search(text)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_pinned_with_hashes_and_no_address(lock: str) -> None:
    text = TEXTS[lock]
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    assert [
        entry.split("\n")[0] for entry in entries if not re.match(r"[\w.-]+==[\w.!+]+( ;.*)? \\\n\s+--hash=sha256:[0-9a-f]{64}", entry)
    ] == []
    assert re.findall(r"^\s*(?:-i|-f|--index|--extra|--find).*$|https?://|file:", text, flags=re.MULTILINE) == []


def test_the_two_locks_agree() -> None:
    pins = [set(re.findall(r"^[\w.-]+==\S+(?: ; [^\\\n]*)?", TEXTS[lock], flags=re.MULTILINE)) for lock in LOCKS]
    assert pins[0] - pins[1] == set()


def test_every_dependency_is_locked() -> None:
    import tomllib  # noqa: PLC0415 - wanted only here

    project = tomllib.loads(TEXTS["pyproject.toml"])
    for lock, wanted in zip(LOCKS, (project["project"]["dependencies"], project["dependency-groups"]["dev"]), strict=True):
        locked = {name.lower() for name in re.findall(r"^([\w.-]+)==", TEXTS[lock], flags=re.MULTILINE)}
        assert {re.split(r"[^\w.-]", want)[0].lower() for want in wanted} - locked == set()


def test_every_make_target_is_documented() -> None:
    makefile = TEXTS["Makefile"]
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    documented = set(re.findall(r"^([a-z][a-z-]*):[^\n]*## \w", makefile, flags=re.MULTILINE))
    assert targets == documented
    assert targets >= {"help", "run", "test", "lint", "bench", "soak", "demo", "lock", "build", "clean"}
    shown = subprocess.run(["make", "-C", str(ROOT), "--no-print-directory", "help"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == targets


def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in TEXTS[".ci/run"]


REASONED = {
    "noqa": re.compile(r"noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)* +(?:-|#) *.{3}"),
    "type: ignore": re.compile(r"type: ignore\[[a-z, -]+\] +(?:-|#) *.{3}"),
}


@pytest.mark.parametrize("mark", REASONED)
def test_every_exception_to_a_rule_carries_its_reason(mark: str) -> None:
    lines = [(f"{name}:{number}", line) for name, text in SOURCES.items() for number, line in enumerate(text.splitlines(), 1)]
    assert [f"{place} {line.strip()}" for place, line in lines if re.search(rf"#\s*{mark}", line) and not REASONED[mark].search(line)] == []


def test_no_module_is_long() -> None:
    ours = {name: len(text.splitlines()) for name, text in SOURCES.items() if not name.startswith("tests/")}
    assert {name: length for name, length in ours.items() if length > MAX_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in SOURCES if FORBIDDEN_NAMES & set(Path(name).with_suffix("").parts)] == []


def test_every_module_says_what_it_is_for() -> None:
    mute = [name for name, text in SOURCES.items() if text.strip() and not re.match(r'(?:#![^\n]*\n)?r?"""\S', text)]
    assert [name for name in mute if not name.startswith("tests/")] == []


def test_a_coverage_floor_missed_is_named() -> None:
    check = _load(ROOT / "ops" / "check.py")
    files = {
        "moderator/domain/item.py": {"summary": {"percent_covered": 99.0}},
        "moderator/web/pages.py": {"summary": {"percent_covered": 50.0}},
    }
    assert len(check._shortfalls({"files": files, "totals": {"percent_covered": 94.9}})) == 2  # noqa: SLF001 - the rule itself
    files["moderator/domain/item.py"]["summary"]["percent_covered"] = 100.0
    assert check._shortfalls({"files": files, "totals": {"percent_covered": 95.0}}) == []  # noqa: SLF001 - the rule itself


def test_the_bench_runner_finds_names_and_checks_rows() -> None:
    run = _load(ROOT / "ops" / "bench" / "run.py")
    full = {"ours": 1.0, "theirs": 2.0, "ratio": 0.5, "target": 0.4, "unit": "records/s", "against": "a plain loop"}
    row = run.measure("seal", bench=lambda: full)
    assert list(row) == list(run.FIELDS)
    assert "0.5" in run.table([row])
    with pytest.raises(run.BadBenchError):
        run.measure("seal", bench=lambda: {"ours": 1.0})


def test_the_bench_runner_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    run = _load(ROOT / "ops" / "bench" / "run.py")
    assert run.main(["no-such-bench"]) == 2
    assert "no-such-bench" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["everything"], 2)])
def test_the_set_up_refuses_what_it_does_not_know(arguments: list[str], status: int) -> None:
    done = subprocess.run(["python3", str(ROOT / "ops" / "bootstrap.py"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "say one of" in done.stderr

"""What a school installs: the wheel carries its models and templates, and its command works.

`make test` runs this twice: here against the checkout, and (with MODERATOR_TESTED_WHEEL) in an environment that holds only the
built wheel and its dependencies.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import moderator

ROOT = Path(__file__).resolve().parents[1]
WHEEL = os.environ.get("MODERATOR_TESTED_WHEEL")
against_wheel = pytest.mark.skipif(WHEEL is None, reason="runs against the built wheel, in `make test`")


def command(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Start the installed `moderator` away from the checkout."""
    program = Path(sys.executable).with_name("moderator")
    assert program.exists(), "the moderator command is not beside this Python"
    return subprocess.run([program, *arguments], input=given, capture_output=True, text=True, cwd="/", timeout=120, check=False)


def carried(folder: str) -> set[str]:
    """Name the files of a top-level folder, by their path in it."""
    return {
        str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }


@against_wheel
@pytest.mark.parametrize("folder", ["models", "templates"])
def test_the_wheel_carries_every_file(folder: str) -> None:
    with zipfile.ZipFile(WHEEL or "") as archive:
        names = {
            name.removeprefix(f"moderator/assets/{folder}/")
            for name in archive.namelist()
            if name.startswith(f"moderator/assets/{folder}/")
        }
    assert names == carried(folder)
    assert names


@against_wheel
def test_the_wheel_is_what_is_tested() -> None:
    assert ROOT not in Path(moderator.__file__).resolve().parents


@against_wheel
def test_the_wheel_carries_every_module_and_no_test() -> None:
    with zipfile.ZipFile(WHEEL or "") as archive:
        names = {name for name in archive.namelist() if name.endswith(".py") and not name.startswith("moderator/assets/models/finetune/")}
    assert names == {str(path.relative_to(ROOT)) for path in (ROOT / "moderator").rglob("*.py")}


def test_help_lists_the_commands() -> None:
    done = command("--help")
    assert done.returncode == 0, done.stderr
    for verb in ("run", "demo", "assess", "verify", "doctor"):
        assert verb in done.stdout


def test_assess_scores_a_comment_with_the_carried_model() -> None:
    shown = json.dumps({"id": "1", "text": "What a lovely concert, well done to all the choir."})
    done = command("assess", "-", given=shown + "\n")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["id"] == "1"
    assert row["flagged"] is False
    assert 0 <= row["labels"]["abusive"] <= 1

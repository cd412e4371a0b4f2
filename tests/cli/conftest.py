"""Small trained models for tests of commands that score."""

import fcntl
import os
from pathlib import Path

import pytest
from small_models import small_models


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small trained models; its parent holds their data, `school.jsonl` and `test.jsonl`.

    They are trained once for all of xdist's workers, by the first that asks; tests must not change them.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "trained"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "made"
        if not made.exists():
            small_models(folder)
            made.touch()
    return folder / "models"

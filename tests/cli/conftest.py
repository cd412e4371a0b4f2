"""Small trained models for tests of commands that score."""

from pathlib import Path

import pytest
from small_models import small_models


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small trained models; its parent holds their data, `school.jsonl` and `test.jsonl`."""
    return small_models(tmp_path_factory.mktemp("trained"))

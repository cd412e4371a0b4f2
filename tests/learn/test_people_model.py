"""The tagger's file: what ships loads fast, and one that was changed, damaged, missing or is something else is refused in plain words."""

import hashlib
import io
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from moderator.domain.errors import BadInput
from moderator.learn.load import bundled
from moderator.learn.people.model import load
from moderator.learn.people.tagger import PersonTagger


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("people.npz", "people.json"):
        shutil.copy(bundled() / name, tmp_path / name)
    return tmp_path


def claim(folder: Path, body: bytes) -> None:
    (folder / "people.npz").write_bytes(body)
    row = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    (folder / "people.json").write_text(json.dumps(row | {"sha256": hashlib.sha256(body).hexdigest()}), encoding="utf-8")


def test_what_ships_loads_fast_and_is_small() -> None:
    PersonTagger.load(bundled())
    began = time.process_time()
    tagger = PersonTagger.load(bundled())
    assert time.process_time() - began < 0.3
    assert (bundled() / "people.npz").stat().st_size <= 4_000_000
    row = json.loads((bundled() / "people.json").read_text(encoding="utf-8"))
    assert tagger.version == f"people-{row['date']}-{row['sha256'][:12]}"


def test_one_changed_byte_is_refused(copy: Path) -> None:
    body = bytearray((copy / "people.npz").read_bytes())
    body[len(body) // 2] ^= 1
    (copy / "people.npz").write_bytes(body)
    with pytest.raises(BadInput, match="SHA-256 differs"):
        load(copy)


def test_something_else_is_refused_even_with_a_matching_hash(copy: Path) -> None:
    for arrays in ({"rows": np.zeros(1)}, {"rows": np.array([{}], dtype=object)}):
        other = io.BytesIO()
        np.savez(other, **arrays)
        claim(copy, other.getvalue())
        with pytest.raises(BadInput, match="not a person tagger"):
            load(copy)
    claim(copy, b"PK not a zip")
    with pytest.raises(BadInput, match="not a person tagger"):
        load(copy)


def test_a_missing_file_is_said_plainly(copy: Path) -> None:
    (copy / "people.npz").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        load(copy)
    (copy / "people.json").unlink()
    with pytest.raises(BadInput, match="manifest is missing"):
        load(copy)


def test_a_manifest_that_points_elsewhere_is_refused(copy: Path) -> None:
    row = json.loads((copy / "people.json").read_text(encoding="utf-8"))
    (copy / "people.json").write_text(json.dumps(row | {"file": "../people.npz"}), encoding="utf-8")
    with pytest.raises(BadInput, match="outside its folder"):
        load(copy)

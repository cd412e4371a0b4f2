"""A model file that was changed, damaged, missing or holds a stranger is refused in plain words."""

import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest
from sklearn.pipeline import Pipeline
from skops import io

from moderator.domain.errors import BadInput
from moderator.learn.blend import Blend
from moderator.learn.load import ABUSE, TRUSTED, bundled, load, read_manifest


class Stranger:
    """A type no model of ours holds."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("abuse.skops", "abuse.json"):
        shutil.copy(bundled() / name, tmp_path / name)
    return tmp_path


def _claim(folder: Path, body: bytes) -> None:
    (folder / "abuse.skops").write_bytes(body)
    row = json.loads((folder / "abuse.json").read_text(encoding="utf-8"))
    (folder / "abuse.json").write_text(json.dumps(row | {"sha256": hashlib.sha256(body).hexdigest()}), encoding="utf-8")


def test_the_bundled_model_loads_in_under_a_second() -> None:
    load(bundled(), ABUSE, Pipeline)
    began = time.process_time()
    pipeline, manifest = load(bundled(), ABUSE, Pipeline)
    assert time.process_time() - began < 1
    assert isinstance(pipeline, Pipeline)
    assert manifest.version == f"{manifest.date}-{manifest.sha256[:12]}"


def test_one_changed_byte_is_refused(copy: Path) -> None:
    body = bytearray((copy / "abuse.skops").read_bytes())
    body[len(body) // 2] ^= 1
    (copy / "abuse.skops").write_bytes(body)
    with pytest.raises(BadInput, match="SHA-256 differs"):
        load(copy, ABUSE, Pipeline)


def test_a_type_nobody_trusts_is_refused_even_with_a_matching_hash(copy: Path) -> None:
    _claim(copy, io.dumps({"a": Stranger()}))
    with pytest.raises(BadInput, match="not a model this service trusts"):
        load(copy, ABUSE, Pipeline)


def test_something_else_with_a_matching_hash_is_refused(copy: Path) -> None:
    _claim(copy, b"not a zip")
    with pytest.raises(BadInput, match="not a model this service trusts"):
        load(copy, ABUSE, Pipeline)
    _claim(copy, io.dumps({"a": 1}))
    with pytest.raises(BadInput, match="not a model this service trusts"):
        load(copy, ABUSE, Pipeline)


def test_a_missing_model_or_manifest_is_said_plainly(copy: Path) -> None:
    (copy / "abuse.skops").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        load(copy, ABUSE, Pipeline)
    (copy / "abuse.json").unlink()
    with pytest.raises(BadInput, match="manifest is missing"):
        load(copy, ABUSE, Pipeline)


def test_a_manifest_that_points_elsewhere_is_refused(copy: Path) -> None:
    row = json.loads((copy / "abuse.json").read_text(encoding="utf-8"))
    (copy / "abuse.json").write_text(json.dumps(row | {"file": "../abuse.skops"}), encoding="utf-8")
    with pytest.raises(BadInput, match="outside its folder"):
        read_manifest(copy)


def test_only_our_own_types_are_trusted() -> None:
    found = {kind for name in ("abuse", "blend") for kind in io.get_untrusted_types(file=bundled() / f"{name}.skops")}
    assert found == set(TRUSTED)


def test_a_model_of_another_kind_is_refused(copy: Path) -> None:
    with pytest.raises(BadInput, match="holds no Blend"):
        load(copy, ABUSE, Blend)


def test_the_card_is_of_the_model_that_ships() -> None:
    assert read_manifest(bundled()).sha256 in (bundled() / "MODEL_CARD.md").read_text(encoding="utf-8")

"""Both tiers together: the same answer whatever stands beside a text, files that belong together, and either tier alone."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import Pipeline

from moderator.domain.errors import BadInput
from moderator.domain.score import Label
from moderator.learn.abuse import EncoderLogits, weights_of
from moderator.learn.blend import FEWEST, Blend
from moderator.learn.encoder import OWN_TOKENS, WINDOWS, Encoder
from moderator.learn.load import ABUSE, BLEND, ENCODER, SCREEN, bundled, load, load_weights, save_weights
from moderator.learn.screen import LABELS, OUTPUTS
from moderator.learn.tiers import Tiers
from moderator.text.normalise import normalise

BOTH = Tiers.load(bundled())
ENCODED = Encoder.load(bundled())
DOUBTFUL = "you lot could not teach a fish to swim"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (ABUSE, BLEND, ENCODER, SCREEN):
        for path in bundled().glob(f"{name}.*"):
            shutil.copy(path, tmp_path / path.name)
    return tmp_path


def test_the_shipped_models_have_both_tiers() -> None:
    assert BOTH.reads_twice
    assert BOTH.version.startswith("encoder-")
    assert OUTPUTS[: len(LABELS)] == LABELS


def test_the_same_text_gets_the_same_chances_alone_and_in_company() -> None:
    texts = [DOUBTFUL, "lovely concert", "i will find you after school and you will be sorry", "", "well done year 6"]
    together = BOTH.read(texts)
    assert together.readings
    for place, text in enumerate(texts):
        np.testing.assert_array_equal(BOTH.read([text]).probabilities[0], together.probabilities[place])


def test_the_encoder_reads_what_is_in_doubt_and_what_it_is_asked_to() -> None:
    chances = BOTH.read(["the fair is at two", "i will smash your face in", "see you there"], also=[2])
    assert {1, 2} <= chances.readings.keys()
    assert 0 not in chances.readings
    assert BOTH.in_doubt(np.ones((1, len(OUTPUTS)), np.float32)).all()
    assert not BOTH.in_doubt(np.zeros((1, len(OUTPUTS)), np.float32)).any()


def test_the_parent_post_is_read_and_is_not_the_text() -> None:
    alone, answering = ENCODED.read("what a disgrace"), ENCODED.read("what a disgrace", "our head teacher mr okafor retires")
    assert alone.spans == answering.spans
    assert not np.array_equal(alone.logits, answering.logits)


def test_a_long_text_is_read_in_windows_and_its_worst_part_counts() -> None:
    calm, threat = "the choir sang and we all had tea " * 20, "i will find out where you live and smash your face in"
    threatening = OUTPUTS.index(Label.THREAT)
    assert ENCODED.read(f"{calm} {threat}").logits[threatening] > ENCODED.read(calm).logits[threatening] + 1
    endless = ENCODED.read("tea " * 5_000)
    assert len(endless.tags) == len(endless.spans) == OWN_TOKENS * WINDOWS


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30))
def test_any_text_is_read(text: str, parent: str) -> None:
    reading = ENCODED.read(normalise(text), normalise(parent))
    assert np.isfinite(reading.logits).all()
    assert len(reading.spans) == len(reading.tags)
    np.testing.assert_allclose(reading.tags.sum(axis=1), 1, atol=1e-5)


def test_the_encoder_is_a_scikit_learn_transformer() -> None:
    step = EncoderLogits(ENCODED)
    assert step.fit(["a"]).transform(["lovely concert", DOUBTFUL]).shape == (2, len(OUTPUTS))
    assert step.transform([]).shape == (0, len(OUTPUTS))
    assert step.get_params() == {"encoder": ENCODED}


def test_without_the_encoder_the_linear_tier_stands_alone(copy: Path) -> None:
    linear = Tiers.load(copy, encoder=False)
    assert not linear.reads_twice
    assert linear.version.startswith("linear-")
    assert linear.read([DOUBTFUL]).readings == {}


def test_a_model_of_another_version_is_refused(tmp_path: Path) -> None:
    pipeline, _ = load(bundled(), ABUSE, Pipeline)
    weights = weights_of(pipeline)
    save_weights(replace(weights, coef=weights.coef[:7]), tmp_path, date="2026-11-22")
    with pytest.raises(BadInput, match="another version of this service"):
        Tiers.load(tmp_path)


@pytest.mark.parametrize("other", [ABUSE, ENCODER, BLEND])
def test_weights_made_for_other_models_are_refused(copy: Path, other: str) -> None:
    path = copy / f"{SCREEN}.json"
    row = json.loads(path.read_text(encoding="utf-8"))
    row["made_for"][other] = "0" * 64
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(BadInput, match=f"was made for another {other}"):
        Tiers.load(copy)


def test_weights_that_are_none_are_refused_even_with_a_matching_hash(copy: Path) -> None:
    (copy / "screen.npz").write_bytes(b"no arrays")
    path = copy / f"{SCREEN}.json"
    row = json.loads(path.read_text(encoding="utf-8")) | {"sha256": hashlib.sha256(b"no arrays").hexdigest()}
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(BadInput, match="does not hold the weights"):
        Tiers.load(copy)


def test_the_weights_are_those_of_the_models_beside_them() -> None:
    pipeline, _ = load(bundled(), ABUSE, Pipeline)
    blend, _ = load(bundled(), BLEND, Blend)
    ours, _ = load_weights(bundled())
    for name in ("coef", "idf", "slope", "base", "blend"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(weights_of(pipeline, blend), name))


def test_scoring_never_loads_scikit_learn() -> None:
    said = "import sys; from moderator.learn.classifier import Assessor; from moderator.learn.load import bundled; "
    said += "Assessor(bundled()).score(['you daft muppet', 'i will find you']); print('sklearn' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_changed_encoder_is_refused(copy: Path) -> None:
    body = bytearray((copy / "encoder.onnx").read_bytes())
    body[len(body) // 2] ^= 1
    (copy / "encoder.onnx").write_bytes(body)
    with pytest.raises(BadInput, match="SHA-256 differs"):
        Encoder.load(copy)


def test_something_that_is_no_encoder_is_refused_even_with_a_matching_hash(copy: Path) -> None:
    (copy / "encoder.onnx").write_bytes(b"not a network")
    path = copy / f"{ENCODER}.json"
    row = json.loads(path.read_text(encoding="utf-8")) | {"sha256": hashlib.sha256(b"not a network").hexdigest()}
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(BadInput, match="is not an encoder this service can run"):
        Encoder.load(copy)


def test_the_blend_follows_the_tier_that_is_right_and_keeps_the_encoder_where_little_is_known() -> None:
    chance = np.random.default_rng(5)
    truth = chance.integers(0, 2, 400).astype(np.float32)
    known = np.column_stack([truth, np.full(400, np.nan, np.float32)])
    known[: FEWEST - 1, 1] = 1
    right, noise = (truth * 4 - 2)[:, None] + chance.normal(size=(400, 2)), chance.normal(size=(400, 2))
    blend = Blend().fit(noise.astype(np.float32), right.astype(np.float32), known, np.ones(400, np.float32))
    assert abs(blend.weights_[0, 0]) < 0.3
    assert blend.weights_[0, 1] > 1
    np.testing.assert_array_equal(blend.weights_[1], [0, 1, 0])
    chances = blend.predict_proba(noise.astype(np.float32), right.astype(np.float32))
    assert ((chances[:, 0] > 0.5) == (truth == 1)).mean() > 0.95

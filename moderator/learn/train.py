"""Training, in one seeded run: read, split, fit, calibrate, judge, save with manifest and model card. Called by `moderator train`."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.score import Label
from moderator.learn.abuse import LABELS, MaskedLogistic
from moderator.learn.calibrate import calibrate, even_weights
from moderator.learn.card import card
from moderator.learn.corpus import Example, known, read_labelled, read_lines, share, split
from moderator.learn.evaluate import Figure, flagged, judge, mean_auc
from moderator.learn.features import HashedNgrams
from moderator.learn.load import Manifest, save
from moderator.learn.sources import read_public, weighed
from moderator.text.normalise import normalise

HELD_SCHOOL = 0.2
HELD_CALIBRATION = 0.1
HELD_CALM = 0.1
CALM = 4.0


@dataclass(frozen=True, slots=True)
class Corpora:
    """The data of one training run, split without overlap. `school_test` holds whole patterns that no fit has seen."""

    fit: list[Example]
    calibration: list[Example]
    development: list[Example]
    school_test: list[Example]
    calm_test: list[Example]
    unlabelled: list[str]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made: the manifest, figures by source and label, and shares flagged by name of set."""

    manifest: Manifest
    figures: list[Figure]
    flagged: dict[str, float]


def train(  # noqa: PLR0913 - each is the caller's choice, named where it is called
    data: Path,
    *,
    school: Path,
    out: Path,
    day: date,
    seed: int = 7,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train the abuse model and write `abuse.skops`, `abuse.json` and `MODEL_CARD.md` into `out`.

    1. Read the public sets in `data` and the school comments in `school`. 2. Split. 3. Fit and calibrate. 4. Judge on the development sets,
    school patterns and calm talk that were held out. 5. Fit and calibrate again with the held-out school patterns too: there are too few to
    leave any out of what ships. 6. Save that model with the figures of the first.
    The same data, seed and versions give the same model. Raises BadInput when a file is missing or a line of it cannot be used.
    """
    say("reading")
    corpora = gather(data, school, seed=seed)
    say(f"fitting on {len(corpora.fit)} texts")
    pipeline = fit(corpora.fit, corpora.calibration)
    say("judging")
    policy = Policy.bundled()
    judged = [*corpora.development, *corpora.school_test]
    figures = judge(judged, pipeline.predict_proba(_normalised(judged)), policy)
    shares = _shares(pipeline, corpora, policy)
    whole = [*corpora.fit, *weighed(corpora.school_test)]
    say(f"fitting on {len(whole)} texts")
    pipeline = fit(whole, corpora.calibration)
    facts = _facts(data, school, corpora, seed) | {"figures": [figure.row() for figure in figures], "flagged": shares}
    manifest = save(pipeline, out, date=day.isoformat(), facts=facts)
    (out / "MODEL_CARD.md").write_text(card(manifest, figures, shares, whole, policy), encoding="utf-8")
    say(f"saved {manifest.version}, mean AUC {mean_auc(figures):.3f}")
    return Trained(manifest, figures, shares)


def gather(data: Path, school: Path, *, seed: int) -> Corpora:
    """Return the splits; the seed orders the rows and nothing else, so that test sets stay the same from run to run."""
    public, development = read_public(data)
    own = weighed(read_labelled(school))
    if not own:
        message = f"{school}: holds no school comments: put the project's own file there"
        raise BadInput(message)
    own, school_test = split(own, held_out=HELD_SCHOOL)
    calm_test = [example for example in public if example.source == "goemotions" and share("calm" + example.text) < HELD_CALM]
    tested = {normalise(example.text) for example in (*development, *calm_test, *school_test)}
    rest = [example for example in (*public, *own) if normalise(example.text) not in tested]
    order = np.random.default_rng(seed).permutation(len(rest))
    shuffled = [rest[place] for place in order]
    calibration = [example for example in shuffled if share("calibrate" + (example.group or example.text)) < HELD_CALIBRATION]
    fitted = [example for example in shuffled if share("calibrate" + (example.group or example.text)) >= HELD_CALIBRATION]
    page = data / "comments" / "youtube.txt"
    return Corpora(fitted, calibration, development, school_test, calm_test, read_lines(page) if page.is_file() else [])


def fit(examples: Sequence[Example], held_out: Sequence[Example]) -> Pipeline:
    """Return the pipeline fitted on examples and calibrated on others."""
    pipeline = Pipeline([("features", HashedNgrams()), ("abuse", MaskedLogistic())])
    weight = np.array([example.weight for example in examples], np.float32)
    pipeline.fit(_normalised(examples), known(examples), abuse__sample_weight=weight)
    matrix = pipeline.named_steps["features"].transform(_normalised(held_out))
    calibrate(pipeline.named_steps["abuse"], matrix, known(held_out), even_weights(held_out, calm=CALM))
    return pipeline


def _normalised(examples: Sequence[Example]) -> list[str]:
    return [normalise(example.text) for example in examples]


def _shares(pipeline: Pipeline, corpora: Corpora, policy: Policy) -> dict[str, float]:
    """Return the share flagged of texts that are harmless, or of which few can be abusive."""
    calm_wiki = [example for example in corpora.development if example.source == "cat_wiki" and example.labels.get(Label.ABUSIVE) == 0]
    calm_school = [example for example in corpora.school_test if not any(example.labels.values())]
    sets = {
        "goemotions, held out": _normalised(corpora.calm_test),
        "cat_wiki, calm": _normalised(calm_wiki),
        "school, harmless, held-out patterns": _normalised(calm_school),
        "youtube, unlabelled": [normalise(line) for line in corpora.unlabelled],
    }
    return {name: round(float(flagged(pipeline.predict_proba(texts), policy).mean()), 4) for name, texts in sets.items() if texts}


def _facts(data: Path, school: Path, corpora: Corpora, seed: int) -> dict[str, object]:
    """Return what is needed to make the model again: seed, versions, and SHA-256 of every file read."""
    files = [*sorted((data / "abuse").iterdir()), school]
    return {
        "labels": [label.value for label in LABELS],
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "rows": {"fit": len(corpora.fit), "calibration": len(corpora.calibration)},
        "data": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()},
    }

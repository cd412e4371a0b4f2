"""Training, in one seeded run: read, split, fit, calibrate, blend, judge, save with manifests and card. Called by `moderator train`."""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import sklearn
from sklearn.pipeline import Pipeline

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.score import Label
from moderator.learn.abuse import MaskedLogistic, weights_of
from moderator.learn.blend import Blend
from moderator.learn.calibrate import calibrate, even_weights
from moderator.learn.card import CARD, card
from moderator.learn.corpus import Example, known, read_labelled, read_lines, share
from moderator.learn.encoder import Encoder
from moderator.learn.evaluate import Figure, flagged, judge, mean_auc
from moderator.learn.features import HashedNgrams
from moderator.learn.guarded import Kept, fingerprint, guarded, names_by_origin, write_kept
from moderator.learn.load import ABUSE, BLEND, ENCODER, Manifest, has, read_manifest, save, save_weights
from moderator.learn.obfuscate import OBFUSCATIONS
from moderator.learn.people.train import train as train_people
from moderator.learn.screen import GUARDS, LABELS, Floats
from moderator.learn.sources import read_public, weighed
from moderator.learn.stress import flags, strain
from moderator.learn.tiers import Tiers
from moderator.text.normalise import normalise

HELD_CALIBRATION = 0.1
HELD_CALM = 0.1
CALM = 4.0
DISGUISED = 0.2
SEEN = 2_000
"""How many unlabelled comments are read to tell how much is flagged."""


@dataclass(frozen=True, slots=True)
class Corpora:
    """The data of one training run, split without overlap. `school_test` is written by another hand than the school comments of the fit."""

    fit: list[Example]
    calibration: list[Example]
    development: list[Example]
    school_test: list[Example]
    calm_test: list[Example]
    unlabelled: list[str]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made: the manifest, figures by tier, source and output, and shares flagged by name of set."""

    manifest: Manifest
    figures: dict[str, list[Figure]]
    flagged: dict[str, float]


def train(  # noqa: PLR0913 - each is the caller's choice, named where it is called
    data: Path,
    *,
    school: Path,
    out: Path,
    day: date,
    test: Path | None = None,
    seed: int = 7,
    say: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train the models and write `abuse.*`, `people.*` and `MODEL_CARD.md` into `out`; with an encoder there, `blend.*` too.

    1. Read the public sets in `data`, the school comments in `school`, and those for judging in `test`. 2. Split. 3. Fit and calibrate the
    linear tier. 4. Where `out` holds an encoder, fit the blend of both tiers on text new to both. 5. Judge each tier on the development
    sets, the school comments of `test` and calm talk, none of which any fit has seen. 6. Save.
    The same data, seed and versions give the same model. Raises BadInput when a file is missing or a line of it cannot be used.
    """
    say("reading")
    corpora = gather(data, school, test=test, seed=seed)
    say(f"fitting on {len(corpora.fit)} texts")
    pipeline = fit(corpora.fit, corpora.calibration, seed=seed)
    facts = {
        "outputs": [*LABELS, *GUARDS],
        "seed": seed,
        "scikit_learn": sklearn.__version__,
        "rows": {"fit": len(corpora.fit), "calibration": len(corpora.calibration)},
        "data": files_read(data, school),
    }
    if (data / "names").is_dir():
        train_people(data, school=school, out=out, day=day, seed=seed, say=say)
    tiers = {"linear": Tiers(weights_of(pipeline))}
    manifest = save(pipeline, out, name=ABUSE, date=day.isoformat(), facts=facts)
    blend: Blend | None = None
    if has(out, ENCODER):
        say("blending the two tiers")
        encoder = Encoder.load(out)
        blend = blended(tiers["linear"], encoder, corpora.calibration)
        made_for = {"made_for": {name: read_manifest(out, name).sha256 for name in (ABUSE, ENCODER)}}
        save(blend, out, name=BLEND, date=day.isoformat(), facts=made_for)
        tiers["encoder"] = Tiers(weights_of(pipeline, blend), encoder)
    save_weights(weights_of(pipeline, blend), out, date=day.isoformat())
    say("judging")
    policy = Policy.bundled()
    judged = [*corpora.development, *corpora.school_test]
    figures = {name: judge(judged, probabilities(tier, judged), policy) for name, tier in tiers.items()}
    shares = _shares(list(tiers.values())[-1], corpora, policy)
    held = strain(flags(list(tiers.values())[-1], policy), corpora.development, corpora.school_test)
    kept = guarded(figures, held, names_by_origin(out))
    write_kept(out, Kept(tuple(kept), fingerprint(corpora.development, corpora.school_test)))
    told = card(out, figures=figures, held=held, shares=shares, fitted=corpora.fit, policy=policy)
    (out / CARD).write_text(told, encoding="utf-8")
    for name, found in figures.items():
        say(f"{name}: mean AUC {mean_auc(found):.3f}")
    return Trained(manifest, figures, shares)


def gather(data: Path, school: Path, *, test: Path | None = None, seed: int) -> Corpora:
    """Return the splits; the seed orders the rows and nothing else, so that test sets stay the same from run to run."""
    public, development = read_public(data)
    own = weighed(read_labelled(school))
    if not own:
        message = f"{school}: holds no school comments: put the project's own file there"
        raise BadInput(message)
    school_test = read_labelled(test) if test is not None else []
    calm_test = [example for example in public if example.source == "goemotions" and share("calm" + example.text) < HELD_CALM]
    tested = {normalise(example.text) for example in (*development, *calm_test, *school_test)}
    rest = [example for example in (*public, *own) if normalise(example.text) not in tested]
    order = np.random.default_rng(seed).permutation(len(rest))
    shuffled = [rest[place] for place in order]
    calibration = [example for example in shuffled if share("calibrate" + (example.group or example.text)) < HELD_CALIBRATION]
    fitted = [example for example in shuffled if share("calibrate" + (example.group or example.text)) >= HELD_CALIBRATION]
    page = data / "comments" / "youtube.txt"
    return Corpora(fitted, calibration, development, school_test, calm_test, read_lines(page)[:SEEN] if page.is_file() else [])


def fit(examples: Sequence[Example], held_out: Sequence[Example], *, seed: int) -> Pipeline:
    """Return the linear pipeline fitted on examples, some of them once more in disguise, and calibrated on others."""
    pipeline = Pipeline([("features", HashedNgrams()), ("abuse", MaskedLogistic())])
    fitted = [*examples, *_disguised(examples, seed=seed)]
    weight = np.array([example.weight for example in fitted], np.float32)
    pipeline.fit(_normalised(fitted), known(fitted), abuse__sample_weight=weight)
    matrix = pipeline.named_steps["features"].transform(_normalised(held_out))
    calibrate(pipeline.named_steps["abuse"], matrix, known(held_out), even_weights(held_out, calm=CALM))
    return pipeline


def _disguised(examples: Sequence[Example], *, seed: int) -> Iterator[Example]:
    """Yield some of the examples in one of the eight disguises each, at half their weight."""
    chance = random.Random(seed)  # noqa: S311 - a seed for training, not a secret
    for example in examples:
        if chance.random() < DISGUISED:
            disguise = chance.choice(list(OBFUSCATIONS.values()))
            yield replace(example, text=disguise(example.text, chance), weight=example.weight / 2)


def blended(linear: Tiers, encoder: Encoder, held_out: Sequence[Example]) -> Blend:
    """Return the blend fitted on those held-out texts that the encoder would be asked about."""
    first = linear.read(_normalised(held_out))
    places: list[int] = np.flatnonzero(linear.in_doubt(first.probabilities)).tolist()
    asked = [held_out[place] for place in places]
    encoded = np.stack([encoder.read(normalise(example.text), normalise(example.parent)).logits for example in asked])
    weight = even_weights(held_out, calm=CALM)[places]
    return Blend().fit(first.logits[places], encoded, known(asked), weight)


def probabilities(tiers: Tiers, examples: Sequence[Example]) -> Floats:
    """Return the chances of every output, shape (examples, outputs), read with their parents where known."""
    return tiers.read(_normalised(examples), [normalise(example.parent) for example in examples]).probabilities


def _normalised(examples: Sequence[Example]) -> list[str]:
    return [normalise(example.text) for example in examples]


def _shares(tiers: Tiers, corpora: Corpora, policy: Policy) -> dict[str, float]:
    """Return the share flagged of texts that are harmless, or of which few can be abusive."""
    calm_wiki = [example for example in corpora.development if example.source == "cat_wiki" and example.labels.get(Label.ABUSIVE) == 0]
    calm_school = [example for example in corpora.school_test if not any(example.labels.get(label) for label in LABELS)]
    sets = {
        "goemotions, held out": _normalised(corpora.calm_test[:SEEN]),
        "cat_wiki, calm": _normalised(calm_wiki[:SEEN]),
        "school, harmless, another hand": _normalised(calm_school),
        "youtube, unlabelled": [normalise(line) for line in corpora.unlabelled],
    }
    return {name: round(float(flagged(tiers.read(texts).probabilities, policy).mean()), 4) for name, texts in sets.items() if texts}


def files_read(data: Path, school: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that training reads, by name: with seed and versions, all it takes to make the model again."""
    files = [*sorted((data / "abuse").iterdir()), school]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}

"""Trains the person tagger in one seeded run: read, learn words, swap names, fit, judge, save. Called by `moderator train`."""

import csv
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderator.domain.errors import BadInput
from moderator.learn.corpus import read_lines, share
from moderator.learn.people.clusters import learn_usage
from moderator.learn.people.crf import fit
from moderator.learn.people.design import lay_out, move_table, weight_table
from moderator.learn.people.gazetteer import build_lexicon, read_names
from moderator.learn.people.judge import NameFigure, judge_names
from moderator.learn.people.lexicon import Lexicon, word_hash
from moderator.learn.people.marked import Marked, read_school, read_tagged, read_word_names
from moderator.learn.people.model import Model, save
from moderator.learn.people.swaps import HELD_OUT, ORIGINS, Swaps, british, lowered, names_lowered, pools, sparse
from moderator.learn.people.tagger import PersonTagger, name_keys
from moderator.learn.people.words import cut

TRAINING = {"wnut17_train_nh": 1.0, "btc_train": 1.0, "tweebank_train": 1.0, "wikigold": 0.5}
"""The public sets a fit reads, and how much each text of them weighs."""

DEVELOPMENT = ("wnut17_dev_nh", "btc_dev", "tweebank_dev", "uner_ewt_dev")

HELD_SCHOOL = 0.1
"""The share of school comments kept out of the fit, to judge by."""

_LOWERED, _SWAPPED = 0.8, 0.5
"""How much copies without capitals and with other names weigh, against the text they are of."""

_STRANGE, _BRITISH = 0.4, 0.3
"""The shares of swapped copies learnt as if no list held the name, and with UK names."""

_STRENGTH, _STEPS, _FEWEST, _LEAST, _BIAS = 0.7, 120, 2, 0.015, 0.1
_KNOWN_FROM, _COMMON_KNOWN_FROM, _COMMON = 3, 10, 4


def train(  # noqa: PLR0913 - each is the caller's choice, named where it is called
    data: Path, *, school: Path, out: Path, day: date, seed: int = 7, say: Callable[[str], None] = lambda _: None
) -> dict[str, object]:
    """Train the tagger, write `people.npz` and `people.json` into `out`, and return the manifest with its figures.

    1. Read the tagged sets and lists in `data/names` and the school comments whose people are marked. 2. Learn from all text at hand which
    words are alike and which are capitalised. 3. Add copies without capitals and with names of other origins. 4. Fit. 5. Collect the whole
    names that public text often speaks of. 6. Judge on the development sets, on school comments held out, and by origin. 7. Save.
    The same data, seed and versions give the same model. Raises BadInput when a file is missing or a line of it cannot be used.
    """
    say("people: reading")
    folder = data / "names"
    tagged = {name: read_tagged(folder / f"{name}.jsonl") for name in (*TRAINING, *DEVELOPMENT)}
    own = read_school(school)
    held = [marked for marked in own if share("people" + marked.text) < HELD_SCHOOL]
    ours = [marked for marked in own if share("people" + marked.text) >= HELD_SCHOOL]
    first, last = read_names(folder / "lists", without=frozenset(country for held_out in HELD_OUT.values() for country in held_out))
    public = [*_unlabelled(data), *(marked.text for name in TRAINING for marked in tagged[name])]
    say("people: learning words")
    lexicon = build_lexicon(first, last, learn_usage([*public, *(marked.text for marked in ours)], seed=seed))
    examples = [(marked, weight) for name, weight in TRAINING.items() for marked in tagged[name]]
    examples += [(marked, 1.0) for marked in (*ours, *read_word_names())]
    swaps = Swaps(pools(folder / "lists"), british(first, last), first, last)
    laid = lay_out(list(_more(examples, swaps, random.Random(seed))), lexicon, fewest=_FEWEST)  # noqa: S311 - seeded on purpose
    say(f"people: fitting on {len(laid.design.truth)} words")
    weights, moves = fit(laid.design, strength=_STRENGTH, steps=_STEPS, say=lambda text: say(f"people: {text}"))
    model = Model(weight_table(laid, weights, least=_LEAST), move_table(moves, bias=_BIAS), lexicon, np.zeros(0, np.uint32), "new")
    say("people: judging")
    model = replace(model, known=_known(PersonTagger(model), public, lexicon))
    development = [marked for name in DEVELOPMENT for marked in tagged[name]]
    origins = pools(folder / "lists", origins={**ORIGINS, **HELD_OUT})
    figures = [*_by_set(PersonTagger(model), {**{name: tagged[name] for name in DEVELOPMENT}, "school, held out": held})]
    named = [marked for marked in (*development, *held) if marked.spans]
    figures += _by_origin(PersonTagger(model), named, replace(swaps, by_origin=origins), seed=seed)
    files = [*(folder / f"{name}.jsonl" for name in (*TRAINING, *DEVELOPMENT)), *sorted((folder / "lists").iterdir()), school]
    facts = {
        "seed": seed,
        "rows": {"fit": len(examples), "held out": len(held)},
        "held out origins": sorted(HELD_OUT),
        "data": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "figures": [figure.row() for figure in figures],
    }
    return save(model, out, date=day.isoformat(), facts=facts)


def _unlabelled(data: Path) -> Iterator[str]:
    """Yield the comments at hand that nobody marked: whole sets where they are, none where they are not."""
    for path in (data / "comments" / "youtube.txt", data / "abuse" / "goemotions.txt"):
        if path.is_file():
            yield from read_lines(path)
    table = data / "abuse" / "train.csv"
    if not table.is_file():
        return
    try:
        with table.open(encoding="utf-8", newline="") as file:
            yield from (row["text"] for row in csv.DictReader(file))
    except (UnicodeDecodeError, KeyError, csv.Error) as error:
        message = f"{table}: cannot be read as a CSV with a column named text: {error}"
        raise BadInput(message) from error


def _more(examples: Sequence[tuple[Marked, float]], swaps: Swaps, rng: random.Random) -> Iterator[tuple[Marked, float]]:
    """Yield each example, a copy without capitals, and where it names somebody a copy with other names, written some other way."""
    origins = sorted(swaps.by_origin)
    for marked, weight in examples:
        yield marked, weight
        low = lowered(marked)
        if low.text != marked.text:
            yield low, weight * _LOWERED
        if marked.spans:
            pool = swaps.british if rng.random() < _BRITISH else swaps.by_origin[rng.choice(origins)]
            copy = replace(swaps.swapped(marked, pool, rng), strange=rng.random() < _STRANGE)
            written = rng.choices((lowered, names_lowered, sparse, lambda same: same), (0.35, 0.15, 0.1, 0.4))[0]
            yield written(copy), weight * _SWAPPED


def _known(tagger: PersonTagger, texts: Sequence[str], lexicon: Lexicon) -> NDArray[np.uint32]:
    """Return hashes of the whole names that many texts speak of: public figures. A name that many people bear must come more often."""
    counts: Counter[str] = Counter()
    for text, mentions in zip(texts, tagger.find(texts), strict=True):
        whole = (text[one.start : one.end] for one in mentions if one.whole and text[one.start] not in "@#")
        counts.update({" ".join(keys) for name in whole if len(keys := name_keys(cut(name).forms)) > 1})
    kept = [key for key, count in counts.items() if count >= (_COMMON_KNOWN_FROM if _is_common(key, lexicon) else _KNOWN_FROM)]
    return np.array(sorted({word_hash(key) for key in kept}), np.uint32)


def _is_common(key: str, lexicon: Lexicon) -> bool:
    first, *_, last = key.split(" ")
    return lexicon.entry(first).first >= _COMMON and lexicon.entry(last).last >= _COMMON


def _by_set(tagger: PersonTagger, sets: Mapping[str, Sequence[Marked]]) -> Iterator[NameFigure]:
    for name, texts in sets.items():
        yield judge_names(tagger, texts, name)
        yield judge_names(tagger, [lowered(marked) for marked in texts], f"{name}, lower case")


def _by_origin(tagger: PersonTagger, texts: Sequence[Marked], swaps: Swaps, *, seed: int) -> Iterator[NameFigure]:
    """Yield how well names of each origin are found when they stand in place of those in the same texts."""
    for origin, pool in sorted({**swaps.by_origin, "british": swaps.british}.items()):
        rng = random.Random(seed)  # noqa: S311 - seeded on purpose
        held = " (held out)" if origin in HELD_OUT else ""
        yield judge_names(tagger, [swaps.swapped(marked, pool, rng) for marked in texts], f"names: {origin}{held}")

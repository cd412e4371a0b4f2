"""Train the name finder that presidio runs on: `python peers_engine.py MARKED.jsonl FOLDER`, in the peers' environment. Called by peers.

presidio needs a spaCy pipeline, and no ready-made one can be had from a package index. So this trains spaCy's own CPU recipe for names
(hashed word embeddings, four layers of convolution, the transition parser) on the very same marked text that our tagger is trained on.
MARKED.jsonl has {"text", "spans": [[start, end], …]} a line, in code points. Same text and seed, same pipeline on one machine.
"""

import importlib
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SEED = 7
HELD_OUT = 12
"""One text in so many is held back, to keep the best epoch."""

EPOCHS = 5
"""By the fifth the held-out F1 hardly rises (it is printed); a fixed number, so that a busy machine gives the same pipeline."""

BATCH_WORDS = 1500
DROPOUT = 0.15
SHARE_LOWERED = 0.35
"""Share of the texts that are shown in lower case in an epoch: comments often are."""

Marked = tuple[str, list[tuple[int, int]]]


def train(marked: Sequence[Marked], folder: Path) -> float:
    """Fit, write the best epoch's pipeline to `folder` and return its held-out F1 (0 to 1)."""
    spacy = importlib.import_module("spacy")
    spacy.util.fix_random_seed(SEED)
    rng = random.Random(SEED)  # noqa: S311 - a seed for training, not a secret
    nlp = spacy.blank("en")
    recipe = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 96, "depth": 4, "embed_size": 5000, "window_size": 1}
    recipe |= {"maxout_pieces": 3, "subword_features": True, "pretrained_vectors": None}
    nlp.add_pipe("ner", config={"model": {"@architectures": "spacy.TransitionBasedParser.v2", "tok2vec": recipe, **_PARSER}})
    fit = [one for place, one in enumerate(marked) if place % HELD_OUT]
    held = [_example(nlp, one) for place, one in enumerate(marked) if not place % HELD_OUT]
    optimiser = nlp.initialize(lambda: [_example(nlp, one) for one in fit])
    best, began = -1.0, time.monotonic()
    for epoch in range(EPOCHS):
        rng.shuffle(fit)
        for batch in _batches(nlp, fit, rng):
            nlp.update(batch, sgd=optimiser, drop=DROPOUT)
        with nlp.use_params(optimiser.averages):
            found = float(nlp.evaluate(held)["ents_f"] or 0.0)
            if found > best:
                best = found
                nlp.to_disk(folder)
        sys.stdout.write(f"epoch {epoch + 1}: held-out F1 {found:.3f}, {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    return best


_PARSER = {"state_type": "ner", "extra_state_tokens": False, "hidden_width": 64, "maxout_pieces": 2, "use_upper": True}


def _batches(nlp: Any, fit: Sequence[Marked], rng: random.Random) -> Iterator[list[Any]]:  # noqa: ANN401 - spaCy is not in our environment
    batch: list[Any] = []
    words = 0
    for text, spans in fit:
        lower = text.lower()
        lowered = rng.random() < SHARE_LOWERED and len(lower) == len(text)
        batch.append(_example(nlp, (lower if lowered else text, spans)))
        words += len(batch[-1].reference)
        if words >= BATCH_WORDS:
            yield batch
            batch, words = [], 0
    if batch:
        yield batch


def _example(nlp: Any, marked: Marked) -> Any:  # noqa: ANN401 - as above
    """Return spaCy's example of one text; a name that cuts through one of spaCy's tokens is widened to the whole of it."""
    training, util = importlib.import_module("spacy.training"), importlib.import_module("spacy.util")
    text, spans = marked
    reference = nlp.make_doc(text)
    found = [reference.char_span(start, end, label="PERSON", alignment_mode="expand") for start, end in spans]
    reference.set_ents(util.filter_spans([span for span in found if span is not None]))
    return training.Example(nlp.make_doc(text), reference)


def main(arguments: Sequence[str]) -> int:
    """Train from a file into a folder; 2 for bad use."""
    if len(arguments) != 2:  # noqa: PLR2004 - the file and the folder
        sys.stderr.write("peers_engine: give MARKED.jsonl and FOLDER\n")
        return 2
    rows = [json.loads(line) for line in Path(arguments[0]).read_text(encoding="utf-8").splitlines()]
    marked = [(row["text"], [(start, end) for start, end in row["spans"]]) for row in rows]
    sys.stdout.write(f"best held-out F1 {train(marked, Path(arguments[1])):.3f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

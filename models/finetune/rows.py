"""What the encoder is fine-tuned on, as rows of token ids: the labelled text of `moderator train`, and text in which names are marked."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from moderator.domain.score import Label
from moderator.learn.corpus import Example, known
from moderator.learn.encoder import PARENT_TOKENS
from moderator.learn.obfuscate import OBFUSCATIONS
from moderator.learn.people.gazetteer import read_names
from moderator.learn.people.marked import Marked, read_tagged
from moderator.learn.people.swaps import Swaps, british, pools
from moderator.learn.screen import OUTPUTS
from moderator.text.normalise import align, normalise

TAGGED = ("wnut17_train_nh", "btc_train", "tweebank_train", "wikigold")
OWN = 94
"""The most tokens of a text itself in training: longer ones are cut."""

ADVERSARIAL_TIMES = 2
MOST = {
    "cad": 12_000,
    "cat_wiki": 5_000,
    "davidson": 8_000,
    "edos": 8_000,
    "goemotions": 9_000,
    "hatexplain": 12_000,
    "mlma_en": 3_000,
    "toxic_spans_civil": 8_000,
}
"""The most rows a source gives, so that none drowns the rest; of cat_wiki the few abusive ones first."""

DISGUISED = 0.15
UNNAMED = 0.65
"""The share of rows that are also seen disguised, and the share kept of tagged sentences that name nobody."""

PASSED_OVER = -100


@dataclass(frozen=True, slots=True)
class Row:
    """One text for the network.

    `ids` are its tokens, of which the first `own` are the text's and the rest its parent's; `known` what is known of the outputs (NaN for
    unknown); `weight` how much it counts; `tags` the tag of each own token (PASSED_OVER where nobody has said).
    """

    ids: list[int]
    own: int
    known: NDArray[np.float32]
    weight: float
    tags: list[int] | None


class Rows:
    """Makes the rows of one pass with one tokenizer and one source of chance."""

    def __init__(self, tokenizer: Tokenizer, rng: random.Random, *, public: float, school: int) -> None:
        """Take the tokenizer that the ONNX file will carry, the share (0 to 1) of public text, and how often each school comment comes."""
        self._tokenizer = tokenizer
        self._rng = rng
        self._public, self._school = public, school
        self._begin, self._end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")

    def labelled(self, examples: Sequence[Example]) -> Iterator[Row]:
        """Yield the rows of labelled examples: each source up to its most, school comments several times, some also disguised."""
        chosen = list(self._chosen(examples))
        for example, truth in zip(chosen, known(chosen), strict=True):
            yield from self._one(example, truth)
            if self._rng.random() < DISGUISED:
                disguise = self._rng.choice(list(OBFUSCATIONS.values()))
                yield from self._one(replace(example, text=disguise(example.text, self._rng), people=None), truth)

    def _chosen(self, examples: Sequence[Example]) -> Iterator[Example]:
        by_source: dict[str, list[Example]] = defaultdict(list)
        for example in examples:
            by_source[example.source].append(example)
        for source, found in by_source.items():
            if source == "cat_wiki":
                found.sort(key=lambda example: -example.labels.get(Label.ABUSIVE, 0))
            times = {"school": self._school, "hatemoji_build": ADVERSARIAL_TIMES}.get(source, 1)
            for example in found[: MOST.get(source)]:
                if source == "school":
                    yield from [replace(example, weight=1.0)] * times
                elif self._rng.random() < self._public:
                    yield from [example] * times

    def _one(self, example: Example, truth: NDArray[np.float32]) -> Iterator[Row]:
        spans = example.people
        parent = normalise(example.parent) if example.parent and self._rng.random() < 0.7 else ""  # noqa: PLR2004 - it must do without too
        text, tags = self._tagged(example.text, spans) if spans is not None else (normalise(example.text), None)
        if text:
            yield self._row(text, parent, truth, example.weight, tags)

    def marked(self, data: Path, *, share: float) -> Iterator[Row]:
        """Yield rows of a share of the sentences whose names are marked; one that names somebody once more with names of another origin."""
        lists = data / "names" / "lists"
        first, last = read_names(lists)
        swaps = Swaps(pools(lists), british(first, last), first, last)
        origins = [*swaps.by_origin.values()]
        for name in TAGGED:
            for sentence in read_tagged(data / "names" / f"{name}.jsonl"):
                if self._rng.random() > (share if sentence.spans else share * UNNAMED):
                    continue
                yield from self._sentence(sentence)
                if sentence.spans:
                    pool = swaps.british if self._rng.random() < 0.4 else self._rng.choice(origins)  # noqa: PLR2004 - the rest from everywhere
                    yield from self._sentence(swaps.swapped(sentence, pool, self._rng))

    def _sentence(self, sentence: Marked) -> Iterator[Row]:
        text, tags = self._tagged(sentence.text, sentence.spans)
        if text:
            yield self._row(text, "", np.full(len(OUTPUTS), np.nan, np.float32), 1.0, tags)

    def _tagged(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[int]]:
        """Return the normalised text and the tag of each of its tokens: 0 no name, 1 a name's first token, 2 a later one."""
        aligned = align(text)
        tags: list[int] = []
        before: int | None = None
        for first, last in self._tokenizer.encode(aligned.text, add_special_tokens=False).offsets:
            start, end = aligned.original(first, last)
            inside = next((place for place, (begin, stop) in enumerate(spans) if start < stop and begin < end), None)
            tags.append(0 if inside is None else 2 if inside == before else 1)
            before = inside
        return aligned.text, tags

    def _row(self, text: str, parent: str, truth: NDArray[np.float32], weight: float, tags: list[int] | None) -> Row:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids[:OWN]
        own = [self._begin, *ids, self._end]
        context = [*self._tokenizer.encode(parent, add_special_tokens=False).ids[:PARENT_TOKENS], self._end] if parent else []
        told = None if tags is None else [PASSED_OVER, *tags[:OWN], PASSED_OVER]
        return Row([*own, *context], len(own), truth, weight, told)

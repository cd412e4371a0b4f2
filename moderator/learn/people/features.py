"""What the tagger looks at: hashed features of a word by itself, seen from up to two words away, and of neighbouring words together.

Training and serving share this file; a change here needs a new model. A feature is a 32-bit hash, and its weights stand in the row of
the weight table that `bucket` gives.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from moderator.learn.people.lexicon import Entry, Lexicon, word_hash
from moderator.learn.people.words import Case, key_of

BITS = 20
"""Weight rows: 2 to this power."""

OFFSETS = (-2, -1, 0, 1, 2)
"""From where a word's own features are seen."""

BEFORE, AFTER = "<before>", "<after>"
"""The forms that stand on either side of a text."""

ATTRIBUTES = 6
WORD, SHAPE, NAMES, LOOK, CLUSTER, USE = range(ATTRIBUTES)

TEMPLATES = (
    ((WORD, -1), (WORD, 0)),
    ((WORD, 0), (WORD, 1)),
    ((WORD, -2), (WORD, -1)),
    ((WORD, 1), (WORD, 2)),
    ((WORD, -1), (LOOK, 0)),
    ((WORD, 1), (LOOK, 0)),
    ((WORD, -1), (WORD, 1)),
    ((SHAPE, -1), (SHAPE, 0), (SHAPE, 1)),
    ((NAMES, -1), (NAMES, 0)),
    ((NAMES, 0), (NAMES, 1)),
    ((LOOK, -1), (LOOK, 0)),
    ((LOOK, 0), (LOOK, 1)),
    ((LOOK, -1), (LOOK, 0), (LOOK, 1)),
    ((CLUSTER, -1), (CLUSTER, 0)),
    ((CLUSTER, 0), (CLUSTER, 1)),
    ((CLUSTER, -1), (CLUSTER, 1)),
    ((CLUSTER, -1), (LOOK, 0)),
    ((CLUSTER, 1), (LOOK, 0)),
    ((CLUSTER, -2), (CLUSTER, -1)),
    ((CLUSTER, 1), (CLUSTER, 2)),
    ((CLUSTER, -1), (CLUSTER, 1), (LOOK, 0)),
    ((USE, -1), (USE, 0), (USE, 1)),
)
"""Attributes of neighbouring words taken together."""

CASED = (SHAPE, NAMES, LOOK, USE)
"""Attributes of the word taken together with how its text uses capitals."""

PAIRS = len(TEMPLATES) + len(CASED)

_DOT = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class WordFeatures:
    """A word's features as hashes: seen at the word itself, from one word away, from two; and its attributes for the templates."""

    here: list[int]
    near: list[int]
    far: list[int]
    attributes: list[int]

    def seen_from(self, offset: int) -> list[int]:
        """Return the features seen from `offset` words away."""
        return (self.here, self.near, self.far)[abs(offset)]


def word_features(form: str, lexicon: Lexicon, *, no_case: bool, strange: bool = False) -> WordFeatures:
    """Return the features of one word form; `no_case` for a text whose capitals say nothing, `strange` as if no list held it."""
    key = form if form in {BEFORE, AFTER} else key_of(form)
    entry = lexicon.nothing() if strange else lexicon.entry(key)
    shape = ("n" if no_case else "") + shape_of(form)
    *coarse, fine = entry.clusters
    names = f"{entry.first}{entry.last}{entry.flags}"
    look = f"{names}{shape[:3]}"
    middle = coarse[-1]
    use = f"{entry.use}{shape[:2]}"
    far = [f"w{key}", f"s{shape}", f"c{middle}", f"g{names}"]
    near = [*far, f"k{coarse[0]}", f"m{fine}", f"u{use}", f"z{key[-3:]}"]
    mode = "n" if no_case else "u"
    here = [*near, *_letters(key), *_bands(entry, shape), f"{mode}c{middle}", f"{mode}g{names}", f"{mode}u{entry.use}", f"ws{key}{shape}"]
    here += [f"sc{shape}{middle}", f"sm{shape}{fine}", f"gu{names}{use}", "bias"]
    attributes = [word_hash(part) for part in (key, shape, names, look, str(middle), use)]  # in the order of ATTRIBUTES
    return WordFeatures(_hashes(here), _hashes(near), _hashes(far), attributes)


def _hashes(parts: list[str]) -> list[int]:
    return [word_hash(part) for part in dict.fromkeys(parts)]


def _letters(key: str) -> list[str]:
    edged = f"^{key}$"
    parts = [f"p{key[:size]}" for size in (1, 2, 3, 4)] + [f"z{key[-size:]}" for size in (1, 2, 4, 5)]
    parts += [f"t{edged[place : place + 3]}" for place in range(len(edged) - 2)]
    parts += [f"q{edged[place : place + 4]}" for place in range(len(edged) - 3)]
    return [*parts, f"l{min(len(key), 12)}"]


def _bands(entry: Entry, shape: str) -> list[str]:
    look = shape[:3]
    return [
        f"f{entry.first}",
        f"n{entry.last}",
        f"fs{entry.first}{look}",
        f"ns{entry.last}{look}",
        f"fu{entry.first}{entry.use}{look}",
        f"nu{entry.last}{entry.use}{look}",
        *(f"b{bit}{look}" for bit in range(8) if entry.flags >> bit & 1),
    ]


def shape_of(form: str) -> str:
    """Return a word's shape: X for capitals, x for lower case, 0 for digits, marks as they are; runs cut to one."""
    return _DOT.sub(r"\1", "".join(_class_of(letter) for letter in form[:24]))[:6]


@lru_cache(maxsize=4096)
def _class_of(letter: str) -> str:
    if letter.isupper():
        return "X"
    if letter.isalpha():
        return "x"
    return "0" if letter.isdigit() else letter if letter.isascii() else "?"


_SPREAD = np.uint32(0x9E3779B1)


def bucket(hashes: NDArray[np.uint32], salt: int) -> NDArray[np.int32]:
    """Return rows of the weight table for features seen in the way `salt` says (an offset or a template)."""
    mixed = (hashes ^ np.uint32(salt * 0x85EBCA6B & 0xFFFFFFFF)) * _SPREAD
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    return np.asarray((mixed ^ (mixed >> np.uint32(13))) >> np.uint32(32 - BITS), np.int32)


def pair_buckets(attributes: NDArray[np.uint32], ids: NDArray[np.int32], cases: NDArray[np.uint32], number: int) -> NDArray[np.int32]:
    """Return rows of the weight table for template `number` (0 to PAIRS - 1), one a token.

    `attributes` has shape (types, ATTRIBUTES); `ids` are the types of the tokens in a row with at least two others at each end, which
    get no answer: the result is 4 shorter. `cases` says for each of those that do how its text uses capitals.
    """
    count = len(ids) - 4
    if number >= len(TEMPLATES):
        values = attributes[ids[2 : 2 + count], CASED[number - len(TEMPLATES)]] ^ (cases * _SPREAD)
        return bucket(values, 64 + number)
    values = np.zeros(count, np.uint32)
    for attribute, offset in TEMPLATES[number]:
        values = (values ^ attributes[ids[2 + offset : 2 + offset + count], attribute]) * np.uint32(0xCC9E2D51)
        values ^= values >> np.uint32(16)
    return bucket(values, 64 + number)


def case_hash(case: Case) -> int:
    """Return the number that stands for a text's use of capitals in `pair_buckets`."""
    return int(case) + 1

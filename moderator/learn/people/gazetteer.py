"""How common a first name or surname each word is, read from the name lists; and the lexicon made of it. For training the tagger."""

import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

import numpy as np

from moderator.domain.errors import BadInput
from moderator.learn.people.clusters import Usage
from moderator.learn.people.lexicon import UNKNOWN_USE, Flag, Lexicon, word_hash
from moderator.learn.people.words import key_of

_FIRST_BANDS = (1.0, 60.0, 600.0, 6_000.0, 60_000.0)
_LAST_BANDS = (1.0, 3.0, 10.0, 30.0, 150.0)
"""Lower bounds of the bands: births of a first name in the UK since 1974, or bearers of a surname in 100,000 people."""

Counts = Mapping[str, float]


def read_names(lists: Path, *, without: frozenset[str] = frozenset()) -> tuple[Counts, Counts]:
    """Return (first names, surnames): weight by key, from the lists in `lists`; the world lists' countries in `without` are passed over.

    A UK first name weighs its births, a US one a tenth of them; a UK surname weighs its bearers in 100,000, a US one a fifth; other
    lists give a weight of 1 or a little more. Raises BadInput when a list is missing.
    """
    first: defaultdict[str, float] = defaultdict(float)
    last: defaultdict[str, float] = defaultdict(float)
    for row in _rows(lists / "uk_first_names.csv"):
        first[key_of(row["name"])] += float(row["n"])
    for row in _rows(lists / "uk_rankings_1904_1994.csv"):
        first[key_of(row["name"])] += 200.0
    for row in _rows(lists / "us_ssa_states.csv"):
        first[key_of(row["name"])] += float(row["n"]) / 10
    for row in _rows(lists / "nicknames.csv"):
        first[key_of(row["name2"])] += 1.0
    for row in _rows(lists / "uk_surnames.csv"):
        last[key_of(row["surname"])] += float(row["freq"]) * 100_000
    for row in _rows(lists / "us_surnames_1990.csv"):
        last[key_of(row["surname"])] += float(row["pct"]) * 1_000 / 5
    for kind, country, name in (*world(lists), *own_names()):
        if country not in without:
            table = first if kind == "first" else last
            table[key_of(name)] += 1.0
    return first, last


def world(lists: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (first or last, country, name) of the world lists; names of one word, in Latin letters."""
    for row in _rows(lists / "faker_names.csv"):
        yield from _single(row["kind"], row["locale"].rpartition("_")[2].upper(), row["name"])
    for row in _rows(lists / "world_forenames.csv"):
        yield from _single("first", row["Country"], row["Romanized Name"] or row["Localized Name"])
    for row in _rows(lists / "world_surnames.csv"):
        yield from _single("last", row["Country"], row["Romanized Name"] or row["Localized Name"])


def own_names() -> Iterator[tuple[str, str, str]]:
    """Yield (first or last, origin, name) of our own lists of names that the public ones hold too few of."""
    rows = tomllib.loads(resources.files("moderator.learn.people").joinpath("origins.toml").read_text(encoding="utf-8"))
    for origin, lists in rows.items():
        yield from ((kind, origin, name) for kind in ("first", "last") for name in lists[kind].split())


def _single(kind: str, country: str, name: str) -> Iterator[tuple[str, str, str]]:
    name = name.strip()
    if name and " " not in name and key_of(name).replace("-", "").replace("'", "").isascii() and len(name) > 1:
        yield kind, country, name


def band(weight: float, *, last: bool = False) -> int:
    """Return the band of a name's weight: 0 for none, 5 for the commonest."""
    return sum(weight >= bound for bound in (_LAST_BANDS if last else _FIRST_BANDS))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the name list cannot be read: {error}; the model card says where it is published"
        raise BadInput(message) from error


def word_flags() -> dict[str, int]:
    """Return flags by key, from the package's own word lists."""
    listed = tomllib.loads(resources.files("moderator.learn.people").joinpath("wordlists.toml").read_text(encoding="utf-8"))["words"]
    flags: defaultdict[str, int] = defaultdict(int)
    for name, words in listed.items():
        for word in words.split():
            flags[key_of(word)] |= Flag[name.upper()]
    return dict(flags)


def build_lexicon(first: Counts, last: Counts, usage: Usage) -> Lexicon:
    """Return the lexicon of every key that a name list, the corpora or our own word lists hold; stop words are nobody's name in it."""
    flags = word_flags()
    by_hash: dict[int, str] = {}
    for key in sorted({*first, *last, *usage.use, *usage.fine, *flags}):
        if key.isascii() or key in usage.fine:
            by_hash.setdefault(word_hash(key), key)
    hashes = sorted(by_hash)
    keys = [by_hash[one] for one in hashes]
    names = [0 if flags.get(key, 0) & Flag.STOP else 1 for key in keys]
    return Lexicon(
        np.array(hashes, np.uint32),
        np.array([band(first.get(key, 0)) * name for key, name in zip(keys, names, strict=True)], np.uint8),
        np.array([band(last.get(key, 0), last=True) * name for key, name in zip(keys, names, strict=True)], np.uint8),
        np.array([usage.use.get(key, UNKNOWN_USE) for key in keys], np.uint8),
        np.array([flags.get(key, 0) for key in keys], np.uint8),
        np.array([usage.fine.get(key, 0) for key in keys], np.uint16),
        usage.coarser,
    )

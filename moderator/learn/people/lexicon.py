"""What the tagger knows of a word apart from its letters: how common a name it is, how it is written elsewhere, which words it is like.

A table of sorted 32-bit hashes of keys with a few small numbers each; built by training, shipped in the model file, read for each new
word the tagger meets. Two keys share a hash once in some 20,000 words; that costs a little accuracy, never an error.
"""

import zlib
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

UNKNOWN_USE = 7
"""How a word is capitalised when the corpora hold it too seldom to say."""


class Flag(IntFlag):
    """What our own word lists (`wordlists.toml`) say of a word."""

    TITLE = 1
    PLACE = 2
    AMBIGUOUS = 4
    STOP = 8
    PUBLIC = 16
    TIME = 32
    KIN = 64
    SCHOOL = 128


def word_hash(text: str) -> int:
    """Return a 32-bit hash that is the same on every machine (CRC-32 of UTF-8)."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One word: bands of how common a first name and a surname it is (0 none to 5), band of how often it is capitalised inside sentences
    (0 never to 5 always, 7 unknown), flags (see `Flag`), and clusters, coarse to fine (0 for none)."""  # noqa: D205, D209 - one sentence

    first: int
    last: int
    use: int
    flags: int
    clusters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The table. `hashes` uint32 sorted, shape (words,); the others beside it; `coarser` maps a fine cluster to the coarser ones,
    shape (levels, fine clusters + 1)."""  # noqa: D205, D209 - one sentence

    hashes: NDArray[np.uint32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    use: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    fine: NDArray[np.uint16]
    coarser: NDArray[np.uint16]

    def entry(self, key: str) -> Entry:
        """Return what is known of a key; a key of several words (hyphens) is known by its parts' best bands. Never fails."""
        return self._at(key) or self._parts(key) or self.nothing()

    def _at(self, key: str) -> Entry | None:
        wanted = word_hash(key)
        place = int(self.hashes.searchsorted(np.uint32(wanted)))
        if place == len(self.hashes) or int(self.hashes[place]) != wanted:
            return None
        fine = int(self.fine[place])
        clusters = (*(int(level[fine]) for level in self.coarser), fine)
        return Entry(int(self.first[place]), int(self.last[place]), int(self.use[place]), int(self.flags[place]), clusters)

    def _parts(self, key: str) -> Entry | None:
        parts = [entry for part in key.split("-") if part and part != key and (entry := self._at(part)) is not None]
        if not parts:
            return None
        return Entry(
            min(part.first for part in parts), min(part.last for part in parts), max(part.use for part in parts), 0, self.nothing().clusters
        )

    def nothing(self) -> Entry:
        """Return what is known of a word that the table does not hold."""
        return Entry(0, 0, UNKNOWN_USE, 0, (0,) * (len(self.coarser) + 1))

"""Word and character n-grams of a whole batch as bucket numbers, hashed with numpy in one go; for features, scoring and explaining.

Grams are words, pairs of words, and runs of 3 to 5 characters that do not run across a gap (one space of padding counts as a character).
Every hash is a sum of characters times fixed odd constants modulo 2**32 (multiply-shift hashing, Dietzfelbinger et al. 1997), so that a
batch takes a handful of array operations whatever the number of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
Codes = NDArray[np.uint32]

_SPREAD = np.random.default_rng(20_241).integers(1, 2**32, size=128, dtype=np.uint32) | np.uint32(1)
_BY_PLACE = _SPREAD[:64]
_RUNS = {3: _SPREAD[64:67], 4: _SPREAD[68:72], 5: _SPREAD[73:78]}
_PAIR = _SPREAD[80:82]
_MIX, _WORD_SALT, _PAIR_SALT = (np.uint32(value) for value in (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D))
_NEWLINE, _SPACE = 10, 32


@dataclass(frozen=True, slots=True)
class Grams:
    """The grams of a batch of normalised texts.

    `runs` holds one array a run length (3, 4, 5), each with one bucket a character position of the padded blob; positions without a run
    hold the spare bucket, 2**bits. `first` is the position at which each text begins. `words` and `pairs` hold one bucket a word (`pairs`
    the spare one at a text's last word), `first_word` the number of words before each text, `word_starts` each word's position.
    """

    runs: tuple[Rows, Rows, Rows]
    first: NDArray[np.intp]
    words: Rows
    pairs: Rows
    first_word: NDArray[np.intp]
    word_starts: NDArray[np.intp]


def grams(texts: Sequence[str], *, bits: int) -> Grams:
    """Return the grams of normalised texts in 2**bits buckets. Same input, same output; never fails on any Unicode."""
    blob = " " + " \n ".join([text.replace("\n", " ") for text in texts]) + " "
    codes = np.frombuffer(f"{blob}    ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    gap = (codes == _SPACE) | (codes == _NEWLINE)
    size = len(blob)
    runs = tuple(_runs(codes, gap, size, length, bits) for length in (3, 4, 5))
    first = np.concatenate([[0], np.flatnonzero(codes[:size] == _NEWLINE)]).astype(np.intp)
    starts = np.flatnonzero(~gap[1:size] & gap[: size - 1]) + 1
    first_word = np.searchsorted(starts, first)
    words, pairs = _words(codes[:size], gap[:size], starts, first_word, bits)
    return Grams((runs[0], runs[1], runs[2]), first, words, pairs, first_word, starts)


def _runs(codes: Codes, gap: NDArray[np.bool_], size: int, length: int, bits: int) -> Rows:
    hashed = codes[:size] * _RUNS[length][0]
    for place in range(1, length):
        hashed += codes[place : size + place] * _RUNS[length][place]
    broken = gap[1 : size + 1].copy()
    for place in range(2, length - 1):
        broken |= gap[place : size + place]
    rows = _bucket(hashed, bits)
    rows[broken] = 1 << bits
    return rows


def _words(codes: Codes, gap: NDArray[np.bool_], starts: NDArray[np.intp], first_word: NDArray[np.intp], bits: int) -> tuple[Rows, Rows]:
    if not starts.size:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    body = codes[starts[0] :] * ~gap[starts[0] :]
    lengths = np.diff(starts, append=len(codes))
    place = np.arange(body.size) - np.repeat(starts - starts[0], lengths)
    body *= _BY_PLACE[place & 63]
    hashed = np.add.reduceat(body, starts - starts[0], dtype=np.uint32)
    after = np.append(hashed[1:], np.uint32(0))
    pairs = _bucket(hashed * _PAIR[0] + after * _PAIR[1] + _PAIR_SALT, bits)
    last = np.append(first_word[1:], starts.size) - 1
    pairs[last[last >= 0]] = 1 << bits
    return _bucket(hashed + _WORD_SALT, bits), pairs


def _bucket(hashed: Codes, bits: int) -> Rows:
    mixed = hashed ^ (hashed >> np.uint32(15))
    mixed *= _MIX
    mixed ^= mixed >> np.uint32(13)
    mixed *= _MIX
    mixed >>= np.uint32(32 - bits)
    return mixed.astype(np.int32)

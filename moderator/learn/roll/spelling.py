"""How a name is spelled for comparison: one squashed word, and the one-edit patterns of it. Shared by the roll's keys and the matcher."""

import re
from collections.abc import Iterator

from moderator.text.confusables import fold

GAP = "\0"
"""Stands in a pattern for any one letter, or for one that is missing."""

LEAST_FUZZY = 3
"""Names of fewer letters are matched only as they are."""

LEAST_SQUASHED = 6
"""Letters of a whole name as one word: fewer may be a word ("jolee")."""

LONG = 9
"""From this many letters a name, such as a double-barrelled one, is also matched by its letter triples."""

_APOSTROPHES = frozenset("'’‘`´ʼ")  # noqa: RUF001 - names carry curly apostrophes
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_RUN = re.compile(r"(.)\1+")
_MAC = "mac"
_LEAST_MAC = 6


class _Folded(dict[int, str]):
    """A table for str.translate, filled as characters are met: letters folded, apostrophes gone, anything else a gap."""

    def __missing__(self, code: int) -> str:
        folded = "".join(part if part.isalpha() else " " for part in fold(chr(code)))
        self[code] = found = "" if chr(code) in _APOSTROPHES else folded
        return found


_FOLDED = _Folded()


def name_key(name: str) -> str:
    """Return the words of a name as names are compared: case, accents, apostrophes and look-alikes undone, single spaces between.

    Not `normalise`, which reads a sentence and mends its slips: a name is not mended into another.
    """
    return " ".join(_STRETCHED.sub(r"\1", name.translate(_FOLDED)).split())


def name_word(name: str) -> str:
    """Return a name as one word, Mac written Mc; "" when nothing is left."""
    return squashed(name_key(name))


def squashed(key: str) -> str:
    """Return a name key as one word, Mac written Mc."""
    word = key.replace(" ", "")
    return f"mc{word[3:]}" if word.startswith(_MAC) and len(word) >= _LEAST_MAC else word


def run_together(word: str) -> str:
    """Return a whole name as one word as tags are compared: doubled letters single, Mac written Mc wherever it stands."""
    return _RUN.sub(r"\1", word.replace(_MAC, "mc"))


def gapped(word: str) -> Iterator[str]:
    """Yield the word with each letter in turn taken for a gap: what the roll keeps of a name for typos."""
    for place in range(len(word)):
        yield f"{word[:place]}{GAP}{word[place + 1 :]}"


def gaps_of_typo(word: str) -> Iterator[str]:
    """Yield the patterns a mistyped word may stand for: a letter wrong, or a letter left out."""
    yield from gapped(word)
    for place in range(len(word) + 1):
        yield f"{word[:place]}{GAP}{word[place:]}"


def wholes_of_typo(word: str) -> Iterator[str]:
    """Yield the names a mistyped word may stand for: a letter too many, or two letters swapped."""
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
    for place in range(len(word) - 1):
        if word[place] != word[place + 1]:
            yield f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"


def triples(word: str) -> frozenset[str]:
    """Return the letter triples of a word, its ends marked."""
    marked = f"{GAP}{word}{GAP}"
    return frozenset(marked[place : place + 3] for place in range(len(marked) - 2))

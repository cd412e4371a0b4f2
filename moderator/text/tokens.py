"""Words with their places: in text as given (for names) and in normalised text (for reasons)."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import re
from dataclasses import dataclass

from moderator.text.normalise import normalise

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ][^\W\d_]+)*")
_GAPS = re.compile(r"[\s./,&\u2010-\u2015-]+")
_POSSESSIVE = re.compile(r"['’ʼ]s$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `text[start:end]` in code points, and `key`, the form names are compared by."""

    start: int
    end: int
    key: str


def words(text: str) -> list[Word]:
    """Return the words of a text as given; hyphens part words, apostrophes join them, a possessive 's is left out of the span."""
    found: list[Word] = []
    for match in _WORD.finditer(text):
        word = _POSSESSIVE.sub("", match[0])
        key = name_key(word)
        if key:
            found.append(Word(match.start(), match.start() + len(word), key))
    return found


def name_key(word: str) -> str:
    """Return the form a name is compared by: case, accents, apostrophes and look-alikes undone, words joined by single spaces.

    A name is never taken apart, however it is read in a sentence: one part between gaps or hyphens is one word of the key.
    """
    parts = ("".join(part for part in normalise(piece).split() if part not in {"!", "?"}) for piece in _GAPS.split(word))
    return " ".join(part for part in parts if part)

"""A text without its disguises, each letter with its place in the text as given. Called by the redactor and the search for a person.

Case, accents, zero-width characters, look-alike letters, digits that stand for letters and letters drawn out all go, in the name that is
looked for as in the text it is looked for in, so that they can be compared letter by letter.
"""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from moderator.text.confusables import BETWEEN, fold

_LEET = {"1": "i", "l": "i", "|": "i", "!": "i", "0": "o", "3": "e", "4": "a", "@": "a", "5": "s", "$": "s", "7": "t", "8": "b", "9": "g"}
"""Digits and signs that stand for letters; `l` goes with `i`, since 1 stands for both."""
_APOSTROPHES = "'’ʼ‘`´"
_JOINERS = frozenset(_APOSTROPHES + "_")
_INSIDE = frozenset("!|$@")
"""Signs that are letters in the middle of a word, and signs elsewhere."""
AT_SIGNS = "@＠"
_OPENERS = frozenset("#＃" + AT_SIGNS)
_BLANK = frozenset("\u2800\u3164\uffa0\u115f\u1160\u034f")
"""Characters that are drawn as nothing although Unicode calls some of them letters or signs."""


@dataclass(frozen=True, slots=True)
class Bone:
    """One letter of the skeleton, and the code point of the text it stands for."""

    letter: str
    at: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word: `text[start:end]` in code points, a leading # or @ included, and its letters without disguise."""

    start: int
    end: int
    bones: tuple[Bone, ...]

    @property
    def letters(self) -> str:
        """The letters without disguise."""
        return "".join(bone.letter for bone in self.bones)


@lru_cache(maxsize=8192)
def _letters(character: str) -> str:
    """Return what a character is read as: "" for what is drawn as nothing, and for what is no letter or digit."""
    if character in _BLANK or unicodedata.category(character) in {"Cf", "Mn", "Me", "Cc"}:
        return ""
    plain = "".join(BETWEEN.get(each, each) for each in fold(BETWEEN.get(character, character)))
    return "".join(_LEET.get(each, each) for each in plain if each.isalnum() or each in _LEET) if " " not in plain else ""


def opens_handle(character: str) -> bool:
    """Return whether a character begins a handle."""
    return character in AT_SIGNS


def opens_compound(character: str) -> bool:
    """Return whether a character begins a handle or a hashtag, in which words stand together."""
    return character in _OPENERS


def invisible(character: str) -> bool:
    """Return whether a character is drawn as nothing or as a mark on its neighbour."""
    return character in _BLANK or unicodedata.category(character) in {"Cf", "Mn", "Me", "Mc"}


def skeleton(text: str) -> str:
    """Return the letters of a text without any disguise."""
    return "".join(_letters(character) for character in text)


def drawn_in(letters: str) -> str:
    """Return letters with every run of the same one as one: `Brindleee` as `Brindle`, in names and texts alike."""
    return re.sub(r"(.)\1+", r"\1", letters)


def words(text: str) -> list[Word]:
    """Return the words of a text: runs of letters, digits, marks, apostrophes, underscores and characters drawn as nothing."""
    found: list[Word] = []
    at = 0
    while at < len(text):
        if not _begins(text, at):
            at += 1
            continue
        end = at + 1
        while end < len(text) and _goes_on(text, end):
            end += 1
        first = at + (text[at] in _OPENERS)
        bones = tuple(Bone(letter, place) for place in range(first, end) for letter in _letters(text[place]))
        if bones:
            found.append(Word(at, end, bones))
        at = end
    return found


def _begins(text: str, at: int) -> bool:
    return text[at] in _OPENERS or _letter(text[at]) or invisible(text[at])


def _letter(character: str) -> bool:
    return character.isalnum() or (character not in _INSIDE and not character.isspace() and bool(_letters(character)))


def _goes_on(text: str, at: int) -> bool:
    character = text[at]
    if _letter(character) or character in _JOINERS or invisible(character):
        return True
    return character in _INSIDE and at + 1 < len(text) and _letter(text[at + 1])

"""The one normaliser for training and serving: undoes the usual disguises and keeps a way back to the text as given.

`normalise` is for every text (a few microseconds); `align` gives the same text with a map to the original code points, and is used only
for the few texts whose reasons are shown. Both never fail on any Unicode, take linear time, and leave normalised text as it is.
"""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import re
from collections.abc import Callable
from dataclasses import dataclass

from moderator.text.confusables import fold

LINK = "weblink"
HANDLE = "userhandle"
"""What a web or e-mail address, and a handle, are read as."""


class _Table(dict[int, str]):
    """A table for str.translate that is filled as characters are met."""

    def __init__(self, read: Callable[[str], str]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, code: int) -> str:
        found = self._read(chr(code))
        self[code] = found
        return found


_KEPT = frozenset("@$*|/!?")
_JOINED = frozenset("'’‘`´ʼ")
_READABLE = frozenset("!?*\ufffd")


def _plain(character: str) -> str:
    """Return how a character of a plain text is read: folded, punctuation as space, apostrophes gone; `_KEPT` stays to be looked at."""
    if character in _JOINED:
        return ""
    return "".join(part if part.isalnum() or part in _KEPT or part == "\ufffd" else " " for part in fold(character))


def _folded(character: str) -> str:
    return "'" if character in _JOINED else fold(character)


def _unpunctuated(character: str) -> str:
    return character if character.isalnum() or character in _READABLE else " "


_PLAIN = _Table(_plain)
_FOLD = _Table(_folded)
_PUNCTUATION = _Table(_unpunctuated)

_RISKY = re.compile(r"[@$*|\ufffd]|//|[!?]\S|[a-z]\d|\d[a-z]|www|([^\W\d_])\1\1|(?<![^\W_])[a-z][ /]+[a-z][ /]+[a-z](?![^\W_])")
"""What needs more than a table: symbols in words, digits beside letters, addresses, runs of one letter, spaced letters."""


def normalise(text: str) -> str:
    """Return the text as it is meant to be read: lower-case words with single spaces; `!` and `?` stand alone.

    Same input, same output; normalising the result changes nothing.
    """
    plain = text.translate(_PLAIN)
    if plain.isascii() and _RISKY.search(plain) is None:
        return _spaced(plain)
    return _by_rounds(text)


def _spaced(plain: str) -> str:
    return " ".join(plain.replace("/", " ").replace("!", " ! ").replace("?", " ? ").split())


@dataclass(frozen=True, slots=True)
class Aligned:
    """Normalised text with, for each of its characters, the span of the original it stands for (`starts[i]`, `ends[i]`, code points)."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that `text[start:end]` stands for; an empty span stays empty."""
        if start >= end or start >= len(self.starts):
            return (0, 0)
        stop = min(end, len(self.ends))
        return (min(self.starts[start:stop]), max(self.ends[start:stop]))


_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l"})
_DOUBLE = frozenset("lsg")


def _unleet(match: re.Match[str]) -> str:
    return match[0].translate(_LEET)


def _squeeze(match: re.Match[str]) -> str:
    return match[1] * 2 if match[1] in _DOUBLE else match[1]


@dataclass(frozen=True, slots=True)
class _Edit:
    """One edit: what to find, what to put in its place, and characters of which one must be there for it to be worth looking."""

    find: re.Pattern[str]
    put: Callable[[re.Match[str]], str]
    needs: str = ""

    def wanted(self, text: str) -> bool:
        return not self.needs or any(need in text for need in self.needs)


_LEETISH = "013457@$!|"
_BEFORE_PUNCTUATION: tuple[_Edit, ...] = (
    # Addresses first, while their punctuation stands.
    _Edit(re.compile(r"(?:https?://|www\.)\S+"), lambda _: f" {LINK} ", ":."),
    _Edit(re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"), lambda _: f" {LINK} ", "@"),
    # "@ss" is an insult, "@anything else" a handle.
    _Edit(re.compile(r"(?<![^\W_])@(?=ss(?:es|h|\b))"), lambda _: "a", "@"),
    _Edit(re.compile(r"(?<![^\W_])@[^\W_][\w.]*"), lambda _: f" {HANDLE} ", "@"),
    # Apostrophes join: don't is dont. At an edge they part.
    _Edit(re.compile(r"(?<=[^\W_])'+(?=[^\W_])"), lambda _: "", "'"),
    # s.p.a.c.e.d and s p a c e d letters.
    _Edit(re.compile(r"(?<![^\W_])[a-z]([ ._*~-]{1,2})[a-z](?:\1[a-z])+(?![^\W_])"), lambda m: re.sub(r"[^a-z]", "", m[0])),
    # Leetspeak inside words: never at an edge, so that Y7, 9-1 and KS2 stay; $ may begin a word.
    _Edit(re.compile(r"(?<=[a-z])(?<!(?<![^\W_])[yksp])[013457@$!|]{1,2}(?=[a-z])"), _unleet, _LEETISH),
    _Edit(re.compile(r"(?<=(?<![^\W_])[ksp])[01345@$!|](?=[a-z]{2})|(?<=(?<![^\W_])y)0(?=u)"), _unleet, _LEETISH),
    _Edit(re.compile(r"(?<![^\W_])\$(?=[a-z]{2})"), _unleet, "$"),
    # A star hides letters only after one.
    _Edit(re.compile(r"(?<![^\W\d_])(?<!\*)\*+"), lambda _: " ", "*"),
    _Edit(re.compile(r"[!?]+"), lambda m: f" {m[0][0]} ", "!?"),
)
_AFTER_PUNCTUATION: tuple[_Edit, ...] = (
    _Edit(re.compile(r"([^\W\d_])\1{2,}"), _squeeze),
    _Edit(re.compile(r"\*{2,}"), lambda _: "*", "*"),
)
_GAPS = _Edit(re.compile(r"\s{2,}|[^\S ]"), lambda _: " ")
_ROUNDS = 8


def _by_rounds(text: str) -> str:
    """Return what `normalise` does for a text that is not plain: every step, until nothing changes."""
    for _ in range(_ROUNDS):  # pragma: no branch - a bound that text never reaches: each round leaves less to undo
        before = text
        text = text.translate(_FOLD)
        for edit in _BEFORE_PUNCTUATION:
            if edit.wanted(text):
                text = edit.find.sub(edit.put, text)
        text = text.translate(_PUNCTUATION)
        for edit in _AFTER_PUNCTUATION:
            if edit.wanted(text):
                text = edit.find.sub(edit.put, text)
        text = " ".join(text.split())
        if text == before or _settled(text):
            break
    return text


def _settled(text: str) -> bool:
    """Return whether a further round would change nothing."""
    return text.isascii() and _RISKY.search(text) is None


def align(text: str) -> Aligned:
    """Return the normalised text with its map to the original code points. Same text as `normalise` gives."""
    track = _Track(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for _ in range(_ROUNDS):  # pragma: no branch - a bound that text never reaches: each round leaves less to undo
        before = track.text
        track = track.translated(_FOLD)
        for edit in _BEFORE_PUNCTUATION:
            track = track.edited(edit)
        track = track.translated(_PUNCTUATION)
        for edit in (*_AFTER_PUNCTUATION, _GAPS):
            track = track.edited(edit)
        track = track.stripped()
        if track.text == before or _settled(track.text):
            break
    return Aligned(track.text, tuple(track.starts), tuple(track.ends))


@dataclass(frozen=True, slots=True)
class _Track:
    """A text half-way, with the original span of each character."""

    text: str
    starts: list[int]
    ends: list[int]

    def translated(self, table: _Table) -> "_Track":
        text = self.text.translate(table)
        if text == self.text:
            return self
        pieces = [table[ord(character)] for character in self.text]
        if len(text) == len(self.text) and all(map(len, pieces)):
            return _Track(text, self.starts, self.ends)
        starts = [start for start, piece in zip(self.starts, pieces, strict=True) for _ in piece]
        ends = [end for end, piece in zip(self.ends, pieces, strict=True) for _ in piece]
        return _Track(text, starts, ends)

    def edited(self, edit: _Edit) -> "_Track":
        """Return the text after one edit; new characters stand for the whole span they replace, one for one where lengths agree."""
        if not edit.wanted(self.text) or edit.find.search(self.text) is None:
            return self
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for match in edit.find.finditer(self.text):
            first, last = match.span()
            new = edit.put(match)
            pieces += (self.text[done:first], new)
            same = len(new) == last - first
            starts += self.starts[done:last] if same else [*self.starts[done:first], *([min(self.starts[first:last])] * len(new))]
            ends += self.ends[done:last] if same else [*self.ends[done:first], *([max(self.ends[first:last])] * len(new))]
            done = last
        return _Track("".join([*pieces, self.text[done:]]), starts + self.starts[done:], ends + self.ends[done:])

    def stripped(self) -> "_Track":
        first = len(self.text) - len(self.text.lstrip())
        last = len(self.text.rstrip())
        return _Track(self.text[first:last], self.starts[first:last], self.ends[first:last])

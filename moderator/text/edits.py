"""One edit of a text, and a text half-way through its edits with the way back to what was given; for `reading` and `normalise`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

WIDE = frozenset({"\u0080"})
"""Wanted by an edit that looks for characters beyond ASCII."""


class Table(dict[int, str]):
    """A table for str.translate that is filled as characters are met."""

    def __init__(self, read: Callable[[str], str]) -> None:
        """Take what gives the string that stands for a character."""
        super().__init__()
        self._read = read

    def __missing__(self, code: int) -> str:
        """Return and keep what stands for a code point."""
        found = self._read(chr(code))
        self[code] = found
        return found


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: what to find, what to put in its place, and what a text must hold to be worth a search.

    `needs` lists characters of which one must be there; WIDE stands for anything beyond ASCII.
    """

    find: re.Pattern[str]
    put: Callable[[re.Match[str]], str]
    needs: frozenset[str] = frozenset()

    def apply(self, text: str) -> str:
        """Return the text with every match replaced."""
        return self.find.sub(self.put, text) if self.wanted(text) else text

    def wanted(self, text: str) -> bool:
        """Return whether a search can find anything."""
        if self.needs is WIDE:
            return not text.isascii()
        return not self.needs or not self.needs.isdisjoint(text)


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


@dataclass(frozen=True, slots=True)
class Track:
    """A text half-way, with the original span of each character."""

    text: str
    starts: list[int]
    ends: list[int]

    def translated(self, table: Table) -> "Track":
        """Return the text after a table of characters."""
        text = self.text.translate(table)
        if text == self.text:
            return self
        pieces = [table[ord(character)] for character in self.text]
        starts = [start for start, piece in zip(self.starts, pieces, strict=True) for _ in piece]
        ends = [end for end, piece in zip(self.ends, pieces, strict=True) for _ in piece]
        return Track(text, starts, ends)

    def edited(self, edit: Edit) -> "Track":
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
        return Track("".join([*pieces, self.text[done:]]), starts + self.starts[done:], ends + self.ends[done:])

    def stripped(self) -> "Track":
        """Return the text without gaps at its ends."""
        first = len(self.text) - len(self.text.lstrip())
        last = len(self.text.rstrip())
        return Track(self.text[first:last], self.starts[first:last], self.ends[first:last])

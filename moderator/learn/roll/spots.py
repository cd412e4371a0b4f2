"""The words of a comment with what the matcher asks of each: its place, its capital, whether it is in a tag, how it joins the next."""
# ruff: noqa: RUF001 - names carry curly apostrophes and dashes

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from moderator.learn.roll.lexicon import Lexicon, Looked, Role

_LETTERS = "[^\\W\\d_](?:[^\\W\\d_]|[\u0300-\u036f])*"
"""Letters, each with the accents that are written after it."""

_WORD = re.compile(f"{_LETTERS}(?:['’ʼ]{_LETTERS})*")
_TAG = re.compile(r"[#@][\w.]+")
_CAMEL = re.compile(r"[^\W\d_](?:(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z]))")
_POSSESSIVE = ("'s", "’s", "ʼs", "'S", "’S")
_BRIDGES = frozenset(" .,-_'’ʼ\"“”‘\u00a0\u2010\u2011")
_HYPHENS = frozenset("-\u2010\u2011")
_BRACKETS = frozenset({" (", ") "})
_WIDEST = 4


class Link(IntEnum):
    """How a word joins the next one."""

    NONE = 0
    """Another phrase begins."""
    JOINED = 1
    COMMA = 2
    """As in "Last, First"."""
    DOT = 3
    """As in "J. Last": only after an initial or a title."""
    BRACKET = 4
    """As in "First (Known-as) Last"."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One word: `text[start:end]`, what it may be, how it joins the word after it. A word all in capitals does not count as `capital`."""

    start: int
    end: int
    looked: Looked
    capital: bool
    in_tag: bool
    link: Link

    hyphened: bool
    """Whether only a hyphen stands before the next word."""
    humped: bool
    """Whether a capital stands inside the word ("MrsBegum")."""

    @property
    def is_initial(self) -> bool:
        """Whether it is a single letter."""
        return len(self.looked.word) == 1

    def has(self, role: int) -> bool:
        """Return whether the word may be that, or one of several roles."""
        return bool(self.looked.roles & role)


def spots(text: str, lexicon: Lexicon) -> list[Spot]:
    """Return the words of a text as given, in order; a possessive is left out, a tag is parted at its capitals. Linear, never fails."""
    tags = [match.span() for match in _TAG.finditer(text)] if "#" in text or "@" in text else []
    places = list(_places(text, tags))
    found: list[Spot] = []
    for number, (start, end, in_tag) in enumerate(places):
        raw = text[start:end]
        following = places[number + 1][0] if number + 1 < len(places) else -1
        looked = lexicon.look(raw)
        link = _link(text, end, following, looked) if following >= 0 else Link.NONE
        capital = raw[0].isupper() and (len(raw) == 1 or not raw.isupper())
        hyphened = following == end + 1 and text[end] in _HYPHENS
        humped = not raw[1:].islower() and _CAMEL.search(raw) is not None
        found.append(Spot(start, end, looked, capital, in_tag, link, hyphened, humped))
    return found


def _places(text: str, tags: list[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    tag = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        if text.endswith(_POSSESSIVE, start, end):
            end -= 2
        while tag < len(tags) and tags[tag][1] <= start:
            tag += 1
        if tag == len(tags) or tags[tag][0] > start:
            yield start, end, False
            continue
        for piece_end in [*(cut.start() + 1 for cut in _CAMEL.finditer(text, start, end)), end]:
            yield start, piece_end, True
            start = piece_end


def _link(text: str, end: int, start: int, looked: Looked) -> Link:
    between = text[end:start]
    if between in {" ", ""}:
        return Link.JOINED
    if between in _BRACKETS:
        return Link.BRACKET
    if len(between) > _WIDEST or not _BRIDGES.issuperset(between):
        return Link.NONE
    if "," in between:
        return Link.COMMA
    if "." in between and between != ".":
        return Link.DOT if between.count(".") == 1 and (len(looked.word) == 1 or looked.roles & Role.TITLE) else Link.NONE
    return Link.JOINED

"""Whose name it is: a public figure's, somebody's of the school, or nobody can tell. Called by `names.people` for what the tagger found.

A name that everybody knows, or that belongs to a place, is told by lists; the words round a name say pupil, staff, parent or governor.
A first name with a surname on a school's own page is nearly always somebody connected with the school, so without a cue it is `other`,
strong. A lone name is that only with a cue (a year group, a relation, an accusation, something said to it); else it is `unknown`.
"""
# ruff: noqa: RUF001 - names carry curly apostrophes

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from moderator.domain.score import PersonKind
from moderator.learn.people.words import key_of

_AROUND = 56
"""Characters on either side of a name in which a cue is looked for; patterns and this bound keep the time linear."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Whose name it is, and whether that is strong evidence."""

    kind: PersonKind
    strong: bool


PUBLIC = Tier(PersonKind.PUBLIC, strong=True)
UNKNOWN = Tier(PersonKind.UNKNOWN, strong=False)


@dataclass(frozen=True, slots=True)
class _Cue:
    """The patterns of one kind."""

    kind: PersonKind
    before: re.Pattern[str] | None
    after: re.Pattern[str] | None
    near: re.Pattern[str] | None

    def speaks(self, before: str, after: str) -> bool:
        """Return whether the words before or after a name say that it is of this kind."""
        if self.before is not None and self.before.search(before):
            return True
        if self.after is not None and self.after.match(after):
            return True
        return self.near is not None and bool(self.near.search(before) or self.near.search(after))


@dataclass(frozen=True, slots=True)
class _Known:
    """Well-known names: whole, alone, and words that follow the name of a place."""

    names: frozenset[str]
    alone: frozenset[str]
    places: frozenset[str]


@cache
def _known() -> _Known:
    rows = tomllib.loads(_read("known.toml"))
    return _Known(
        frozenset(name_key(name) for name in rows["names"].replace("\n", " ").split(",")),
        frozenset(rows["alone"].split()),
        frozenset(rows["places"].split()),
    )


@cache
def _cues() -> tuple[_Cue, ...]:
    """Return the cues, the most telling first."""
    rows = tomllib.loads(_read("cues.toml"))
    return tuple(_cue(PersonKind(kind), row) for kind, row in rows.items())


def _cue(kind: PersonKind, row: dict[str, list[str]]) -> _Cue:
    before, after, near = ("|".join(row[where]) for where in ("before", "after", "near"))
    return _Cue(
        kind,
        re.compile(rf"(?<![^\W_])(?:{before})[ ,:]*$") if before else None,
        re.compile(rf"(?:{after})") if after else None,
        re.compile(near) if near else None,
    )


def _read(name: str) -> str:
    return resources.files("moderator.learn.people").joinpath(name).read_text(encoding="utf-8")


def name_key(name: str) -> str:
    """Return the form in which names are compared: keys of its words with single spaces, no full stops, no possessive."""
    return " ".join(part for word in name.replace(".", " ").split() if (part := key_of(word.strip("'’ʼ\",")).removesuffix("'s")) != "?")


def is_public(name: str) -> bool:
    """Return whether a name as written is that of somebody everybody knows or of a character in a book, film or game."""
    key = name_key(name)
    known = _known()
    if key in known.names:
        return True
    words = key.split()
    return not known.alone.isdisjoint(words[-1:] if len(words) > 1 else words)


def is_place(text: str, start: int, end: int) -> bool:
    """Return whether what looks like a name is part of a place's or a school's: "Charlotte Street", "St Mary's"."""
    follows = re.match(r"(?:['’ʼ]s)?[ \t]+([^\W\d_]+)", text[end : end + 24])
    if follows is not None and follows[1].lower() in _known().places and (follows[1][0].isupper() or text[start].islower()):
        return True
    return re.search(r"(?<![^\W_])(?:st|saint|ss)\.?[ \t]+$", text[max(0, start - 8) : start], re.IGNORECASE) is not None


def tier(text: str, start: int, end: int, *, whole: bool = False, known: bool = False) -> Tier:
    """Return whose name `text[start:end]` is. Never fails.

    `whole` says that it has a first name or initial and a surname, `known` that public text speaks of somebody of that whole name.
    """
    if is_public(text[start:end]):
        return PUBLIC
    before = _plain(text[max(0, start - _AROUND) : start])
    after = _plain(text[end : end + _AROUND])
    for cue in _cues():
        if cue.speaks(before, after):
            return Tier(cue.kind, strong=True)
    if known:
        return PUBLIC
    return Tier(PersonKind.OTHER, strong=True) if whole else UNKNOWN


def _plain(text: str) -> str:
    """Return a piece of text as the cues are written: lower case, straight apostrophes, single spaces."""
    return re.sub(r"\s+", " ", text.lower().replace("’", "'").replace("ʼ", "'"))

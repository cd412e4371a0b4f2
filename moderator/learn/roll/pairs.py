"""A first and a last name side by side, either way round, as on the roll or one slip of the keyboard away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moderator.learn.roll.index import Index, Owner
from moderator.learn.roll.lexicon import Lexicon, Looked, Role
from moderator.learn.roll.spots import Link, Spot
from moderator.learn.roll.tables import NEVER_LAST

_LONGEST_RUN = 4
_LEAST_LETTERS = 7
"""Letters of both names together from which a slip is looked for: shorter ones are one edit from too much."""

_LEAST_EXACT = 3
_LONG_SLIP = 6
_WORDS = frozenset("ai")
_PART = Role.FIRST | Role.LAST


@dataclass(frozen=True, slots=True)
class Run:
    """One or more words taken as one name: up to spot `end`, what it may be, and whether it begins with a capital."""

    end: int
    looked: Looked
    capital: bool

    def has(self, role: int) -> bool:
        """Return whether the run may be that, or one of several roles."""
        return bool(self.looked.roles & role)


def runs(listed: Sequence[Spot], place: int, lexicon: Lexicon) -> Iterator[Run]:
    """Yield what may be one name from a spot on: the word itself; with those after it, if it opens a longer name or a hyphen joins them.

    A hyphened run is yielded even when it is no name as it stands: it may be a slip of one.
    """
    first = listed[place]
    yield Run(place + 1, first.looked, first.capital)
    end = place + 1
    while end < len(listed) and end - place < _LONGEST_RUN and listed[end - 1].link is Link.JOINED:
        hyphened = all(spot.hyphened for spot in listed[place:end])
        if not (hyphened or first.has(Role.OPENER)):
            return
        end += 1
        joined = lexicon.joined([spot.looked for spot in listed[place:end]])
        everyday = NEVER_LAST.issuperset(spot.looked.word for spot in listed[place:end])
        if (joined.roles & _PART or hyphened) and not (everyday and not (first.capital and listed[end - 1].capital)):
            yield Run(end, joined, first.capital)


def pairs_at(listed: Sequence[Spot], place: int, index: Index, lexicon: Lexicon) -> Iterator[tuple[int, Owner]]:
    """Yield (end, whom it names) of each first and last name that begins at a spot; an initial or a further name may stand between."""
    for one in runs(listed, place, lexicon):
        for start, comma in _after(listed, one):
            for other in runs(listed, start, lexicon):
                owner = _owner(one, other, index, lexicon, comma=comma)
                if owner is not None:
                    yield other.end, owner


def _after(listed: Sequence[Spot], run: Run) -> Iterator[tuple[int, bool]]:
    """Yield where the second name may begin, and whether after a comma."""
    if run.end >= len(listed):
        return
    link = listed[run.end - 1].link
    if link in {Link.JOINED, Link.COMMA}:
        yield run.end, link is Link.COMMA
    middle = listed[run.end]
    bracketed = link is Link.BRACKET and middle.link is Link.BRACKET
    passes = run.end + 1 < len(listed) and (bracketed or (link is Link.JOINED and middle.link in {Link.JOINED, Link.DOT}))
    if passes and run.has(_PART) and (bracketed or _between(run, middle)):
        yield run.end + 1, False


def _between(run: Run, middle: Spot) -> bool:
    """Return whether a word may be a middle name or initial of the name it follows."""
    if middle.is_initial:
        return middle.capital or middle.looked.word not in _WORDS
    return middle.has(Role.FIRST) and run.capital == middle.capital and not middle.has(Role.COMMON)


def _owner(one: Run, other: Run, index: Index, lexicon: Lexicon, *, comma: bool) -> Owner | None:
    forward = one.has(Role.FIRST) and other.has(Role.LAST) and not comma
    backward = one.has(Role.LAST) and other.has(Role.FIRST)
    if comma and one.capital != other.capital:
        return None
    found = _as_written(one, other, index) if forward or backward else None
    if found is not None or comma:
        return found
    return _slip(one, other, index, lexicon) or _slip(other, one, index, lexicon)


def _as_written(one: Run, other: Run, index: Index) -> Owner | None:
    left, right = one.looked.digest, other.looked.digest
    found = index.whole(index.keyed.pair(left, right))
    if found is not None or _everyday(one, other):
        return found
    return index.whole(index.keyed.variant(left, right))


def _everyday(one: Run, other: Run) -> bool:
    """Return whether two words are everyday ones not both written as names ("will long", "rich man")."""
    return one.has(Role.COMMON) and other.has(Role.COMMON) and not (one.capital and other.capital)


def _slip(sure: Run, slip: Run, index: Index, lexicon: Lexicon) -> Owner | None:
    """Return whom two words name if the first is a name as written and the second is one slip away from the other name."""
    if not sure.has(_PART) or slip.has(Role.COMMON) or len(sure.looked.word) < _LEAST_EXACT:
        return None
    if len(sure.looked.word) + len(slip.looked.word) < _LEAST_LETTERS or _doubtful(sure, slip):
        return None
    for name in lexicon.alike(slip.looked):
        found = index.whole(index.keyed.pair(sure.looked.digest, name))
        if found is not None:
            return found
    return None


def _doubtful(sure: Run, slip: Run) -> bool:
    """Return whether the sure name is an everyday word and neither a capital nor the length of the other speaks for a name."""
    return sure.has(Role.COMMON) and not (sure.capital and slip.capital) and len(slip.looked.word) < _LONG_SLIP

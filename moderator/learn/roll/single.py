"""A person named by one word: a tag or handle that holds a whole name, or a first or last name alone, which is weak evidence."""

from collections.abc import Iterator
from dataclasses import dataclass

from moderator.learn.roll.index import Index, Owner
from moderator.learn.roll.lexicon import LEAST_AFTER_INITIAL, Role, without_title
from moderator.learn.roll.spelling import squashed
from moderator.learn.roll.spots import Spot

_LEAST_HELD = 8
"""Letters of a name that is only a part of a tag ("justiceforzofianowak")."""

_PLAIN_TITLES = ("mr", "mrs")
_LEAST_LAST = 4
_LONGEST_TAG = 40
_LEAST_TAG = 12


@dataclass(frozen=True, slots=True)
class Alone:
    """Whom one word names; the name begins `start` letters into it and leaves out the last `trimmed`."""

    owner: Owner
    strong: bool
    start: int = 0
    trimmed: int = 0


def is_tag_like(word: str) -> bool:
    """Return whether a normalised word is so long that it may be a tag of several words."""
    return len(word) >= _LEAST_TAG


def single(spot: Spot, index: Index) -> Alone | None:
    """Return whom a word names by itself, or None."""
    if spot.has(Role.WHOLE) or spot.in_tag:
        owner = _whole(spot, index)
        if owner is not None:
            return Alone(owner, strong=True)
    if spot.in_tag:
        held = _held(spot, index)
        if held is not None:
            return held
    return _weak(spot, index)


def _whole(spot: Spot, index: Index) -> Owner | None:
    """Return whom a word names that is a whole name. Outside a tag it must be long or have a capital inside, and hold no lone initial."""
    keyed, word = index.keyed, spot.looked.word
    forms: list[int] = []
    if spot.in_tag or spot.humped or (len(word) >= _LEAST_HELD and not spot.has(Role.FIRST | Role.LAST)):
        forms.append(keyed.squashed(word))
    if spot.in_tag or spot.humped or word.startswith(_PLAIN_TITLES):
        forms += [keyed.titled(keyed.part(rest)) for rest in without_title(word)]
    if spot.in_tag:
        forms.append(keyed.squashed(f"~{word}"))
        forms += [keyed.initial(word[0], keyed.part(squashed(word[1:])))] if len(word) > LEAST_AFTER_INITIAL else []
    return next((owner for owner in map(index.whole, forms) if owner is not None), None)


def _held(spot: Spot, index: Index) -> Alone | None:
    """Return the longest whole name that a tag holds among other words, or None."""
    word = spot.looked.word
    if not _LEAST_HELD < len(word) <= _LONGEST_TAG:
        return None
    even = len(word) == spot.end - spot.start
    for start, end in _pieces(len(word)):
        owner = index.whole(index.keyed.squashed(word[start:end]))
        if owner is not None:
            return Alone(owner, strong=True, start=start, trimmed=len(word) - end) if even else Alone(owner, strong=True)
    return None


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each piece of a word, longest first."""
    for size in range(length - 1, _LEAST_HELD - 1, -1):
        for start in range(length - size + 1):
            yield start, start + size


def _weak(spot: Spot, index: Index) -> Alone | None:
    looked = spot.looked
    if spot.has(Role.COMMON) and not spot.capital:
        return None
    owner = index.lone(looked.digest) if spot.has(Role.FIRST) else None
    if owner is None and spot.has(Role.LAST) and spot.capital and not spot.has(Role.COMMON) and len(looked.word) >= _LEAST_LAST:
        owner = index.lone(index.keyed.surname(looked.digest))
    return None if owner is None else Alone(owner, strong=False)

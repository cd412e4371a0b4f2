"""Finds people of the roll in comments; made by `build.classifier`, called by the classifier for each comment."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from moderator.domain.person import RollToken
from moderator.domain.score import PersonSpan
from moderator.learn.roll.index import Index, Owner
from moderator.learn.roll.lexicon import USEFUL, Lexicon, Role
from moderator.learn.roll.pairs import pairs_at
from moderator.learn.roll.single import is_tag_like, single
from moderator.learn.roll.spots import Spot, spots
from moderator.learn.roll.titled import initialled, titled
from moderator.text.normalise import HANDLE, LINK, align

_HIDDEN = (HANDLE, LINK)
"""What the normaliser puts for a handle or an address: the name in it can only be seen in the text as given."""

_DISGUISED = re.compile(
    "[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]|[\u00ad\u200b-\u200f\u2060\ufeff]"
    "|[^\\W\\d_][0134578@$!|*][^\\W\\d_]|(?:\\b[^\\W\\d_][ ._*~-]{1,2}){3}"
)
"""Letters of two scripts or parted by what cannot be seen, digits for letters, spaced letters: the text is read again as normalised."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A name found from one spot up to another, which is not part of it."""

    last: int
    owner: Owner
    strong: bool
    span: tuple[int, int]


class RollMatcher:
    """Finds people of the roll in comments. Holds digests and the key, and remembers words it has looked up."""

    def __init__(self, tokens: Iterable[RollToken], key: bytes) -> None:
        """Take the tokens that `roll_tokens` made with the same key: any number of people, any order."""
        self._index = Index(tokens, key)
        self._lexicon = Lexicon(self._index)

    def worth_a_look(self, normalised: Sequence[str]) -> bool:
        """Return whether a normalised text may name somebody. Quick: each distinct word is looked up once."""
        look = self._lexicon.look
        for word in normalised:
            if look(word).roles & USEFUL or word in _HIDDEN or is_tag_like(word):
                return True
            if word[-1:] == "s" and look(word[:-1]).roles & USEFUL:  # "obriens" may be O'Brien's
                return True
        return False

    def named(self, text: str, normalised: Sequence[str]) -> tuple[PersonSpan, ...]:
        """Return what `find` returns, at no cost for most texts. A hashtag is always looked at: the normaliser parts it by plain words."""
        return self.find(text) if "#" in text or self.worth_a_look(normalised) else ()

    def find(self, text: str) -> tuple[PersonSpan, ...]:
        """Return the people of the roll in a text as given, in order, longest form first, not overlapping. Never fails.

        A lone first name is weak evidence; so is a lone last name, and only with a capital and when it is no everyday word.
        """
        found = list(self._find(text))
        if _DISGUISED.search(text):
            found += self._undisguised(text, found)
        return tuple(sorted(found, key=lambda person: person.start))

    def _undisguised(self, text: str, found: list[PersonSpan]) -> Iterator[PersonSpan]:
        """Yield the strong matches of the text as normalised that were not found as given."""
        aligned = align(text)
        for person in self._find(aligned.text):
            start, end = aligned.original(person.start, person.end)
            if person.strong and start < end and not any(start < other.end and other.start < end for other in found if other.strong):
                found[:] = [other for other in found if other.end <= start or end <= other.start]
                yield PersonSpan(start, end, text[start:end], person.kind, person.source, person.reference, shared=person.shared)

    def _find(self, text: str) -> Iterator[PersonSpan]:
        listed = spots(text, self._lexicon)
        useful = [bool(spot.looked.roles & USEFUL) or spot.in_tag or spot.is_initial for spot in listed]
        useful.append(False)
        place = 0
        while place < len(listed):
            if not useful[place] and (not useful[place + 1] or listed[place].has(Role.COMMON)):
                place += 1  # a name holds a name of the roll, or a slip, which no everyday word is, beside one
                continue
            hit = max(self._hits(listed, place), key=lambda hit: (hit.last, hit.strong), default=None)
            if hit is None:
                place += 1
                continue
            start, end = hit.span
            shared = hit.owner.shared if hit.strong else ()
            yield PersonSpan(start, end, text[start:end], hit.owner.kind, "roll", hit.owner.reference, hit.strong, shared)
            place = hit.last

    def _hits(self, listed: Sequence[Spot], place: int) -> Iterator[_Hit]:
        """Yield every name that begins at a spot."""
        here = listed[place]
        for last, owner in (
            *titled(listed, place, self._index, self._lexicon),
            *initialled(listed, place, self._index, self._lexicon),
            *pairs_at(listed, place, self._index, self._lexicon),
        ):
            yield _Hit(last, owner, strong=True, span=(here.start, listed[last - 1].end))
        alone = single(here, self._index)
        if alone is not None:
            yield _Hit(place + 1, alone.owner, alone.strong, (here.start + alone.start, here.end - alone.trimmed))

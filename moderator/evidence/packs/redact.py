"""Taking everybody but the requester out of a text (R31). Called by the subject-access pack.

Better a word too many than a name: what is in doubt is taken out and counted, and a text whose words are mostly unknown is kept back whole,
for a person to prepare.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from moderator.evidence.packs.contacts import contacts
from moderator.evidence.packs.others import Others
from moderator.evidence.packs.requester import Requester
from moderator.evidence.packs.skeleton import Word, invisible, opens_handle, words
from moderator.text.lexicon import NAME_COST, lexicon
from moderator.text.normalise import normalise

BLOCK = "[redacted]"
"""What stands where something was: of one length, so that it says nothing of what it hides."""
KEPT_BACK = "[kept back: the service cannot tell names from other words in this text; a person must prepare it]"
_FEW = 4
"""Words from which a text can be mostly unknown."""


@dataclass(frozen=True, slots=True)
class Found:
    """A span, in code points, that a finder took for a person (`is_name`) or for personal data."""

    start: int
    end: int
    is_name: bool


FindPeople = Callable[[Sequence[str]], Sequence[Sequence[Found]]]
"""Finds people in texts: for each text its spans."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without the others: how many places were taken out, how many of them on doubt alone, and whether all was kept back."""

    text: str
    places: int = 0
    doubts: int = 0
    kept_back: bool = False


class Redactor:
    """Takes texts in, learns every other person's name from all of them, then gives them back without."""

    def __init__(self, requester: Requester, find_people: FindPeople, *, known: Iterable[str] = ()) -> None:
        """Take the requester, the finder, and texts that are nobody's name: the school's, the trust's and the official account's."""
        self.others = Others(requester)
        self._requester = requester
        self._find = find_people
        self._known = frozenset(word.letters for text in known for word in words(text))
        self._spans: dict[str, tuple[Found, ...]] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Learn the names in these texts. To be called with every text of the pack before the first is redacted."""
        new = [text for text in dict.fromkeys(texts) if text and text not in self._spans]
        for text, spans in zip(new, self._find(new), strict=True):
            self._spans[text] = tuple(spans)
            for span in spans:
                if span.is_name:
                    self.others.add_name(text[span.start : span.end])

    def redact(self, text: str) -> Redacted:
        """Return the text without the others.

        1. Addresses, links, long numbers, postcodes; handles that are neither the requester's nor the school's.
        2. Every known name of somebody else, however it is disguised; every span a finder took for a person who is not the requester.
        3. Words that may be a name: not in the lexicon, or there as a name.
        4. The result is read again; should a name still be in it, or most of its words be unknown, all of it is kept back.
        """
        if not text.strip():
            return Redacted(text)
        self.read([text])
        among = words(text)
        marked = [False] * len(text)
        for start, end in [*contacts(text), *self._handles(text, among), *self.others.found(text, among), *self._taken_for_people(text)]:
            _mark(marked, among, start, end)
        doubtful = [word for word in among if not all(marked[word.start : word.end]) and self._doubtful(text, word)]
        if len(among) >= _FEW and 2 * len(doubtful) > len(among):
            return Redacted(KEPT_BACK, 1, len(doubtful), kept_back=True)
        for word in doubtful:
            _mark(marked, among, word.start, word.end)
        left, places = _blocked(text, marked)
        if any(True for _ in self.others.found(left, words(left))):
            return Redacted(KEPT_BACK, 1, len(doubtful), kept_back=True)
        return Redacted(left, places, len(doubtful))

    def _handles(self, text: str, among: Sequence[Word]) -> list[tuple[int, int]]:
        return [
            (word.start, word.end)
            for word in among
            if opens_handle(text[word.start]) and word.letters not in self._known and not self._requester.has_handle(word.letters)
        ]

    def _taken_for_people(self, text: str) -> list[tuple[int, int]]:
        spans = self._spans[text]
        return [(span.start, span.end) for span in spans if not (span.is_name and self._requester.is_named(text[span.start : span.end]))]

    def _doubtful(self, text: str, word: Word) -> bool:
        letters = word.letters
        own = self._requester.parts | self._known
        if letters in own or letters.removesuffix("s") in own or len(letters) == 1:
            return False
        written = "".join(each for each in text[word.start : word.end] if not invisible(each)).lstrip("#@")
        if not any(character.isalpha() for character in written):
            return False
        return not _ordinary(written)


def _ordinary(written: str) -> bool:
    """Return whether a word as written is a known word that is no name, or a slip of one."""
    cost = lexicon().cost
    bare = unicodedata.normalize("NFC", written).lower().replace("\u2019", "'")
    bare = bare.removesuffix("'s").replace("'", "")
    if bare in cost:
        return cost[bare] != NAME_COST
    if bare.removesuffix("s") in cost and cost[bare.removesuffix("s")] != NAME_COST:
        return True
    read = [part for part in normalise(written).split() if part not in {"!", "?"}]
    return bool(read) and all(cost.get(part, NAME_COST) != NAME_COST for part in read)


def _mark(marked: list[bool], among: Sequence[Word], start: int, end: int) -> None:
    """Mark a span, drawn out to whole words: a part of a name left standing would still tell it."""
    touched = [word for word in among if word.start < end and start < word.end]
    first = min([start, *(word.start for word in touched)])
    last = max([end, *(word.end for word in touched)])
    marked[first:last] = [True] * (last - first)


def _blocked(text: str, marked: Sequence[bool]) -> tuple[str, int]:
    """Return the text with a block for every marked place, and how many; places parted by nothing but blanks and points are one."""
    out: list[str] = []
    places, at = 0, 0
    while at < len(text):
        if not marked[at]:
            out.append(text[at])
            at += 1
            continue
        end = at
        while end < len(text) and (marked[end] or (text[end] in " .-_" and end + 1 < len(text) and marked[end + 1])):
            end += 1
        out.append(BLOCK)
        places, at = places + 1, end
    return "".join(out), places

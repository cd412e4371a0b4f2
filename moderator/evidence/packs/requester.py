"""The one person a subject-access pack is for: which names and handles are theirs. Called by the redactor and the search."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moderator.evidence.packs.skeleton import AT_SIGNS, Word, drawn_in, skeleton, words
from moderator.text.lexicon import word_set

NO_NAMES = frozenset(
    skeleton(word)
    for word in word_set(
        "mr mrs ms miss mx dr sir madam prof professor rev reverend father sister coach nurse head heads headteacher deputy teacher "
        "teachers governor governors pupil pupils parent parents student students staff mum dad mam mother brother son daughter auntie "
        "uncle class year form the of and or de van von le la du da al el bin ibn bint"
    )
)
"""Words that stand beside names and are none: titles, roles, kin, particles."""

_PARTS = re.compile(r"[^\W\d_]+")
_OF_A_HANDLE = re.compile(rf"[{AT_SIGNS}]|\S*[\d_]\S*\Z")
"""How one begins that is surely a handle: with an at sign, or as one word with what no name holds."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
SHORTEST_PART = 3


def name_parts(name: str) -> list[str]:
    """Return the letters of each word of a name, titles and particles left out."""
    return [word.letters for word in words(name) if word.letters not in NO_NAMES]


def handle_parts(handle: str) -> list[str]:
    """Return the letters of a handle as a whole, then of each part of three letters or more (`fern_ashwick`, `FernAshwick`)."""
    bare = handle.strip().lstrip(AT_SIGNS)
    parts = [skeleton(part) for run in _PARTS.findall(bare) for part in _CAMEL.split(run)]
    return list(dict.fromkeys([skeleton(bare), *(part for part in parts if len(part) >= SHORTEST_PART and part not in NO_NAMES)]))


@dataclass(frozen=True, slots=True)
class Requester:
    """The names (each a tuple of its parts) and handles that one person is known by, as letters without disguise.

    `accounts` holds what is surely a handle, as it is written, in small letters and without the at sign.
    """

    names: tuple[tuple[str, ...], ...]
    handles: frozenset[str]
    accounts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, persons: Iterable[str]) -> "Requester":
        """Return the requester known by these names and handles; a handle begins with @ or has no space."""
        given = [person.strip() for person in persons if person.strip()]
        names = tuple(parts for person in given if not person.startswith("@") and (parts := tuple(name_parts(person))))
        handles = frozenset(skeleton(person.lstrip(AT_SIGNS)) for person in given if " " not in person)
        return cls(names, handles, frozenset(_written(person) for person in given if _OF_A_HANDLE.match(person)))

    @property
    def parts(self) -> frozenset[str]:
        """Every part of every name, and the handles."""
        return frozenset(part for name in self.names for part in name) | self.handles

    def has_handle(self, handle: str) -> bool:
        """Return whether a handle is the requester's."""
        return skeleton(handle.strip().lstrip(AT_SIGNS)) in self.handles

    def is_named(self, name: str) -> bool:
        """Return whether a name can only be read as the requester's: each part is one of theirs, or its initial."""
        parts = name_parts(name)
        return bool(parts) and any(all(_is_part(part, name) for part in parts) for name in self.names)

    def wrote(self, *, handle: str, name: str) -> bool:
        """Return whether an author as shown is the requester: their handle, or exactly one of their names.

        With a handle given and a handle shown, only the handle decides, as it is written: anybody can take somebody's name, or a handle
        that reads like theirs.
        """
        if self.accounts and _written(handle):
            return _written(handle) in self.accounts
        return self._resembles(handle, name)

    def borne_by(self, *, handle: str, name: str) -> bool:
        """Return whether an author as shown bears a name of the requester, or a handle like theirs, and is taken for somebody else."""
        return self._resembles(handle, name) and not self.wrote(handle=handle, name=name)

    def _resembles(self, handle: str, name: str) -> bool:
        return (bool(handle) and self.has_handle(handle)) or tuple(name_parts(name)) in self.names

    def found(self, text: str) -> str:
        """Return how surely a text is about the requester: `sure` (a whole name or a handle), `maybe` (a last name alone), or ""."""
        found = words(text)
        lone = {name[-1] for name in self.names if len(name) == 1}
        if any(_holds(found, "".join(name)) for name in self.names if len(name) > 1):
            return "sure"
        if any(_same(word.letters, handle) for word in found for handle in self.handles | lone):
            return "sure"
        last = {name[-1] for name in self.names if len(name) > 1}
        return "maybe" if any(_same(word.letters, part) or _contains(word, part) for word in found for part in last | lone) else ""


def _written(handle: str) -> str:
    return handle.strip().lstrip(AT_SIGNS).casefold()


def _is_part(part: str, name: tuple[str, ...]) -> bool:
    return part in name or (len(part) == 1 and any(each.startswith(part) for each in name))


def _same(letters: str, part: str) -> bool:
    return bool(part) and drawn_in(letters) in {drawn_in(part), drawn_in(part) + "s"}


_LONG = 5


def _contains(word: Word, part: str) -> bool:
    return len(part) >= _LONG and drawn_in(part) in drawn_in(word.letters)


def _holds(found: Sequence[Word], whole: str) -> bool:
    """Return whether words beside one another, or one of them, read as the whole name."""
    wanted = drawn_in(whole)
    for first, word in enumerate(found):
        if wanted in drawn_in(word.letters):
            return True
        letters = ""
        for word_ in found[first:]:
            letters += word_.letters
            if drawn_in(letters) in {wanted, wanted + "s"}:
                return True
            if len(drawn_in(letters)) > len(wanted):
                break
    return False

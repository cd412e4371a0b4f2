"""The roll in memory: sorted 64-bit digests in flat arrays, about 20 MB for 50,000 people. Built from tokens, asked by the matcher."""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from moderator.domain.person import Evidence, RollToken
from moderator.domain.score import PersonKind
from moderator.learn.roll.keyed import SIZE, Keyed

ALIKE = 0.7
_KINDS = tuple(PersonKind)
_Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a form names. One that several people share names none of them by reference; its kind is the first in PersonKind's order.

    `shared` are the references of all who may be meant by it, sorted, for it is kept from each of them (R21).
    """

    kind: PersonKind
    reference: str
    shared: tuple[str, ...] = ()


class Digests:
    """A set of digests."""

    __slots__ = ("_sorted",)

    def __init__(self, numbers: _Numbers) -> None:
        """Take the digests, in any order, repeated or not."""
        self._sorted = array("Q", np.unique(numbers).tobytes())

    def __contains__(self, digest: int) -> bool:
        """Return whether a digest is one of them."""
        place = bisect_left(self._sorted, digest)
        return place < len(self._sorted) and self._sorted[place] == digest


class Pairs:
    """What each digest leads to: names by pattern or triple, people by form."""

    __slots__ = ("_keys", "_values")

    def __init__(self, keys: _Numbers, values: _Numbers, *, code: str) -> None:
        """Take keys and values of the same length; `code` is the array code that holds the values. Repeated pairs are kept once."""
        order = np.lexsort((values, keys))
        keys, values = keys[order], values[order]
        fresh = np.ones(len(keys), dtype=bool)
        fresh[1:] = (keys[1:] != keys[:-1]) | (values[1:] != values[:-1])
        self._keys = array("Q", keys[fresh].tobytes())
        self._values = array(code, values[fresh].astype(np.dtype(code)).tobytes())

    def of(self, digest: int) -> tuple[int, ...]:
        """Return what a digest leads to, ascending; () when it is not there."""
        keys = self._keys
        place = first = bisect_left(keys, digest)
        while place < len(keys) and keys[place] == digest:
            place += 1
        return tuple(self._values[first:place])


class Index:
    """All tokens of one key. Holds digests, kinds and references, never a name."""

    __slots__ = ("_lone", "_owners", "_sizes", "_triples", "_whole", "first", "keyed", "last", "opener", "typos")

    def __init__(self, tokens: Iterable[RollToken], key: bytes) -> None:
        """Take the tokens that `roll_tokens` made with the same key."""
        self.keyed = Keyed(key)
        self._owners: list[Owner] = []
        gathered: dict[Evidence, list[bytes]] = defaultdict(list)
        counts: dict[Evidence, list[tuple[int, int]]] = defaultdict(list)
        numbers: dict[tuple[PersonKind, str], int] = {}
        for token in tokens:
            digests = token.digests
            if token.evidence in {Evidence.WHOLE, Evidence.LONE}:
                digests = self.keyed.unmask(digests)
                number = numbers.setdefault((token.kind, token.reference), len(numbers))
                counts[token.evidence].append((number, len(digests) // SIZE))
            gathered[token.evidence].append(digests)
        self._owners = [_owner(kind, reference) for kind, reference in numbers]
        self._whole, self._lone = (_owned(gathered[kind], counts[kind]) for kind in (Evidence.WHOLE, Evidence.LONE))
        self.first, self.last, self.opener = (
            Digests(_numbers(gathered[kind])) for kind in (Evidence.FIRST, Evidence.LAST, Evidence.OPENER)
        )
        self.typos, self._triples = (_linked(_numbers(gathered[kind])) for kind in (Evidence.TYPO, Evidence.TRIPLE))
        self._sizes = _sizes(_numbers(gathered[Evidence.TRIPLE]))

    def whole(self, digest: int) -> Owner | None:
        """Return whom a whole form names, or None when it is nobody's."""
        return self._named(self._whole.of(digest))

    def lone(self, digest: int) -> Owner | None:
        """Return who may be meant by a first or last name alone, or None."""
        return self._named(self._lone.of(digest))

    def alike(self, digests: Iterable[int]) -> list[int]:
        """Return the long names that share at least 70 % of the letter triples (Dice) of a word, given its triples' digests."""
        shared: dict[int, int] = defaultdict(int)
        asked = 0
        for digest in digests:
            asked += 1
            for name in self._triples.of(digest):
                shared[name] += 1
        return sorted(name for name, count in shared.items() if 2 * count >= ALIKE * (asked + self._sizes.of(name)[0]))

    def _named(self, people: tuple[int, ...]) -> Owner | None:
        if not people:
            return None
        owners = [self._owners[number] for number in people]
        kind = min((owner.kind for owner in owners), key=_KINDS.index)
        references = sorted({owner.reference for owner in owners})
        return _owner(kind, references[0]) if len(references) == 1 else Owner(kind, "", tuple(references))


@cache
def _shared_owner(kind: PersonKind) -> Owner:
    return Owner(kind, "")


def _owner(kind: PersonKind, reference: str) -> Owner:
    return Owner(kind, reference) if reference else _shared_owner(kind)


def _numbers(pieces: list[bytes]) -> _Numbers:
    return np.frombuffer(b"".join(pieces), dtype=">u8").astype(np.uint64)


def _owned(pieces: list[bytes], counts: list[tuple[int, int]]) -> Pairs:
    owners = np.repeat(np.array([who for who, _ in counts], dtype=np.uint64), np.array([count for _, count in counts], dtype=np.int64))
    return Pairs(_numbers(pieces), owners, code="I")


def _linked(numbers: _Numbers) -> Pairs:
    return Pairs(numbers[0::2], numbers[1::2], code="Q")


def _sizes(numbers: _Numbers) -> Pairs:
    """Return how many triples each long name has."""
    pairs = np.unique(numbers.reshape(-1, 2), axis=0) if len(numbers) else numbers.reshape(0, 2)
    names, counts = np.unique(pairs[:, 1], return_counts=True)
    return Pairs(names, counts.astype(np.uint64), code="I")

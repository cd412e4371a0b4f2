"""What each word of a comment may be: a first name, a last name, a title, the first piece of a name, or a slip of the keyboard.

A word is looked up once and remembered, since comments use few distinct words: that is what keeps matching quick.
"""

from dataclasses import dataclass
from enum import IntEnum

from moderator.learn.roll.index import Index
from moderator.learn.roll.spelling import LEAST_FUZZY, LEAST_SQUASHED, LONG, gaps_of_typo, name_word, squashed, triples, wholes_of_typo
from moderator.learn.roll.tables import TITLES, WORD_TITLES, common_words

KNOWN_AT_MOST = 40_000
LEAST_AFTER_INITIAL = 5
"""Letters of a last name to which an initial may be joined: shorter ones are too often words ("slack")."""

_JOINED_TITLES = tuple(sorted((TITLES - WORD_TITLES) | {"miss"}))
_LONGEST = 40
"""Letters beyond which a word is no name, so that no word costs much."""


class Role(IntEnum):
    """What a word may be; several at once, as a sum. Not IntFlag, whose `&` is ten times slower than that of whole numbers."""

    FIRST = 1
    LAST = 2
    OPENER = 4
    TITLE = 8
    WHOLE = 16
    """A whole name written as one word, or a title or initial joined to a last name."""
    COMMON = 32


USEFUL = Role.FIRST | Role.LAST | Role.OPENER | Role.TITLE | Role.WHOLE
"""Roles that make a text worth a look."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A word as looked up: `word` as names are compared, its digest, its roles (a plain number, for speed)."""

    word: str
    digest: int
    roles: int


class Lexicon:
    """Looks words up in an index. Two memories of bounded size; what they hold never changes an answer."""

    def __init__(self, index: Index) -> None:
        """Take the index whose names are looked for."""
        self._index = index
        self._seen: dict[str, Looked] = {}
        self._alike: dict[str, tuple[int, ...]] = {}
        self._common = common_words()

    def look(self, raw: str) -> Looked:
        """Return what a word of a text may be; `raw` as given or normalised."""
        known = self._seen.get(raw)
        if known is None:
            if len(self._seen) >= KNOWN_AT_MOST:
                self._seen.clear()
            known = self._seen[raw] = self._looked(raw)
        return known

    def joined(self, words: list[Looked]) -> Looked:
        """Return what several words are as one name ("O", "Brien")."""
        return self.look(squashed("".join(word.word for word in words)))

    def alike(self, looked: Looked) -> tuple[int, ...]:
        """Return the digests of names that a word may be a slip of: one edit away, or a long name that shares most letter triples."""
        found = self._alike.get(looked.word)
        if found is None:
            if len(self._alike) >= KNOWN_AT_MOST:
                self._alike.clear()
            found = self._alike[looked.word] = self._slips(looked)
        return found

    def _looked(self, raw: str) -> Looked:
        word = name_word(raw)
        index = self._index
        if not word or len(word) > _LONGEST:
            return Looked(word, 0, 0)
        digest = index.keyed.part(word)
        roles = (Role.FIRST if digest in index.first else 0) | (Role.LAST if digest in index.last else 0)
        roles |= (Role.TITLE if word in TITLES else 0) | (Role.COMMON if word in self._common else 0)
        roles |= Role.OPENER if index.keyed.opener(word) in index.opener else 0
        return Looked(word, digest, roles | (Role.WHOLE if self._is_whole(word, roles) else 0))

    def _is_whole(self, word: str, roles: int) -> bool:
        """Return whether a word outside a tag may be a whole name; one in a tag is looked at whatever it is."""
        if roles & Role.COMMON:
            return False
        keyed = self._index.keyed
        if len(word) >= LEAST_SQUASHED and self._index.whole(keyed.squashed(word)) is not None:
            return True
        return any(keyed.part(rest) in self._index.last for rest in without_title(word))

    def _slips(self, looked: Looked) -> tuple[int, ...]:
        word, index = looked.word, self._index
        if len(word) + 1 < LEAST_FUZZY or len(word) > _LONGEST:
            return ()
        found = {name for pattern in gaps_of_typo(word) for name in index.typos.of(index.keyed.pattern(pattern))}
        wholes = {index.keyed.part(whole) for whole in wholes_of_typo(word) if len(whole) >= LEAST_FUZZY}
        found |= {whole for whole in wholes if whole in index.first or whole in index.last}
        if len(word) >= LONG:
            found.update(index.alike(index.keyed.triple(letters) for letters in sorted(triples(word))))
        return tuple(sorted(found - {looked.digest}))


def without_title(word: str) -> list[str]:
    """Return what is left of a word that begins with a title ("mrsbegum"), at least three letters."""
    return [squashed(word[len(title) :]) for title in _JOINED_TITLES if word.startswith(title) and len(word) - len(title) >= 3]  # noqa: PLR2004 - as said

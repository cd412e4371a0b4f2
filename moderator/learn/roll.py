"""The roll of people the school protects: read from a CSV, kept as keyed tokens only, matched against comments (R20, R29).

A token is BLAKE2b over a normalised form of a name, keyed with a secret that lives outside the database: without the key the tokens say
nothing. Matching hashes the words of a comment the same way.
"""
# ruff: noqa: RUF001 - names carry curly apostrophes

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from moderator.domain.person import RollEntry, RollToken
from moderator.domain.score import PersonKind, PersonSpan
from moderator.text.tokens import Word, name_key, words

PART = 0
"""`words` of a token that is only a part of a name: it makes a text worth a look and never matches by itself."""

LONGEST = 6
"""The most words a form of a name may have."""

_KNOWN_AT_MOST = 200_000
_SIZE = 16


def digest(form: str, key: bytes) -> str:
    """Return the keyed digest of a normalised form, 32 hex digits. Raises ValueError for a key over 64 bytes."""
    return hashlib.blake2b(form.encode("utf-8", "surrogatepass"), key=key, digest_size=_SIZE).hexdigest()


def roll_tokens(entry: RollEntry, key: bytes) -> tuple[RollToken, ...]:
    """Return every token of one person: whole names, reversed, initial or title with surname, known-as, squashed; first names as weak."""
    tokens: dict[tuple[str, int], RollToken] = {}
    for form, strong in _forms(entry):
        count = form.count(" ") + 1
        if 1 <= count <= LONGEST:
            token = RollToken(digest(form, key), count, entry.kind, entry.reference, strong)
            kept = tokens.setdefault((token.digest, count), token)
            if strong and not kept.strong:
                tokens[token.digest, count] = token
    for part in _parts(entry):
        token = RollToken(digest(f"~{part}", key), PART, entry.kind, entry.reference, strong=False)
        tokens[token.digest, PART] = token
    return tuple(tokens.values())


def _forms(entry: RollEntry) -> Iterator[tuple[str, bool]]:
    """Yield (form, whether it is strong evidence) of a person's name."""
    last = name_key(entry.last_name)
    firsts = [first for first in dict.fromkeys(map(name_key, (entry.first_name, entry.known_as))) if first]
    for first in firsts:
        for given in dict.fromkeys((first, first.split()[0])):
            if last:
                yield from ((f"{given} {last}", True), (f"{last} {given}", True))
                yield from ((f"{given[0]} {last}", True), (f"{last} {given[0]}", True))
                yield from ((f"{given}{last}".replace(" ", ""), True), (f"{given[0]}{last}".replace(" ", ""), len(last) > 4))  # noqa: PLR2004 - "jlee" may be a word
            yield given, False
    if last:
        for title in _titles(entry):
            yield f"{title} {last}", True
            yield f"{title}{last}".replace(" ", ""), True
            for first in firsts:
                yield f"{title} {first} {last}", True
                yield f"{title} {first[0]} {last}", True


def _titles(entry: RollEntry) -> tuple[str, ...]:
    """Return the titles a comment may give: the one on the roll, and for adults the usual ones, since pupils mix them up."""
    own = name_key(entry.title)
    usual = () if entry.kind is PersonKind.PUPIL else ("mr", "mrs", "miss", "ms", "mx", "dr")
    return tuple(dict.fromkeys((*((own,) if own else ()), *usual)))


def _parts(entry: RollEntry) -> Iterator[str]:
    for name in (entry.first_name, entry.last_name, entry.known_as):
        for part in name_key(name).split():
            yield part
            yield f"{part}s"
    for form, _ in _forms(entry):
        if " " not in form:
            yield form


@dataclass(frozen=True, slots=True)
class _Found:
    token: RollToken
    first: int
    last: int


class RollMatcher:
    """Finds people of the roll in comments. Holds digests and the key, and remembers which common words are on the roll."""

    def __init__(self, tokens: Iterable[RollToken], key: bytes) -> None:
        """Take the tokens that `roll_tokens` made with the same key. A form that several people share names none of them by reference."""
        self._key = key
        self._parts: set[str] = set()
        self._forms: dict[str, RollToken] = {}
        self._longest = 1
        self._seen: dict[str, bool] = {}
        for token in tokens:
            if token.words == PART:
                self._parts.add(token.digest)
                continue
            self._longest = max(self._longest, token.words)
            before = self._forms.get(token.digest)
            self._forms[token.digest] = token if before is None else _shared(before, token)

    def worth_a_look(self, normalised: Sequence[str]) -> bool:
        """Return whether any word of a normalised text is part of a name on the roll. Quick: each distinct word is hashed once."""
        seen = self._seen
        for word in normalised:
            known = seen.get(word)
            if known is None:
                known = self._remember(word)
            if known:
                return True
        return False

    def _remember(self, word: str) -> bool:
        if len(self._seen) >= _KNOWN_AT_MOST:
            self._seen.clear()
        known = digest(f"~{word}", self._key) in self._parts
        self._seen[word] = known
        return known

    def find(self, text: str) -> tuple[PersonSpan, ...]:
        """Return the people of the roll in a text as given, in order, longest form first, not overlapping. Never fails."""
        found: list[PersonSpan] = []
        listed = words(text)
        place = 0
        while place < len(listed):
            hit = self._longest_at(text, listed, place)
            if hit is None:
                place += 1
                continue
            found.append(_span(text, listed, hit))
            place = hit.last
        return tuple(found)

    def _longest_at(self, text: str, listed: Sequence[Word], place: int) -> _Found | None:
        """Return the longest form that begins at a word, if the window holds a part of a name and stays within one phrase."""
        window = [listed[place]]
        while len(window) < self._longest and place + len(window) < len(listed) and _joined(text, window[-1], listed[place + len(window)]):
            window.append(listed[place + len(window)])
        while window:
            if any(self.worth_a_look(word.key.split()) for word in window):
                token = self._forms.get(digest(" ".join(word.key for word in window), self._key))
                if token is not None and token.words == sum(word.key.count(" ") + 1 for word in window):
                    return _Found(token, place, place + len(window))
            window.pop()
        return None


def _joined(text: str, left: Word, right: Word) -> bool:
    """Return whether two words may be of one name: only spaces, dots, hyphens, commas, underscores or a possessive stand between."""
    between = text[left.end : right.start]
    return len(between) <= 4 and not set(between.lower()) - set(" .-,_'’ʼs\u00a0\u2010\u2011")  # noqa: PLR2004 - more is another phrase


def _span(text: str, listed: Sequence[Word], hit: _Found) -> PersonSpan:
    start, end = listed[hit.first].start, listed[hit.last - 1].end
    return PersonSpan(start, end, text[start:end], hit.token.kind, "roll", hit.token.reference, hit.token.strong)


def _shared(one: RollToken, other: RollToken) -> RollToken:
    """Return the token of a form that two people share: strong if either is, an adult before a pupil, a reference only if the same."""
    first = min(one, other, key=lambda token: (not token.strong, list(PersonKind).index(token.kind), token.reference))
    reference = one.reference if one.reference == other.reference else ""
    return RollToken(first.digest, first.words, first.kind, reference, one.strong or other.strong)

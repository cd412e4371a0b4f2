"""The keyed tokens of one person: every form a comment may use, worked out once, when the roll is imported."""

from collections.abc import Iterator
from dataclasses import dataclass

from moderator.domain.person import Evidence, RollEntry, RollToken
from moderator.domain.score import PersonKind
from moderator.learn.roll.keyed import Keyed, packed, packed_pairs
from moderator.learn.roll.spelling import LEAST_FUZZY, LEAST_SQUASHED, LONG, gapped, name_key, squashed, triples
from moderator.learn.roll.tables import PARTICLES, variants
from moderator.text.normalise import normalise

_LEAST_HALF = 3
_APOSTROPHES = "'’‘`´ʼ"  # noqa: RUF001 - names carry curly apostrophes
_OPENED = ("mc", "mac")


@dataclass(frozen=True, slots=True)
class _Names:
    """The forms of a person's names as single words: `firsts` as on the roll, `nicknames`, `lasts` with the whole one first."""

    firsts: tuple[str, ...]
    nicknames: tuple[str, ...]
    lasts: tuple[str, ...]
    initials: tuple[str, ...]


def roll_tokens(entry: RollEntry, key: bytes) -> tuple[RollToken, ...]:
    """Return the tokens of one person: their own whole and lone forms, and the parts that belong to nobody.

    Same entry and key, same tokens. Raises ValueError for a key over 64 bytes. A name without letters gives no tokens.
    """
    keyed, names = Keyed(key), _names(entry)
    parts = {word: keyed.part(word) for word in (*names.firsts, *names.nicknames, *names.lasts)}
    if not parts:
        return ()
    whose = f"{entry.reference}\0{'+'.join(parts)}"
    whole = keyed.mask(_whole(entry, names, parts, keyed), f"whole{whose}")
    lone = keyed.mask(_lone(names, parts, keyed), f"lone{whose}")
    own = [RollToken(kept, digests, entry.kind, entry.reference) for kept, digests in ((Evidence.WHOLE, whole), (Evidence.LONE, lone))]
    return (*own, *_nobodys(entry, names, parts, keyed))


def _names(entry: RollEntry) -> _Names:
    written = [name for name in (name_key(entry.first_name), name_key(entry.known_as)) if name]
    forms = [form for name in written for form in (name, name.split()[0]) if len(form) > 1 or form == name]
    firsts = dict.fromkeys((*map(squashed, forms), *_as_read(entry.first_name)))
    tables = variants()
    nicknames = dict.fromkeys(other for first in firsts for other in tables[0].get(first, ()) if other not in firsts)
    return _Names(
        tuple(firsts),
        tuple(nicknames),
        tuple(dict.fromkeys((*_lasts(entry.last_name), *_lasts(entry.other_last_name)))),
        tuple(dict.fromkeys(name[0] for name in written)),
    )


def _lasts(last_name: str) -> Iterator[str]:
    """Yield a last name's forms: whole, without its particle, each half of a double-barrelled one, spelling variants."""
    key = name_key(last_name)
    if not key:
        return
    whole = squashed(key)
    yield whole
    pieces = key.split()
    while len(pieces) > 1 and pieces[0] in PARTICLES:
        pieces = pieces[1:]
    yield squashed("".join(pieces))
    for half in pieces:
        if len(half) >= _LEAST_HALF and half not in PARTICLES:
            yield squashed(half)
    yield from variants()[1].get(whole, ())
    yield from _as_read(last_name)


def _as_read(name: str) -> Iterator[str]:
    """Yield the words of a name as the normaliser reads them in a sentence, where that is another word: it mends what looks like a slip."""
    for piece in name_key(name).split():
        read = normalise(piece)
        if read != piece and read.isalpha() and len(read) > 1:
            yield squashed(read)


def _whole(entry: RollEntry, names: _Names, parts: dict[str, int], keyed: Keyed) -> Iterator[int]:
    """Yield the digests of strong evidence."""
    for last in names.lasts:
        for first in names.firsts:
            yield keyed.pair(parts[first], parts[last])
        for nickname in names.nicknames:
            yield keyed.variant(parts[nickname], parts[last])
        for letter in names.initials:
            yield keyed.initial(letter, parts[last])
        if entry.kind is not PersonKind.PUPIL or name_key(entry.title):
            yield keyed.titled(parts[last])
    for last in dict.fromkeys(squashed(name_key(name)) for name in (entry.last_name, entry.other_last_name) if name_key(name)):
        for first in (*names.firsts, *names.nicknames):
            if len(first + last) >= LEAST_SQUASHED:
                yield keyed.squashed(first + last)
                yield keyed.squashed(f"~{last}{first}")


def _lone(names: _Names, parts: dict[str, int], keyed: Keyed) -> Iterator[int]:
    for first in names.firsts:
        yield parts[first]
    for last in names.lasts[:1]:
        yield keyed.surname(parts[last])


def _nobodys(entry: RollEntry, names: _Names, parts: dict[str, int], keyed: Keyed) -> Iterator[RollToken]:
    """Yield the parts that make a word worth a look; they name nobody, so people who share a name share them."""
    yield RollToken(Evidence.FIRST, packed(parts[word] for word in (*names.firsts, *names.nicknames)))
    yield RollToken(Evidence.LAST, packed(parts[word] for word in names.lasts))
    openers = {opener for name in (entry.first_name, entry.known_as, entry.last_name, entry.other_last_name) for opener in _openers(name)}
    yield RollToken(Evidence.OPENER, packed(map(keyed.opener, openers)))
    own = dict.fromkeys((*names.firsts, *names.lasts))
    fuzzy = [word for word in own if len(word) >= LEAST_FUZZY]
    yield RollToken(Evidence.TYPO, packed_pairs((keyed.pattern(form), parts[word]) for word in fuzzy for form in gapped(word)))
    long = [word for word in own if len(word) >= LONG]
    yield RollToken(Evidence.TRIPLE, packed_pairs((keyed.triple(letters), parts[word]) for word in long for letters in triples(word)))


def _openers(name: str) -> Iterator[str]:
    """Yield the words a comment may part from a name: each but the last of several, `o` of O'Brien, `mc` of McDonald."""
    apart = "".join(" " if letter in _APOSTROPHES else letter for letter in name)
    pieces = name_key(apart).split()
    yield from pieces[:-1]
    if any(piece.startswith(_OPENED) and len(piece) > _LEAST_HALF for piece in pieces):
        yield from _OPENED

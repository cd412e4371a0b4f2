"""Names inside handles and hashtags: split where capitals, digits and marks part the words, or by the lexicon where nothing does.

Called by the tagger. "#Justice4Kayden" names Kayden, "@MrPatelMaths" Mr Patel; "@yorkshire_live" nobody.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from moderator.learn.people.lexicon import Lexicon
from moderator.learn.people.words import key_of

_TITLES = ("mrs", "miss", "mr", "ms", "mx", "dr", "sir", "prof")
_CALLS = """
justicefor free save team rip sack stop hang find where is wheres goodluck luck birthday welldone thankyou thanks love get fire ban expose
exposed cancel shame shameon hate we prayfor prayersfor support help standwith istandwith forever bye goodbye farewell done you be more
"""
_BEFORE = frozenset(_CALLS.split()) | {"for", "0", "on", "with", "our"}
"""What stands before a name in a hashtag."""

_AFTER = frozenset({"is", "must", "out", "has", "needs", "for", "strong", "day", "forever"})
"""What is said of a name in a hashtag."""

_SHORT = 2

_PIECE = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+")
_PREFIX = re.compile(
    r"(?P<call>(?:i?(?:stand|am)?with|(?:i?s?we)?(?:love|hate)|justice(?:for|4)|pray(?:ers)?(?:for|4)|free|save|team|rip|sack|hbd|happyb(?:irth)?day"
    r"|good(?:luck|bye)|welldone|thank(?:you|s)|shameon|expose|cancel)?)(?P<rest>[^\W\d_]{3,})",
    re.IGNORECASE,
)
_FIRST, _LAST = 3, 2
"""From these bands a piece counts as a first name or a surname."""

_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class TagName:
    """A name in a tag: places in the tag, whether it is a first name and a surname, and then its key."""

    start: int
    end: int
    whole: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    key: str
    capital: bool


def tag_names(tag: str, lexicon: Lexicon) -> list[TagName]:
    """Return the names in a handle or hashtag, at most one. Never fails."""
    pieces = [_Piece(m.start(), m.end(), key_of(m[0]), m[0][0].isupper()) for m in _PIECE.finditer(tag, 1)]
    for finder in (_titled, _whole, _called, _owned if tag[:1] == "@" else _spoken_of):
        if (span := finder(pieces, lexicon)) is not None:
            return [span]
    return list(_squashed(tag, lexicon)) if len({piece.capital for piece in pieces}) == 1 else []


def _titled(pieces: Sequence[_Piece], lexicon: Lexicon) -> TagName | None:
    """Find a title and the word after it: MrPatelMaths, mrs_okafor."""
    for title, name in pairwise(pieces):
        if title.key in _TITLES and len(name.key) >= _SHORTEST and name.key.isalpha() and (name.capital or lexicon.entry(name.key).last):
            return TagName(title.start, name.end)
    return None


def _whole(pieces: Sequence[_Piece], lexicon: Lexicon) -> TagName | None:
    """Find a first name and a surname: KaydenMorris, kayden_morris09."""
    for first, last in pairwise(pieces):
        if (
            _is_first(first.key, lexicon)
            and len(last.key) >= _SHORTEST
            and lexicon.entry(last.key).last >= 1
            and not _common(last.key, lexicon)
        ):
            return TagName(first.start, last.end, whole=True, key=f"{first.key} {last.key}")
    return None


def _called(pieces: Sequence[_Piece], lexicon: Lexicon) -> TagName | None:
    """Find a first name after a word that calls for one: Justice4Kayden, TeamAisha."""
    for call, name in pairwise(pieces):
        rare = name.capital and len(name.key) >= _SHORTEST and lexicon.entry(name.key).first and not _common(name.key, lexicon)
        if call.key in _BEFORE and (rare or _is_first(name.key, lexicon)):
            return TagName(name.start, name.end)
    return None


def _spoken_of(pieces: Sequence[_Piece], lexicon: Lexicon) -> TagName | None:
    """Find a first name with something said of it: KaydenIsReady, AishaOut."""
    for name, said in pairwise(pieces):
        if name.capital and said.key in _AFTER and _is_first(name.key, lexicon):
            return TagName(name.start, name.end)
    return None


def _owned(pieces: Sequence[_Piece], lexicon: Lexicon) -> TagName | None:
    """Find a handle that is a first name with an initial or digits: kayden_m, aisha.k09."""
    if len(pieces) > 1 and _is_first(pieces[0].key, lexicon) and all(len(piece.key) <= _SHORT for piece in pieces[1:]):
        last = [piece for piece in pieces if piece.key.isalpha()][-1]
        return TagName(pieces[0].start, last.end)
    return None


def _squashed(tag: str, lexicon: Lexicon) -> Iterator[TagName]:
    """Find names in a tag of one case: mrpatel, justiceforkayden, kaydenmorris."""
    body = tag[1:].lower()
    for title in _TITLES:
        rest = re.match(r"[^\W\d_]*", body.removeprefix(title))
        if body.startswith(title) and rest is not None and len(rest[0]) >= _SHORTEST and _is_surname(rest[0], lexicon):
            yield TagName(1, 1 + len(title) + len(rest[0]))
            return
    match = _PREFIX.match(tag, 1)
    if match is None:
        return
    rest_start, rest_word = match.start("rest"), key_of(match["rest"])
    if match["call"] and _is_first(rest_word, lexicon):
        yield TagName(rest_start, match.end("rest"))
        return
    for size in range(_SHORTEST + 1, len(rest_word) - _SHORTEST):
        if _is_first(rest_word[:size], lexicon) and _is_surname(rest_word[size:], lexicon):
            yield TagName(rest_start, match.end("rest"), whole=True, key=f"{rest_word[:size]} {rest_word[size:]}")
            return


def _is_first(key: str, lexicon: Lexicon) -> bool:
    return len(key) >= _SHORTEST and lexicon.entry(key).first >= _FIRST and not _common(key, lexicon)


def _is_surname(key: str, lexicon: Lexicon) -> bool:
    return lexicon.entry(key).last >= _LAST and not _common(key, lexicon)


def _common(key: str, lexicon: Lexicon) -> bool:
    """Return whether a word is mostly written in lower case, so that it is no name by itself."""
    return lexicon.entry(key).use <= 2  # noqa: PLR2004 - capitalised less than a third of the time

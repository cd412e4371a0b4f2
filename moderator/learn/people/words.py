"""Tokens for the person tagger: cut a text as given, tell how it uses capitals, and fold each form to the key the lexicon knows.

Called by the tagger for every comment and by training; a change here needs a new model.
"""
# ruff: noqa: RUF001 - curly apostrophes and long hyphens are what this file is about

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

_MARKS = "\u0300-\u036f\u200b-\u200d\u2060\ufe0f\ufeff"
"""Combining accents and characters of no width: they belong to the word they stand in."""

_CHUNK = rf"[^\W_][^\W_{_MARKS}]*(?:[{_MARKS}]+[^\W_{_MARKS}]*)*"
TOKEN = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|[@#]\w+(?:\.\w+)*"
    r"|(?:(?<![^\W_])(?i:mrs?|ms|dr|st|prof|revd?|jr|sr)|(?<![^\W_])[A-HJ-Z])\.(?![^\W_]{2})"
    r"|['’ʼ][sS](?![^\W_])"
    rf"|{_CHUNK}(?:(?!['’ʼ][sS](?![^\W_]))['’ʼ\-‐‑]{_CHUNK})*"
    r"|_+|([^\w\s])\1*"
)
"""One token: an address, a handle or hashtag, an abbreviation, a possessive, a word (hyphens and apostrophes join), a run of a mark."""

_DROPPED = re.compile(rf"[{_MARKS}]")
_PLAIN = str.maketrans(
    {
        "ı": "i",
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
        "ə": "e",
        "’": "'",
        "ʼ": "'",
    }
)
_DIGITS = re.compile(r"\d+")
_REMEMBERED_AT_MOST = 50_000


TITLES = frozenset(
    {
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "sir",
        "dame",
        "madam",
        "mister",
        "prof",
        "professor",
        "rev",
        "revd",
        "reverend",
        "father",
        "fr",
    }
    | {
        "sister",
        "brother",
        "coach",
        "chef",
        "nurse",
        "headteacher",
        "cllr",
        "councillor",
        "governor",
        "captain",
        "uncle",
        "auntie",
        "aunty",
    }
    | {"aunt", "king", "queen", "prince", "princess", "president", "lord", "lady", "pope", "saint", "st", "big", "little", "old", "young"}
    | {"baby"}
)
"""Keys that go before a name, or are part of how somebody is called, without being one of two names."""


class Case(IntEnum):
    """How a text uses capitals: as usual, only where sentences begin, or not at all (no capitals, or nothing but capitals)."""

    USUAL = 0
    SPARSE = 1
    NONE = 2


class _Look(IntEnum):
    """What one token says of the use of capitals."""

    NOTHING = 0
    ENDS = 1
    LOWER = 2
    CAPITAL = 3
    SHOUTED = 4


@dataclass(frozen=True, slots=True)
class Cut:
    """A text cut into tokens: `forms[i]` is `text[starts[i]:ends[i]]` in code points; in a text without case they are lower case.

    `tagged` says whether there is a handle or hashtag among them.
    """

    forms: list[str]
    starts: list[int]
    ends: list[int]
    case: Case
    tagged: bool


class _Looks(dict[str, _Look]):
    """Remembers the look of forms; forgets all when full, so that memory stays bounded."""

    def __missing__(self, form: str) -> _Look:
        if len(self) >= _REMEMBERED_AT_MOST:
            self.clear()
        found = self[form] = _look(form)
        return found


_LOOKS = _Looks()


def cut(text: str) -> Cut:
    """Return the tokens of a text as given. Never fails; linear time."""
    forms: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in TOKEN.finditer(text):
        forms.append(match[0])
        start, end = match.span()
        starts.append(start)
        ends.append(end)
    case = case_of(forms)
    if case is Case.NONE:
        forms = [form if form[0] in "@#" else form.lower() for form in forms]
    return Cut(forms, starts, ends, case, "@" in text or "#" in text)


def case_of(forms: list[str]) -> Case:
    """Return how a text's tokens use capitals; handles, hashtags, addresses and the word I say nothing."""
    looks = [_LOOKS[form] for form in forms]
    if _Look.CAPITAL not in looks:
        return Case.SPARSE if _Look.LOWER in looks and _Look.SHOUTED in looks else Case.NONE
    before = _Look.ENDS
    for look in looks:
        if look is _Look.CAPITAL and before is not _Look.ENDS:
            return Case.USUAL
        if look is not _Look.NOTHING or before is not _Look.ENDS:
            before = look
    return Case.SPARSE


def _look(form: str) -> _Look:
    if not form[0].isalpha() or form.startswith(("http", "www.")):
        return _Look.ENDS if form[0] in ".!?:" else _Look.NOTHING
    if form[0].islower():
        return _Look.LOWER
    if len(form) == 1 or form.startswith(("I'", "I’")):
        return _Look.NOTHING
    if form.isupper():
        return _Look.SHOUTED
    return _Look.CAPITAL


def key_of(form: str) -> str:
    """Return the form a word is looked up by: lower case, without accents, marks of no width or a final dot; digits as 0.

    Handles, hashtags and addresses become one key each.
    """
    if form[:1] in {"@", "#"} and len(form) > 1 and form[1] not in "@#":
        return form[0] + "x"
    if form.startswith(("http://", "https://", "www.")):
        return "//"
    key = form if form.isascii() else _DROPPED.sub("", unicodedata.normalize("NFKD", form)).translate(_PLAIN)
    key = key.casefold()
    if len(key) > 1 and key[-1] == "." and key[0].isalpha():
        key = key[:-1]
    return _DIGITS.sub("0", key) or "?"

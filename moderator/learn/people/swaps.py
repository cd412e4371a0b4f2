"""More text from what there is: the same sentences with names of other origins, and with capitals used otherwise. For training only."""

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from moderator.learn.people.gazetteer import Counts, own_names, world
from moderator.learn.people.marked import Marked
from moderator.learn.people.words import TITLES, TOKEN, key_of

ORIGINS: Mapping[str, tuple[str, ...]] = {
    "irish": ("IE",),
    "indian": ("IN", "NP", "LK", "FJ"),
    "pakistani": ("PK", "BD"),
    "nigerian": ("NG",),
    "east african": ("SW",),
    "south african": ("ZA",),
    "turkish": ("TR", "AZ"),
    "vietnamese": ("VN",),
    "chinese": ("CN", "TW"),
    "korean": ("KR",),
    "japanese": ("JP",),
    "polish": ("PL", "CZ"),
    "romanian": ("RO", "MD"),
    "bulgarian": ("BG", "RU", "UA", "MK", "BY"),
    "baltic": ("LT", "LV", "EE"),
    "balkan": ("HR", "AL", "RS", "BA", "XK", "SI"),
    "italian": ("IT",),
    "iberian": ("PT", "ES", "BR", "MX"),
    "french": ("FR",),
    "german": ("DE", "NL", "AT"),
    "thai": ("TH", "KH", "PH", "ID"),
}
"""Countries of the world lists whose names are swapped in, each origin as often as any other."""

HELD_OUT: Mapping[str, tuple[str, ...]] = {"ghanaian": ("GH",), "slovak": ("SK",), "hungarian": ("HU",)}
"""Origins that neither the swaps nor the tagger's lists hold, to judge how it does on names that nobody gave it."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Names of one origin to draw from: forms as written, and running totals of their weights."""

    first: Sequence[str]
    first_total: Sequence[float]
    last: Sequence[str]
    last_total: Sequence[float]

    def draw_first(self, rng: random.Random) -> str:
        """Return a first name; commoner ones more often."""
        return rng.choices(self.first, cum_weights=self.first_total)[0]

    def draw_last(self, rng: random.Random) -> str:
        """Return a surname; commoner ones more often."""
        return rng.choices(self.last, cum_weights=self.last_total)[0]


def pools(lists: Path, *, origins: Mapping[str, tuple[str, ...]] = ORIGINS) -> dict[str, Pool]:
    """Return a pool by origin, from the world lists and from our own for those they hold too few of. Raises BadInput for a missing list."""
    by_country: dict[tuple[str, str], set[str]] = {}
    for kind, country, name in world(lists):
        by_country.setdefault((kind, country), set()).add(name)
    for kind, origin, name in own_names():
        by_country.setdefault((kind, origin), set()).add(name)
    own = {origin: (origin,) for _, origin in by_country if origin.islower()}
    found: dict[str, Pool] = {}
    for origin, countries in {**own, **origins}.items():
        firsts, lasts = (sorted(set().union(*(by_country.get((kind, one), set()) for one in countries))) for kind in ("first", "last"))
        if firsts and lasts:
            found[origin] = _even(firsts, lasts)
    return found


def _even(firsts: Sequence[str], lasts: Sequence[str]) -> Pool:
    return Pool(firsts, list(accumulate([1.0] * len(firsts))), lasts, list(accumulate([1.0] * len(lasts))))


def british(first: Counts, last: Counts) -> Pool:
    """Return the pool of UK names, drawn by the square root of how common they are, so that rare ones come too."""
    firsts, lasts = (
        sorted((key, weight**0.5) for key, weight in table.items() if weight >= least and _NAME.fullmatch(key))
        for table, least in ((first, _RARE_FIRST), (last, _RARE_LAST))
    )
    written = [([_written(key) for key, _ in rows], list(accumulate(root for _, root in rows))) for rows in (firsts, lasts)]
    return Pool(*written[0], *written[1])


_NAME = re.compile(r"[a-z]+(?:['-][a-z]+)*(?<=..[a-z])")
_RARE_FIRST, _RARE_LAST = 60.0, 3.0


def _written(key: str) -> str:
    return "'".join("-".join(part.capitalize() for part in piece.split("-")) for piece in key.split("'"))


@dataclass(frozen=True, slots=True)
class Swaps:
    """What names are swapped for: pools by origin and of UK names, and how common names are, to tell surnames from first names."""

    by_origin: Mapping[str, Pool]
    british: Pool
    first: Counts
    last: Counts

    def swapped(self, marked: Marked, pool: Pool, rng: random.Random) -> Marked:
        """Return the text with each person's name replaced by one of the pool, of the same build, written the same way."""
        text = ""
        spans: list[tuple[int, int]] = []
        done = 0
        for start, end in marked.spans:
            text += marked.text[done:start]
            name = self._other_name(marked.text[start:end], pool, rng)
            spans.append((len(text), len(text) + len(name)))
            text += name
            done = end
        return replace(marked, text=text + marked.text[done:], spans=tuple(spans))

    def _other_name(self, name: str, pool: Pool, rng: random.Random) -> str:
        if name[0] in "@#" or any(letter.isdigit() for letter in name):
            return name
        words = [match.span() for match in TOKEN.finditer(name) if _is_name(match[0])]
        begins = key_of(name.split(maxsplit=1)[0])
        formal = begins in _FORMAL or len(begins) == 1
        result, done = "", 0
        for number, (start, end) in enumerate(words):
            surname = number == len(words) - 1 if len(words) > 1 else formal or self._is_surname(name[start:end])
            new = pool.draw_last(rng) if surname else pool.draw_first(rng)
            result += name[done:start] + _like(name[start:end], _plain(new) if rng.random() < _PLAINLY else new)
            done = end
        return result + name[done:]

    def _is_surname(self, word: str) -> bool:
        key = key_of(word)
        return self.last.get(key, 0) > 0 and self.first.get(key, 0) < _RARE_FIRST


_FORMAL = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "sir", "prof", "professor", "rev", "headteacher", "cllr", "councillor", "governor"}
)
"""Titles that a surname follows."""

_PLAINLY = 0.5
"""The share of those who leave the accents out of a name."""


def _is_name(form: str) -> bool:
    return form[0].isalpha() and len(form) > 1 and form[-1] != "." and key_of(form) not in TITLES


def _plain(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))


def _like(model: str, name: str) -> str:
    if model.islower():
        return name.lower()
    return name.upper() if model.isupper() and len(model) > 1 else name


def lowered(marked: Marked) -> Marked:
    """Return the text without capitals; spans stay, since letters whose lower case is longer are left alone."""
    return replace(marked, text="".join(_lower(letter) for letter in marked.text))


def names_lowered(marked: Marked) -> Marked:
    """Return the text with only the names in lower case, as people write who capitalise by habit but not names."""
    letters = list(marked.text)
    for start, end in marked.spans:
        letters[start:end] = [_lower(letter) for letter in letters[start:end]]
    return replace(marked, text="".join(letters))


def sparse(marked: Marked) -> Marked:
    """Return the text with a capital at its beginning and nowhere else, as phones write it."""
    low = lowered(marked).text
    return replace(marked, text=_upper(low[:1]) + low[1:])


def _lower(letter: str) -> str:
    low = letter.lower()
    return low if len(low) == 1 else letter


def _upper(letter: str) -> str:
    high = letter.upper()
    return high if len(high) == 1 else letter

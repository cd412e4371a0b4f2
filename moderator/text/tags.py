"""The words of a hashtag or handle: #SackMrPatel is sack, mr, patel; for `normalise` (hashtags) and for finding names (both)."""

import re

from moderator.text.confusables import fold, unmix
from moderator.text.lexicon import lexicon, segment
from moderator.text.mend import mend

_GLUED = re.compile(r"(?:[yYpPsSuU]|[kK][sS]|[pP][sS])\d{1,2}(?![\d])|\d{1,2}[A-Fa-f](?![a-z])|\d+(?:st|nd|rd|th)(?![a-z])")
_PIECE = re.compile(_GLUED.pattern + r"|\d+|[A-Z]{2,}s?(?![a-z])|[A-Z](?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]")
_NUMBER_WORDS = {"2": "to", "4": "for"}
_SPARE = 6.0
_MOST = 80


def tag_words(tag: str) -> list[tuple[int, int, str]]:
    """Return (start, end, word) for each word of a tag or handle, with or without its # or @, in order; offsets are code points into it.

    Words are lower case. Parted by case, digits and underscores; a part in one case by the words it is known to be made of. 2 and 4 between
    letters are "to" and "for"; short names of classes (y7, ks2, 11a) stay whole. Never fails; linear in the length.
    """
    bare = tag.lstrip("#@\uff03\uff20")
    offset = len(tag) - len(bare)
    folded = [fold(part).upper() if part.isupper() else fold(part) for part in unmix(bare)]
    if all(len(part) == 1 for part in folded):
        bare = "".join(folded)
    lowered = bare.lower()
    if len(bare) <= _MOST and len(lowered) == len(bare) and lowered.isascii():
        read = mend(lowered)
        if not lowered.isalpha() and read != lowered and read in lexicon().cost:
            return [(offset, len(tag), read)]
    found: list[tuple[int, int, str]] = []
    for match in _PIECE.finditer(bare):
        start = match.start()
        found += [(offset + start + first, offset + start + last, word) for first, last, word in _apart(match[0])]
    return [(first, last, _spoken(place, found)) for place, (first, last, _) in enumerate(found)]


def _spoken(place: int, found: list[tuple[int, int, str]]) -> str:
    """Return a word, or what a lone 2 or 4 that joins two words stands for."""
    word = found[place][2]
    if word not in _NUMBER_WORDS or not 0 < place < len(found) - 1:
        return word
    before, after = found[place - 1], found[place + 1]
    joined = before[1] == found[place][0] and after[0] == found[place][1]
    return _NUMBER_WORDS[word] if joined and before[2].isalpha() and after[2].isalpha() and before[2] not in {"year", "class"} else word


def _apart(piece: str) -> list[tuple[int, int, str]]:
    lowered = piece.lower()
    known = lexicon()
    whole = [(0, len(piece), lowered)]
    if not lowered.isascii() or not lowered.isalpha() or len(lowered) != len(piece) or known.common(lowered) or lowered in known.rude:
        return whole
    found, start = [], 0
    for word in segment(lowered, spare=_SPARE):
        found.append((start, start + len(word), word))
        start += len(word)
    return found if found and len(found) * 2.5 <= len(piece) + 1 else whole

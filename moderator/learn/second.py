"""A second opinion on who is named: the tagger's mentions weighed against the encoder's. For texts the encoder has read; by classifier."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moderator.learn.encoder import BEGIN, OUTSIDE, Reading
from moderator.learn.people.tagger import Mention
from moderator.text.normalise import Aligned

LEAST = 0.5
"""The mean of both chances from which a mention of the tagger stays."""

ALONE = 0.8
"""The chance from which a name comes in that only the encoder sees."""

_WORD = re.compile(r"\w+(?:['’\-]\w+)*")  # noqa: RUF001 - names carry curly apostrophes
_WITHIN = re.compile(r"[ .\-]{0,2}")
"""What may stand between two words of one name."""

_IN_TAG = re.compile(r"[@#]\S*$")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A word of the original text, the encoder's chance that it is of a name, and the chance that a name begins there."""

    start: int
    end: int
    chance: float
    begins: float


def second_opinion(text: str, mentions: Sequence[Mention], reading: Reading, aligned: Aligned) -> list[Mention]:
    """Return the people named in a text as given, from what the tagger and the encoder each say; `aligned` is that text's.

    A mention of the tagger stays unless the encoder speaks against it; one that only the encoder sees comes in when it is sure. What the
    tagger found inside handles and hashtags stays: the encoder reads them cut up.
    """
    seen = _words(text, reading, aligned)
    kept: list[Mention] = []
    for mention in mentions:
        other = max((word.chance for word in seen if _overlap(word, mention)), default=0.0)
        if _IN_TAG.search(text, max(0, mention.start - 60), mention.start) or (mention.chance + other) / 2 >= LEAST:
            kept.append(replace(mention, chance=max(mention.chance, other)))
    new = [one for one in _names(text, seen) if one.chance >= ALONE and not any(_overlap(one, mention) for mention in mentions)]
    return sorted([*kept, *new], key=lambda mention: mention.start)


def _words(text: str, reading: Reading, aligned: Aligned) -> list[_Seen]:
    """Return what the encoder says of each word of the text as given: of several tokens of one word, the highest chances count."""
    tokens = [
        (*aligned.original(*span), 1 - tag[OUTSIDE], tag[BEGIN]) for span, tag in zip(reading.spans, reading.tags.tolist(), strict=True)
    ]
    found: list[_Seen] = []
    first = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        while first < len(tokens) and tokens[first][1] <= start:
            first += 1
        chance = begins = 0.0
        for begin, stop, named, begun in tokens[first:]:
            if begin >= end:
                break
            if stop > start:
                chance, begins = max(chance, named), max(begins, begun)
        found.append(_Seen(start, end, chance, begins))
    return found


def _names(text: str, seen: Sequence[_Seen]) -> list[Mention]:
    """Return runs of words likelier to be of a name than not; a run ends where another name begins."""
    found: list[Mention] = []
    for word in seen:
        if word.chance < 0.5:  # noqa: PLR2004 - likelier than not
            continue
        before = found[-1] if found else None
        if before is not None and word.begins < 0.5 and _WITHIN.fullmatch(text, before.end, word.start):  # noqa: PLR2004 - as above
            found[-1] = Mention(before.start, word.end, max(before.chance, word.chance), whole=True)
        else:
            found.append(Mention(word.start, word.end, word.chance))
    return found


def _overlap(one: _Seen | Mention, other: Mention) -> bool:
    return one.start < other.end and other.start < one.end

"""The words the normaliser takes as known, how common each is, and the rude ones; read once from the package, by `mend` and `tags`."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from moderator.text.shorthand import SHORTHAND


def word_set(listed: str) -> frozenset[str]:
    """Return the words of a line as a set; for the small sets that modules of this package hold."""
    return frozenset(listed.split())


NAME_COST = 25.0
"""A name that is no word costs as much as a rare word (costs are twice the natural logarithm of one in so many words)."""
RUDE_COST = 18.0
COMMON = 24.0
"""A word is common up to this cost: one in about 160,000, met two dozen times in four million words."""
LONGEST = 24
"""No known word that segmentation looks for is longer."""
_LONE = frozenset({"a", "i", "u"})
_SHORT = word_set("am an as at be by do dr go he if im in is it me mr ms my no of on or so to up ur us we ya")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Known words with their cost, rude words in order of likelihood, and the pieces that run-together words are taken apart into."""

    cost: dict[str, float]
    rude: dict[str, int]
    pieces: dict[str, float]

    def common(self, word: str) -> bool:
        """Return whether a word is common, or rude."""
        return self.cost.get(word, 99.0) <= COMMON

    def best(self, words: Iterable[str]) -> str:
        """Return the likeliest known word among some, rude ones first, ties by the alphabet; "" when none is known."""
        known = sorted((word not in self.rude, self.cost[word], word) for word in words if word in self.cost)
        return known[0][2] if known else ""


@functools.cache
def lexicon() -> Lexicon:
    """Return the lexicon, read at the first call (about 20 ms)."""
    words = dict(_words())
    names = {word for word, cost in words.items() if cost < 0}
    cost = {word: (NAME_COST if word in names else cost) for word, cost in words.items()}
    rude = {word: place for place, word in enumerate(dict.fromkeys(_rude()))}
    for word in rude:
        cost[word] = min(cost.get(word, RUDE_COST), RUDE_COST)
    for word in SHORTHAND:
        cost.pop(word, None)
    pieces = {word: value for word, value in cost.items() if _a_piece(word)}
    return Lexicon(cost, rude, pieces)


def _a_piece(word: str) -> bool:
    return word in _LONE or word in _SHORT or 3 <= len(word) <= LONGEST  # noqa: PLR2004 - one- and two-letter pieces are listed


def _words() -> Iterable[tuple[str, float]]:
    for line in _lines("words.txt"):
        head, _, listed = line.partition(" ")
        cost = -1.0 if head == "names" else float(head)
        yield from ((word, cost) for word in listed.split())


def _rude() -> Iterable[str]:
    for line in _lines("rude.txt"):
        stem = ""
        for word in line.split():
            stem = stem or word
            yield stem + word[1:] if word.startswith("/") else word


def _lines(name: str) -> list[str]:
    text = resources.files("moderator.text").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def segment(run: str, *, spare: float = 5.5) -> list[str]:
    """Return the known words that a run of letters without gaps is made of, or [] when it is not made of them.

    The likeliest split by the sum of costs (Viterbi over unigrams); refused when it costs more than `spare` a letter. Linear in the length.
    """
    pieces = lexicon().pieces
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(run) + 1):
        found = (99_999.0, 0)
        for start in range(max(0, end - LONGEST), end):
            value = pieces.get(run[start:end])
            if value is not None:
                found = min(found, (best[start][0] + value, start))
        best.append(found)
    if best[-1][0] > spare * len(run):
        return []
    words: list[str] = []
    end = len(run)
    while end:
        start = best[end][1]
        words.append(run[start:end])
        end = start
    return words[::-1]

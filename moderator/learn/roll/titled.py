"""A title or an initial with a last name: "Mrs Begum", "mr a begum", "J. Smith", "Smith, J."."""

from collections.abc import Iterator, Sequence

from moderator.learn.roll.index import Index, Owner
from moderator.learn.roll.lexicon import Lexicon, Role
from moderator.learn.roll.pairs import Run, pairs_at, runs
from moderator.learn.roll.spots import Link, Spot
from moderator.learn.roll.tables import AFTER_I, BEFORE_VERB_MISS, NEVER_LAST, WORD_TITLES

_LEAST_SLIP = 4
_MISS = "miss"
_WORDS = frozenset("ai")
"""Letters that are words."""

_BITS = frozenset("ailurnstdmxyk")
"""Letters that stand alone in quick typing ("u", "r") or are left of a contraction ("don t")."""


def titled(listed: Sequence[Spot], place: int, index: Index, lexicon: Lexicon) -> Iterator[tuple[int, Owner]]:
    """Yield (end, whom it names) of names that begin with a title: with last name, initial and last name, or the whole name."""
    title = listed[place]
    if not title.has(Role.TITLE) or place + 1 >= len(listed) or title.link not in {Link.JOINED, Link.DOT} or not _is_title(listed, place):
        return
    yield from pairs_at(listed, place + 1, index, lexicon)
    yield from initialled(listed, place + 1, index, lexicon)
    for run in runs(listed, place + 1, lexicon):
        if _may_follow(title, run):
            owner = _titled(run, index) or (None if title.in_tag else _titled_slip(run, index, lexicon))
            if owner is not None:
                yield run.end, owner


def _is_title(listed: Sequence[Spot], place: int) -> bool:
    """Return whether a title is meant: "miss" in lower case is a verb after many words ("I miss robin")."""
    title = listed[place]
    if title.looked.word != _MISS or title.capital or place == 0:
        return True
    return listed[place - 1].looked.word not in BEFORE_VERB_MISS


def _may_follow(title: Spot, run: Run) -> bool:
    """Return whether a word after a title can be a last name: an everyday word in lower case hardly after a title that is a word too."""
    if run.capital or not run.has(Role.COMMON):
        return True
    return run.looked.word not in NEVER_LAST and (title.looked.word == _MISS or title.looked.word not in WORD_TITLES)


def _titled(run: Run, index: Index) -> Owner | None:
    return index.whole(index.keyed.titled(run.looked.digest)) if run.has(Role.LAST) else None


def _titled_slip(run: Run, index: Index, lexicon: Lexicon) -> Owner | None:
    """Return whom a mistyped last name after a title names; not in a handle, which strangers choose."""
    if run.has(Role.COMMON) or len(run.looked.word) < _LEAST_SLIP:
        return None
    owners = (index.whole(index.keyed.titled(name)) for name in lexicon.alike(run.looked))
    return next((owner for owner in owners if owner is not None), None)


def initialled(listed: Sequence[Spot], place: int, index: Index, lexicon: Lexicon) -> Iterator[tuple[int, Owner]]:
    """Yield (end, whom it names) of an initial with a last name, either way round; further initials may stand between."""
    spot = listed[place]
    if spot.is_initial:
        start = place
        while start + 1 < len(listed) and listed[start].is_initial and listed[start].link in {Link.JOINED, Link.DOT}:
            start += 1
        if start > place and not listed[start].is_initial:
            for run in runs(listed, start, lexicon):
                if run.has(Role.LAST) and _before(spot, run, opens=place == 0 or listed[place - 1].link is Link.NONE):
                    yield from _named(run.end, spot, run, index)
        return
    for run in runs(listed, place, lexicon):
        if run.has(Role.LAST) and run.end < len(listed) and listed[run.end - 1].link in {Link.JOINED, Link.COMMA}:
            letter = listed[run.end]
            comma = listed[run.end - 1].link is Link.COMMA
            if letter.is_initial and _behind(letter, run) and (comma or not run.has(Role.FIRST)):
                yield from _named(run.end + 1, letter, run, index)


def _named(end: int, letter: Spot, run: Run, index: Index) -> Iterator[tuple[int, Owner]]:
    owner = index.whole(index.keyed.initial(letter.looked.word, run.looked.digest))
    if owner is not None:
        yield end, owner


def _before(letter: Spot, run: Run, *, opens: bool) -> bool:
    """Return whether a letter before a last name is an initial: judged by capitals, a dot, and whether either is a word of its own.

    `opens` says whether a sentence may begin with the letter.
    """
    word = letter.looked.word
    if letter.capital and run.capital:
        return word != "i" or not opens or run.looked.word not in AFTER_I or letter.link is Link.DOT
    if run.has(Role.COMMON):
        return run.looked.word not in NEVER_LAST and word not in _BITS
    return word not in _WORDS or letter.link is Link.DOT


def _behind(letter: Spot, run: Run) -> bool:
    """Return whether a letter after a last name is an initial."""
    return letter.capital and run.capital and (letter.looked.word not in _WORDS or letter.link is Link.DOT) and not run.has(Role.COMMON)

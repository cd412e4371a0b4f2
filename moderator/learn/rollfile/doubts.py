"""What a person should look at before a roll is used, though every row can be read. Shown by the Roll page; no name is in the words."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.roll.spelling import name_key
from moderator.learn.roll.tables import common_words
from moderator.learn.rollfile.reading import RollFile

FIRST_LINES = 20
"""Line numbers told of one doubt at most."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at: what, in plain words, how many rows, and the first of their line numbers."""

    what: str
    rows: int
    lines: tuple[int, ...] = ()


def doubts(read: RollFile) -> tuple[Doubt, ...]:
    """Return what to look at in a roll that was read. Nothing of it stops an import."""
    return tuple(_doubts(read))


def _doubts(read: RollFile) -> Iterator[Doubt]:
    plain = Counter(cell.strip().lower() for cell in read.header if cell.strip())
    used = {heading.strip().lower() for heading in read.columns.recognised}
    twice = sum(plain[heading] > 1 for heading in used)
    if twice:
        yield Doubt("A heading stands above two columns. Of the two, the first that is filled counts, or the first alone.", twice)
    for what, holds in _LOOKS:
        lines = [line for line, entry in read.numbered if holds(entry)]
        if lines:
            yield Doubt(what, len(lines), tuple(lines[:FIRST_LINES]))
    if read.repeated:
        yield Doubt("A row says the same person again. It is taken once.", read.repeated)


def _one_word(entry: RollEntry) -> bool:
    return entry.kind is not PersonKind.OTHER and not (entry.last_name and (entry.first_name or entry.title))


def _everyday(entry: RollEntry) -> bool:
    common = common_words()
    firsts = {name_key(entry.first_name), name_key(entry.known_as)} - {""}
    return name_key(entry.last_name) in common and any(first in common for first in firsts)


def _no_reference(entry: RollEntry) -> bool:
    return entry.reference.startswith("line-")


_LOOKS: tuple[tuple[str, Callable[[RollEntry], bool]], ...] = (
    ("A name of one word. A first or last name alone is weak evidence and never flags a comment by itself.", _one_word),
    ("A name made of everyday words. A comment may match it by chance.", _everyday),
    ("No reference (UPN, staff code). The person is told from others by name and kind.", _no_reference),
)

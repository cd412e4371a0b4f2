"""Judges a tagger on marked texts: by name, by text, with and without capitals, by origin of names. Called by training and by tests."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from moderator.learn.people.marked import Marked
from moderator.learn.people.words import TOKEN

if TYPE_CHECKING:
    from moderator.learn.people.tagger import PersonTagger


@dataclass(frozen=True, slots=True)
class NameFigure:
    """How well a set's names were found, shares from 0 to 1: of names by exact span, `touched` the share of names that some mention meets,
    and of texts by whether they name anybody."""  # noqa: D205, D209 - one sentence

    source: str
    names: int
    precision: float
    recall: float
    f1: float
    touched: float
    text_f1: float

    def row(self) -> dict[str, object]:
        """Return the figure as a row of the manifest."""
        return asdict(self)


@dataclass(slots=True)
class _Counts:
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, found: int, truth: int, both: int) -> None:
        self.right += both
        self.wrong += found - both
        self.missed += truth - both

    def f1(self) -> float:
        return round(2 * self.right / max(1, 2 * self.right + self.wrong + self.missed), 4)


def judge_names(tagger: "PersonTagger", texts: Sequence[Marked], source: str) -> NameFigure:
    """Return how well the tagger finds the names of texts. Names in handles and hashtags count only where somebody marked them."""
    spans, whole = _Counts(), _Counts()
    names = touched = 0
    for marked, mentions in zip(texts, tagger.find([marked.text for marked in texts]), strict=True):
        tags = [] if marked.whole else [match.span() for match in TOKEN.finditer(marked.text) if match[0][0] in "@#"]
        truth = {span for span in marked.spans if not _inside(span, tags)}
        found = {(one.start, one.end) for one in mentions if not _inside((one.start, one.end), tags)}
        spans.add(len(found), len(truth), len(found & truth))
        whole.add(bool(found), bool(truth), bool(found and truth))
        names += len(truth)
        touched += sum(any(start < last and first < end for first, last in found) for start, end in truth)
    precision, recall = (round(spans.right / max(1, spans.right + other), 4) for other in (spans.wrong, spans.missed))
    return NameFigure(source, names, precision, recall, spans.f1(), round(touched / max(1, names), 4), whole.f1())


def _inside(span: tuple[int, int], tags: Sequence[tuple[int, int]]) -> bool:
    return any(first <= span[0] < last for first, last in tags)

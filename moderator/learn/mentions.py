"""Judging names: how many of the people marked in a file are found, by span and by comment. Called by `moderator evaluate`."""

from collections.abc import Sequence
from dataclasses import dataclass

from moderator.domain.score import Score
from moderator.learn.corpus import Example

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class MentionFigure:
    """`by` is `span, exact` (same start and end), `span, touching` (any shared character), or `comment` (names anybody at all).

    `marked` counts what people marked, `found` what the assessor found; precision, recall and F1 are 0 to 1, None where there is none.
    """

    by: str
    marked: int
    found: int
    precision: float | None
    recall: float | None
    f1: float | None

    def row(self) -> dict[str, str | int | float | None]:
        """Return the figure as a plain row, rounded to four places."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}


def mentions(examples: Sequence[Example], scores: Sequence[Score]) -> list[MentionFigure]:
    """Return the figures over the examples in which somebody looked for people; empty when nobody did. One score an example."""
    looked = [(example.people, score) for example, score in zip(examples, scores, strict=True) if example.people is not None]
    if not looked:
        return []
    pairs = [(list(marked), [(person.start, person.end) for person in score.people]) for marked, score in looked]
    marked, found = sum(len(want) for want, _ in pairs), sum(len(got) for _, got in pairs)
    exact = sum(len(set(want) & set(got)) for want, got in pairs)
    named, flagged = sum(bool(want) for want, _ in pairs), sum(bool(got) for _, got in pairs)
    both = sum(bool(want and got) for want, got in pairs)
    touched = sum(_touched(want, got) for want, got in pairs)
    touching = sum(_touched(got, want) for want, got in pairs)
    return [
        _figure("span, exact", marked, found, exact, exact),
        _figure("span, touching", marked, found, touched, touching),
        _figure("comment", named, flagged, both, both),
    ]


def _touched(spans: Sequence[Span], others: Sequence[Span]) -> int:
    """Return how many spans share a character with one of the others."""
    return sum(any(start < end_ and start_ < end for start_, end_ in others) for start, end in spans)


def _figure(by: str, marked: int, found: int, right_of_marked: int, right_of_found: int) -> MentionFigure:
    recall = right_of_marked / marked if marked else None
    precision = right_of_found / found if found else None
    f1 = None
    if recall is not None and precision is not None:
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return MentionFigure(by, marked, found, precision, recall, f1)

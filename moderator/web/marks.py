"""Marking the flagged words of a comment, by the code-point spans of its reasons. Called by the item page."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from moderator.domain.score import Reason


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the comment. `ends` are the numbers (from 1) of the reasons whose words end with it."""

    text: str
    marked: bool
    ends: tuple[int, ...] = ()


def pieces(text: str, reasons: Sequence[Reason]) -> tuple[Piece, ...]:
    """Return the text cut where reasons begin and end; joined again it is the text, unchanged.

    A reason without a span marks nothing: it is about the comment as a whole. Spans may overlap, and are cut to the text.
    """
    spans = {
        number: (max(reason.start, 0), min(reason.end, len(text)))
        for number, reason in enumerate(reasons, 1)
        if max(reason.start, 0) < min(reason.end, len(text))
    }
    cuts = sorted({0, len(text)} | {edge for span in spans.values() for edge in span})
    return tuple(
        Piece(
            text=text[start:end],
            marked=any(first <= start and end <= last for first, last in spans.values()),
            ends=tuple(number for number, (_, last) in spans.items() if last == end),
        )
        for start, end in pairwise(cuts)
    )

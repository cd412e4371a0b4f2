"""Judges answers: abuse by source, people and personal data by span and by comment; all shares from 0 to 1. Called by bench_assess."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from sklearn.metrics import roc_auc_score

Span = tuple[int, int]
FEWEST = 5
"""A source counts when it has at least so many abusive texts, and so many that are not."""

_TITLE = re.compile(r"(?:(?:mr|mrs|ms|miss|mx|dr|sir|dame|prof|professor|rev|revd|father|sister|mister)\b\.?\s*|[@#\s]+)+", re.IGNORECASE)
_TAIL = re.compile(r"(?:['’ʼ]s)?[\s.,!?]*$", re.IGNORECASE)  # noqa: RUF001 - curly apostrophes
_TAG = re.compile(r"[@#]\w+(?:\.\w+)*")


@dataclass(frozen=True, slots=True)
class Abuse:
    """How a contender tells abuse: area under the curve, and F1, recall and false flags at its own threshold; means over sources."""

    auc: float
    f1: float
    recall: float
    false_flags: float
    sources: int


@dataclass(frozen=True, slots=True)
class Found:
    """How a contender finds spans: F1 by span and by comment, recall by comment."""

    span_f1: float
    comment_f1: float
    comment_recall: float


def abuse(rows: Iterable[tuple[str, int, float, bool]]) -> Abuse:
    """Judge rows of (source, truth, chance, flagged). Raises ValueError when no source has enough rows of both kinds."""
    by_source: dict[str, list[tuple[int, float, bool]]] = {}
    for source, truth, chance, flag in rows:
        by_source.setdefault(source, []).append((truth, chance, flag))
    figures = [_one(found) for _, found in sorted(by_source.items()) if FEWEST <= sum(truth for truth, *_ in found) <= len(found) - FEWEST]
    if not figures:
        message = "no source has enough texts of both kinds"
        raise ValueError(message)
    auc, f1, recall, false_flags = (mean(column) for column in zip(*figures, strict=True))
    return Abuse(auc, f1, recall, false_flags, len(figures))


def _one(rows: Sequence[tuple[int, float, bool]]) -> tuple[float, float, float, float]:
    hits = sum(flag for truth, _, flag in rows if truth)
    false = sum(flag for truth, _, flag in rows if not truth)
    positives = sum(truth for truth, *_ in rows)
    auc = float(roc_auc_score([truth for truth, *_ in rows], [chance for _, chance, _ in rows]))
    return auc, f1(hits, false, positives - hits), hits / positives, false / (len(rows) - positives)


def f1(hits: int, false: int, missed: int) -> float:
    """Return the harmonic mean of precision and recall; 0 when nothing was to be found and nothing was."""
    return 2 * hits / max(1, 2 * hits + false + missed)


def people(rows: Iterable[tuple[str, Sequence[Span], Sequence[Span]]], *, tags: bool) -> Found:
    """Judge rows of (text, true spans, found spans). A span is right when both ends are, once titles and possessives are taken off both.

    Without `tags`, what lies in handles and hashtags counts neither way, for sets where nobody marked those.
    """
    return _found([(_names(text, truth, tags=tags), _names(text, found, tags=tags)) for text, truth, found in rows], exact=True)


def _names(text: str, spans: Sequence[Span], *, tags: bool) -> set[Span]:
    inside = [] if tags else [match.span() for match in _TAG.finditer(text)]
    return {trimmed(text, span) for span in spans if not any(start <= span[0] < end for start, end in inside)}


def trimmed(text: str, span: Span) -> Span:
    """Return a span without titles, `@`, `#` and blanks before the name, and without a possessive and marks after it."""
    start, end = span
    head = _TITLE.match(text, start, end)
    if head is not None and head.end() < end:
        start = head.end()
    tail = _TAIL.search(text, start, end)
    return (start, tail.start()) if tail is not None and tail.start() > start else (start, end)


def personal(rows: Iterable[tuple[Sequence[Span], Sequence[Span], Sequence[Span]]]) -> Found:
    """Judge rows of (true spans, spans that count neither way, found spans), whatever their kind.

    Found spans that overlap are taken as one; one is right when it and a true one share at least half of the longer.
    """
    return _found([(set(truth), {one for one in merged(found) if not _touches(one, aside)}) for truth, aside, found in rows], exact=False)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that overlap joined."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _touches(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _found(rows: Sequence[tuple[set[Span], set[Span]]], *, exact: bool) -> Found:
    hits = sum(len(truth & found) if exact else sum(any(_same(one, other) for other in found) for one in truth) for truth, found in rows)
    right = hits if exact else sum(any(_same(one, other) for one in truth) for truth, found in rows for other in found)
    missed = sum(len(truth) for truth, _ in rows) - hits
    false = sum(len(found) for _, found in rows) - right
    both, wrong, silent = (
        sum(bool(truth) is told and bool(found) is seen for truth, found in rows)
        for told, seen in ((True, True), (False, True), (True, False))
    )
    return Found(f1(hits, false, missed), f1(both, wrong, silent), both / max(1, both + silent))


def _same(one: Span, other: Span) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return 2 * shared >= max(one[1] - one[0], other[1] - other[0])

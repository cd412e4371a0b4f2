"""The tables a person reads: cost and accuracy of each contender side by side, in Markdown. Called by bench_assess."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.accuracy import Abuse, Found

LABELS = {
    "linear": "ours: linear tier",
    "both": "ours: both tiers",
    "names": "ours: person tagger",
    "pii": "ours: personal data",
    "both-finders": "ours: names and personal data",
    "roll": "ours: roll of 50,000 (see roll)",
    "whole": "ours: whole assessor",
    "plain": "ours: whole, no encoder",
    "presidio": "presidio-analyzer",
}
COST = ("comments/s", "slowest-fastest turn", "resident MB", "peak MB", "start s", "files MB")
NOTES = """\
Each contender ran alone on one core in a process of its own, in turns with the others; rates are medians of five turns of up to 1,000
comments that it had not read before (half real.csv, half youtube.txt), start-up is the median of five. Memory is after the last turn.
Files: models, word lists and the package's own code; libraries such as scikit-learn, spaCy or onnxruntime are left out on both sides.
The whole assessor does abuse, names, roll, personal data and guards at once, with a roll of 50,000 people; for accuracy it has no roll.
Abuse, public: means over the sources of abuse/dev.csv, at most 250 texts of a kind from each. better-profanity gives yes or no, so its
AUC is that of one threshold. Names: spans match when both ends do, once titles and possessives are taken off; in tweets, handles count
neither way.
presidio-analyzer: its own recognisers for GB phone numbers, e-mail, UK postcode, NHS and NI number, vehicle plate, IBAN, card and IP. No
ready-made English pipeline can be had from a package index, so its name finder is spaCy's own recipe, trained here on the very same marked
text as our tagger (public sets and school comments for training, a third of it shown in lower case).
Personal data: the 120 lines of ops/bench/pii.txt, whatever the kind; right when the spans share half of the longer."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a contender costs: comments a second (median, least, most), MB resident and at the peak, seconds to start, MB of files."""

    rate: float
    resident: float
    height: float
    start: float
    files: float
    least: float
    most: float

    def cells(self) -> list[str]:
        """Return the cells under COST."""
        span = f"{self.least:,.0f}-{self.most:,.0f}"
        return [f"{self.rate:,.0f}", span, f"{self.resident:,.0f}", f"{self.height:,.0f}", f"{self.start:.2f}", f"{self.files:.1f}"]


Judged = Mapping[tuple[str, str], Found]
Accuracy = TypeVar("Accuracy")


def report(lines: Mapping[str, Line], *, abuse: Mapping[tuple[str, str], Abuse], names: Judged, pii: Judged) -> str:
    """Return the page: a table for abuse, one for names, one for personal data, and how it was measured."""
    told = {who for who, _ in (*abuse, *names, *pii)}
    rest = [[_label(name), *line.cells()] for name, line in lines.items() if name not in told]
    parts = [
        "# The assessor and its peers",
        "## Abuse (per cent: AUC / F1 / recall / false flags, the last three at its own threshold)",
        _table(lines, abuse, lambda found: f"{_cent(found.auc)} / {_cent(found.f1)} / {_cent(found.recall)} / {_cent(found.false_flags)}"),
        "## Names (per cent: F1 by span / F1 by comment / recall by comment)",
        _table(lines, names, _spans),
        "## Personal data (per cent: F1 by span / F1 by comment / recall by comment)",
        _table(lines, pii, _spans),
        *(("## The rest", _rows(["contender", *COST], rest)) if rest else ()),
        NOTES,
    ]
    return "\n\n".join(parts) + "\n"


def _table(lines: Mapping[str, Line], judged: Mapping[tuple[str, str], Accuracy], told: Callable[[Accuracy], str]) -> str:
    """Return the table of everybody judged: cost, then accuracy set by set."""
    sets = list(dict.fromkeys(name for _, name in judged))
    everybody = list(dict.fromkeys(who for who, _ in judged))
    rows = [[_label(who), *lines[who].cells(), *(told(judged[who, name]) for name in sets)] for who in everybody]
    return _rows(["contender", *COST, *sets], rows)


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = (" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    first, *others = (f"| {line} |" for line in lines)
    return "\n".join([first, f"|{'|'.join('-' * (width + 2) for width in widths)}|", *others])


def _spans(found: Found) -> str:
    return f"{_cent(found.span_f1)} / {_cent(found.comment_f1)} / {_cent(found.comment_recall)}"


def _label(name: str) -> str:
    return LABELS.get(name, name)


def _cent(share: float) -> str:
    return f"{100 * share:.1f}"

"""Printing rows of figures as a table, as JSON lines or as CSV. Called by `train` and `evaluate`."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

Row = Mapping[str, object]


class FigureFormat(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def lines(rows: Sequence[Row], output: FigureFormat) -> Iterator[str]:
    """Yield the rows, all with the same keys, in one of the formats."""
    if output is FigureFormat.JSONL:
        yield from (json.dumps(dict(row)) for row in rows)
    elif output is FigureFormat.CSV:
        yield from _csv(rows)
    else:
        yield from table(rows)


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table for people: a line of heads, then a line a row, columns aligned. None is an empty cell."""
    heads = list(rows[0]) if rows else []
    cells = [["" if row[head] is None else str(row[head]) for head in heads] for row in rows]
    widths = [max(len(line[place]) for line in [heads, *cells]) for place in range(len(heads))]
    for line in [heads, *cells] if rows else []:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _csv(rows: Sequence[Row]) -> Iterator[str]:
    heads = list(dict.fromkeys(head for row in rows for head in row))
    body = io.StringIO()
    writer = csv.DictWriter(body, heads, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    yield from body.getvalue().splitlines()

"""`moderator backtest`: what a policy would have done to past comments. Nothing is stored, hidden or sent."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.assess import read_matcher, read_policy

if TYPE_CHECKING:
    from moderator.learn.backtest import Backtest, Group, Past, Truth

IDS = 20
"""How many ids of a group the table shows; `--format jsonl` gives all."""


class BacktestFormat(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def backtest(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[
        Path, typer.Argument(help="Past comments: JSONL or CSV with text (and id, account, day, abusive, outcome), or plain text.")
    ],
    *,
    policy: Annotated[Path | None, typer.Option(help="Policy TOML in place of the bundled one.")] = None,
    against: Annotated[Path | None, typer.Option(help="Another policy TOML: show what would be otherwise than under it.")] = None,
    roll: Annotated[
        Path | None, typer.Option(help="CSV of people to protect: reference, kind, first_name, last_name, title, known_as.")
    ] = None,
    output: Annotated[
        BacktestFormat, typer.Option("--format", help="A table for people, one JSON object a line, or CSV.")
    ] = BacktestFormat.TABLE,
    show: Annotated[int, typer.Option(min=0, help="Show the texts of so many comments of each group. Otherwise ids only.")] = 0,
    models: Annotated[Path | None, typer.Option(help="Folder of models in place of the bundled ones.")] = None,
) -> None:
    """Say what a policy would have done to past comments, and what would be otherwise under it than under another."""
    rules, other = read_policy(policy), None if against is None else read_policy(against)
    matcher = read_matcher(roll)
    from moderator.cli.past import read_past  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.learn.backtest import backtest as run  # noqa: PLC0415 - the same
    from moderator.learn.classifier import Assessor  # noqa: PLC0415 - scikit-learn loads slowly
    from moderator.learn.load import bundled  # noqa: PLC0415 - the same

    comments = read_past(file)
    made = run(comments, Assessor(models or bundled(), matcher), rules, against=other)
    lines = {BacktestFormat.TABLE: _table, BacktestFormat.JSONL: _jsonl, BacktestFormat.CSV: _csv}[output]
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines(made, comments, show)).encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def _shown(made: "Backtest") -> list["Group"]:
    """Return the groups worth showing one by one: whatever is not clear, what changes, and what people said otherwise."""
    return [*(group for group in made.outcomes if group.name != "clear"), *made.changes, *_wrong(made)]


def _wrong(made: "Backtest") -> list["Group"]:
    from moderator.learn.backtest import Group  # noqa: PLC0415 - as in `backtest`

    if made.truth is None:
        return []
    return [
        Group("abuse missed", made.truth.missed),
        Group("falsely hidden", made.truth.falsely_hidden),
        Group("otherwise than a person said", made.truth.otherwise),
    ]


def _jsonl(made: "Backtest", comments: Sequence["Past"], show: int) -> Iterator[str]:
    head = {"kind": "backtest", "policy": made.policy, "against": made.against or None, "model": made.model, "comments": made.comments}
    yield json.dumps(head)
    for count in made.counts:
        yield json.dumps({"kind": "count", **asdict(count)})
    for kind, groups in (("outcome", made.outcomes), ("change", made.changes)):
        for group in groups:
            yield json.dumps({"kind": kind, "name": group.name, "comments": len(group.ids), "ids": group.ids})
    if made.truth is not None:
        yield json.dumps({"kind": "truth", **asdict(made.truth)})
    for group in _shown(made) if show else ():
        for given, text in made.texts(group, comments, most=show):
            yield json.dumps({"kind": "text", "group": group.name, "id": given, "text": text})


def _csv(made: "Backtest", comments: Sequence["Past"], show: int) -> Iterator[str]:
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\n")
    writer.writerow(("by", "name", "comments", "clear", "hide", "route", "withhold", "ids", "texts"))
    for count in made.counts:
        writer.writerow((*asdict(count).values(), "", ""))
    for group in (*made.changes, *_wrong(made)):
        texts = " | ".join(" ".join(text.split()) for _, text in made.texts(group, comments, most=show)) if show else ""
        writer.writerow(("group", group.name, len(group.ids), "", "", "", "", " ".join(map(str, group.ids)), texts))
    yield body.getvalue().rstrip("\n")


def _table(made: "Backtest", comments: Sequence["Past"], show: int) -> Iterator[str]:
    yield f"{made.comments} comments under policy {made.policy}, model {made.model}."
    yield ""
    heads = ("by", "name", "comments", "clear", "hide", "route", "withhold")
    rows = [tuple(str(value) for value in asdict(count).values()) for count in made.counts]
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    for row in [heads, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if made.against:
        yield f"\nOtherwise than under policy {made.against}:"
        yield from (_line(group) for group in made.changes)
    if made.truth is not None:
        yield f"\n{_figures(made.truth)}"
        yield from (_line(group) for group in _wrong(made))
    for group in _shown(made) if show else ():
        yield from _texts(made, group, comments, show)


def _figures(truth: "Truth") -> str:
    said = (
        (truth.abusive, f"{len(truth.found)} of {truth.abusive} abusive comments found ({len(truth.found) / max(truth.abusive, 1):.1%})"),
        (truth.harmless, f"{truth.harmless} called harmless"),
        (truth.decided, f"{truth.decided - len(truth.otherwise)} of {truth.decided} with the outcome a person gave"),
    )
    return f"Against what people said: {'; '.join(told for there, told in said if there)}."


def _line(group: "Group") -> str:
    shown = " ".join(map(str, group.ids[:IDS])) + (" …" if len(group.ids) > IDS else "")
    return f"  {group.name}: {len(group.ids)}{f'  ({shown})' if group.ids else ''}"


def _texts(made: "Backtest", group: "Group", comments: Sequence["Past"], show: int) -> Iterator[str]:
    texts = made.texts(group, comments, most=show)
    if texts:
        yield f"\n{group.name}:"
        yield from (f"  {given}: {' '.join(text.split())}" for given, text in texts)

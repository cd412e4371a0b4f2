"""`moderator train` and `moderator evaluate`: rebuild the abuse model from labelled text, and judge it on any labelled file."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moderator.domain.policy import Policy
    from moderator.learn.evaluate import Figure


class FigureFormat(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def train(
    *,
    data: Annotated[
        Path, typer.Option(help="Folder with abuse/train.csv, dev.csv, goemotions.txt and profanity_en.csv; see the model card.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write abuse.skops, abuse.json and MODEL_CARD.md to.")] = Path("models"),
    seed: Annotated[int, typer.Option(min=0, help="Orders the rows; the same seed and data give the same model.")] = 7,
    school: Annotated[Path | None, typer.Option(help="School comments in place of the bundled ones.")] = None,
) -> None:
    """Train the abuse model: read, split, fit, calibrate, judge and save. Takes a few minutes."""
    from moderator.learn.load import bundled  # noqa: PLC0415 - scikit-learn loads slowly; keeps `moderator --help` quick
    from moderator.learn.train import train as run  # noqa: PLC0415 - the same

    day = datetime.now(UTC).date()
    made = run(data, school=school or bundled() / "data" / "school.jsonl", out=out, day=day, seed=seed, say=_say)
    _print(made.figures, FigureFormat.TABLE)
    for name, share in made.flagged.items():
        typer.echo(f"flagged of {name}: {share:.1%}")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def evaluate(
    *,
    data: Annotated[
        Path, typer.Option(help="Labelled CSV or JSONL: text, a column a label (0, 1, empty for unknown), and source if known.")
    ],
    models: Annotated[Path | None, typer.Option(help="Folder of models in place of the bundled ones.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy TOML whose thresholds are judged, in place of the bundled one.")] = None,
    output: Annotated[FigureFormat, typer.Option("--format", help="How the figures are printed.")] = FigureFormat.TABLE,
    floor: Annotated[float, typer.Option(min=0, max=1, help="Exit 1 when the mean AUC of abusive is below this.")] = 0.5,
) -> None:
    """Judge the abuse model on a labelled file, by source and label. Exit code 1 when it is below the floor."""
    from moderator.cli.assess import read_policy  # noqa: PLC0415 - beside the others
    from moderator.learn.corpus import read_labelled  # noqa: PLC0415 - scikit-learn loads slowly
    from moderator.learn.evaluate import judge, mean_auc  # noqa: PLC0415 - the same
    from moderator.learn.load import bundled, load  # noqa: PLC0415 - the same
    from moderator.text.normalise import normalise  # noqa: PLC0415 - the same

    rules: Policy = read_policy(policy)
    examples = read_labelled(data)
    if not examples:
        message = f"{data}: holds no labelled text"
        raise BadInput(message)
    pipeline, _ = load(models or bundled())
    figures = judge(examples, pipeline.predict_proba([normalise(example.text) for example in examples]), rules)
    _print(figures, output)
    if any(figure.auc is not None and figure.label == "abusive" for figure in figures) and mean_auc(figures) < floor:
        typer.echo(f"mean AUC of abusive {mean_auc(figures):.3f} is below {floor}", err=True)
        raise typer.Exit(1)


def _print(figures: "Sequence[Figure]", output: FigureFormat) -> None:
    rows = [figure.row() for figure in figures]
    if output is FigureFormat.JSONL:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    heads = list(rows[0]) if rows else []
    cells = [["" if row[head] is None else str(row[head]) for head in heads] for row in rows]
    if output is FigureFormat.CSV:
        for line in [heads, *cells]:
            typer.echo(",".join(line))
        return
    widths = [max(len(line[place]) for line in [heads, *cells]) for place in range(len(heads))]
    for line in [heads, *cells]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

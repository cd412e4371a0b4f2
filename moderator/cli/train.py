"""`moderator train` and `moderator evaluate`: rebuild the models from labelled text, fit thresholds to local decisions, and judge both."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.figures import FigureFormat, Row, lines
from moderator.domain.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moderator.domain.policy import Policy
    from moderator.learn.champion import Contest
    from moderator.learn.corpus import Example
    from moderator.learn.evaluate import Figure
    from moderator.learn.guarded import Guarded
    from moderator.learn.train import Trained


class Tier(StrEnum):
    """Which tiers of the abuse model judge: the linear one alone, or with the encoder where the first is in doubt."""

    LINEAR = "linear"
    ENCODER = "encoder"


def train(  # noqa: PLR0913 - each is an option of the command
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder with abuse/train.csv, dev.csv, goemotions.txt and profanity_en.csv; see the model card.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of models to replace, if the new ones are no worse.")] = Path("models"),
    seed: Annotated[int, typer.Option(min=0, help="Orders the rows; the same seed and data give the same model.")] = 7,
    school: Annotated[Path | None, typer.Option(help="School comments in place of the bundled ones.")] = None,
    test: Annotated[Path | None, typer.Option(help="School comments by another hand, for judging only.")] = None,
    force: Annotated[
        str, typer.Option(help="Replace the models although a guarded figure is worse, for this reason; it goes on the card.")
    ] = "",
    local: Annotated[
        bool, typer.Option("--local", help="Fit the policy's thresholds to what people here decided; train no model.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --local: write the thresholds as a new policy version.")] = False,
    author: Annotated[str, typer.Option(help="With --apply: who decides this, by name and role.")] = "",
    why: Annotated[str, typer.Option(help="With --apply: why.")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="With --local: the settings file.")] = None,
) -> None:
    """Train the models, and put them in place only if no guarded figure is worse. Exit code 1 when they are not."""
    if local:
        from moderator.cli.recalibrate import recalibrate  # noqa: PLC0415 - scikit-learn loads slowly; keeps `moderator --help` quick

        recalibrate(config, apply=apply, author=author, why=why, school=school)
        return
    if data is None or apply:
        message = "--apply goes with --local" if apply else "give --data, the folder of labelled text, or --local to fit thresholds only"
        raise BadInput(message)
    contest, made = _contest(data, out, school, test, seed, force)
    _print([row for tier, figures in made.figures.items() for row in _rows(figures, tier)], FigureFormat.TABLE)
    for name, share in made.flagged.items():
        typer.echo(f"flagged of {name}: {share:.1%}")
    typer.echo("")
    _print([comparison.row() for comparison in contest.comparisons], FigureFormat.TABLE)
    typer.echo(contest.why)
    if not contest.won:
        typer.echo(f"{out} is as it was. To replace it all the same: --force REASON.", err=True)
        raise typer.Exit(1)


def _contest(  # noqa: PLR0913, PLR0917 - the options of `train`
    data: Path, out: Path, school: Path | None, test: Path | None, seed: int, force: str
) -> "tuple[Contest, Trained]":
    from moderator.learn.champion import challenge  # noqa: PLC0415 - scikit-learn loads slowly
    from moderator.learn.load import bundled  # noqa: PLC0415 - the same
    from moderator.learn.remeasure import remeasure  # noqa: PLC0415 - the same
    from moderator.learn.train import train as run  # noqa: PLC0415 - the same

    comments = school or bundled() / "data" / "school.jsonl"
    made: list[Trained] = []

    def make(stage: Path) -> None:
        made.append(run(data, school=comments, out=stage, day=datetime.now(UTC).date(), test=test, seed=seed, say=_say))

    def measure(folder: Path) -> "list[Guarded]":
        _say("measuring the models in place")
        return remeasure(folder, data, school=comments, test=test, seed=seed)

    return challenge(out, make=make, measure=measure, reason=force.strip()), made[0]


def _say(text: str) -> None:
    typer.echo(text, err=True)


def evaluate(  # noqa: PLR0913 - each is an option of the command
    *,
    data: Annotated[
        Path,
        typer.Option(
            help="Labelled CSV or JSONL: text, a column a label (0, 1, empty for unknown), and source, parent, people, guard if known."
        ),
    ],
    models: Annotated[Path | None, typer.Option(help="Folder of models in place of the bundled ones.")] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy TOML whose thresholds are judged, in place of the bundled one.")] = None,
    output: Annotated[FigureFormat, typer.Option("--format", help="How the figures are printed.")] = FigureFormat.TABLE,
    tier: Annotated[Tier, typer.Option(help="Judge the linear tier alone, or both.")] = Tier.ENCODER,
    floor: Annotated[float, typer.Option(min=0, max=1, help="Exit 1 when the mean AUC of abusive is below this.")] = 0.5,
) -> None:
    """Judge abuse, names and outcomes on a labelled file. Exit code 1 when the mean AUC of abusive is below the floor."""
    from moderator.cli.assess import read_policy  # noqa: PLC0415 - beside the others
    from moderator.learn.corpus import read_labelled  # noqa: PLC0415 - scikit-learn loads slowly
    from moderator.learn.evaluate import judge, mean_auc  # noqa: PLC0415 - the same
    from moderator.learn.load import bundled  # noqa: PLC0415 - the same
    from moderator.learn.tiers import Tiers  # noqa: PLC0415 - the same
    from moderator.learn.train import probabilities  # noqa: PLC0415 - the same

    rules: Policy = read_policy(policy)
    examples = read_labelled(data)
    if not examples:
        message = f"{data}: holds no labelled text"
        raise BadInput(message)
    folder, encoder = models or bundled(), tier is Tier.ENCODER
    tiers = Tiers.load(folder, encoder=encoder)
    figures = judge(examples, probabilities(tiers, examples), rules)
    _print(_rows(figures, "encoder" if tiers.reads_twice else "linear"), output)
    _whole(examples, folder, rules, output, encoder=encoder)
    if any(figure.auc is not None and figure.label == "abusive" for figure in figures) and mean_auc(figures) < floor:
        typer.echo(f"mean AUC of abusive {mean_auc(figures):.3f} is below {floor}", err=True)
        raise typer.Exit(1)


def _whole(examples: "Sequence[Example]", folder: Path, rules: "Policy", output: FigureFormat, *, encoder: bool) -> None:
    """Print how the whole assessor does: names where the file marks people, outcomes where it says what comments are."""
    from moderator.learn.classifier import Assessor  # noqa: PLC0415 - scikit-learn loads slowly
    from moderator.learn.mentions import mentions  # noqa: PLC0415 - the same
    from moderator.learn.outcomes import KINDS, outcomes  # noqa: PLC0415 - the same

    if not any(is_one(example) for example in examples for is_one in KINDS.values()):
        return
    assessor = Assessor(folder, encoder=encoder)
    scores = assessor.score([example.text for example in examples], parents=[example.parent for example in examples])
    for kind, rows in (
        ("names", [figure.row() for figure in mentions(examples, scores)]),
        ("outcome", [figure.row() for figure in outcomes(examples, scores, rules)]),
    ):
        if rows:
            typer.echo("" if output is not FigureFormat.JSONL else None, nl=output is not FigureFormat.JSONL)
            _print([{"figure": kind, **row} for row in rows], output)


def _rows(figures: "Sequence[Figure]", tier: str) -> list[dict[str, object]]:
    return [{"tier": tier, **figure.row()} for figure in figures]


def _print(rows: "Sequence[Row]", output: FigureFormat) -> None:
    for line in lines(rows, output):
        typer.echo(line)

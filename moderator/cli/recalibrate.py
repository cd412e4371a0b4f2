"""`moderator train --local`: fit the policy's thresholds to what people here decided, show the effect, and write it only when asked to."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from moderator.cli.config import settings
from moderator.cli.figures import table
from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import SystemClock, london_date

if TYPE_CHECKING:
    from moderator.learn.corpus import Example
    from moderator.learn.recalibrate import Judged, Recalibration
    from moderator.learn.tiers import Tiers
    from moderator.settings import Settings


def recalibrate(config: Path | None, *, apply: bool, author: str, why: str, school: Path | None) -> None:
    """Show, and with `apply` write, the thresholds that fit what people here decided.

    1. Copy the reviewed comments from the database to `feedback/` in the data folder, for this machine's use only.
    2. Score them and the bundled school comments that no fit has seen. 3. Fit each label's threshold inside the guarded limits.
    4. Show what would change. 5. With `apply`, write a new policy version into `policies/` in the data folder.
    """
    if apply and (not author.strip() or len(why.strip()) < MIN_JUSTIFICATION):
        message = (
            f"--apply writes a new policy version: say who with --author, and why with --why, in at least {MIN_JUSTIFICATION} characters"
        )
        raise BadInput(message)
    options = settings(config)
    text, rules = _in_force(options)
    made = _fitted(options, rules, school)
    _show(made)
    if apply and made.moved:
        _apply(options, text, made, author.strip(), why.strip())
    elif apply:
        typer.echo("Nothing to write: no threshold moves.")
    elif made.moved:
        typer.echo("Nothing is changed yet. To write this as a new policy version: --apply --author NAME --why REASON.")


def _in_force(options: "Settings") -> tuple[str, Policy]:
    """Return the policy in force, as text and read: the version saved last on the Policy page, or else the file's."""
    from moderator.build import open_database, policy_file  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store.policies import StoredPolicies  # noqa: PLC0415 - the same

    database = open_database(options)
    try:
        found = StoredPolicies(database, policy_file(options))
        return found.text(), found.current()
    finally:
        database.engine.dispose()


def _fitted(options: "Settings", rules: Policy, school: Path | None) -> "Recalibration":
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.learn.corpus import read_labelled  # noqa: PLC0415 - the same
    from moderator.learn.feedback import example, keep, usable  # noqa: PLC0415 - the same
    from moderator.learn.recalibrate import held_back  # noqa: PLC0415 - the same
    from moderator.learn.recalibrate import recalibrate as fit  # noqa: PLC0415 - the same
    from moderator.learn.tiers import Tiers  # noqa: PLC0415 - the same
    from moderator.store.reviewed import reviewed  # noqa: PLC0415 - the same

    database = open_database(options)
    with database.reading() as connection:
        found = usable(reviewed(connection))
    path = keep(options.data_dir / "feedback", found)
    typer.echo(f"{len(found)} comments decided by people here; kept in {path}, for this machine's use only.")
    tiers = Tiers.load(options.models_dir)
    held = held_back(read_labelled(school or options.models_dir / "data" / "school.jsonl"))
    return fit(_judged(tiers, [example(each) for each in found]), _judged(tiers, held), rules)


def _judged(tiers: "Tiers", examples: Sequence["Example"]) -> "Judged":
    from moderator.learn.recalibrate import Judged  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.learn.train import probabilities  # noqa: PLC0415 - the same

    return Judged(examples, probabilities(tiers, examples))


def _show(made: "Recalibration") -> None:
    rows = [{"label": s.label, "old": s.old, "new": s.new, "upheld": s.upheld, "restored": s.restored, "why": s.why} for s in made.shifts]
    typer.echo("\n".join(table(rows)))
    typer.echo("")
    effects = [
        {"comments": effect.name, "count": effect.comments, "flagged now": effect.before, "flagged then": effect.after}
        for effect in made.effects
    ]
    typer.echo("\n".join(table(effects)))


def _apply(options: "Settings", text: str, made: "Recalibration", author: str, why: str) -> None:
    from moderator.learn.restated import Version, next_version, restated, write_new  # noqa: PLC0415 - keeps `moderator --help` quick

    folder = options.data_dir / "policies"
    dated = london_date(SystemClock().now()).isoformat()
    version = next_version(folder, dated)
    path = write_new(folder, restated(text, Version(version, author, dated, why), flag=made.flag), version=version)
    typer.echo(f'Written: {path}. To use it, set policy_file = "{path}" in moderator.toml and restart the service.')
    typer.echo("Where a version was saved on the Policy page, that one counts before any file: try these numbers and save them there.")

"""`moderator uphold` and `moderator restore`: a person's decision from the command line, with its justification (R24)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import checked
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.review import Review, Verdict

if TYPE_CHECKING:
    from pathlib import Path

Item = Annotated[int, typer.Argument(help="The item's number, as on its page.")]
Why = Annotated[str, typer.Option("--why", help="The justification. It is kept with the record.")]
By = Annotated[str, typer.Option("--by", help="Who decides: a designation reference, e.g. HEAD-1.")]


def uphold(item: Item, *, why: Why, by: By, config: Config = None) -> None:
    """Keep what the service did with an item."""
    _review(item, Verdict.UPHOLD, why, by, config)
    typer.echo(f"Item {item}: the decision is kept.")


def restore(item: Item, *, why: Why, by: By, config: Config = None) -> None:
    """Show a hidden comment again: un-hides it on the platform and reads back first."""
    state = _review(item, Verdict.RESTORE, why, by, config)
    if state == "restored":
        typer.echo(f"Item {item} shows again.")
    else:
        typer.echo(f"Item {item}: the restore is written down and will be tried again; it is {state} for now.")


def _review(item: int, verdict: Verdict, why: str, by: str, config: "Path | None") -> str:
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.steps.drain import drain  # noqa: PLC0415 - the same
    from moderator.steps.restore import restore as restore_step  # noqa: PLC0415 - the same
    from moderator.steps.review import review  # noqa: PLC0415 - the same

    context = build(settings(config))
    try:
        now = context.tools.clock.now()
        decision = Review(item, verdict, by, why, now)
        checked(context.database, by=by, action=Action.DECIDE, school=context.database.work(item).item.school)
        review(context.tools, decision)
        drain(restore_step, context.tools, limit=20, deadline=now + timedelta(minutes=2))
        return context.database.work(item).state.value
    finally:
        context.close()

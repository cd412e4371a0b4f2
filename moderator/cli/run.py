"""`moderator run`: the service: scheduler, steps and review app in one process."""

from pathlib import Path
from typing import Annotated

import typer

from moderator.cli.config import Config, settings


def run(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Rehearse on a practice network of its own, in the folder run/.")] = False,
    out: Annotated[Path, typer.Option(help="With --demo: where everything is kept.")] = Path("run"),
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every event, not only trouble.")] = False,
    config: Config = None,
) -> None:
    """Run the service until Ctrl-C."""
    from moderator import logs  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.cli.serve import rehearse, serve  # noqa: PLC0415 - the same

    if demo:
        logs.set_up(verbose=verbose)
        rehearse(out, comments=None, practice_url="", once=False, listen_port=8080)
        return
    options = settings(config)
    logs.set_up(verbose=verbose)
    serve(options)

"""`moderator link`: a fresh one-time sign-in link, for somebody who has lost theirs."""

from typing import Annotated

import typer

from moderator.cli.config import Config, settings


def link(
    *, by: Annotated[str, typer.Option("--by", help="Whom it is for: a designation reference, e.g. HEAD-1.")], config: Config = None
) -> None:
    """Print a one-time link that signs this person in to the review page."""
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.cli.serve import sign_in_link  # noqa: PLC0415 - the same

    options = settings(config)
    typer.echo(sign_in_link(open_database(options), options, by))

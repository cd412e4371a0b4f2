"""`moderator link`: a one-time sign-in link for a designated person, from the console. For whoever has no other way in."""

from typing import Annotated

import typer

from moderator.cli.config import Config, settings


def link(
    *,
    person: Annotated[str, typer.Option("--person", help="Whom it is for: a live designation, e.g. HEAD-1.")],
    config: Config = None,
) -> None:
    """Print a one-time link that signs this person in. The ledger says that they came by a link."""
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.cli.serve import sign_in_link  # noqa: PLC0415 - the same

    options = settings(config)
    typer.echo(sign_in_link(open_database(options), options, person))

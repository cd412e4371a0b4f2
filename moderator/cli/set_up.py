"""`moderator set-up`: a new one-time code for the first CEO or Headteacher, while nobody can sign in yet."""

import typer

from moderator.cli.config import Config, settings


def set_up(*, config: Config = None) -> None:
    """Print a new one-time code for the first CEO or Headteacher. The one before it ends."""
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.cli.serve import first_way_in  # noqa: PLC0415 - the same

    options = settings(config)
    for line in first_way_in(open_database(options), options):
        typer.echo(line)

"""`moderator roll`: the people a school protects, imported from its own system and kept as keyed tokens (R20, R29)."""

from pathlib import Path
from typing import Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.errors import BadInput

rolls = typer.Typer(no_args_is_help=True, help="The people a school protects.", rich_markup_mode=None)


@rolls.callback()
def roll() -> None:
    """Keep the roll: names are matched on this machine only, and stored as keyed tokens and ciphertext."""


@rolls.command("import")
def import_roll(
    file: Annotated[Path, typer.Argument(help="CSV with reference, kind, first_name, last_name and, if known, title and known_as.")],
    *,
    school: Annotated[str, typer.Option(help="The school's slug in moderator.toml.")],
    config: Config = None,
) -> None:
    """Put this roll in place of the school's earlier one. Nothing is changed when a row is wrong."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.learn.roll import roll_tokens  # noqa: PLC0415 - the same
    from moderator.learn.rollfile import read_roll  # noqa: PLC0415 - the same
    from moderator.store import people  # noqa: PLC0415 - the same

    options = settings(config)
    entries, wrong = read_roll(file)
    if wrong:
        row = min(wrong)
        message = f"{file}: {len(wrong)} rows cannot be used; the first is line {row}: {wrong[row]}. Nothing was imported."
        raise BadInput(message)
    key = bytes.fromhex(options.secret("roll.key"))
    database = build.open_database(options)
    with database.unit() as unit:
        people.school(unit.connection, school)
        tokens = [token for entry in entries for token in roll_tokens(entry, key)]
        count = people.replace_roll(unit.connection, school, entries, tokens, build.sealer(options))
    typer.echo(f"{count} people of {school} are on the roll. Restart a running service to use it. Now delete {file.name}.")

"""Where the settings are: the `--config` option shared by every command that needs them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from moderator.settings import Settings

Config = Annotated[
    Path | None,
    typer.Option("--config", help="The settings file. Otherwise MODERATOR_CONFIG, ./moderator.toml or /etc/moderator/moderator.toml."),
]

PLACES = (Path("moderator.toml"), Path("/etc/moderator/moderator.toml"))


def settings(config: Path | None) -> "Settings":
    """Return the settings. Raises BadInput when there is no file or something in it is wrong."""
    from moderator import logs  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.settings import load  # noqa: PLC0415 - the same

    logs.set_up()
    named = config or (Path(os.environ["MODERATOR_CONFIG"]) if "MODERATOR_CONFIG" in os.environ else None)
    return load(named or next((path for path in PLACES if path.exists()), PLACES[0]))

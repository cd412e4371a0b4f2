"""`moderator practice`: runs a practice network until Ctrl-C; called by the command line."""

from pathlib import Path
from typing import Annotated

import typer


def practice(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8700,
    host: Annotated[str, typer.Option(help="Address to listen on. The network has no sign-in: keep it on this machine.")] = "127.0.0.1",
    comments: Annotated[Path | None, typer.Option(help="Comments to load: plain text (one a line), CSV or JSONL with a text.")] = None,
    log: Annotated[Path | None, typer.Option(help="Append one JSON line a request to this file.")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep the network in this file, so that it survives a restart.")] = None,
) -> None:
    """Run a practice network: X's API and public pages for an invented school, to rehearse on."""
    from moderator.platforms.practice.network import PracticeNetwork  # noqa: PLC0415 - `moderator --help` must stay quick
    from moderator.platforms.practice.school import SCHOOL_HANDLE  # noqa: PLC0415 - the same
    from moderator.platforms.practice.server import listen, serve_on  # noqa: PLC0415 - the same

    listening = listen(host, port)
    with listening:
        network = PracticeNetwork(state=state, comments=comments, log=log)
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"Practice network for @{SCHOOL_HANDLE}: http://{shown}:{listening.getsockname()[1]}/")
        typer.echo(f"{network.added} comments loaded. Ctrl-C ends it.")
        serve_on(network, listening)

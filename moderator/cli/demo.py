"""`moderator demo`: the whole job, offline, on a practice network."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    comments: Annotated[
        Path | None, typer.Option(help="Comments for the practice network: CSV with a text column, JSONL, or a line each.")
    ] = None,
    practice_url: Annotated[str, typer.Option(help="Use this running practice network. Otherwise one is started.")] = "",
    out: Annotated[Path, typer.Option(help="Where the result goes. Run again on it to go on.")] = Path("out"),
    once: Annotated[bool, typer.Option("--once", help="End when nothing waits. Otherwise the review page stays up until Ctrl-C.")] = False,
) -> None:
    """Poll, score, decide, record, hide, alert and report, and write everything in --out."""
    from moderator import logs  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.cli.serve import rehearse  # noqa: PLC0415 - the same

    logs.set_up()
    rehearse(out, comments=comments, practice_url=practice_url, once=once, listen_port=0 if once else 8080)

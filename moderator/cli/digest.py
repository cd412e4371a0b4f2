"""`moderator digest`: show or send one day's digest."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.times import london_date


def digest(
    *,
    school: Annotated[str, typer.Option(help="The school's slug.")],
    date: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The day in London. Otherwise today.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Print the message; send nothing.")] = False,
    config: Config = None,
) -> None:
    """Send one day's digest, once; or print it with --preview."""
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.calendar import Span  # noqa: PLC0415 - the same
    from moderator.steps.digest import content_of, digest_for  # noqa: PLC0415 - the same
    from moderator.steps.drain import drain  # noqa: PLC0415 - the same
    from moderator.steps.send import send  # noqa: PLC0415 - the same
    from moderator.store import people  # noqa: PLC0415 - the same

    context = build(settings(config))
    try:
        tools = context.tools
        now = tools.clock.now()
        day = date.date() if date else london_date(now)
        with context.database.reading() as connection:
            of = people.school(connection, school)
        if preview:
            typer.echo(tools.composer.digest(content_of(tools, of, Span.of(day))).as_string())
            return
        new = digest_for(tools, of, Span.of(day))
        drain(send, tools, limit=20, deadline=now + timedelta(minutes=2))
        typer.echo(f"The digest of {day} is on its way." if new else f"The digest of {day} was made before; it is not sent twice.")
    finally:
        context.close()

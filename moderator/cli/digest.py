"""`moderator digest`: send one day's digest, or look at what would be sent: the school's, the trust's, a week's or a term's report."""

from dataclasses import dataclass
from datetime import date as day_of_the_year
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.errors import BadInput
from moderator.domain.report import ReportKind
from moderator.domain.times import london_date

if TYPE_CHECKING:
    from email.message import EmailMessage

    from moderator.build import Context
    from moderator.domain.account import School


class Format(StrEnum):
    """How a preview is written: as a person reads it, as a browser shows it, or the whole message."""

    TEXT = "text"
    HTML = "html"
    EML = "eml"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which mail is meant: `school` "" is the trust's own; `report` None is the digest."""

    school: str
    day: day_of_the_year
    report: ReportKind | None


def digest(  # noqa: PLR0913 - one argument an option
    *,
    school: Annotated[str, typer.Option(help="The school's slug.")] = "",
    date: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The day in London. Otherwise today to look at, yesterday to send."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show the message; send nothing and keep nothing.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="With --preview: the trust's own, across its schools.")] = False,
    report: Annotated[
        ReportKind | None, typer.Option(help="With --preview: the report of the week or the term with that day in it.")
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="With --preview: text, html, or eml for the whole message.")] = None,
    out: Annotated[Path | None, typer.Option(help="With --preview: a new file for it. Otherwise it is printed.")] = None,
    config: Config = None,
) -> None:
    """Send one day's digest, once; or look at it with --preview."""
    _refuse_mixed(school, preview=preview, trust=trust, others=(report, form, out))
    if out is not None and out.exists():
        message = f"{out} is there already: give the name of a new file"
        raise BadInput(message)
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick

    context = build(settings(config))
    try:
        today = london_date(context.tools.clock.now())
        last = today if preview else today - timedelta(days=1)  # a day that is not over is told of only in part: it is not sent
        wanted = _Wanted(school, date.date() if date else last, report)
        if wanted.day > today:
            message = f"{wanted.day} is not yet: give today, {today}, or a day before"
            raise BadInput(message)
        if wanted.day > last:
            message = f"{wanted.day} is not over, and a day is told of once: its digest comes by itself. Look at it with --preview"
            raise BadInput(message)
        if preview:
            _show(_preview(context, wanted), form or Format.TEXT, out)
        else:
            _send(context, wanted)
    finally:
        context.close()


def _refuse_mixed(school: str, *, preview: bool, trust: bool, others: tuple[object, ...]) -> None:
    """Raise BadInput for options that do not go together."""
    if not preview and (trust or any(each is not None for each in others)):
        message = "--trust, --report, --format and --out are for --preview: add it, and nothing is sent"
        raise BadInput(message)
    if bool(school) == trust:
        message = "give --school, the school's slug in moderator.toml, or --trust with --preview: one of the two"
        raise BadInput(message)


def _preview(context: "Context", wanted: _Wanted) -> "EmailMessage":
    """Return the message as its first reader would get it. Writes nothing. Raises BadInput when nobody would."""
    from moderator.steps.report import report_preview  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.steps.trust_digest import trust_digest_preview  # noqa: PLC0415 - the same

    tools = context.tools
    if wanted.school:
        _school(context, wanted.school)
    if wanted.report is not None:
        found = report_preview(tools, wanted.report, wanted.day, school=wanted.school)
    elif not wanted.school:
        found = trust_digest_preview(tools, wanted.day)
    else:
        found = _school_digest(context, wanted)
    if found is None:
        message = "nobody would get this: it is switched off in the settings, or nobody is designated to read it"
        raise BadInput(message)
    return found


def _school_digest(context: "Context", wanted: _Wanted) -> "EmailMessage":
    from moderator.steps.digest import content_of  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store.digest_span import span_about  # noqa: PLC0415 - the same

    tools, database = context.tools, context.database
    with database.reading() as connection:
        span = span_about(connection, wanted.school, wanted.day, calendar=database.calendar(wanted.school), now=tools.clock.now())
    return tools.composer.digest(content_of(tools, _school(context, wanted.school), span))


def _send(context: "Context", wanted: _Wanted) -> None:
    from moderator.domain.calendar import Span  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.steps.digest import digest_for  # noqa: PLC0415 - the same
    from moderator.steps.drain import drain  # noqa: PLC0415 - the same
    from moderator.steps.send import send  # noqa: PLC0415 - the same

    tools, day = context.tools, wanted.day
    new = digest_for(tools, _school(context, wanted.school), Span.of(day))
    drain(send, tools, limit=20, deadline=tools.clock.now() + timedelta(minutes=2))
    typer.echo(f"The digest of {day} is on its way." if new else f"The digest of {day} was made before; it is not sent twice.")


def _school(context: "Context", slug: str) -> "School":
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    with context.database.reading() as connection:
        return people.school(connection, slug)


def _show(message: "EmailMessage", form: Format, out: Path | None) -> None:
    """Print the preview, or write it to a new file."""
    told = _told(message, form)
    if out is None:
        typer.echo(told, nl=not told.endswith("\n"))
        return
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            file.write(told)
    except OSError as error:
        why = f"{out} cannot be written ({error.strerror})"
        raise BadInput(why) from error
    typer.echo(f"Written to {out}. Nothing was sent.")


def _told(message: "EmailMessage", form: Format) -> str:
    if form is Format.EML:
        return message.as_string()
    body = message.get_body(("html" if form is Format.HTML else "plain",))
    told = str(body.get_content()) if body is not None else ""
    return told if form is Format.HTML else f"To: {message['To']}\nSubject: {message['Subject']}\n\n{told}"

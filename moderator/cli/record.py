"""`moderator record`: how records are kept: show, due, class, hold, release, dispose, approve, refuse (R30)."""

from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import checked
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.disposal import GROUND_WORDS, Disposal, Ground, Kept, LegalHold, disposed_words
from moderator.domain.retention import RecordClass
from moderator.domain.times import SystemClock, london_date, london_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moderator.steps.drain import Tools
    from moderator.store.database import Database

records = typer.Typer(no_args_is_help=True, help="How records are kept: review dates, legal holds, disposal.", rich_markup_mode=None)

Record = Annotated[str, typer.Argument(help="The record's number: R- and 16 letters and digits.", parser=lambda text: text.strip().upper())]
Why = Annotated[str, typer.Option("--why", help="The reason. It is kept; name nobody in it.")]
By = Annotated[str, typer.Option("--by", help="Who does this: a designation reference, e.g. HEAD-1.")]
Reference = Annotated[str, typer.Option("--reference", help="The hold's case or letter number. It goes into the ledger: no names.")]


@records.command()
def show(record: Record, *, config: Config = None) -> None:
    """Show how a record is kept: where, stamps, legal holds, class, review date, disposal."""
    database = _database(config)
    try:
        typer.echo(_shown(database.kept(record)))
    finally:
        database.engine.dispose()


@records.command()
def due(
    *,
    school: Annotated[str, typer.Option(help="One school's slug. Otherwise every school.")] = "",
    before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Up to and with this day. Otherwise up to today.")] = None,
    config: Config = None,
) -> None:
    """List the records whose review date has come. Nothing is ever disposed of by date: people look and decide."""
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    database = _database(config)
    day = before.date() if before else london_date(SystemClock().now())
    try:
        if school:
            with database.reading() as connection:
                people.school(connection, school)
        found = database.due_for_review(before=day, school=school)
    finally:
        database.engine.dispose()
    for each in found:
        typer.echo(f"{each.record_id}  {each.school}  {each.record_class.value}  review date {_day(each.review_on)}")
    if not found:
        typer.echo(f"No record is due for review up to {_day(day)}.")


@records.command("class")
def classify(  # noqa: PLR0913 - one argument an option
    record: Record,
    *,
    why: Why,
    by: By,
    to: Annotated[RecordClass | None, typer.Option("--to", help="The new class. Its years count from the day of sealing.")] = None,
    review_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The new review date, whatever the class.")] = None,
    config: Config = None,
) -> None:
    """Give a record another class, another review date, or both. The earlier ones stay in the database."""
    from moderator.steps.retain import change  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        now = change(tools, record, record_class=to, review_on=review_on.date() if review_on else None, why=why, by=by)
    typer.echo(f"{record} is kept as {now.record_class.value}; people look at it again on {_day(now.review_on)}.")


@records.command()
def hold(record: Record, *, reference: Reference, why: Why, by: By, config: Config = None) -> None:
    """Put a legal hold on a record. While it stands, nobody can dispose of the record."""
    from moderator.steps.legal_hold import place_hold  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        kept = place_hold(tools, record, reference_=reference, why=why, by=by)
    typer.echo(f"{record} is under legal hold: {_holds(kept.standing_holds)}.")


@records.command()
def release(record: Record, *, reference: Reference, why: Why, by: By, config: Config = None) -> None:
    """Release one legal hold. The record itself stays; other holds go on standing."""
    from moderator.steps.legal_hold import release_hold  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        kept = release_hold(tools, record, reference_=reference, why=why, by=by)
    still = f"It is still under legal hold: {_holds(kept.standing_holds)}." if kept.standing_holds else "No legal hold stands on it now."
    typer.echo(f"{record}: hold {reference.strip()} is released. {still}")


@records.command()
def dispose(
    record: Record,
    *,
    ground: Annotated[Ground, typer.Option(help="Why it may go. Before its review date, any but review_date_reached.")],
    why: Why,
    by: By,
    config: Config = None,
) -> None:
    """Propose a record for disposal. Nothing is removed until another person approves it."""
    from moderator.steps.dispose import ask  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        kept = ask(tools, record, ground=ground, why=why, by=by)
    typer.echo(f"{record} is proposed for disposal. Nothing is removed yet. Another person decides:")
    typer.echo(f'  moderator record approve {record} --why "…" --by …   or   moderator record refuse {record} --why "…" --by …')
    if kept.hidden:
        typer.echo(
            "The comment is hidden on the platform. Without its record the service cannot show it again: restore it first if it should."
        )


@records.command()
def approve(record: Record, *, why: Why, by: By, config: Config = None) -> None:
    """Approve a disposal that another person proposed, and carry it out. This cannot be undone."""
    from moderator.steps.dispose import approve as approve_step  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        kept = approve_step(tools, record, why=why, by=by)
    typer.echo(f"{record}: {_disposal(kept)}")


@records.command()
def refuse(record: Record, *, why: Why, by: By, config: Config = None) -> None:
    """Refuse a disposal that waits, or take back one's own. The record is kept."""
    from moderator.steps.dispose import refuse as refuse_step  # noqa: PLC0415 - keeps `moderator --help` quick

    with _tools(config, record, by) as tools:
        refuse_step(tools, record, why=why, by=by)
    typer.echo(f"{record} is kept. The proposal and the refusal are written down.")


def _database(config: "Path | None") -> "Database":
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick

    return build.open_database(settings(config))


@contextmanager
def _tools(config: "Path | None", record: str, by: str) -> "Iterator[Tools]":
    """Yield what the steps work with, once `by` is found to be somebody who may keep and dispose of the school's records (R3)."""
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick

    context = build(settings(config))
    try:
        checked(context.database, by=by, action=Action.KEEP_RECORDS, school=context.database.kept(record).school)
        yield context.tools
    finally:
        context.close()


def _shown(kept: Kept) -> str:
    retention = kept.retention
    lines = {
        "record": kept.record_id,
        "place in the vault": kept.path,
        "captured": kept.capture_kind.value,
        "sealed": london_text(kept.sealed_at),
        "time stamps": _stamps(kept),
        "legal hold": _holds(kept.standing_holds) or "none",
        "class": retention.record_class.value if retention else "not set yet: the service sets it within the hour",
        "review date": _day(retention.review_on) if retention else "not set yet",
        "disposal": _disposal(kept),
    }
    return "\n".join(f"{name:<20}{value}" for name, value in lines.items())


def _stamps(kept: Kept) -> str:
    if kept.stamps:
        return "; ".join(f"{each.authority} on {_on(each.at)}, good until {_on(each.expires_at)}" for each in kept.stamps)
    return "none yet: no authority has answered" if kept.stamp_pending else "none"


def _holds(holds: tuple[LegalHold, ...]) -> str:
    return "; ".join(f"{each.reference} since {_on(each.at)}, by {each.by}" for each in holds)


def _disposal(kept: Kept) -> str:
    if kept.disposal is not None and kept.disposal.approved_at is not None:
        return disposed_words(kept.disposal, _on(kept.disposal.approved_at))
    return f"proposed {_proposed(kept.asked)}" if kept.asked is not None else "none"


def _proposed(asked: Disposal) -> str:
    return f"on {_on(asked.asked_at)} by {asked.asked_by}, because {GROUND_WORDS[asked.ground]}; a second person must decide"


def _on(moment: datetime) -> str:
    return _day(london_date(moment))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"

"""`moderator roll`: the people a school protects, imported from its own system and kept as keyed tokens (R20, R29)."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import checked
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.disposal import designation
from moderator.domain.errors import BadInput
from moderator.domain.roll_change import KINDS
from moderator.domain.score import PersonKind
from moderator.domain.times import SystemClock, london_date

if TYPE_CHECKING:
    from moderator.domain.person import RollEntry
    from moderator.domain.roll_change import RollChange
    from moderator.learn.rollfile import RollFile

rolls = typer.Typer(no_args_is_help=True, help="The people a school protects.", rich_markup_mode=None)

FIRST_ROWS = 5
MOST_ERRORS = 20
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


@rolls.callback()
def roll() -> None:
    """Keep the roll: names are matched on this machine only, and stored as keyed tokens and ciphertext."""


@rolls.command("import")
def import_roll(  # noqa: PLR0913 - the options of one command
    file: Annotated[
        Path, typer.Argument(help="CSV as SIMS, Arbor or Bromcom export it, or with reference, kind, first_name, last_name, …")
    ],
    *,
    school: Annotated[str, typer.Option(help="The school's slug in moderator.toml.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be imported, names as initials.")] = False,
    kind: Annotated[str, typer.Option(help="What rows that do not say are: pupil, staff, parent, governor or other.")] = "",
    leavers_days: Annotated[int, typer.Option(min=0, help="Days a leaver's name keeps matching.")] = 365,
    by: Annotated[str, typer.Option("--by", help="Who does this: a designation reference, e.g. ADMIN-1. It goes into the ledger.")] = "",
    config: Config = None,
) -> None:
    """Put this roll in place of the school's earlier one: who is not in it has left. Nothing is changed when a row is wrong."""
    from moderator.learn.rollfile import read_roll_file  # noqa: PLC0415 - keeps `moderator --help` quick

    read = read_roll_file(file, kind=_kind(kind))
    if preview:
        for line in preview_lines(read):
            typer.echo(line)
        return
    if not school:
        message = "give --school, the school's slug in moderator.toml (or --preview to see what would be imported)"
        raise BadInput(message)
    if read.errors:
        row = min(read.errors)
        message = (
            f"{file}: {len(read.errors)} rows cannot be used; the first is line {row}: {read.errors[row]}. "
            "Nothing was imported; --preview lists them."
        )
        raise BadInput(message)
    change, count = _store(read, school, config, timedelta(days=leavers_days), by)
    typer.echo(f"{count} people of {school} are on the roll. A running service uses it at once. Now delete {file.name}.")
    stay = count - change.in_file
    if stay:
        typer.echo(f"Of them {stay} left: {change.leaving} with this file. Their names match for {leavers_days} days after they left.")


def _kind(word: str) -> PersonKind | None:
    if not word:
        return None
    from moderator.learn.rollfile.cells import kind_of  # noqa: PLC0415 - keeps `moderator --help` quick

    return kind_of(word, None)


def _store(read: "RollFile", school: str, config: Path | None, leavers_match: timedelta, by: str) -> "tuple[RollChange, int]":
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import people  # noqa: PLC0415 - the same

    actor = designation(by) if by else "console"
    options, now = settings(config), SystemClock().now()
    database = build.open_database(options)
    rolls = build.rolls(options, database)
    try:
        with database.reading() as connection:
            people.school(connection, school)
        if by:
            checked(database, by=by, action=Action.CHANGE_ROLL, school=school)
        change = rolls.change(school, read.entries, kinds=KINDS, day=london_date(now), leavers_match=leavers_match)
        with database.unit() as unit:
            return change, rolls.replace(unit, school, change, by=actor, at=now)
    finally:
        database.engine.dispose()


def preview_lines(read: "RollFile") -> Iterator[str]:
    """Yield what an import would do: layout, counts by kind, first rows with names as initials, errors by row. No name is shown."""
    yield f"{len(read.entries)} people would be imported; nothing was. File: {read.encoding}, {_DELIMITERS[read.delimiter]} between cells."
    counts = Counter(entry.kind for entry in read.entries)
    yield "By kind: " + (", ".join(f"{kind.value} {counts[kind]}" for kind in PersonKind if counts[kind]) or "nobody") + "."
    yield "Columns: " + ", ".join(f"{theirs} = {ours}" for theirs, ours in read.columns.recognised.items()) + "."
    if read.columns.ignored:
        yield "Not used: " + ", ".join(read.columns.ignored) + "."
    leavers = sum(entry.left_on is not None for entry in read.entries)
    if leavers:
        yield f"Leavers: {leavers}; they match for a time after the day they left."
    if read.repeated:
        yield f"Repeated rows, taken once: {read.repeated}."
    for line, entry in read.numbered[:FIRST_ROWS]:
        yield f"  line {line}: {entry.kind.value}, {_initials(entry)}"
    yield f"Rows that cannot be used: {len(read.errors)}."
    for line in sorted(read.errors)[:MOST_ERRORS]:
        yield f"  line {line}: {read.errors[line]}"


def _initials(entry: "RollEntry") -> str:
    known = f" ({_letters(entry.known_as)})" if entry.known_as else ""
    left = f", left {entry.left_on}" if entry.left_on else ""
    return f"{entry.title} {_letters(entry.first_name)} {_letters(entry.last_name)}".strip() + known + left


def _letters(name: str) -> str:
    return " ".join(f"{part[0]}." for part in name.replace("-", " ").split())

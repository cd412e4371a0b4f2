"""`moderator person`: who is designated, signed by whom, away when: on the console what the People page does (R3, R21, R26)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import open_ledger, write_ledger
from moderator.cli.config import Config, settings
from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.errors import BadInput
from moderator.domain.register import EVERY_SCHOOL, Designation
from moderator.domain.signing import Appointment, over
from moderator.domain.times import SystemClock, london_date

if TYPE_CHECKING:
    from moderator.domain.register import Acting
    from moderator.store.database import SqlUnit

persons = typer.Typer(no_args_is_help=True, help="The register of people.", rich_markup_mode=None)

SignedBy = Annotated[str, typer.Option("--signed-by", help="Who signs: the designation reference of the Headteacher or CEO, e.g. HEAD-1.")]
Reference = Annotated[str, typer.Argument(help="The designation's reference, e.g. ADMIN-2; see `moderator person list`.")]
School = Annotated[str, typer.Option(help="The school's slug. Without it: the whole trust.")]
DAYS = ["%Y-%m-%d"]


@persons.callback()
def person() -> None:
    """Keep the register of people. Only somebody designated here can sign in; every change is a line in the ledger."""


@persons.command("list")
def list_people(
    *, school: School = "", ended: Annotated[bool, typer.Option("--ended", help="Ended ones too.")] = False, config: Config = None
) -> None:
    """Show who is designated as what, since when, until when, signed by whom, away when."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import absences, people, register  # noqa: PLC0415 - the same

    day = london_date(SystemClock().now())
    with build.open_database(settings(config)).reading() as connection:
        if school:
            people.school(connection, school)
        found = register.people_of(connection, school or None)
        away = absences.absences_of(connection, [each.id for each, _ in found], since=day)
    shown = [(each, held) for each, all_held in found for held in all_held if ended or not over(held, day)]
    if not shown:
        typer.echo("Nobody is designated yet. The first CEO or Headteacher signs in with the code that `moderator run` prints.")
    for each, held in shown:
        days = "".join(f"  away {absence.first_day} to {absence.last_day}" for absence in away.get(each.id, ()))
        typer.echo(
            f"{held.reference}  {ROLE_WORDS[held.role]}  {held.school or 'whole trust'}  {each.name} <{each.email}>  {_span(held)}{days}"
        )


def _span(held: Designation) -> str:
    until = f" until {held.ends_on}" if held.ends_on else ""
    gone = f", ended {london_date(held.ended_at)} by {held.ended_by}" if held.ended_at else ""
    return f"from {held.begins_on}{until}, signed by {held.signed_by}{gone}"


@persons.command()
def designate(  # noqa: PLR0913 - one argument an option
    *,
    role: Annotated[Role, typer.Option(help="As what.")],
    email: Annotated[str, typer.Option(help="Their school e-mail (R26).")],
    signed_by: SignedBy,
    name: Annotated[str, typer.Option(help="Their name; not needed for somebody who is in the register.")] = "",
    school: School = "",
    roll_reference: Annotated[
        str, typer.Option(help="Their reference on the roll, so that a comment about them never comes to them.")
    ] = "",
    begins: Annotated[datetime | None, typer.Option(formats=DAYS, help="First day. Otherwise today.")] = None,
    ends: Annotated[datetime | None, typer.Option(formats=DAYS, help="Last day. Otherwise until somebody ends it.")] = None,
    takes_over: Annotated[bool, typer.Option("--takes-over", help="A new Headteacher: the one there is now ends the day before.")] = False,
    config: Config = None,
) -> None:
    """Designate somebody. They sign in by the invitation that the People page sends."""
    from moderator.store import appoint  # noqa: PLC0415 - keeps `moderator --help` quick

    wanted = Appointment(
        name=name,
        email=email,
        role=role,
        school=school or EVERY_SCHOOL,
        begins_on=begins.date() if begins else london_date(SystemClock().now()),
        ends_on=ends.date() if ends else None,
        roll_reference=roll_reference,
        takes_over=takes_over,
    )
    with _signing(config, signed_by) as (unit, by, at, concerns):
        if school:
            _known_school(unit, school)
        made = appoint.appoint(unit, wanted, by=by, at=at)
        concerns(appoint.concerned(unit.connection, made.school))
    typer.echo(f"{email} is {ROLE_WORDS[role]} as {made.reference}, signed by {made.signed_by}. Send the invitation from the People page.")


@persons.command()
def end(
    reference: Reference, *, reason: Annotated[str, typer.Option(help="Why, in one sentence.")], signed_by: SignedBy, config: Config = None
) -> None:
    """End a designation now; the person is signed out in the same moment."""
    from moderator.store import appoint  # noqa: PLC0415 - keeps `moderator --help` quick

    with _signing(config, signed_by) as (unit, by, at, concerns):
        ended = appoint.end(unit, _held(unit, reference).id, reason=reason, by=by, at=at)
        concerns(appoint.concerned(unit.connection, ended.school))
    typer.echo(f"{reference} is ended. Whoever it was is signed out.")


@persons.command()
def absent(
    reference: Reference,
    *,
    first: Annotated[datetime, typer.Option("--from", formats=DAYS, help="First day away.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAYS, help="Last day away.")],
    signed_by: SignedBy,
    config: Config = None,
) -> None:
    """Note days away: alerts and the digest go to whoever stands in (R21)."""
    from moderator.store import appoint  # noqa: PLC0415 - keeps `moderator --help` quick

    with _signing(config, signed_by) as (unit, by, at, concerns):
        whom = _held(unit, reference).person_id
        appoint.note_away(unit, whom, first_day=first.date(), last_day=last.date(), by=by, at=at)
        concerns(appoint.schools_of(unit.connection, whom))
    typer.echo(f"{reference} is away from {first.date()} to {last.date()}.")


Concerns = Callable[[Iterable[str]], None]


@contextmanager
def _signing(config: Path | None, signed_by: str) -> "Iterator[tuple[SqlUnit, Acting, datetime, Concerns]]":
    """Yield a transaction, who signs, the time, and where to name the schools whose ledgers' files follow once it is committed."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import register  # noqa: PLC0415 - the same

    options, at = settings(config), SystemClock().now()
    database = build.open_database(options)
    schools: list[str] = []
    for each in database.schools():
        open_ledger(options, database, each.slug)
    with database.unit() as unit:
        by = register.acting_by_reference(unit.connection, signed_by, london_date(at))
        if by is None:
            message = f"--signed-by {signed_by}: nobody has that designation today; see `moderator person list`"
            raise BadInput(message)
        yield unit, by, at, schools.extend
    for school in schools:
        write_ledger(options, database, school)


def _known_school(unit: "SqlUnit", school: str) -> None:
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    people.school(unit.connection, school)


def _held(unit: "SqlUnit", reference: str) -> Designation:
    from moderator.store import register  # noqa: PLC0415 - keeps `moderator --help` quick

    found = next((each for _, held in register.people_of(unit.connection) for each in held if each.reference == reference), None)
    if found is None:
        message = f"nobody has the designation {reference}; see `moderator person list`"
        raise BadInput(message)
    return found

"""`moderator export`: a record made ready for the police, HR, a subject-access request or the safeguarding system."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import checked
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.pack import Held, Order, Pack
from moderator.domain.record import RECORD_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from moderator.build import Context
    from moderator.domain.account import School
    from moderator.evidence.packs.make import Packs

OTHER_WORDS = {"court": Pack.POLICE}
"""What people also call a pack."""
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
"""A designation reference. The ledger holds it, so it must be no name: one word, no spaces."""

REMINDERS = {
    Pack.POLICE: "Drafts for signature: nothing is signed. If a member of staff is the target, note their wishes before it leaves (R23).",
    Pack.HR: "Drafts for signature: nothing is signed.",
    Pack.SAR: "A draft: somebody must read CHECK-BEFORE-SENDING.txt, and every line of the pack, before it leaves.",
    Pack.CONCERN: "It names the people in the comment: upload it to the safeguarding system, then delete the file.",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, checked as far as it can be without the database."""

    kinds: tuple[Pack, ...]
    numbers: tuple[str, ...]
    persons: tuple[str, ...]
    school: str
    purpose: str
    by: str
    out: Path


def export(  # noqa: PLR0913 - one argument an option
    records: Annotated[
        list[str] | None, typer.Argument(help="Record numbers, R- and 16 letters and digits.", metavar="[RECORD]...")
    ] = None,
    *,
    pack: Annotated[str, typer.Option(help="police (or court), hr, sar, concern; several with commas.")],
    purpose: Annotated[str, typer.Option("--for", help="Who it is for and why. Goes into the pack, never into the ledger.")],
    person: Annotated[
        list[str] | None, typer.Option(help="sar: a name or @handle of the person who asked; one --person each. Others are redacted.")
    ] = None,
    school: Annotated[str, typer.Option(help="The school's slug. Needed for sar without record numbers.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for the packs.")] = Path(),
    by: Annotated[str, typer.Option(help="Who exports: a designation reference, e.g. HEAD-1. Otherwise the admin on duty.")] = "",
    config: Config = None,
) -> None:
    """Make packs of records. Each is written in the school's ledger before it is handed over."""
    kinds = _kinds(pack)
    asked = _Asked(kinds, _numbers(records or ()), tuple(person or ()), school, purpose, by, out)
    _check(asked)
    options = settings(config)
    from moderator.build import build  # noqa: PLC0415 - keeps `moderator --help` quick

    context = build(options)
    try:
        _export(context, asked)
    finally:
        context.close()


def _kinds(pack: str) -> tuple[Pack, ...]:
    known = {kind.value: kind for kind in Pack} | OTHER_WORDS
    words = [word.strip().lower() for word in pack.split(",") if word.strip()]
    wrong = [word for word in words if word not in known]
    if wrong or not words:
        message = f"--pack {pack!r}: there is no such pack; give police (or court), hr, sar or concern, several with commas"
        raise BadInput(message)
    return tuple(dict.fromkeys(known[word] for word in words))


def _numbers(records: "Sequence[str]") -> tuple[str, ...]:
    for record in records:
        if not RECORD_ID.fullmatch(record):
            message = f"{record!r} is not a record number: it is R- and 16 letters and digits, as on the record's page"
            raise BadInput(message)
    return tuple(dict.fromkeys(records))


def _check(asked: _Asked) -> None:
    """Raise BadInput for what cannot be made, before anything is opened."""
    if asked.by and not REFERENCE.fullmatch(asked.by):
        message = f"--by {asked.by!r}: give a designation reference such as HEAD-1, one word and no name: the ledger names nobody"
        raise BadInput(message)
    if not asked.purpose.strip():
        message = "--for is empty: say who the pack is for and why"
        raise BadInput(message)
    if Pack.SAR in asked.kinds and not any(person.strip() for person in asked.persons):
        message = "a sar pack needs --person: the name or handle of the one person it is for; everybody else is redacted (R31)"
        raise BadInput(message)
    if asked.persons and Pack.SAR not in asked.kinds:
        message = "--person is for a sar pack only"
        raise BadInput(message)
    if not asked.numbers and (asked.kinds != (Pack.SAR,) or not asked.school):
        message = "give a record number; only a sar pack can do without, and then it needs --school"
        raise BadInput(message)


def _export(context: "Context", asked: _Asked) -> None:
    from moderator.build import packs  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.capture.browser import Browser  # noqa: PLC0415 - the same
    from moderator.steps.export import export as export_step  # noqa: PLC0415 - the same

    actor = _actor(context, asked)
    held = _held(context, asked.numbers)
    school = _school(context, asked, held)
    _check_actor(context, asked, actor, school.slug)
    browser = Browser()
    try:
        packer = packs(context, browser)
        for kind in asked.kinds:
            for group in _groups(context, packer, asked, kind, held):
                order = Order(kind, school, group, asked.purpose, actor, context.tools.clock.now(), asked.persons)
                typer.echo(str(export_step(context.tools, order, packer=packer, folder=asked.out)))
                typer.echo(REMINDERS[kind])
    finally:
        browser.close()


def _actor(context: "Context", asked: _Asked) -> str:
    actor = asked.by or context.settings.admin_on_duty
    if not REFERENCE.fullmatch(actor):
        message = "say who exports: --by and a designation reference such as HEAD-1, one word and no name: the ledger names nobody"
        raise BadInput(message)
    return actor


def _check_actor(context: "Context", asked: _Asked, actor: str, school: str) -> None:
    """Raise BadInput unless who exports may do so at the school; the admin on duty of the settings is checked like any other (R3)."""
    try:
        checked(context.database, by=actor, action=Action.EXPORT, school=school)
    except BadInput as error:
        if asked.by:
            raise
        message = f"say who exports with --by: {actor}, the admin_on_duty of the settings, has no live designation for this at {school}"
        raise BadInput(message) from error


def _held(context: "Context", numbers: "Sequence[str]") -> tuple[Held, ...]:
    from moderator.store import held  # noqa: PLC0415 - keeps `moderator --help` quick

    with context.database.reading() as connection:
        return tuple(held.find(connection, number) for number in numbers)


def _school(context: "Context", asked: _Asked, held: "Sequence[Held]") -> "School":
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    if asked.school:
        with context.database.reading() as connection:
            return people.school(connection, asked.school)
    return held[0].school


def _groups(context: "Context", packer: "Packs", asked: _Asked, kind: Pack, held: tuple[Held, ...]) -> "Iterator[tuple[Held, ...]]":
    """Yield the records of each pack to make: one a record, all together for a subject-access request."""
    if kind is not Pack.SAR:
        yield from ((record,) for record in held)
    elif held:
        yield held
    elif sure := _searched(context, packer, asked):
        yield sure
    else:
        typer.echo("No record is surely about this person. Nothing was written.")


def _searched(context: "Context", packer: "Packs", asked: _Asked) -> tuple[Held, ...]:
    """Return the school's records that are surely about the person; tell of those that may be."""
    from moderator.store import held  # noqa: PLC0415 - keeps `moderator --help` quick

    with context.database.reading() as connection:
        every = list(held.numbers(connection, asked.school))
        found = list(packer.about(asked.persons, (held.find(connection, number) for number in every)))
    maybe = [record.record_id for record, how in found if how == "maybe"]
    if maybe:
        numbers = ", ".join(maybe)
        typer.echo(
            f"Left out, since only a last name fits, or a name on another account: {numbers}. If one is about this person, give its number."
        )
    return tuple(record for record, how in found if how == "sure")

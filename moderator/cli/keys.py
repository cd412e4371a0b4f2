"""`moderator keys`: the service's signing keys: change the key, list them all."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import held_by_somebody
from moderator.cli.config import Config, settings
from moderator.domain.errors import BadInput
from moderator.domain.rotation import RotationReason, rotated
from moderator.domain.times import SystemClock, london_text

if TYPE_CHECKING:
    from moderator.domain.rotation import LedgerKey
    from moderator.evidence.seal.signer import Signer
    from moderator.store.database import Database

signing_keys = typer.Typer(no_args_is_help=True, help="The service's signing keys.", rich_markup_mode=None)

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")
"""A designation reference. The ledger holds it, so it must be no name: one word, no spaces."""


@signing_keys.command()
def rotate(
    *,
    why: Annotated[RotationReason, typer.Option(help="Why the key is changed. The ledger keeps the code.")],
    by: Annotated[str, typer.Option(help="Who changes it: a designation reference, e.g. HEAD-1.")],
    config: Config = None,
) -> None:
    """Sign with a new key from now on. Stop the service first. Old records stay good: the ledger keeps every public key."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.seal import keyfile  # noqa: PLC0415 - the same
    from moderator.store.ledger import LedgerFile  # noqa: PLC0415 - the same

    if not _REFERENCE.fullmatch(by):
        message = f"--by {by!r}: give a designation reference such as HEAD-1, one word and no name: the ledger names nobody"
        raise BadInput(message)
    options, clock = settings(config), SystemClock()
    with build.hold_data_dir(options):
        database = build.open_database(options)
        held_by_somebody(database, by=by)
        unfinished = build.finish_rotation(options, database)
        old = build.open_signer(options, database, clock)
        if unfinished:
            typer.echo("A change of keys had been cut short. It is finished now: the new key signs from here on.")
        else:
            fresh = keyfile.stage(options.secrets_dir)
            write_rotation(database, old, fresh, by=by, why=why)
            keyfile.take_over(options.secrets_dir)
            typer.echo("The new key signs from here on. The old one is kept beside it; records sealed with it stay good.")
        for school in database.schools():
            LedgerFile(database.engine, options.data_dir).sync(school.slug)
        _show(database, options.secrets_dir)
    typer.echo("Back up the secrets folder now, apart from the database. Then start the service again.")


def write_rotation(database: "Database", old: "Signer", fresh: "Signer", *, by: str, why: RotationReason) -> None:
    """Write the change of keys into every school's ledger, in one transaction: the old key signs the new one."""
    import base64  # noqa: PLC0415 - keeps `moderator --help` quick

    signature = base64.b64encode(old.sign(fresh.public_key.encode("ascii"))).decode()
    line = rotated(fresh.public_key, signature, by=by, why=why, at=SystemClock().now())
    schools = database.schools()
    with database.unit() as unit:
        for school in schools:
            unit.append(school.slug, line)


@signing_keys.command("list")
def list_keys(*, config: Config = None) -> None:
    """Show every key: from when on it signs, its fingerprint, and the file it lies in."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick

    options = settings(config)
    _show(build.open_database(options), options.secrets_dir)


def _show(database: "Database", folder: Path) -> None:
    from moderator.evidence.seal import keyfile  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import ledger, people  # noqa: PLC0415 - the same

    with database.reading() as connection:
        found = [(school.slug, ledger.public_keys(connection, school.slug)) for school in people.schools(connection)]
    files = keyfile.kept(folder)
    for school, known in found:
        if not known:
            typer.echo(f"{school}: no key yet. The ledger is opened when the service first starts.")
        for number, key in enumerate(known, start=1):
            place = keyfile.SIGNING if number == len(known) else files.get(key.public_key, "not kept here")
            typer.echo(f"{school}  key {number}  {_state(number, known)}  since {london_text(key.since)}  {_fingerprint(key)}  {place}")


def _state(number: int, known: "tuple[LedgerKey, ...]") -> str:
    return "signs now" if number == len(known) else "earlier"


def _fingerprint(key: "LedgerKey") -> str:
    """Return the start of SHA-256 over the public key's DER, as `base64 -d | sha256sum` prints it."""
    import base64  # noqa: PLC0415 - keeps `moderator --help` quick
    import hashlib  # noqa: PLC0415 - the same

    return f"sha256:{hashlib.sha256(base64.b64decode(key.public_key)).hexdigest()[:16]}"

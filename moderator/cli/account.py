"""`moderator account`: the register of official accounts: add, approve, withdraw, authorise, list (R1, R2)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.account import Account, Approval, Mode
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock, london_date, london_text

if TYPE_CHECKING:
    from moderator.ports import Token
    from moderator.settings import Settings
    from moderator.store.database import Database

accounts = typer.Typer(no_args_is_help=True, help="The register of official accounts.", rich_markup_mode=None)

Handle = Annotated[str, typer.Argument(help="The account's handle, with or without @.")]
Platform = Annotated[str, typer.Option(help="The platform: x.")]

APPROVAL_LASTS = timedelta(days=365)


@accounts.command()
def add(  # noqa: PLR0913 - one argument an option
    handle: Handle,
    *,
    school: Annotated[str, typer.Option(help="The school's slug in moderator.toml.")],
    contact_email: Annotated[str, typer.Option(help="The official school e-mail the account is linked to (R2).")],
    token_file: Annotated[Path, typer.Option(help='JSON {"access_token", "refresh_token", "expires_in"} from X. Delete it afterwards.')],
    not_personal: Annotated[
        bool, typer.Option("--not-personal", help="I attest that this is not anybody's personal account (R2).")
    ] = False,
    monthly_reads: Annotated[int, typer.Option(min=1, help="Most posts to read a month. X bills each one.")] = 10_000,
    platform: Platform = "x",
    config: Config = None,
) -> None:
    """Register an account. It is not read until the Headteacher approves it."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import people  # noqa: PLC0415 - the same

    if not not_personal:
        message = "add --not-personal to attest that this is a school account, not anybody's own (R2)"
        raise BadInput(message)
    options = settings(config)
    database = build.open_database(options)
    now = SystemClock().now()
    held = build.HeldToken(read_token(token_file, now))
    name = handle.removeprefix("@")
    with database.reading() as connection:
        of_school = people.school(connection, school)
        people.refuse_unofficial(contact_email, of_school)
    account_id = build.identify(options, platform=platform, handle=name, school=of_school, held=held)
    with database.unit() as unit:
        number = people.add_account(
            unit.connection,
            school=of_school,
            platform=platform,
            handle=name,
            platform_id=account_id,
            contact_email=contact_email,
            monthly_reads=monthly_reads,
            at=now,
        )
    build.credentials(options, database, number).save(held.token)
    typer.echo(f"Added @{name} as account {number}. It is not read until it is approved: moderator account approve {name}")


@accounts.command()
def approve(  # noqa: PLR0913 - one argument an option
    handle: Handle,
    *,
    approver: Annotated[str, typer.Option(help="Who approves: the Headteacher's name and role.")],
    purpose: Annotated[str, typer.Option(help="What the account is for.")],
    reference: Annotated[str, typer.Option(help="The school's own reference of the signed approval.")],
    mode: Annotated[Mode, typer.Option(help="observe records and alerts; hide also hides.")] = Mode.OBSERVE,
    ends: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the approval. Otherwise a year from now.")
    ] = None,
    platform: Platform = "x",
    config: Config = None,
) -> None:
    """Write down the Headteacher's approval (R1). The account is read from the next poll on."""
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    today = london_date(SystemClock().now())
    approval = Approval(reference, approver, today, purpose, mode, ends.date() if ends else today + APPROVAL_LASTS)
    database, account = _find(settings(config), platform, handle)
    with database.unit() as unit:
        people.approve(unit.connection, account.id, approval)
    typer.echo(f"@{account.handle} is approved in {mode.value} mode until {approval.ends_on}.")


@accounts.command()
def withdraw(handle: Handle, *, platform: Platform = "x", config: Config = None) -> None:
    """Withdraw the approval: the next poll does not happen (R1)."""
    from moderator.store import people  # noqa: PLC0415 - keeps `moderator --help` quick

    database, account = _find(settings(config), platform, handle)
    with database.unit() as unit:
        people.withdraw(unit.connection, account.id, SystemClock().now())
    typer.echo(f"@{account.handle} is withdrawn. It is not read any more.")


@accounts.command()
def authorise(
    handle: Handle,
    *,
    token_file: Annotated[Path, typer.Option(help="A fresh token from X, as for add.")],
    platform: Platform = "x",
    config: Config = None,
) -> None:
    """Store a fresh token after X has revoked the old one, and go on."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import people  # noqa: PLC0415 - the same

    options = settings(config)
    database, account = _find(options, platform, handle)
    now = SystemClock().now()
    build.credentials(options, database, account.id).save(read_token(token_file, now))
    with database.unit() as unit:
        people.resume_account(unit.connection, account.id, now)
    typer.echo(f"@{account.handle} is authorised again. What waited goes on.")


@accounts.command("list")
def list_accounts(*, config: Config = None) -> None:
    """Show every account: approval, mode, last good poll, reads used of the month's budget."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import people, today  # noqa: PLC0415 - the same

    database = build.open_database(settings(config))
    now = SystemClock().now()
    with database.reading() as connection:
        schools = people.schools(connection)
        lines = [(school, line) for school in schools for line in today.account_lines(connection, school.slug, now)]
    if not lines:
        typer.echo("No account is registered yet: moderator account add --help")
    for school, line in lines:
        polled = london_text(line.last_good_poll) if line.last_good_poll else "never"
        trouble = f"  {line.trouble}" if line.trouble else ""
        typer.echo(
            f"{school.slug}  @{line.handle}  {line.mode}  last good poll {polled}  reads {line.reads_used} of {line.reads_budget}{trouble}"
        )


def _find(options: "Settings", platform: str, handle: str) -> "tuple[Database, Account]":
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import people  # noqa: PLC0415 - the same

    database = build.open_database(options)
    with database.reading() as connection:
        account = people.find_account(connection, platform, handle.removeprefix("@"))
    if account is None:
        message = f"no account @{handle.removeprefix('@')} on {platform}: see `moderator account list`"
        raise BadInput(message)
    return database, account


def read_token(path: Path, now: datetime) -> "Token":
    """Return the token in a file as X's token endpoint answers it. Raises BadInput when it cannot be used."""
    import json  # noqa: PLC0415 - keeps `moderator --help` quick

    from moderator.ports import Token  # noqa: PLC0415 - the same

    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Token(str(table["access_token"]), str(table["refresh_token"]), now + timedelta(seconds=float(table.get("expires_in", 0))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: not a token file ({type(error).__name__}); it must be JSON with access_token, refresh_token and expires_in"
        raise BadInput(message) from error

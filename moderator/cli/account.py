"""`moderator account`: the register of official accounts: add, approve, withdraw, authorise, list (R1, R2)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.acting import actor, open_ledger, write_ledger
from moderator.cli.config import Config, settings
from moderator.domain.access import Action
from moderator.domain.account import Account, Approval, Mode
from moderator.domain.attestation import Attested
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock, london_date, london_text

if TYPE_CHECKING:
    from moderator.ports import Token
    from moderator.settings import Settings
    from moderator.store.database import Database

accounts = typer.Typer(no_args_is_help=True, help="The register of official accounts.", rich_markup_mode=None)

Handle = Annotated[str, typer.Argument(help="The account's handle, with or without @.")]
Platform = Annotated[str, typer.Option(help="The platform: x.")]
By = Annotated[str, typer.Option("--by", help="Who does this: a designation, e.g. HEAD-1. Needed once somebody is designated for it.")]
Day = typer.Option(formats=["%Y-%m-%d"], help="Day the account's password was last changed (R5). Never the password itself.")

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
    password_changed: Annotated[datetime | None, Day] = None,
    platform: Platform = "x",
    by: By = "",
    config: Config = None,
) -> None:
    """Register an account. It is not read until the Headteacher approves it."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import account_acts, people  # noqa: PLC0415 - the same

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
    who = actor(database, by=by, action=Action.CONNECT_ACCOUNT, school=school)
    platform_id = build.identify(options, platform=platform, handle=name, school=of_school, held=held)
    open_ledger(options, database, school)
    with database.unit() as unit:
        number = account_acts.ask(
            unit,
            school=of_school,
            platform=platform,
            handle=name,
            contact_email=contact_email,
            purpose="",
            monthly_reads=monthly_reads,
            by=who,
            at=now,
        )
        account = people.account(unit.connection, number)
        if password_changed is not None:
            account_acts.attest(unit, account, Attested.PASSWORD_CHANGED, on=password_changed.date(), by=who, at=now)
        account_acts.connect(unit, build.sealer(options), account, token=held.token, platform_id=platform_id, by=who, at=now)
    write_ledger(options, database, school)
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
    why: Annotated[str, typer.Option(help="Why an approval that holds is changed (R24). It is kept.")] = "",
    platform: Platform = "x",
    by: By = "",
    config: Config = None,
) -> None:
    """Write down the Headteacher's approval (R1). The account is read from the next poll on."""
    from moderator.store import account_acts  # noqa: PLC0415 - keeps `moderator --help` quick

    options, now = settings(config), SystemClock().now()
    today = london_date(now)
    approval = Approval(reference, approver, today, purpose, mode, ends.date() if ends else today + APPROVAL_LASTS)
    database, account = _find(options, platform, handle)
    who = actor(database, by=by, action=Action.APPROVE_ACCOUNT, school=account.school.slug)
    open_ledger(options, database, account.school.slug)
    with database.unit() as unit:
        account_acts.approve(unit, account, approval, why=why, by=who, at=now)
    write_ledger(options, database, account.school.slug)
    typer.echo(f"@{account.handle} is approved in {mode.value} mode until {approval.ends_on}.")


@accounts.command()
def withdraw(
    handle: Handle,
    *,
    why: Annotated[str, typer.Option(help="Why it is withdrawn (R24). It is kept.")] = "",
    platform: Platform = "x",
    by: By = "",
    config: Config = None,
) -> None:
    """Withdraw the approval: the next poll does not happen (R1)."""
    from moderator.store import account_acts  # noqa: PLC0415 - keeps `moderator --help` quick

    options = settings(config)
    database, account = _find(options, platform, handle)
    who = actor(database, by=by, action=Action.APPROVE_ACCOUNT, school=account.school.slug)
    open_ledger(options, database, account.school.slug)
    with database.unit() as unit:
        account_acts.withdraw(unit, account, why=why, by=who, at=SystemClock().now())
    write_ledger(options, database, account.school.slug)
    typer.echo(f"@{account.handle} is withdrawn. It is not read any more.")


@accounts.command()
def authorise(
    handle: Handle,
    *,
    token_file: Annotated[Path, typer.Option(help="A fresh token from X, as for add.")],
    platform: Platform = "x",
    by: By = "",
    config: Config = None,
) -> None:
    """Store a fresh token after X has revoked the old one, and go on. The token must be the same account's."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import account_acts  # noqa: PLC0415 - the same

    options, now = settings(config), SystemClock().now()
    database, account = _find(options, platform, handle)
    held = build.HeldToken(read_token(token_file, now))
    who = actor(database, by=by, action=Action.CONNECT_ACCOUNT, school=account.school.slug)
    platform_id = build.identify(options, platform=platform, handle=account.handle, school=account.school, held=held)
    open_ledger(options, database, account.school.slug)
    with database.unit() as unit:
        account_acts.connect(unit, build.sealer(options), account, token=held.token, platform_id=platform_id, by=who, at=now)
    write_ledger(options, database, account.school.slug)
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

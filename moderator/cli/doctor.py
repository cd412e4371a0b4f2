"""`moderator doctor`: is it safe to run? Checks schema, keys, vault, browser, clock, mail, model, policy and disk space."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.errors import BadInput, ModeratorError

if TYPE_CHECKING:
    from moderator.settings import Settings

ENOUGH_DISK = 2 * 1024**3
"""Bytes that must be free: about 10,000 records."""

NOT_BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock before this version was written is wrong."""


def doctor(
    *,
    make_keys: Annotated[bool, typer.Option("--make-keys", help="Make the service's own key files that are missing.")] = False,
    config: Config = None,
) -> None:
    """Check that it is safe to run. Exit code 1 when something is not."""
    options = settings(config)
    if make_keys:
        from moderator.build import make_keys as make  # noqa: PLC0415 - keeps `moderator --help` quick

        made = make(options.secrets_dir)
        typer.echo(
            f"Made {', '.join(made)} in {options.secrets_dir}. Keep a copy apart from the database." if made else "Every key is there."
        )
    failed = 0
    for name, check in checks(options):
        try:
            typer.echo(f"ok    {name}: {check()}")
        except (ModeratorError, OSError) as error:
            failed += 1
            typer.echo(f"FAIL  {name}: {error}")
    if failed:
        raise typer.Exit(1)


def checks(options: "Settings") -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield each check's name and the call that returns what is well or raises what is not."""
    for name, check in (
        ("keys", _keys),
        ("schema", _schema),
        ("ledger", _ledger),
        ("vault", _vault),
        ("disk", _disk),
        ("browser", _browser),
        ("clock", _clock),
        ("mail", _mail),
        ("model", _model),
        ("policy", _policy),
        ("accounts", _accounts),
    ):
        yield name, lambda check=check: check(options)  # type: ignore[misc] # mypy does not infer a default argument's type


def _keys(options: "Settings") -> str:
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.seal.stamp import Signer  # noqa: PLC0415 - the same

    build.sealer(options)
    Signer(options.secret("signing.pem").encode())
    bytes.fromhex(options.secret("roll.key"))
    return "encryption, signing and roll keys are there and private"


def _schema(options: "Settings") -> str:
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store import schema  # noqa: PLC0415 - the same

    database = open_database(options)
    at, newest = schema.version(database.engine), schema.newest()
    if at != newest:
        message = f"the database is at version {at}, the service wants {newest}"
        raise BadInput(message)
    return f"version {at} on {database.engine.dialect.name}"


def _ledger(options: "Settings") -> str:
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.times import SystemClock  # noqa: PLC0415 - the same
    from moderator.evidence.seal.stamp import Signer  # noqa: PLC0415 - the same
    from moderator.store.ledger import LedgerFile  # noqa: PLC0415 - the same

    database = build.open_database(options)
    build.open_ledgers(database, Signer(options.secret("signing.pem").encode()), SystemClock())
    heads = [LedgerFile(database.engine, options.data_dir).sync(school.slug).seq for school in database.schools()]
    return f"{len(heads)} ledgers agree with the database, {sum(heads)} lines"


def _vault(options: "Settings") -> str:
    from moderator.evidence.vault.folder import FolderVault  # noqa: PLC0415 - keeps `moderator --help` quick

    count = sum(1 for _ in FolderVault(options.vault_dir).paths())
    return f"{count} records in {options.vault_dir}"


def _disk(options: "Settings") -> str:
    free = shutil.disk_usage(options.data_dir).free
    if free < ENOUGH_DISK:
        message = f"only {free // 1024**2} MiB are free at {options.data_dir}; make room, or records cannot be stored and nothing is hidden"
        raise BadInput(message)
    return f"{free // 1024**3} GiB free"


def _browser(options: "Settings") -> str:
    from moderator.evidence.capture.browser import Browser  # noqa: PLC0415 - keeps `moderator --help` quick

    del options
    browser = Browser()
    try:
        return browser.draw("<p>doctor</p>").browser
    finally:
        browser.close()


def _clock(options: "Settings") -> str:
    now = datetime.now(UTC)
    if now < NOT_BEFORE:
        message = f"the clock says {now.date()}, which is before this version was made; set it (systemd-timesyncd or chrony)"
        raise BadInput(message)
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick

    latest = open_database(options).latest_seal()
    if latest is not None and latest > now:
        message = (
            f"the clock is behind the newest record ({latest.isoformat(timespec='seconds')}); hiding waits until it has passed that time"
        )
        raise BadInput(message)
    return now.isoformat(timespec="seconds")


def _mail(options: "Settings") -> str:
    from moderator.build import mailer  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.mail.smtp import SmtpMailer  # noqa: PLC0415 - the same

    transport = mailer(options)
    if isinstance(transport, SmtpMailer):
        return transport.check()
    return f"no [mail] is set: mail goes to {options.data_dir / 'outbox'} as .eml files"


def _model(options: "Settings") -> str:
    from moderator.learn.classifier import Assessor  # noqa: PLC0415 - keeps `moderator --help` quick

    return Assessor(options.models_dir, None, encoder=options.encoder).version


def _policy(options: "Settings") -> str:
    from moderator.build import policy  # noqa: PLC0415 - keeps `moderator --help` quick

    found = policy(options)
    return f"version {found.version}, by {found.author}"


def _accounts(options: "Settings") -> str:
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.times import SystemClock, london_date  # noqa: PLC0415 - the same
    from moderator.store import people  # noqa: PLC0415 - the same

    with open_database(options).reading() as connection:
        known = people.accounts(connection)
    live = [account for account in known if account.pollable(london_date(SystemClock().now()))]
    return f"{len(known)} registered, {len(live)} approved"

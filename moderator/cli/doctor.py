"""`moderator doctor`: is it safe to run? Checks schema, keys, vault, browser, clock, mail, model, policy, disk space and the evidence."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.cli.config import Config, settings
from moderator.domain.errors import BadInput, ModeratorError

if TYPE_CHECKING:
    from moderator.mail.smime import SigningMailer
    from moderator.settings import Settings

ENOUGH_DISK = 2 * 1024**3
"""Bytes that must be free: about 10,000 records."""

CHECKED_WITHIN = timedelta(days=2)
"""How old the last nightly check may be: one night may be missed."""

_WANTED = {
    "email": "hears of evidence at fault, beside the Headteacher, and reads the trust's digest where nobody is designated to",
    "witness_email": "keeps each day's ledger codes where neither the Headteacher nor this machine's admin can change them",
}

_QUESTION = b"moderator doctor"
"""What is stamped to see whether an authority answers."""

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
        ("timestamps", _timestamps),
        ("mail tokens", _tokens),
        ("mail", _mail),
        ("mailbox", _mailbox),
        ("model", _model),
        ("policy", _policy),
        ("accounts", _accounts),
        ("evidence", _evidence),
        ("witness", _witness),
    ):
        yield name, lambda check=check: check(options)  # type: ignore[misc] # mypy does not infer a default argument's type


def _keys(options: "Settings") -> str:
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.evidence.seal.signer import Signer  # noqa: PLC0415 - the same

    build.sealer(options)
    Signer(options.secret("signing.pem").encode())
    bytes.fromhex(options.secret("roll.key"))
    for each in options.oidc:
        options.secret(each.secret_name)
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
    from moderator.store.ledger import LedgerFile  # noqa: PLC0415 - the same

    database = build.open_database(options)
    build.open_signer(options, database, SystemClock())
    heads = [LedgerFile(database.engine, options.data_dir).sync(school.slug).seq for school in database.schools()]
    return f"{len(heads)} ledgers agree with the database, {sum(heads)} lines"


def _vault(options: "Settings") -> str:
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick

    vault = build.open_vault(options)
    place = options.vault_dir if options.vault.kind == "folder" else f"the bucket {options.vault.bucket}"
    return f"{sum(1 for _ in vault.paths())} records in {place}; {vault.protection}"


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


def _timestamps(options: "Settings") -> str:
    """Ask every authority once, as a record would."""
    from moderator.build import authorities  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.times import SystemClock  # noqa: PLC0415 - the same
    from moderator.evidence.seal.token import read_token  # noqa: PLC0415 - the same

    asked = authorities(options, SystemClock())
    if not asked:
        return "no authority is set: records are signed, and no outsider vouches for their time (see ops/guides/stamps.md)"
    said = []
    for authority in asked:
        token, chain = authority.stamp(_QUESTION)
        said.append(f"{authority.name} answers, its certificates last until {read_token(token, chain, _QUESTION).expires_at.date()}")
    return "; ".join(said)


def _mail(options: "Settings") -> str:
    from moderator.build import mailer  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.mail.smime import SigningMailer  # noqa: PLC0415 - the same
    from moderator.mail.smtp import SmtpMailer  # noqa: PLC0415 - the same

    transport = mailer(options)
    if isinstance(transport, SigningMailer) and isinstance(transport.mailer, SmtpMailer):
        return f"{transport.mailer.check()}; {_signature(transport)}"
    if isinstance(transport, SmtpMailer):
        return transport.check()
    return f"no [mail] is set: mail goes to {options.data_dir / 'outbox'} as .eml files"


def _signature(signing: "SigningMailer") -> str:
    from moderator.mail.smime import SOON  # noqa: PLC0415 - keeps `moderator --help` quick

    ends, wrong = signing.identity.ends, signing.identity.does_not_hold(datetime.now(UTC))
    if wrong:
        message = f"mail leaves unsigned: of the secret smime-cert, {wrong}. Get a new one, or set [mail] smime = false"
        raise BadInput(message)
    said = f"mail is signed, the certificate lasts until {ends.date()}"
    if ends - datetime.now(UTC) > SOON:
        return said
    return f"{said}. WARNING: that is soon; get a new one now, since mail leaves unsigned after that"


def _tokens(options: "Settings") -> str:
    from moderator.build.mailing import token_source  # noqa: PLC0415 - keeps `moderator --help` quick

    tokens = token_source(options)
    if tokens is None or options.mail is None or options.mail.oauth is None:
        return "none are needed: no [mail.oauth] is set"
    tokens.token()
    return f"{options.mail.oauth.token_url} gives one"


def _mailbox(options: "Settings") -> str:
    from moderator.build import mailbox  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.mail.imap import ImapMailbox  # noqa: PLC0415 - the same

    found = mailbox(options)
    if isinstance(found, ImapMailbox):
        return found.check()
    return "advice: set [mail.bounces]; without it, nobody hears of mail that a server takes and gives back later"


def _model(options: "Settings") -> str:
    from moderator.learn.classifier import Assessor  # noqa: PLC0415 - keeps `moderator --help` quick

    return Assessor(options.models_dir, None, encoder=options.encoder).version


def _policy(options: "Settings") -> str:
    from moderator.build import open_database, policy_file  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.store.policies import StoredPolicies  # noqa: PLC0415 - the same

    database = open_database(options)
    try:
        policies = StoredPolicies(database, policy_file(options))
        found = policies.current()
        if policies.trouble:
            raise BadInput(policies.trouble)
    finally:
        database.engine.dispose()
    return f"version {found.version}, by {found.author}"


def _accounts(options: "Settings") -> str:
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.times import SystemClock, london_date  # noqa: PLC0415 - the same
    from moderator.store import people  # noqa: PLC0415 - the same

    with open_database(options).reading() as connection:
        known = people.accounts(connection)
    live = [account for account in known if account.pollable(london_date(SystemClock().now()))]
    return f"{len(known)} registered, {len(live)} approved"


def _evidence(options: "Settings") -> str:
    from moderator.build import open_database  # noqa: PLC0415 - keeps `moderator --help` quick
    from moderator.domain.times import SystemClock  # noqa: PLC0415 - the same
    from moderator.store import checks as stored  # noqa: PLC0415 - the same

    now = SystemClock().now()
    database = open_database(options)
    with database.reading() as connection:
        found = [(school.slug, stored.standing(connection, school.slug, now)) for school in database.schools()]
    for slug, standing in found:
        if standing.faults:
            message = (
                f"the last checks of {slug} found {standing.faults} faults; run moderator verify, and change nothing before you know why"
            )
            raise BadInput(message)
        if standing.sample is not None and now - standing.sample.started_at > CHECKED_WITHIN:
            when = standing.sample.started_at.date()
            message = f"the records of {slug} were last checked on {when}; the service must run (moderator run) for the nightly check"
            raise BadInput(message)
    waiting = [slug for slug, standing in found if standing.sample is None]
    if waiting:
        return f"none yet for {', '.join(waiting)}: the first check comes in the first night"
    return f"{sum(standing.sample.checked for _, standing in found if standing.sample)} records in the last nightly check, nothing wrong"


def _witness(options: "Settings") -> str:
    from moderator.mail.headers import addresses  # noqa: PLC0415 - keeps `moderator --help` quick

    told = {"email": options.trust.email, "witness_email": options.trust.witness_email}
    for name, address in told.items():
        if address:
            addresses(address, what=f"[trust] {name}")
    missing = [f"{name} ({_WANTED[name]})" for name, address in told.items() if not address]
    if missing:
        return f"advice: set in [trust] {' and '.join(missing)}"
    return f"every ledger's head goes to {options.trust.witness_email} each day; faults are told to {options.trust.email}"

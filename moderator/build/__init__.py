"""The composition root: settings in, a running context out. The only module that knows every part."""

import fcntl
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO

from moderator import __version__
from moderator.build.keys import finish_rotation, make_keys, open_signer, retired_keys, sealer
from moderator.build.mailing import mailbox, mailer
from moderator.build.rolls import RollReader, Rolls, matcher, standing
from moderator.domain.account import Account, School
from moderator.domain.errors import BadInput
from moderator.domain.pack import Around, Held
from moderator.domain.policy import Policy
from moderator.domain.times import SystemClock
from moderator.evidence.capture.browser import Browser
from moderator.evidence.packs.make import Packs
from moderator.evidence.packs.people import finder
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.authority import HttpAuthority, Patient
from moderator.evidence.seal.late import VaultStamper
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.stored_check import StoredCheck
from moderator.evidence.submission.intake import SealedIntake
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.keyed import KeyedVault
from moderator.evidence.vault.sourced import SourcedVault
from moderator.jobs.local import NoDispatcher
from moderator.learn.classifier import Assessor
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.mail.compose import JinjaComposer
from moderator.mail.courier import HttpCourier
from moderator.platforms.base import HeldToken
from moderator.platforms.x.adapter import CAPABILITIES, XPlatform
from moderator.platforms.x.connect import XConnector
from moderator.ports import Clock, Connector, Credentials, Dispatcher, FixedPolicy, Platform
from moderator.settings import Settings
from moderator.steps.drain import Tools
from moderator.store import held, people
from moderator.store import ledger as ledgers
from moderator.store import roll as rolls_kept
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.ledger import LedgerFile
from moderator.store.policies import StoredPolicies
from moderator.store.record_keys import StoredRecordKeys
from moderator.store.schema import upgrade
from moderator.store.sealed import Sealer

__all__ = [
    "Context", "HeldToken", "authorities", "build", "classifier", "connectors", "credentials", "finish_rotation", "hold_data_dir",
    "identify", "mailbox", "mailer", "make_keys", "make_missing_tokens", "open_database", "open_signer", "open_vault", "packs", "platforms",
    "policy", "retired_keys", "rolls", "sealer", "settle_memory", "x_platform",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """A composed service. `vault` is the vault as it is stored, encrypted records shut; `close` ends browser and connections."""

    settings: Settings
    database: Database
    tools: Tools
    vault: SourcedVault
    sealer: Sealer
    close: Callable[[], None]


def hold_data_dir(settings: Settings) -> BinaryIO:
    """Take the data folder for this process alone, until the returned file is closed. Raises BadInput when another one has it."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (settings.data_dir / ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        message = f"{settings.data_dir} is in use by another moderator process; stop that one first"
        raise BadInput(message) from error
    return file


def open_database(settings: Settings) -> Database:
    """Open the database, bring its schema up to date, and register the schools of the settings."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    upgrade(engine)
    database = Database(engine, calendars=settings.calendars())
    with database.unit() as unit:
        for school in settings.schools():
            people.put_school(unit.connection, school)
    return database


def credentials(settings: Settings, database: Database, account_id: int) -> Credentials:
    """Return where one account's token lives."""
    return people.StoredCredentials(database.engine, sealer(settings), account_id)


def policy_file(settings: Settings) -> FixedPolicy:
    """Return the policy of the settings' file, or the bundled one. Raises BadInput when its file cannot be used."""
    if settings.policy_file is None:
        return FixedPolicy.bundled()
    try:
        text = settings.policy_file.read_text(encoding="utf-8")
    except OSError as error:
        message = f"policy_file {settings.policy_file}: cannot be read ({error.strerror})"
        raise BadInput(message) from error
    return FixedPolicy(text, where=str(settings.policy_file))


def policy(settings: Settings) -> Policy:
    """Return the policy of the settings' file: in force until a version is saved on the Policy page. Raises BadInput."""
    return policy_file(settings).current()


def classifier(settings: Settings, database: Database, clock: Clock | None = None) -> RollReader:
    """Return the classifier with the schools' rolls, read again when one changes; people who left too long ago are left out."""
    make_missing_tokens(settings, database)
    told = clock or SystemClock()
    return RollReader(
        Assessor(settings.models_dir, encoder=settings.encoder),
        standing=lambda: standing(database, told),
        matcher=lambda: _matcher(settings, database, told),
    )


def _matcher(settings: Settings, database: Database, clock: Clock) -> RollMatcher | None:
    """Return the matcher of the rolls. The key is asked for only when there is a roll: a school may begin without one."""
    with database.reading() as connection:
        if not rolls_kept.any_roll(connection):
            return None
    return matcher(database, bytes.fromhex(settings.secret("roll.key")), clock)


def rolls(settings: Settings, database: Database) -> Rolls:
    """Return what imports work with. Raises BadInput when a key is missing."""
    return Rolls(database, sealer(settings), bytes.fromhex(settings.secret("roll.key")))


def make_missing_tokens(settings: Settings, database: Database) -> None:
    """Make the tokens of rolls that have none, from the sealed names: after an update that makes them another way."""
    with database.reading() as connection:
        schools = rolls_kept.schools_without_tokens(connection)
    for school in schools:
        key = bytes.fromhex(settings.secret("roll.key"))
        with database.unit() as unit:
            entries = list(rolls_kept.roll_entries(unit.connection, school, sealer(settings)))
            rolls_kept.put_tokens(unit.connection, school, [token for entry in entries for token in roll_tokens(entry, key)])


def platforms(settings: Settings, database: Database, clock: Clock) -> Callable[[Account], Platform]:
    """Return how steps get an account's adapter: one adapter an account, kept."""
    known: dict[int, Platform] = {}

    def platform_for(account: Account) -> Platform:
        if account.id not in known:
            known[account.id] = x_platform(settings, account, credentials(settings, database, account.id), clock)
        return known[account.id]

    return platform_for


def x_platform(settings: Settings, account: Account, credentials: Credentials, clock: Clock) -> XPlatform:
    """Return the adapter of one X account. Raises BadInput when X is not set up."""
    if account.platform != "x" or settings.x is None:
        message = f"account @{account.handle} is on {account.platform}, which is not set up: add [x] with client_id to moderator.toml"
        raise BadInput(message)
    return XPlatform(
        platform_id=account.platform_id,
        handle=account.handle,
        credentials=credentials,
        clock=clock,
        client_id=settings.x.client_id,
        client_secret=settings.optional_secret("x-client-secret"),
        api_url=settings.x.api_url,
        site_url=settings.x.site_url,
        timeout=settings.x.timeout_seconds,
    )


def connectors(settings: Settings, clock: Clock) -> dict[str, Connector]:
    """Return how accounts are connected, by platform: those that are set up. Raises BadInput for an address that cannot be used."""
    if settings.x is None:
        return {}
    secret = settings.optional_secret("x-client-secret")
    x = XConnector(
        clock=clock,
        client_id=settings.x.client_id,
        client_secret=secret,
        api_url=settings.x.api_url,
        site_url=settings.x.site_url,
        timeout=settings.x.timeout_seconds,
    )
    return {"x": x}


def identify(settings: Settings, *, platform: str, handle: str, school: School, held: HeldToken) -> str:
    """Return the platform's id of the account a token belongs to. One request. Raises BadInput when it is another handle's."""
    account = Account(0, school, platform, handle, "0", "", 1)
    return x_platform(settings, account, held, SystemClock()).identity()


def authorities(settings: Settings, clock: Clock) -> list[Patient]:
    """Return the timestamp authorities of the settings. Raises BadInput for a chain that cannot be used."""
    try:
        return [
            Patient(HttpAuthority(each.name, each.url, each.chain_file.read_bytes(), policy=each.policy, clock=clock), clock)
            for each in settings.timestamps
        ]
    except OSError as error:
        message = f"timestamps: a chain_file cannot be read ({error.strerror})"
        raise BadInput(message) from error


def open_vault(settings: Settings, clock: Clock | None = None) -> SourcedVault:
    """Return where records are kept. Raises BadInput, in one line, for a bucket that cannot hold them; Transient when it is away."""
    table = settings.vault
    if table.kind == "folder":
        return FolderVault(settings.vault_dir, immutable=table.immutable_files)
    from moderator.evidence.vault.bucket import S3Place  # noqa: PLC0415 - its client library takes 40 MB and a second
    from moderator.evidence.vault.s3 import S3Vault  # noqa: PLC0415 - the same

    with_keys = bool(settings.optional_secret("s3-access-key") and settings.secret("s3-secret-key"))
    place = S3Place(
        table.bucket,
        prefix=table.prefix,
        region=table.region,
        endpoint_url=table.endpoint_url,
        ca_file=str(table.ca_file or ""),
        access_key_file=str(settings.secrets_dir / "s3-access-key") if with_keys else "",
        secret_key_file=str(settings.secrets_dir / "s3-secret-key") if with_keys else "",
        retain_days=table.retain_days,
    )
    return S3Vault(place, working_folder=settings.vault_dir, clock=clock)


def build(settings: Settings, *, dispatcher: Dispatcher | None = None, clock: Clock | None = None) -> Context:
    """Compose the whole service. Raises BadInput, in one line, for anything a person must mend first."""
    clock = clock or SystemClock()
    database = open_database(settings)
    signer = open_signer(settings, database, clock)
    asked = authorities(settings, clock)
    vault = open_vault(settings, clock)
    keys = StoredRecordKeys(database, sealer(settings), clock)
    sealing = Sealing(
        vault=vault,
        signer=signer,
        authorities=asked,
        software=f"moderator {__version__}",
        keys=keys if settings.encrypt_records else None,
        retired_keys=retired_keys(database, signer),
    )
    recorder = BrowserRecorder(sealing=sealing, browser=Browser(archive=settings.wacz), clock=clock, templates=settings.templates_dir)
    ledger = LedgerFile(database.engine, settings.data_dir)
    tools = Tools(
        store=database,
        platform_for=platforms(settings, database, clock),
        classifier=classifier(settings, database, clock),
        policies=StoredPolicies(database, policy_file(settings)),
        recorder=recorder,
        intake=SealedIntake(sealing=sealing, clock=clock, templates=settings.templates_dir),
        vault=KeyedVault(vault, keys),
        ledger=ledger,
        composer=JinjaComposer(
            templates=settings.templates_dir,
            sender=settings.mail_sender,
            trust_domain=settings.mail_sender.rpartition("@")[2],
            silence=timedelta(hours=settings.silence_hours),
            domains=settings.mail_domains,
        ),
        mailer=mailer(settings, clock=clock),
        mailbox=mailbox(settings, clock=clock),
        clock=clock,
        dispatcher=dispatcher or NoDispatcher(),
        review_url=settings.public_url,
        delegation=settings.delegation,
        admin_on_duty=settings.admin_on_duty,
        alert_batch=timedelta(seconds=settings.alert_batch_seconds),
        silence=timedelta(hours=settings.silence_hours),
        keep_cleared=timedelta(hours=settings.keep_cleared_hours),
        check=StoredCheck(vault, ledger.path),
        record_keys=keys,
        verify_sample=settings.verify_sample,
        trust=settings.trust.name,
        trust_email=settings.trust.email,
        witness_email=settings.trust.witness_email,
        stamper=VaultStamper(vault, asked),
        hide_without_stamp=settings.hide_without_stamp,
        courier=HttpCourier(sealer(settings).open),
        unread_after=timedelta(minutes=settings.unread_minutes),
        weekly_report=settings.weekly_report,
        termly_report=settings.termly_report,
        trust_hour=settings.digest_hour,
        visible_after_hide=_visible_after_hide(settings),
    )
    settle_memory()

    def close() -> None:
        recorder.close()
        database.engine.dispose()

    return Context(settings, database, tools, vault, sealer(settings), close)


def packs(context: Context, browser: Browser) -> Packs:
    """Return the maker of packs over a composed service; the browser prints them and stays the caller's."""
    vault, database = context.tools.vault, context.database
    keys = StoredRecordKeys(database, context.sealer, context.tools.clock)

    def around(record: Held) -> Around:
        with database.reading() as connection:
            return held.around(connection, record)

    @contextmanager
    def ledger(school: str) -> Iterator[Iterator[bytes]]:
        with database.reading() as connection:
            yield ledgers.copied(connection, school)

    return Packs(
        opened=vault,
        stored=vault.stored if isinstance(vault, KeyedVault) else vault,
        key_of=keys.get,
        around_of=around,
        ledger_of=ledger,
        find_people=finder(context.tools.classifier),
        print=browser.print,
        draw=lambda html: browser.draw(html).picture,
        templates=context.settings.templates_dir,
        link=context.settings.public_url,
    )


def settle_memory() -> None:
    """Tell the garbage collector that what is loaded now stays: else it walks the model and its library again and again."""
    gc.collect()
    gc.freeze()


def _visible_after_hide(settings: Settings) -> dict[str, str]:
    """Return what each platform that is set up still shows after a hide (R12): an account may be connected while the service runs."""
    return {} if settings.x is None else {"x": CAPABILITIES.visible_after_hide}

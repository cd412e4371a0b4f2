"""The rehearsal: a demo school on a practice network, with the real adapter, browser and vault. Called by `demo` and `run --demo`."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from moderator import build
from moderator.cli.demo_people import enrol
from moderator.domain.account import Approval, Mode
from moderator.domain.attestation import Attested
from moderator.domain.errors import BadInput
from moderator.domain.times import london_date
from moderator.platforms.practice.school import ROLL, SCHOOL_HANDLE, SCHOOL_NAME, demo_credentials
from moderator.platforms.practice.server import running
from moderator.settings import Settings, make
from moderator.store import accounts, people
from moderator.store import roll as rolls
from moderator.store.database import Database

SLUG = "oakfield"
DOMAIN = "oakfield.example"
READS = 1_000_000
"""The demo account's monthly budget: practice reads cost nothing."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal runs on."""

    settings: Settings
    practice_url: str


@contextmanager
def network(folder: Path, *, comments: Path | None, url: str) -> Iterator[str]:
    """Yield the address of the practice network: the one given, or one of our own whose state and log lie in `folder`.

    A resumed rehearsal gets the port it had, so that places already stored still lead to their pages.
    """
    if url:
        yield url.rstrip("/")
        return
    remembered = folder / "practice.json"
    port = int(json.loads(remembered.read_text(encoding="utf-8"))["port"]) if remembered.exists() else 0
    with running(state=folder / "practice.db", comments=comments, log=folder / "practice-log.jsonl", port=port) as served:
        _write(remembered, json.dumps({"port": urlsplit(served.url).port}))
        yield served.url


def prepare(folder: Path, *, practice_url: str, listen_port: int = 0) -> Rehearsal:
    """Make keys, a demo school and its approved account in `folder`, unless they are there; return what to build from. May be repeated."""
    build.make_keys(folder / "secrets")
    options = make(
        {
            "data_dir": folder,
            "secrets_dir": folder / "secrets",
            "trust": {"name": "Oakfield Learning Trust (a rehearsal)"},
            "school": [{"slug": SLUG, "name": SCHOOL_NAME, "urn": "000000", "head_email": f"head@{DOMAIN}", "email_domains": [DOMAIN]}],
            "x": {"client_id": demo_credentials().client_id, "api_url": practice_url, "site_url": practice_url},
            "listen_port": listen_port,
            "alert_batch_seconds": 0,
            "encrypt_records": False,  # a rehearsal is there to be looked into
            "delegation": "Rehearsal delegation R-1, signed by nobody: this is practice",
            "admin_on_duty": "ADMIN-1 (a rehearsal)",
        },
        where="the rehearsal's settings",
    )
    database = build.open_database(options)
    try:
        _register(options, database)
    finally:
        database.engine.dispose()
    return Rehearsal(options, practice_url)


def _register(options: Settings, database: Database) -> None:
    now = datetime.now(UTC)
    school = options.schools()[0]
    with database.reading() as connection:
        account = people.find_account(connection, "x", SCHOOL_HANDLE)
        on_roll = rolls.roll_size(connection, school.slug)
    if account is None:
        held = build.HeldToken(demo_credentials().token)
        number = build.identify(options, platform="x", handle=SCHOOL_HANDLE, school=school, held=held)
        with database.unit() as unit:
            people.add_account(
                unit.connection,
                school=school,
                platform="x",
                handle=SCHOOL_HANDLE,
                platform_id=number,
                contact_email=f"office@{DOMAIN}",
                monthly_reads=READS,
                at=now,
            )
            account = people.find_account(unit.connection, "x", SCHOOL_HANDLE)
            if account is None:
                message = f"@{SCHOOL_HANDLE} could not be registered"
                raise BadInput(message)
            today = london_date(now)
            approval = Approval("A-1", "The Headteacher (a rehearsal)", today, "Rehearsal", Mode.HIDE, today + timedelta(days=365))
            people.approve(unit.connection, account.id, approval)
            people.StoredCredentials.store(unit.connection, build.sealer(options), account.id, held.token)
            for kind in Attested:
                accounts.attest(unit.connection, account, kind, on=today, by="ADMIN-1", at=now)
    enrol(database, school=school.slug, domain=DOMAIN, at=now)
    if not on_roll:
        _import_roll(options, database, school.slug)


def _import_roll(options: Settings, database: Database, school: str) -> None:
    from moderator.learn.roll import roll_tokens  # noqa: PLC0415 - the model's package loads slowly
    from moderator.learn.rollfile import read_roll  # noqa: PLC0415 - the same

    entries, _ = read_roll(ROLL)
    key = bytes.fromhex(options.secret("roll.key"))
    with database.unit() as unit:
        tokens = [token for entry in entries for token in roll_tokens(entry, key)]
        rolls.replace_roll(unit.connection, school, entries, tokens, build.sealer(options))


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)

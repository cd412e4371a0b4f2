"""The service's own keys: made once, opened at each start, the signing key changed. Called by build and the command line."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from moderator.domain.errors import BadInput
from moderator.domain.rotation import LedgerKey
from moderator.evidence.seal import keyfile
from moderator.evidence.seal.signer import Signer
from moderator.ports import Clock
from moderator.settings import Settings
from moderator.store import ledger as ledgers
from moderator.store import people
from moderator.store.database import Database
from moderator.store.sealed import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_FILES = ("encryption.key", "roll.key", "signing.pem")
"""The service's own secrets, made once by `moderator doctor --make-keys`."""


def make_keys(folder: Path) -> list[str]:
    """Make the secret files that are missing, readable by their owner only; return their names. Never overwrites one."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - only at set-up

    makers: dict[str, Callable[[], bytes]] = {
        "encryption.key": Fernet.generate_key,
        "roll.key": lambda: os.urandom(32).hex().encode(),
        "signing.pem": lambda: Signer.generate().pem,
    }
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in KEY_FILES:
        try:
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(handle, "wb") as file:
            file.write(makers[name]() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        made.append(name)
    return made


def sealer(settings: Settings) -> Sealer:
    """Return the encryption of stored secrets."""
    return Sealer(settings.secret("encryption.key").split())


def open_signer(settings: Settings, database: Database, clock: Clock) -> Signer:
    """Return the signing key in force. A change of keys that was cut short is finished; each new school's ledger is begun with it.

    Raises BadInput, in one line, when `signing.pem` is not the key that every ledger says is in force.
    """
    finish_rotation(settings, database)
    signer = Signer(settings.secret(keyfile.SIGNING).encode())
    for school in database.schools():
        with database.unit() as unit:
            known = ledgers.public_keys(unit.connection, school.slug)
            if not known:
                unit.append(school.slug, ledgers.opened(signer.public_key, clock.now()))
            elif known[-1].public_key != signer.public_key:
                message = f"{keyfile.SIGNING} is not the key this ledger was opened with: bring the old key back from your backup"
                if len(known) > 1:
                    message = (
                        f"{keyfile.SIGNING} is not the newest key of the ledger of {school.slug}: bring that key back from your backup"
                    )
                raise BadInput(message)
    return signer


def finish_rotation(settings: Settings, database: Database) -> bool:
    """Finish a change of keys that a crash cut short after the ledgers were written; return whether there was one."""
    waiting = keyfile.staged(settings.secrets_dir)
    if waiting is None or waiting.public_key not in {known[-1].public_key for known in _ledger_keys(database) if known}:
        return False
    keyfile.take_over(settings.secrets_dir)
    return True


def retired_keys(database: Database, signer: Signer) -> list[str]:
    """Return the public keys that were in force before: an unfinished record may be sealed with one."""
    return sorted({each.public_key for known in _ledger_keys(database) for each in known} - {signer.public_key})


def _ledger_keys(database: Database) -> list[tuple[LedgerKey, ...]]:
    with database.reading() as connection:
        return [ledgers.public_keys(connection, school.slug) for school in people.schools(connection)]

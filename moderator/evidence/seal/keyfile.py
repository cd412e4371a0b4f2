"""The files of the signing key, and how one takes over from another. Called by the composition root and `moderator keys`.

`signing.pem` is the key in force; `signing-<n>.pem` are earlier ones, kept; `signing.pem.new` is one that is to take over. The ledger says
which key is in force, so that a change of keys that a crash cut short is finished from the ledger: `signing.pem` is never missing.
"""

import os
from contextlib import suppress
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.durable import sync_folder

SIGNING, NEXT = "signing.pem", "signing.pem.new"
_DRAFT = "signing.pem.draft"


def staged(folder: Path) -> Signer | None:
    """Return the key that waits to take over; None when none does. Raises BadInput when it cannot be read."""
    try:
        pem = (folder / NEXT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(folder, error) from error
    return Signer(pem)


def stage(folder: Path) -> Signer:
    """Make a key that waits to take over, durable and private; one that waits already is taken. Raises BadInput when it cannot be kept."""
    waiting = staged(folder)
    if waiting is not None:
        return waiting
    fresh = Signer.generate()
    draft = folder / _DRAFT
    try:
        with suppress(FileNotFoundError):
            draft.unlink()
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh.pem)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / NEXT)
        sync_folder(folder)
    except OSError as error:
        raise _unusable(folder, error) from error
    return fresh


def take_over(folder: Path) -> None:
    """Put the waiting key in force; the one before is kept as `signing-<n>.pem`. May be repeated after a crash at any point."""
    try:
        current = Signer((folder / SIGNING).read_bytes())
        if current.public_key not in kept(folder):
            os.link(folder / SIGNING, folder / f"signing-{_free(folder)}.pem")
            sync_folder(folder)
        (folder / NEXT).replace(folder / SIGNING)
        sync_folder(folder)
    except OSError as error:
        raise _unusable(folder, error) from error


def kept(folder: Path) -> dict[str, str]:
    """Return the names of the earlier keys' files, by public key. A file that cannot be read is left out: only the ledger is needed."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("signing-*.pem")):
        with suppress(OSError, BadInput):
            found[Signer(path.read_bytes()).public_key] = path.name
    return found


def _free(folder: Path) -> int:
    number = 1
    while os.path.lexists(folder / f"signing-{number}.pem"):
        number += 1
    return number


def _unusable(folder: Path, error: OSError) -> BadInput:
    return BadInput(f"{folder}: the signing key cannot be changed there ({error.strerror}); run it as the user who may write that folder")

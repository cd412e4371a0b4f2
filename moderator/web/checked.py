"""Whether an item's record is still what was sealed, in words. Called by the item page."""

from dataclasses import dataclass

from moderator.domain.errors import ModeratorError
from moderator.domain.record import SealedRecord
from moderator.web.site import Site


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: `ok` is None when it could not be made in full. `faults` are plain sentences."""

    ok: bool | None
    sentence: str
    faults: tuple[str, ...] = ()


def check_record(site: Site, record: SealedRecord) -> Checked:
    """Check a record now.

    1. Its list of hashes must be the one the database says was sealed.
    2. Then every file against that list, the signature, and the stamps, when the app was given the full check.
    """
    stored = site.tools.vault.manifest_sha256(record.path)
    if stored is None:
        return Checked(ok=False, sentence="The record is missing from the vault. Tell your IT lead now.")
    if stored != record.manifest_sha256:
        return Checked(ok=False, sentence="The record was changed after it was sealed. Tell your IT lead now.")
    if site.verify_record is None:
        return Checked(ok=None, sentence="Its list of hashes is the one that was sealed. The command moderator verify checks each file.")
    try:
        found = site.verify_record(record.path)
    except ModeratorError:
        return Checked(ok=None, sentence="The record could not be checked just now. Open this page again in a minute.")
    if not found.ok:
        return Checked(
            ok=False, sentence="The check found something wrong. Tell your IT lead now.", faults=tuple(fault.what for fault in found.faults)
        )
    return Checked(ok=True, sentence="Checked just now: nothing has changed since it was sealed.")

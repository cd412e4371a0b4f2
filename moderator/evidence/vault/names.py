"""What things are called in a vault: paths, files, and which may be opened, added or disposed of. Called by both vaults and the check."""

import re

from moderator.domain.errors import BadInput
from moderator.domain.record import RECORD_ID

MANIFEST = "manifest-sha256.txt"
MANIFEST_512 = "manifest-sha512.txt"
"""A second manifest with the longer hash, for the day SHA-256 is no longer trusted. Records of format 1 have none."""
SEAL = "data/seal.json"
"""The facts that stand in clear on every record of format 2."""
DATA = "data/"
SCHOOL = re.compile(r"[a-z0-9][a-z0-9-]*")
YEAR = re.compile(r"[0-9]{4}")
NAME = re.compile(r"(data/)?[A-Za-z0-9_][A-Za-z0-9._-]*")
GUIDE = "data/VERIFY.txt"
KEPT_FOR_GOOD = frozenset({SEAL, GUIDE})
"""Payload that stays when a record is disposed of: it names nobody, and the check needs it."""
STAMP_END = ".tsr"
ENCRYPTED_END = ".enc"


def bag_path(path: str) -> tuple[str, str, str]:
    """Return school, year and record id of a bag's path. Raises BadInput for anything but `<school>/<yyyy>/<record id>`."""
    match path.split("/"):
        case [school, year, record] if SCHOOL.fullmatch(school) and YEAR.fullmatch(year) and RECORD_ID.fullmatch(record):
            return school, year, record
    message = f"{path!r} is no place in the vault: it must be school/year/record id"
    raise BadInput(message)


def school_name(school: str) -> str:
    """Return a school's folder name as given. Raises BadInput when it cannot be one."""
    if not SCHOOL.fullmatch(school):
        message = f"{school!r} is not a school's short name: lower-case letters, digits and hyphens"
        raise BadInput(message)
    return school


def file_name(name: str) -> str:
    """Return a file's name in a bag as given. Raises BadInput when it would leave the bag."""
    if not NAME.fullmatch(name):
        message = f"{name!r} is not a file of a record: give a plain name, or data/ and a plain name"
        raise BadInput(message)
    return name


def added_in_order(names: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return files to add as two groups: lists and chains first, the stamps only once those are safe. Raises BadInput for payload.

    So a stamp never stands without the chain it is checked by, whenever the power goes.
    """
    for name in names:
        if file_name(name).startswith(DATA):
            message = f"{name} cannot be added: what was sealed stays as it was"
            raise BadInput(message)
    ordered = sorted(names)
    return tuple(name for name in ordered if not name.endswith(STAMP_END)), tuple(name for name in ordered if name.endswith(STAMP_END))


def stays(manifest: bytes) -> frozenset[str]:
    """Return the payload that stays when the record of this manifest is disposed of: what names nobody.

    The guide of an encrypted record does; the guide of a record in clear names the place, and goes with the rest (R30).
    """
    encrypted = any(line.endswith(ENCRYPTED_END.encode()) for line in manifest.splitlines())
    return KEPT_FOR_GOOD if encrypted else KEPT_FOR_GOOD - {GUIDE}


def no_such_bag(path: str) -> BadInput:
    """Return the error for a path where no record is kept."""
    return BadInput(f"there is no record at {path}")


def other_bytes(path: str, name: str) -> str:
    """Return what is said when a file to add is there with other bytes."""
    return f"{path} already has {name}, with other bytes; it is left as it is"

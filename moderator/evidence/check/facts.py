"""What a bag says of itself: seal.json (format 2) or record.json (format 1), read strictly and with bounded memory. Called by `bag`."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from moderator.domain.record import CaptureKind
from moderator.domain.times import from_utc_text
from moderator.evidence.check.reading import NAME, Said, shown
from moderator.evidence.seal.bag import CLEAR
from moderator.evidence.seal.cipher import CIPHER

MAX_FACTS = 8 * 1024 * 1024
"""Bytes of record.json read for its facts (our choice): the longest post with its thread takes well under one."""
_MAX_PARTS = 500_000
"""Brackets, commas and colons in a JSON file read (our choice): each can cost some sixty bytes of memory once parsed."""
_UTC = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}Z")
_HEX = re.compile(r"[0-9a-f]{64}")
_COUNTERS = re.compile(r"[0-9a-f]{32}(?:\n[0-9a-f]{32})*")
_NAMES = re.compile(rf"{NAME.pattern}(?:\n{NAME.pattern})*")
_FORMATS = (1, 2)
_BOTH = tuple(name for name in CLEAR if name != "format")
"""Facts that stand in seal.json and in record.json: where both are in clear, they must agree."""
ALWAYS_CLEAR = frozenset({"seal.json", "VERIFY.txt"})
"""Payload of format 2 that is never encrypted and stays when a record is disposed of."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the check needs of a record's own account. Texts are "" and `authorities` empty where it says nothing fit.

    `authorities`: name to SHA-256 of the chain. `encrypted`: plain names of the files stored as `<name>.enc`, None for a record in clear.
    """

    record: str = ""
    school: str = ""
    first_seen_utc: str = ""
    captured_utc: str = ""
    sealed_utc: str = ""
    capture_kind: str = ""
    requests_blocked: int = 0
    key_sha256: str = ""
    authorities: frozenset[tuple[str, str]] = frozenset()
    encrypted: frozenset[str] | None = None
    faults: tuple[Said, ...] = field(default=())


def facts_of_record(content: bytes) -> Facts:
    """Return the facts of format 1, from record.json."""
    return _facts(content, "record.json", number=1)


def facts_of_seal(content: bytes) -> Facts:
    """Return the facts of format 2, from seal.json."""
    return _facts(content, "seal.json", number=2)


def disagreements(seal: bytes, record: bytes) -> list[Said]:
    """Return the faults of a record in clear whose record.json tells another story than its seal.json."""
    name = "data/record.json"
    try:
        first, second = _strict(seal), _strict(record)
    except (ValueError, TypeError, RecursionError):
        return [("facts", "record.json does not say what a record must say.", name)]
    differ = [key for key in _BOTH if first.get(key) != second.get(key)]
    return [("facts", f"record.json and seal.json disagree about {key}.", name) for key in differ]


def _facts(content: bytes, name: str, *, number: int) -> Facts:
    try:
        row = _strict(content)
        found = row.get("format", 1)
        if found not in _FORMATS or found != number:
            return Facts(faults=(("format", f"{name} is of format {shown(str(found))}, which does not fit this record.", f"data/{name}"),))
        return _read(row, number)
    except (ValueError, TypeError, KeyError, RecursionError):
        return Facts(faults=(("facts", f"{name} does not say what a record must say.", f"data/{name}"),))


def _strict(content: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError for a repeated key, NaN, too many parts, too large a file; RecursionError for a deep one."""
    if len(content) > MAX_FACTS or sum(content.count(part) for part in (b"[", b"{", b",", b":")) > _MAX_PARTS:
        message = "more than a record ever says"
        raise ValueError(message)
    row = _DECODER.decode(content.decode("utf-8"))
    if not isinstance(row, dict):
        message = "not an object"
        raise ValueError(message)  # noqa: TRY004 - the caller asks whether the content is good, not the caller's types
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key stands twice"
        raise ValueError(message)
    return found


def _refuse(constant: str) -> float:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)


def _read(row: dict[str, Any], number: int) -> Facts:
    times = {key: str(row[key]) for key in ("captured_utc", "sealed_utc", "first_seen_utc")}
    for text in times.values():
        if not _UTC.fullmatch(text):
            raise ValueError(text)
        from_utc_text(text)
    encryption = row["encryption"] if number > 1 else None
    blocked = row.get("requests_blocked", 0)
    return Facts(
        record=str(row.get("record_id", "")),
        school=str(row.get("school", "")),
        first_seen_utc=times["first_seen_utc"],
        captured_utc=times["captured_utc"],
        sealed_utc=times["sealed_utc"],
        capture_kind=CaptureKind(row["capture_kind"]).value,
        requests_blocked=blocked if isinstance(blocked, int) else 0,
        key_sha256="" if encryption is None else _hex(encryption["key_sha256"]),
        authorities=_authorities(row.get("timestamp_authorities")),
        encrypted=None if encryption is None else _encrypted(encryption),
    )


def _encrypted(said: dict[str, Any]) -> frozenset[str]:
    """Return the plain names of the encrypted files. The same counter twice under one key would lay both files open: it is refused."""
    files = dict[str, str](said["files"])
    fit = _COUNTERS.fullmatch("\n".join(files.values())) and _NAMES.fullmatch("\n".join(files))
    if said["cipher"] != CIPHER or not fit or len(set(files.values())) != len(files):
        raise ValueError(CIPHER)
    return frozenset(files)


def _hex(text: object) -> str:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise ValueError(text)
    return text


def _authorities(named: object) -> frozenset[tuple[str, str]]:
    if not isinstance(named, list):
        return frozenset()
    return frozenset((str(each.get("name")), str(each.get("chain_sha256"))) for each in named if isinstance(each, dict))

"""What a record's bag holds: the names of its files, and who has stamped it. Called by the item page."""

import json
import re

from moderator.domain.errors import BadInput
from moderator.domain.record import SealedRecord
from moderator.web.site import Site

_MANIFEST = "manifest-sha256.txt"
_MANIFESTS = (_MANIFEST, f"tag{_MANIFEST}")
_LINE = re.compile(r"[0-9a-f]{64}  ((?:data/)?[A-Za-z0-9_][A-Za-z0-9._-]*)")


def files_of(site: Site, record: SealedRecord) -> tuple[str, ...]:
    """Return the names of the record's files: those its manifests list, and the stamps; none when the bag cannot be read."""
    names = []
    for manifest in _MANIFESTS:
        text = _read(site, record, manifest)
        if text is not None:
            names += [match[1] for line in text.splitlines() if (match := _LINE.fullmatch(line))]
            names.append(manifest)
    for authority in _stamped_by(site, record):
        names += [_stamp(authority), f"{authority}-chain.pem"]
    return tuple(dict.fromkeys(names))


def stamp_words(site: Site, record: SealedRecord) -> str:
    """Return who has stamped the record, in words."""
    found = _stamped_by(site, record)
    if found:
        return f"by {', '.join(found)}"
    if record.stamp_pending:
        return "not yet: no time stamp authority has answered so far"
    return "none: no time stamp authority is set up"


def _stamped_by(site: Site, record: SealedRecord) -> list[str]:
    """Return the authorities that record.json names and whose stamp lies in the bag; a record that is no longer itself names none."""
    try:
        named = json.loads(_read(site, record, "data/record.json") or "{}")["timestamp_authorities"]
        names = [str(each["name"]) for each in named]
    except (ValueError, KeyError, TypeError):
        return []
    return [name for name in names if _read(site, record, _stamp(name)) is not None]


def _stamp(authority: str) -> str:
    return f"{_MANIFEST}.{authority}.tsr"


def _read(site: Site, record: SealedRecord, name: str) -> str | None:
    try:
        return site.tools.vault.open(record.path, name).decode("utf-8", "replace")
    except BadInput:
        return None

"""A record's bag as a pack reads it: its facts in clear, its files as stored, its stamps, and whether it still is what was sealed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from rfc3161_client import decode_timestamp_response

from moderator.domain.errors import BadInput
from moderator.domain.pack import Held
from moderator.domain.times import london_text
from moderator.evidence.seal.canonical import showable
from moderator.evidence.seal.renewal import stamps_in, token_name
from moderator.evidence.vault.names import MANIFEST, SEAL

NOT_KNOWN = "not known"
_LINE = re.compile(r"([0-9a-f]{64})  (data/[^\n]+)")


class Reader(Protocol):
    """The part of a vault that a pack needs."""

    def open(self, path: str, name: str) -> bytes:
        """Return one file. Raises BadInput when there is none."""
        ...

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names of a bag's files, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamp in the bag: by whom, and the time in it (None when it cannot be read)."""

    authority: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Compared:
    """The stored files against the manifest, and the manifest against the books: how many files, which differ, whether the books agree."""

    files: int
    wrong: tuple[str, ...]
    in_books: bool

    @property
    def ok(self) -> bool:
        """Return whether nothing differs."""
        return not self.wrong and self.in_books


@dataclass(frozen=True, slots=True)
class Bagged:
    """One record, opened. `opened` reads in clear, `stored` what lies on the disk; `key` is its key when it is encrypted."""

    held: Held
    record: Mapping[str, Any]
    decision: Mapping[str, Any]
    seal: Mapping[str, Any]
    opened: Reader
    stored: Reader
    key: bytes | None

    def text(self, name: str) -> str:
        """Return a fact of record.json on one line, in characters that can be shown; "not known" when it is missing or empty."""
        return as_text(self.record.get(name))

    def both_times(self, name: str) -> str:
        """Return a time of record.json (`posted`, `captured`, …) in UTC and in London (R13)."""
        return both_times(moment_of(self.record.get(f"{name}_utc")))

    def file(self, name: str) -> bytes | None:
        """Return a payload file in clear, or None when the record has none of that name."""
        try:
            return self.opened.open(self.held.path, f"data/{name}")
        except BadInput:
            return None

    def stored_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the bag's files exactly as stored."""
        for name in self.stored.names(self.held.path):
            yield name, self.stored.open(self.held.path, name)

    def encrypted(self) -> dict[str, str]:
        """Return the initial counter (hex) of each encrypted payload file; empty when the record is in clear."""
        said = self.seal.get("encryption") or {}
        return dict(said.get("files", {}))

    def compared(self) -> Compared:
        """Return the comparison of every payload file with the manifest, made now."""
        manifest = self.stored.open(self.held.path, MANIFEST)
        lines = [match for line in manifest.decode("utf-8", "replace").splitlines() if (match := _LINE.fullmatch(line))]
        wrong = [line[2] for line in lines if self._sha256(line[2]) != line[1]]
        return Compared(len(lines), tuple(wrong), hashlib.sha256(manifest).hexdigest() == self.held.manifest_sha256)

    def _sha256(self, name: str) -> str:
        try:
            return hashlib.sha256(self.stored.open(self.held.path, name)).hexdigest()
        except BadInput:
            return ""

    def stamps(self) -> tuple[Stamped, ...]:
        """Return every stamp, the first ones and each renewal, oldest round first."""
        path = self.held.path
        found = []
        for authority, number in stamps_in(self.stored.names(path)):
            token = self.stored.open(path, token_name(authority, number))
            found.append(Stamped(authority if number == 1 else f"{authority} (renewal {number})", _token_time(token)))
        return tuple(found)


def open_bag(held: Held, *, opened: Reader, stored: Reader, key: bytes | None) -> Bagged:
    """Return a record, opened. Raises BadInput when its facts cannot be read: the bag is damaged or its key is lost."""
    try:
        record = json.loads(opened.open(held.path, "data/record.json"))
        decision = _json(opened, held.path, "data/decision.json")
        seal = _json(opened, held.path, SEAL)
    except (BadInput, ValueError) as error:
        message = f"{held.record_id} cannot be opened: {error}. Run moderator verify."
        raise BadInput(message) from error
    return Bagged(held, record, decision, seal, opened, stored, key)


def _json(reader: Reader, path: str, name: str) -> dict[str, Any]:
    if name not in reader.names(path):
        return {}
    found = json.loads(reader.open(path, name))
    return found if isinstance(found, dict) else {}


def _token_time(token: bytes) -> datetime | None:
    try:
        return decode_timestamp_response(token).tst_info.gen_time.astimezone(UTC)
    except ValueError:
        return None


def as_text(value: object) -> str:
    """Return a fact in words: "not known" for what is missing or empty, yes and no, else on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return NOT_KNOWN
    return showable(" ".join(str(value).split()))


def moment_of(text: object) -> datetime | None:
    """Return the aware time of an ISO text, or None."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def both_times(moment: datetime | None) -> str:
    """Return a time in UTC and in London, or "not known" (R13)."""
    if moment is None:
        return NOT_KNOWN
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC · {london_text(moment)} (London)"

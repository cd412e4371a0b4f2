"""The ports of the evidence: recording, the vault, keys, stamps, the ledger's file, checking."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from moderator.domain.errors import Unanswered
from moderator.domain.events import Head
from moderator.domain.record import Evidence, Fault, SealedRecord, Verification
from moderator.domain.stamping import Added
from moderator.domain.submission import Handed, Submission, SubmittedFile


class Recorder(Protocol):
    """Captures and seals. Shipped versions: the browser's, and a still one that draws without a browser."""

    def seal(self, evidence: Evidence) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared.

        May be repeated: a bag that is already there under the record's id is checked and returned, never made twice. Raises EvidenceFailed
        when no picture could be made or an existing bag is damaged, Transient when the disk is full or the vault is away, Refused when the
        vault will not take it.
        """
        ...

    def close(self) -> None:
        """End the browser; may be repeated."""
        ...


class Intake(Protocol):
    """Takes what a person hands in: screen prints of a post elsewhere."""

    def look_over(self, files: Sequence[Handed]) -> tuple[SubmittedFile, ...]:
        """Return the files as they will be kept, each known by its content. Writes nothing; may be repeated.

        Raises BadInput, naming the file, for one that is of no kind taken, too large, cut short, or two things at once; and for too many.
        """
        ...

    def take(self, submission: Submission) -> SealedRecord:
        """Return the sealed record, on disk, fsynced, read back and compared. May be repeated: the one that is there is returned.

        Raises EvidenceFailed when what is there is damaged, Transient when the disk is full or the vault is away.
        """
        ...

    def taken(self, path: str) -> SealedRecord | None:
        """Return the record that is kept at a place in the vault, checked in full; None when there is none. Raises as `take` does."""
        ...


class Vault(Protocol):
    """Where bags live for good. Nothing is ever changed through it; only `dispose` removes, and it leaves the proof standing (R30)."""

    @property
    def working_folder(self) -> Path:
        """Where bags are built before `put`: on the vault's own filesystem where it is one, so that `put` is a rename."""
        ...

    def put(self, folder: Path, path: str) -> str:
        """Move a finished bag folder to `path` (`<school>/<yyyy>/<record id>`), durable and read-only; return SHA-256 of its manifest.

        Raises Refused when a different bag is there already, Transient when the disk is full.
        """
        ...

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored bag's `manifest-sha256.txt`, or None when there is no bag."""
        ...

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag (`data/record.json`, …). Raises BadInput when there is none or the name leaves the bag."""
        ...

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names of a bag's files (`bagit.txt`, `data/record.json`, …), sorted; empty when there is no bag."""
        ...

    def paths(self, school: str = "") -> Iterable[str]:
        """Yield every bag's path, in order; of one school, or of all."""
        ...

    def add(self, path: str, files: Mapping[str, bytes]) -> None:
        """Add stamps beside the manifests, durably; a `.tsr` never stands without its chain.

        May be repeated: a file that is there with the same bytes is left alone. Raises Refused when it has other bytes, Transient when
        the disk is full or the vault is away.
        """
        ...

    def hold(self, path: str, *, on: bool) -> None:
        """Put a legal hold on the stored bag, or lift it, where the storage knows such a thing. May be repeated. Raises Transient."""
        ...

    def dispose(self, path: str) -> None:
        """Remove the payload for good, all but what names nobody; manifests, signature and stamps stay.

        The caller has checked hold, two people and reasons (R30). May be repeated. Raises Refused under a storage hold, Transient.
        """
        ...


class RecordKeys(Protocol):
    """The key of each encrypted record: 32 bytes, kept apart from the vault, so that destroying it disposes of the record (R30)."""

    def make(self, record_id: str, school: str) -> bytes:
        """Return the record's key, made and durable. May be repeated: the same key. Raises NotAllowed when it was destroyed."""
        ...

    def get(self, record_id: str) -> bytes | None:
        """Return the key, or None when there never was one or it was destroyed."""
        ...


class TimestampAuthority(Protocol):
    """An RFC 3161 authority."""

    @property
    def name(self) -> str:
        """A short name for file names: lower-case letters, digits and hyphens."""
        ...

    def stamp(self, data: bytes, *, hashed_by: str = "sha256") -> tuple[bytes, bytes]:
        """Return the DER timestamp response over the hash of `data` (`sha256` or `sha512`), and its certificate chain in PEM.

        The stamp was checked: nonce, hash, chain, time. Raises Unanswered when none can be had now. May be repeated: a stamp more.
        """
        ...


class Stamper(Protocol):
    """Adds stamps to records that are sealed already, and renews them. Shipped versions: over any vault, and one without an authority."""

    @property
    def authorities(self) -> tuple[str, ...]:
        """The names of the authorities of the settings, in order; none: records are not stamped."""
        ...

    @property
    def ready(self) -> tuple[str, ...]:
        """Those that may be asked now. One that did not answer is left alone for a while, up to an hour."""
        ...

    def add(self, path: str, authority: str) -> tuple[Added, ...]:
        """Give a stored bag the stamp of `authority` over its newest round, durably.

        May be repeated: stamps by it that are there are checked and told, none is asked for again. Raises Unanswered when the authority
        gives none, Transient when the disk is full or the vault is away, BadInput, EvidenceFailed or Refused when this bag cannot take it.
        """
        ...

    def renew(self, path: str, *, number: int, later_than: datetime, by_all: bool) -> tuple[Added, ...]:
        """Give a stored bag its round after `number`: a list of all stamps so far, stamped by every authority that answers, durably.

        Only stamps that carry the proof a good while past `later_than` are taken, at least one; with `by_all`, one of every authority.
        May be repeated: stamps of that round that are there are checked and told. Raises as `add` does.
        """
        ...


class NoStamper:
    """Stamps nothing: for a service without a timestamp authority; implements Stamper."""

    authorities: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()

    def add(self, path: str, authority: str) -> tuple[Added, ...]:
        """Raise Unanswered: there is no authority."""
        del path, authority
        raise Unanswered(_NO_AUTHORITY)

    def renew(self, path: str, *, number: int, later_than: datetime, by_all: bool) -> tuple[Added, ...]:
        """Raise Unanswered: there is no authority."""
        del path, number, later_than, by_all
        raise Unanswered(_NO_AUTHORITY)


_NO_AUTHORITY = "no timestamp authority is set up"


class Ledger(Protocol):
    """The ledger file: the line-by-line copy of the database's events that an outsider reads."""

    def sync(self, school: str) -> Head:
        """Append every event the file lacks, fsync, and return the head. May be repeated.

        Raises Transient when the disk is full, EvidenceFailed when the file was changed from outside.
        """
        ...

    def differences(self, school: str) -> tuple[Fault, ...]:
        """Return what is wrong between the file and the database, line by line; at most one fault of each sort.

        Flat memory; reads only. Raises Transient when the file cannot be read.
        """
        ...


class RecordCheck(Protocol):
    """The check of stored records against their ledger: what `moderator verify` does, for the records named."""

    def check(self, school: str, paths: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Verification:
        """Return what the check of these records (`<school>/<yyyy>/<record id>`) found; one that is not there is a fault.

        The ledger's file is walked too, from its first line. `progress` is told how many records were checked so far. Reads only; may
        be repeated. Raises Transient when the vault is away.
        """
        ...

"""The ZIP a pack is: written under a hidden name, flushed, readable by its owner only. Called by each kind of pack.

The same members at the same time give the same bytes: names, order, times, attributes and compression are all settled here.
"""

import hashlib
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from moderator.domain.pack import Draft

SUMS = "sha256sums.txt"
_OWNER_READS = 0o100600 << 16
_UNIX = 3
_PACKED_ALREADY = (".png", ".wacz", ".zip", ".enc")
_LEVEL = 6


class Archive:
    """A pack being written. Members are added in order; `sha256sums.txt` over all of them comes last."""

    def __init__(self, file: IO[bytes], at: datetime) -> None:
        """Write to `file`; every member carries the time `at`, in UTC."""
        self._zip = zipfile.ZipFile(file, "w", allowZip64=True)
        moment = at.astimezone(UTC)
        self._date = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
        self._sums: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """Add one file."""
        self.stream(name, (content,))

    def stream(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add one file piece by piece, so that a long ledger needs no memory."""
        digest = hashlib.sha256()
        with self._zip.open(self._member(name), "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                member.write(piece)
        self._sums[name] = digest.hexdigest()

    def sums(self) -> bytes:
        """Return what `sha256sum -c` reads, over every member so far."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self._sums.items())).encode()

    def _member(self, name: str) -> zipfile.ZipInfo:
        member = zipfile.ZipInfo(name, self._date)
        member.create_system = _UNIX
        member.external_attr = _OWNER_READS
        member.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED_ALREADY) else zipfile.ZIP_DEFLATED
        member._compresslevel = _LEVEL  # type: ignore[attr-defined] # noqa: SLF001 - the public name is newer than Python 3.11
        return member

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Write the sums and close; after an error only close."""
        del error, trace
        if kind is None:
            self.add(SUMS, self.sums())
        self._zip.close()


class Making:
    """A draft that is being written: its archive now, its path and hash once it is finished."""

    def __init__(self, archive: Archive, path: Path, name: str) -> None:
        """Take the open archive, where it is written, and what it shall be called."""
        self.archive, self._path, self._name = archive, path, name

    def draft(self) -> Draft:
        """Return the finished draft. Only after the `with` block."""
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Draft(self._path, self._name, digest)


@contextmanager
def making(folder: Path, name: str, at: datetime) -> Iterator[Making]:
    """Open a draft of the pack `name` in `folder`: flushed at the end, removed should anything go wrong. Raises OSError."""
    path = folder / f".{secrets.token_hex(8)}.pack"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle of a new file that only its owner can read
            with Archive(file, at) as archive:
                yield Making(archive, path, name)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def name_of(kind: str, of: str, at: datetime) -> str:
    """Return what a pack is called: its kind, what it is of (a record or a school), the time in UTC. Never a person's name."""
    return f"{kind}-{of}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"

"""Where bags live for good: a bucket with Object Lock in governance mode. Called by the sealing, the stamps, the review page and exports.

A bag is the same files under `<prefix>/<school>/<yyyy>/<record id>/`. Every object is locked from its first byte. The payload manifest
comes last: a bag without it was never sealed, is not believed, and makes way for the repeat. What is read is each file's first version:
a later upload or a deletion can neither replace nor hide it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.domain.times import SystemClock
from moderator.evidence.vault.bucket import AT_ONCE, CHUNK, AlreadyThereError, Bucket, S3Place, Version, open_bucket
from moderator.evidence.vault.durable import remove_leftover
from moderator.evidence.vault.names import (
    DATA,
    MANIFEST,
    NAME,
    added_in_order,
    bag_path,
    file_name,
    no_such_bag,
    other_bytes,
    school_name,
    stays,
)
from moderator.evidence.vault.s3_source import S3Source
from moderator.observe import went_wrong
from moderator.ports import Clock

MAY_BE_AT_WORK = timedelta(minutes=5)
"""How long an upload without its manifest is left to the process that may still be at it (our choice: it takes seconds)."""
_T = TypeVar("_T")
_R = TypeVar("_R")


class S3Vault:
    """The vault as a bucket; implements ports.Vault. Nothing is ever changed through it; only `dispose` removes."""

    def __init__(self, place: S3Place, *, working_folder: Path, clock: Clock | None = None) -> None:
        """Use a bucket, and a folder of this machine to build bags in.

        Raises BadInput when the bucket lacks versioning or Object Lock, or locks in compliance mode; Transient when it does not answer.
        """
        self._place, self._working, self._clock = place, working_folder, clock or SystemClock()
        self._cut_short: set[str] = set()
        try:
            working_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"the vault's working folder {working_folder} cannot be made: {error.strerror}"
            raise Transient(message) from error
        self._bucket.check()

    @property
    def _bucket(self) -> Bucket:
        return open_bucket(self._place)

    @property
    def working_folder(self) -> Path:
        """Return the folder of this machine where bags are built."""
        return self._working

    @property
    def protection(self) -> str:
        """Return in plain words how stored files are guarded against change. For `moderator doctor`."""
        return f"files are locked in the bucket for {self._place.retain_days} days (Object Lock, governance mode)"

    def put(self, folder: Path, path: str) -> str:
        """Store a finished bag at `path`; return SHA-256 of its manifest. The folder is removed.

        1. A bag that is there: the same one is left, another one refused. What an upload cut short left behind is removed.
        2. Every file side by side, each checked by the server; the manifest last.
        3. Read every file back by its version and compare; make sure that these are the first versions.

        May be repeated. Raises Refused when a different bag is there or the bucket says no, Transient when it does not answer.
        """
        bag_path(path)
        files = {each.relative_to(folder).as_posix(): each for each in sorted(folder.rglob("*")) if each.is_file()}
        hashes = {name: _hash_of(each) for name, each in files.items()}
        wanted = hashes[MANIFEST].hex()
        there = self._first(path)
        if MANIFEST in there:
            if self._sha256(there[MANIFEST]) != hashes[MANIFEST]:
                message = f"another record is already kept at {path}; it is left as it is"
                raise Refused(message)
        else:
            self._store(path, files, hashes)
        remove_leftover(folder)
        return wanted

    def _store(self, path: str, files: Mapping[str, Path], hashes: Mapping[str, bytes]) -> None:
        self._clear(path)
        stored: dict[str, str] = {}

        def upload(name: str) -> None:
            with files[name].open("rb") as body:
                stored[name] = self._bucket.put(self._place.key(path, name), body, sha256=hashes[name], until=self._until())

        try:
            _side_by_side(upload, (name for name in files if name != MANIFEST))
            upload(MANIFEST)
        except AlreadyThereError as error:
            self._take_back(path, stored)
            message = f"{path} is being stored by another process"
            raise Transient(message) from error
        except OSError as error:
            self._take_back(path, stored)
            message = f"the vault could not take {path}: {error.strerror}"
            raise Transient(message) from error
        except (Transient, Refused):
            self._cut_short.add(path)
            self._take_back(path, stored)
            raise
        self._cut_short.discard(path)
        first = self._first(path)
        again = _side_by_side(self._sha256, (first[name] for name in files if name in first))
        if {name: version.id for name, version in first.items()} != stored or list(hashes.values()) != again:
            message = f"{path} was changed while it was being stored: a person must look"
            raise Refused(message)

    def _take_back(self, path: str, stored: Mapping[str, str]) -> None:
        """Remove what this upload has stored so far, if the bucket will; else the next try clears it."""
        went_wrong("vault_upload_cut_short", record=path)
        with suppress(Transient, Refused):
            _side_by_side(lambda name: self._bucket.remove(self._place.key(path, name), stored[name]), tuple(stored))

    def _clear(self, path: str) -> None:
        """Remove what an upload cut short left behind: it was never sealed, so nothing depends on it.

        Another process's is left while it may still be at work. Raises Transient then, Refused when the bucket will not remove it.
        """
        left = list(self._bucket.versions(self._place.under(path)))
        if path not in self._cut_short and any(self._clock.now() - each.stored_at < MAY_BE_AT_WORK for each in left):
            message = f"{path} is being stored by another process, or was until just now"
            raise Transient(message)
        try:
            _side_by_side(lambda each: self._bucket.remove(each.key, each.id), left)
        except Refused as error:
            message = f"an upload of {path} was cut short, and what it left may not be removed: {error}"
            raise Refused(message) from error

    def _until(self) -> datetime:
        return self._clock.now() + timedelta(days=self._place.retain_days)

    def taken(self, path: str) -> bool:
        """Return whether a sealed bag is at `path`. What an upload cut short left is none, and makes way for the repeat."""
        return MANIFEST in self._first(path)

    def finish(self, path: str) -> None:
        """Do nothing: when the manifest is there, so is everything else. May be repeated."""
        bag_path(path)

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored bag's manifest, or None when there is no bag. Raises Transient when the bucket does not answer."""
        bag_path(path)
        version = self._version(path, MANIFEST)
        return self._sha256(version).hex() if version else None

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag, its first version. Raises BadInput when there is none, Transient when the bucket does not answer."""
        bag_path(path)
        version = self._version(path, file_name(name))
        if version is None:
            message = f"there is no {name} in {path}"
            raise BadInput(message)
        return self._content(version)

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names of a bag's files, sorted; empty when there is no bag."""
        there = self._first(path)
        return tuple(sorted(name for name in there if NAME.fullmatch(name))) if MANIFEST in there else ()

    def paths(self, school: str = "") -> Iterator[str]:
        """Yield every sealed bag's path, of one school or of all, in order. Raises BadInput for no school name."""
        root = self._place.under()
        last = ""
        for version in self._bucket.versions(self._place.under(school_name(school)) if school else root):
            path = version.key.removeprefix(root).removesuffix(f"/{MANIFEST}")
            if version.key.endswith(f"/{MANIFEST}") and not version.marker and path != last and _is_path(path):
                last = path
                yield path

    def add(self, path: str, files: Mapping[str, bytes]) -> None:
        """Add stamps beside the manifests, locked; no `.tsr` stands without its chain.

        May be repeated: a file that is there with the same bytes is left alone. Raises Refused, before anything is stored, when one has
        other bytes; BadInput for payload or no bag; Transient when the bucket does not answer.
        """
        groups = added_in_order(frozenset(files))
        there = self._sealed(path)
        for name in files.keys() & there.keys():
            if self._content(there[name]) != files[name]:
                raise Refused(other_bytes(path, name))
        for group in groups:
            for name in group:
                if name not in there:
                    self._add(path, name, files[name])

    def _add(self, path: str, name: str, content: bytes) -> None:
        try:
            self._bucket.put(self._place.key(path, name), content, sha256=hashlib.sha256(content).digest(), until=self._until())
        except AlreadyThereError as error:
            if self.open(path, name) != content:
                raise Refused(other_bytes(path, name)) from error

    def hold(self, path: str, *, on: bool) -> None:
        """Put a legal hold on every file of a bag, or lift it. May be repeated. Raises BadInput when there is no bag, Transient."""
        there = self._sealed(path)
        _side_by_side(lambda version: self._bucket.hold(version, on=on), there.values())

    def dispose(self, path: str) -> None:
        """Remove the payload for good, in every version, all but what names nobody (`names.stays`).

        May be repeated. Raises Refused, before anything is removed, under a legal hold, and when the service may not; BadInput when there
        is no bag; Transient.
        """
        self._sealed(path)
        prefix = self._place.under(path)
        kept = stays(self.open(path, MANIFEST))
        going = [each for each in self._bucket.versions(prefix + DATA) if each.key.removeprefix(prefix) not in kept]
        if any(_side_by_side(self._bucket.held, (each for each in going if not each.marker))):
            message = f"{path} is under a legal hold: nothing was removed"
            raise Refused(message)
        _side_by_side(lambda each: self._bucket.remove(each.key, each.id), going)

    def source(self, path: str) -> S3Source:
        """Return how the check reads a bag, in this process or another."""
        bag_path(path)
        return S3Source(self._place, path)

    def _first(self, path: str) -> dict[str, Version]:
        """Return the first version of every file under a path."""
        bag_path(path)
        prefix = self._place.under(path)
        return {each.key.removeprefix(prefix): each for each in self._bucket.versions(prefix) if not each.marker}

    def _sealed(self, path: str) -> dict[str, Version]:
        there = self._first(path)
        if MANIFEST not in there:
            raise no_such_bag(path)
        return there

    def _version(self, path: str, name: str) -> Version | None:
        key = self._place.key(path, name)
        found = None
        for each in self._bucket.versions(key):
            if each.key == key and not each.marker:
                found = each
        return found

    def _content(self, version: Version) -> bytes:
        with self._bucket.read(version) as chunks:
            return b"".join(chunks)

    def _sha256(self, version: Version) -> bytes:
        digest = hashlib.sha256()
        with self._bucket.read(version) as chunks:
            for chunk in chunks:
                digest.update(chunk)
        return digest.digest()


def _side_by_side(do: Callable[[_T], _R], each: Iterable[_T]) -> list[_R]:
    """Do something for each, some at a time; return the answers in order, or raise the first error."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(do, each))


def _hash_of(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


def _is_path(path: str) -> bool:
    try:
        bag_path(path)
    except BadInput:
        return False
    return True

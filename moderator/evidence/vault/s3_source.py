"""A bag in a bucket, as the check reads it. Picklable, and without secrets: each process opens its own connection. A BagSource."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from moderator.domain.errors import Refused
from moderator.evidence.check.reading import (
    MAX_FILE,
    MAX_NAMES,
    MAX_SMALL,
    NAME,
    Digest,
    Listing,
    NotPlain,
    Said,
    shown,
    stream_hashes,
    too_large,
)
from moderator.evidence.vault.bucket import Bucket, S3Place, Version, open_bucket
from moderator.evidence.vault.names import DATA, MANIFEST

_MANY = 4 * MAX_NAMES


@dataclass(frozen=True, slots=True)
class S3Source:
    """One bag: the bucket, and `<school>/<yyyy>/<record id>`."""

    place: S3Place
    path: str

    @contextmanager
    def open(self) -> Iterator["S3Reader"]:
        """List the bag. Raises FileNotFoundError when no record was sealed there, Transient when the bucket does not answer."""
        bucket = open_bucket(self.place)
        prefix = self.place.under(self.path)
        reader = S3Reader(bucket)
        for version in bucket.versions(prefix):
            reader.note(version.key.removeprefix(prefix), version)
            if len(reader.files) > _MANY:
                break
        if MANIFEST not in reader.files:
            raise FileNotFoundError(2, "No such file or directory")
        yield reader


@dataclass(slots=True)
class S3Reader:
    """The first version of every file of one bag, and what has come after them; implements BagReader.

    Raises Transient, beside the reader's OSErrors, when the bucket does not answer: that says nothing against the record.
    """

    bucket: Bucket
    files: dict[str, Version] = field(default_factory=dict)
    later: dict[str, Said] = field(default_factory=dict)

    def note(self, name: str, version: Version) -> None:
        """Take the next version of the bucket's list, which names the newest of a file first."""
        if version.marker:
            said = f"{shown(name)} was deleted later; what was stored first is still there and was read."
            self.later[name] = ("deletion_marker", said, shown(name))
            return
        if name in self.files:
            said = f"{shown(name)} was stored again later, or more than once; what was stored first was read."
            self.later.setdefault(name, ("second_version", said, shown(name)))
        self.files[name] = version

    def listing(self) -> Listing:
        """Return what is there; files stored twice, deleted, or with odd names are told of."""
        faults = [said for _, said in sorted(self.later.items())]
        tags: set[str] = set()
        payload: set[str] = set()
        for name in sorted(self.files):
            names, plain = (payload, name.removeprefix(DATA)) if name.startswith(DATA) else (tags, name)
            if not NAME.fullmatch(plain):
                faults.append(("not_plain", f"{shown(name)!r} is not a file of a record; it was not opened.", shown(name)))
            elif len(names) < MAX_NAMES:
                names.add(plain)
            elif not any(code == "too_many" for code, _, _ in faults):
                faults.append(("too_many", f"More than {MAX_NAMES} files: this is no record.", ""))
        return Listing(frozenset(tags), frozenset(payload), tuple(faults))

    def small(self, name: str) -> bytes:
        """Return a small file whole."""
        return self.digest_of(name, limit=MAX_SMALL, keep=MAX_SMALL, sha512=False).content

    def digest(self, name: str, *, keep: int, sha512: bool) -> Digest:
        """Return the hashes of a file, read in pieces."""
        return self.digest_of(name, limit=MAX_FILE, keep=keep, sha512=sha512)

    def digest_of(self, name: str, *, limit: int, keep: int, sha512: bool) -> Digest:
        """Return the hashes of a file of at most `limit` bytes."""
        version = self.files.get(name)
        if version is None:
            raise FileNotFoundError(2, "No such file or directory")
        if version.size > limit:
            raise too_large(name)
        try:
            with self.bucket.read(version) as chunks:
                return stream_hashes(chunks, limit=limit, keep=keep, sha512=sha512, name=name)
        except Refused as error:
            raise NotPlain(str(error)) from error

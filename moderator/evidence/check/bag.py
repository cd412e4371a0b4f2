"""The check of one bag against itself, wherever it lies. Called by the recorder, by the review pages and, many at once, by `verify`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from moderator.domain.record import Fault
from moderator.evidence.check.facts import ALWAYS_CLEAR, MAX_FACTS, Facts, disagreements, facts_of_record, facts_of_seal
from moderator.evidence.check.reading import BagReader, BagSource, Digest, Listing, NotPlain, Said, hashes, listed, shown
from moderator.evidence.check.stamps import Stamps, Token, belongs
from moderator.evidence.seal.bag import BAGIT, KEY, SIGNATURE, TAG_MANIFEST, TAG_MANIFEST_512
from moderator.evidence.seal.signer import public_key_from, signature_holds
from moderator.evidence.vault.names import DATA, ENCRYPTED_END, MANIFEST, MANIFEST_512

_SEAL, _RECORD, _GUIDE = "seal.json", "record.json", "VERIFY.txt"
_TAGS = ("bagit.txt", "bag-info.txt", MANIFEST, SIGNATURE, KEY)
_MAX_FAULTS = 100
MAX_BAG = 4 * 1024**3
"""Bytes of one bag read at most (our choice): a record has some hundred kilobytes, with an archive of its page some megabytes."""
_NOTHING = hashes(b"", keep=0, sha512=True)


@dataclass(frozen=True, slots=True)
class BagTask:
    """What to check: where the bag is, the school, record id and year its place says ("" where it says none), and what the ledger says.

    `keys`: public keys that may have signed it; none: the bag's own key file is taken. `chains`: SHA-256 of authority chains the ledger
    vouches for, beside the record's own list; `trusted`: a chain in PEM that every stamp must lead to. `disposed`: the ledger says that
    its payload was lawfully destroyed.
    """

    source: BagSource
    school: str
    record: str
    keys: tuple[str, ...] = ()
    year: str = ""
    chains: frozenset[str] = frozenset()
    trusted: bytes | None = None
    disposed: bool = False

    @property
    def where(self) -> str:
        """The bag's place in words."""
        return "/".join(shown(part) for part in (self.school, self.year, self.record) if part)


@dataclass(frozen=True, slots=True)
class BagFound:
    """What the check of one bag found: its hashes ("" when there is no such manifest), facts, stamps that hold, and every fault.

    `manifest_sha512` is "" in a record of format 1. `there` is false when there is no bag at all.
    """

    manifest_sha256: str = ""
    manifest_sha512: str = ""
    facts: Facts = field(default_factory=Facts)
    tokens: tuple[Token, ...] = ()
    faults: tuple[Fault, ...] = ()
    there: bool = True


class _Faults(list[Fault]):
    """The faults of one bag, gathered under its place; at most _MAX_FAULTS, for a hostile bag could have any number."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def add(self, code: str, what: str, name: str = "") -> None:
        if len(self) == _MAX_FAULTS:
            code, what, name = "too_many", "There are more faults in this record; they are not listed.", ""
        if len(self) <= _MAX_FAULTS:
            self.append(Fault(code, f"{self.where}/{shown(name)}".strip("/") if name else self.where, what))

    def take(self, said: tuple[Said, ...] | list[Said]) -> None:
        for each in said:
            self.add(*each)


def check_bag(task: BagTask) -> BagFound:
    """Return what one bag is and everything wrong with it. Never raises for a bad bag; reads only.

    1. Only plain files and the folder `data`; nothing else is opened.
    2. All manifests, both ways: all listed files are there with their hashes, all present files are listed.
    3. bagit.txt and bag-info.txt; the signature over the manifest.
    4. The record's own facts fit the place it lies in. Each stamp, at its own time, and each renewal over all that came before it.
    """
    faults = _Faults(task.where)
    try:
        with task.source.open() as reader:
            return _Bag(task, reader, faults).check()
    except FileNotFoundError:
        if not task.disposed:
            faults.add("record_gone", "The record is not there.")
        return BagFound(there=False, faults=tuple(faults))
    except OSError as error:
        faults.add("not_a_folder", f"This is not a record that can be read: {error.strerror or error}.")
        return BagFound(faults=tuple(faults))


@dataclass(slots=True)
class _Bag:
    """One bag while it is checked."""

    task: BagTask
    reader: BagReader
    faults: _Faults
    listing: Listing = field(init=False)
    tags: dict[str, Digest] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    long: bool = False
    """Whether it has the second pair of manifests: format 2."""

    def check(self) -> BagFound:
        self.listing = self.reader.listing()
        self.faults.take(self.listing.faults)
        self.long = bool({MANIFEST_512, TAG_MANIFEST_512} & self.listing.tags or _SEAL in self.listing.payload)
        manifest, second = self._small(MANIFEST), self._small(MANIFEST_512) if self.long else b""
        wanted = self._manifest(manifest, second)
        oxum = self._payload(wanted[0], wanted[1])
        self._tag_files()
        self._info(oxum)
        self._signature(manifest)
        facts = self._facts(wanted[0])
        stamps = Stamps(self.reader, self.listing.tags, self.task.chains, self.task.trusted, self._authorities(facts))
        tokens = stamps.check(manifest)
        self.faults.take(stamps.faults)
        return BagFound(self.tags[MANIFEST].sha256, self.tags[MANIFEST_512].sha512 if self.long else "", facts, tokens, tuple(self.faults))

    def _small(self, name: str) -> bytes:
        """Return a tag file and note its hashes; tell when it is missing or unfit."""
        content = b""
        try:
            if name in self.listing.tags:
                content = self.reader.small(name)
            else:
                self.faults.add("missing", f"{name} is missing.", name)
        except NotPlain as error:
            self.faults.add("not_plain", str(error), name)
        except OSError as error:
            self.faults.add("unreadable", f"{name} cannot be read: {error.strerror or error}.", name)
        self.tags[name] = hashes(content, keep=0, sha512=self.long) if content else _NOTHING
        self.content[name] = content
        return content

    def _manifest(self, first: bytes, second: bytes) -> tuple[dict[str, str], dict[str, str]]:
        wanted, faults = listed(first, DATA, MANIFEST)
        self.faults.take(faults)
        if not self.long and _SEAL not in wanted:
            return wanted, {}
        if not self.long:  # the signed manifest says that this is format 2: the rest of it was taken away
            self.faults.add("downgraded", "The SHA-512 manifests are missing: this record was made with them.", MANIFEST_512)
            return wanted, {}
        also, faults = listed(second, DATA, MANIFEST_512, length=128)
        self.faults.take(faults)
        if second and wanted.keys() != also.keys():
            self.faults.add("manifest", "The two manifests do not list the same files.", MANIFEST_512)
        return wanted, also

    def _payload(self, wanted: Mapping[str, str], also: Mapping[str, str]) -> str:
        """Check every payload file; return size and number as bag-info.txt gives them."""
        total = 0
        for name in sorted(self.listing.payload - wanted.keys()):
            path = DATA + shown(name)
            self.faults.add("unlisted", f"The manifest does not list {path}: it was added later.", path)
        for name, digest in wanted.items():
            path = DATA + name
            if name not in self.listing.payload:
                if not self._may_be_gone(name):
                    self.faults.add("missing", f"{path} is listed in the manifest and is not there.", path)
                continue
            try:
                found = self.reader.digest(path, keep=MAX_FACTS if name in {_SEAL, _RECORD} else 0, sha512=self.long)
            except OSError as error:
                self.faults.add("unreadable", f"{path} cannot be read: {error.strerror or error}.", path)
                continue
            total += found.size
            if total > MAX_BAG:
                self.faults.add("too_many", "The files are larger than those of any record; the rest was not read.", path)
                break
            self._one(path, found, digest, also.get(name))
        return f"{total}.{len(self.listing.payload)}"

    def _one(self, path: str, found: Digest, first: str, second: str | None) -> None:
        if found.content:
            self.content[path] = found.content
        if found.sha256 != first:
            self.faults.add("altered", f"{path} is not what was sealed: its SHA-256 differs from the manifest.", path)
        elif second is not None and found.sha512 != second:
            self.faults.add("altered", f"{path} is not what was sealed: its SHA-512 differs from the second manifest.", path)
        if self.task.disposed and not path.endswith(ENCRYPTED_END) and path.removeprefix(DATA) not in ALWAYS_CLEAR:
            self.faults.add("disposed_still_there", f"The ledger says that this record was disposed of, and {path} is still there.", path)

    def _may_be_gone(self, name: str) -> bool:
        """Return whether disposal takes this file. The guide of a record in clear names the place, so it may be gone as well."""
        return self.task.disposed and name != _SEAL and (name != _GUIDE or not any(n.endswith(ENCRYPTED_END) for n in self.listing.payload))

    def _tag_files(self) -> None:
        needed = {*_TAGS, MANIFEST_512} if self.long else set(_TAGS)
        for name in sorted(needed - self.tags.keys()):
            self._small(name)
        self._tag_manifest(TAG_MANIFEST, needed, 64)
        for name in sorted(self.listing.tags - needed - {TAG_MANIFEST, TAG_MANIFEST_512, "data"}):
            if not belongs(name, self.listing.tags):
                self.faults.add("unlisted", f"{shown(name)} does not belong in a record.", name)
        if self.long:
            self._tag_manifest(TAG_MANIFEST_512, needed, 128)

    def _tag_manifest(self, manifest: str, needed: set[str], length: int) -> None:
        """Check one tag manifest, which lists the tag files and nothing else."""
        wanted, faults = listed(self._small(manifest), "", manifest, length=length)
        self.faults.take(faults)
        for name in sorted(needed - wanted.keys()):
            self.faults.add("unlisted", f"{manifest} does not list {name}.", name)
        for name, digest in wanted.items():
            if name not in needed:
                self.faults.add("manifest", f"{manifest} lists {name}, which is no tag file of a record.", manifest)
            elif name in self.listing.tags and digest != (self.tags[name].sha256 if length == 64 else self.tags[name].sha512):  # noqa: PLR2004 - hex letters of SHA-256
                self.faults.add("altered", f"{name} is not what was sealed: its hash differs from {manifest}.", name)

    def _info(self, oxum: str) -> None:
        bagit = self.tags["bagit.txt"]
        if bagit.size and bagit.sha256 != _BAGIT.sha256:
            self.faults.add("altered", "bagit.txt is not that of a BagIt 1.0 bag.", "bagit.txt")
        lines = self.content.get("bag-info.txt", b"").splitlines()
        if lines and self.tags[MANIFEST].size and not self.task.disposed and f"Payload-Oxum: {oxum}".encode() not in lines:
            self.faults.add("altered", "bag-info.txt gives another size or number of files than data holds.", "bag-info.txt")

    def _signature(self, manifest: bytes) -> None:
        signature = self.content.get(SIGNATURE, b"")
        if not signature or not manifest:
            return
        keys = [public_key_from(key) for key in self.task.keys] if self.task.keys else [_key_of_bag(self.content.get(KEY, b""))]
        if not any(key is not None and signature_holds(key, signature, manifest) for key in keys):
            self.faults.add("signature", "The signature is not that of the school's key over this manifest.", SIGNATURE)

    def _facts(self, wanted: Mapping[str, str]) -> Facts:
        seal, record = self.content.get(DATA + _SEAL, b""), self.content.get(DATA + _RECORD, b"")
        if self.long or _SEAL in wanted:
            facts = facts_of_seal(seal)
            self._encryption(facts, wanted, seal, record)
        elif self.task.disposed and not record:
            return Facts()
        else:
            facts = facts_of_record(record)
        self.faults.take(facts.faults)
        if not facts.faults:
            self._place(facts, DATA + (_SEAL if self.long else _RECORD))
        return facts

    def _authorities(self, facts: Facts) -> frozenset[tuple[str, str]] | None:
        """Return the authorities the record names; None in a disposed record of format 1, whose account of itself is gone."""
        return None if self.task.disposed and not facts.record and not facts.faults else facts.authorities

    def _encryption(self, facts: Facts, wanted: Mapping[str, str], seal: bytes, record: bytes) -> None:
        """Compare what seal.json says is encrypted with what the manifest lists, and with record.json where that is in clear."""
        if facts.faults:
            return
        stored = {name.removesuffix(ENCRYPTED_END) for name in wanted if name.endswith(ENCRYPTED_END)}
        clear = {name for name in wanted if not name.endswith(ENCRYPTED_END)}
        if facts.encrypted is None:
            if stored or _RECORD not in clear:
                self.faults.add("facts", "seal.json says that nothing is encrypted, and the manifest says otherwise.", DATA + _SEAL)
            if record:
                self.faults.take(disagreements(seal, record))
        elif stored != facts.encrypted or clear != ALWAYS_CLEAR:
            self.faults.add("facts", "seal.json and the manifest do not list the same encrypted files.", DATA + _SEAL)

    def _place(self, facts: Facts, name: str) -> None:
        task, plain = self.task, name.removeprefix(DATA)
        if task.record and facts.record != task.record:
            self.faults.add("wrong_record", f"The folder says {shown(task.record)}, {plain} says {shown(facts.record)}.", name)
        if task.school and facts.school != task.school:
            self.faults.add("wrong_school", f"The record lies with the school {task.school} and says it is of {shown(facts.school)}.", name)
        if task.year and facts.first_seen_utc[:4] != task.year:
            self.faults.add("wrong_year", f"The record lies in {task.year} and was first seen in {facts.first_seen_utc[:4]}.", name)


_BAGIT = hashes(BAGIT, keep=0, sha512=False)


@lru_cache(maxsize=64)
def _key_of_bag(pem: bytes) -> Ed25519PublicKey | None:
    try:
        found = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found if isinstance(found, Ed25519PublicKey) else None

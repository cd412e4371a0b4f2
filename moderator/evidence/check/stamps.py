"""The stamps of one bag and their renewals, each checked at its own time (RECORD.md). Called by `bag`.

Round 1 is over `manifest-sha256.txt`. Round n is over `renewal-000n-sha512.txt`, a list of SHA-512 of the manifests and of every earlier
stamp; it must have been made while a stamp of the round before was still good.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from moderator.domain.errors import BadInput
from moderator.evidence.check.reading import BagReader, NotPlain, Said, hashes, listed
from moderator.evidence.seal.renewal import chain_name, list_name
from moderator.evidence.seal.token import read_token
from moderator.evidence.vault.names import MANIFEST, MANIFEST_512, STAMP_END

_RENEWAL = re.compile(r"renewal-([0-9]{4})-sha512\.txt")
_STAMP = re.compile(r"(manifest-sha256\.txt|renewal-(?!0000|0001)[0-9]{4}-sha512\.txt)\.([a-z0-9][a-z0-9-]*)\.tsr")
_CHAIN_FILE = re.compile(r"[a-z0-9][a-z0-9-]*-chain\.pem")
_OTHER_BYTES = "Mismatch between messages"
"""How the timestamp library says it."""
_MAX_STAMPS = 200
"""Stamps of one record looked at (our choice): two authorities and a renewal every other year make fewer in a century."""


@dataclass(frozen=True, slots=True)
class Token:
    """A stamp that holds: by whom, in which round, when (aware UTC), SHA-256 of its chain and, from round 2 on, of the list it is over."""

    authority: str
    round: int
    at: datetime
    chain_sha256: str
    list_sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token with the names of its files and the day its chain runs out."""

    token: Token
    names: frozenset[str]
    expires: datetime


def belongs(name: str, tags: Iterable[str]) -> bool:
    """Return whether a file outside the tag manifests may stand there: a stamp with its chain, a chain, or the list of a renewal.

    A chain or a list alone is what a crash can leave.
    """
    stamp = _STAMP.fullmatch(name)
    if stamp is not None:
        return chain_name(stamp[2], _round(stamp[1])) in tags
    return bool(_CHAIN_FILE.fullmatch(name) or _RENEWAL.fullmatch(name))


def _round(over: str) -> int:
    renewal = _RENEWAL.fullmatch(over)
    return int(renewal[1]) if renewal else 1


@dataclass(slots=True)
class Stamps:
    """The check of one bag's stamps.

    `tags`: the bag's file names; `chains`: SHA-256 of the chains the ledger vouches for; `trusted`: a chain in PEM that every stamp must
    lead to; `own`: authority and SHA-256 of its chain, as the record names them, None when that account was lawfully destroyed.
    """

    reader: BagReader
    tags: frozenset[str]
    chains: frozenset[str]
    trusted: bytes | None
    own: frozenset[tuple[str, str]] | None
    faults: list[Said] = field(default_factory=list)

    def check(self, manifest: bytes) -> tuple[Token, ...]:
        """Return the stamps that hold, over `manifest` and its renewals, oldest round first; `faults` tells of the others."""
        rounds: dict[int, list[str]] = {}
        for name in sorted(name for name in self.tags if name.endswith(STAMP_END)):
            stamp = _STAMP.fullmatch(name)
            if stamp is not None:
                rounds.setdefault(_round(stamp[1]), []).append(name)
        if sum(map(len, rounds.values())) > _MAX_STAMPS:
            self.faults.append(("too_many", f"More than {_MAX_STAMPS} stamps: this is no record.", ""))
            return ()
        before: list[_Held] = self._held(rounds.get(1, ()), 1, manifest)
        every = list(before)
        for number in sorted(rounds.keys() - {1}):
            now = self._renewal(number, rounds[number], every, before if number - 1 in rounds else [])
            every.extend(now)
            before = now
        return tuple(each.token for each in every)

    def _held(self, names: Iterable[str], number: int, data: bytes) -> list[_Held]:
        """Return the stamps of one round that hold over `data`; tell of the others."""
        found = []
        for name in names:
            authority = name.removesuffix(STAMP_END).rpartition(".")[2]
            pem = chain_name(authority, number)
            chain, token = self._small(pem), self._small(name)
            digest = hashes(chain, keep=0, sha512=False).sha256
            if not self._vouched(authority, digest):
                what = f"Nothing vouches for the authority {authority}: neither the record nor the ledger names it."
                self.faults.append(("stamp_untrusted", what, name))
                continue
            try:
                said = read_token(token, self.trusted or chain, data)
            except BadInput as error:
                why = str(error).removeprefix("the stamp is not good: ").replace(_OTHER_BYTES, "it was given for other bytes")
                self.faults.append(("stamp", f"The stamp of {authority} does not hold: {why}.", name))
                continue
            over = "" if number == 1 else hashes(data, keep=0, sha512=False).sha256
            found.append(_Held(Token(authority, number, said.at, digest, over), frozenset({name, pem}), said.expires_at))
        return found

    def _vouched(self, authority: str, digest: str) -> bool:
        """Return whether somebody other than the stamp itself names its chain."""
        return self.trusted is not None or self.own is None or digest in self.chains or (authority, digest) in self.own

    def _renewal(self, number: int, names: list[str], every: list[_Held], before: list[_Held]) -> list[_Held]:
        """Check one renewal: its list, its stamps, and that it came in time."""
        name = list_name(number)
        content = self._small(name)
        held = self._held(names, number, content)
        if not content or not held:
            return held
        when = min(each.token.at for each in held)
        self._list(name, content, self._earlier(number, every, when))
        if not any(each.token.at <= when < each.expires for each in before):
            what = "It was made when no stamp of the round before was good any more: it renews nothing."
            self.faults.append(("renewed_late", what, name))
        return held

    def _earlier(self, number: int, every: list[_Held], when: datetime) -> set[str]:
        """Return the files a renewal must cover: the manifests, every earlier list, and every earlier stamp had before it."""
        lists = {name for name in self.tags if (found := _RENEWAL.fullmatch(name)) and int(found[1]) < number}
        stamps = {name for each in every if each.token.at < when for name in each.names}
        return {MANIFEST} | ({MANIFEST_512} & self.tags) | lists | stamps

    def _list(self, name: str, content: bytes, needed: set[str]) -> None:
        wanted, faults = listed(content, "", name, length=128)
        self.faults.extend(faults)
        for missing in sorted(needed - wanted.keys()):
            self.faults.append(("renewal_short", f"{name} does not list {missing}: the renewal does not cover it.", name))
        for each, digest in wanted.items():
            try:
                found = self.reader.digest(each, keep=0, sha512=True).sha512 if each in self.tags else ""
            except OSError:
                found = ""
            if not found:
                self.faults.append(("missing", f"{each} is listed in {name} and is not there.", each))
            elif found != digest:
                self.faults.append(("altered", f"{each} is not what was renewed: its SHA-512 differs from {name}.", each))

    def _small(self, name: str) -> bytes:
        if name not in self.tags:
            self.faults.append(("missing", f"{name} is missing.", name))
            return b""
        try:
            return self.reader.small(name)
        except NotPlain as error:
            self.faults.append(("not_plain", str(error), name))
        except OSError as error:
            self.faults.append(("unreadable", f"{name} cannot be read: {error.strerror or error}.", name))
        return b""

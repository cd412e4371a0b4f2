"""Stamps added to records that are sealed already, and their renewals (RECORD.md). Called by the stamp step through ports.Stamper."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from moderator.domain.errors import BadInput, EvidenceFailed, Refused, Unanswered
from moderator.domain.record import Stamp
from moderator.domain.stamping import CARRIES_ON, Added
from moderator.evidence.seal.authority import Patient
from moderator.evidence.seal.renewal import chain_name, list_name, newest_round, renewal_list, stamps_in, token_name
from moderator.evidence.seal.stamp import LIMIT, ask_all
from moderator.evidence.seal.token import SHA256, SHA512, read_token
from moderator.evidence.vault.names import SEAL
from moderator.ports import Vault


class VaultStamper:
    """Adds stamps to stored bags; implements ports.Stamper."""

    def __init__(self, vault: Vault, authorities: Sequence[Patient], *, limit: float = LIMIT) -> None:
        """Take the vault, the authorities of the settings (the very ones the sealing asks), and seconds that asking may take."""
        self._vault, self._limit = vault, limit
        self._authorities = {each.name: each for each in authorities}

    @property
    def authorities(self) -> tuple[str, ...]:
        """Return the authorities' names, in order."""
        return tuple(sorted(self._authorities))

    @property
    def ready(self) -> tuple[str, ...]:
        """Return the names of those that may be asked now: the others did not answer lately and are left alone for a while."""
        return tuple(name for name in self.authorities if not self._authorities[name].resting)

    def add(self, path: str, authority: str) -> tuple[Added, ...]:
        """Give a bag the stamp of `authority` over its newest round. See ports.Stamper."""
        names = self._names(path)
        found = tuple(self._found(path, each, number) for each, number in stamps_in(names) if each == authority)
        if found:
            return found
        number = newest_round(names)
        data = self._vault.open(path, list_name(number))
        had = ask_all([self._authorities[authority]], data, hashed_by=_hash_of(number), limit=self._limit)
        if authority not in had:
            message = f"the timestamp authority {authority} gave no stamp"
            raise Unanswered(message)
        files, added = self._checked(path, names, number, authority, had[authority], data)
        self._vault.add(path, files)
        return (added,)

    def renew(self, path: str, *, number: int, later_than: datetime, by_all: bool) -> tuple[Added, ...]:
        """Give a bag its round after `number`. See ports.Stamper."""
        names, following = self._names(path), number + 1
        found = tuple(self._found(path, each, following) for each, made in stamps_in(names) if made == following)
        if found:
            return found
        name = list_name(following)
        data = self._vault.open(path, name) if name in names else renewal_list(names, following, lambda each: self._vault.open(path, each))
        files = {name: data}
        added = []
        for authority, answer in sorted(self._asked(data, by_all=by_all).items()):
            more, one = self._checked(path, names, following, authority, answer, data)
            if one.stamp.expires_at >= later_than + CARRIES_ON:
                files |= more
                added.append(one)
        if not added or (by_all and len(added) < len(self._authorities)):
            message = "no timestamp authority offers a certificate that lasts longer than the one to renew"
            raise Unanswered(message)
        self._vault.add(path, files)
        return tuple(added)

    def _asked(self, data: bytes, *, by_all: bool) -> dict[str, tuple[bytes, bytes]]:
        had = ask_all(list(self._authorities.values()), data, hashed_by=SHA512, limit=self._limit)
        if by_all and len(had) < len(self._authorities):
            message = f"of the timestamp authorities only {', '.join(sorted(had)) or 'none'} answered"
            raise Unanswered(message)
        return had

    def _names(self, path: str) -> frozenset[str]:
        names = frozenset(self._vault.names(path))
        if list_name(1) not in names:
            message = f"there is no record at {path} to stamp"
            raise BadInput(message)
        return names

    def _found(self, path: str, authority: str, number: int) -> Added:
        """Return an authority's stamp that is in the bag already, checked. Raises EvidenceFailed when it does not hold."""
        token = self._vault.open(path, token_name(authority, number))
        chain = self._vault.open(path, chain_name(authority, number))
        try:
            return self._added(path, number, authority, (token, chain), self._vault.open(path, list_name(number)), found=True)
        except BadInput as error:
            message = f"the stamp of {authority} in {path} is damaged: {error}"
            raise EvidenceFailed(message) from error

    def _checked(  # noqa: PLR0913, PLR0917 - what a stamp is checked against
        self, path: str, names: frozenset[str], number: int, authority: str, answer: tuple[bytes, bytes], data: bytes
    ) -> tuple[dict[str, bytes], Added]:
        """Return the files of a new stamp, and what it says.

        A chain that a crash left without its stamp stays as it is; the stamp must hold by that one. Raises Refused when it does not.
        """
        token, chain = answer
        kept = chain_name(authority, number)
        if kept in names:
            chain = self._vault.open(path, kept)
        try:
            added = self._added(path, number, authority, (token, chain), data, found=False)
        except BadInput as error:
            message = f"{path} already has another {kept}, which the new stamp does not lead to: {error}"
            raise Refused(message) from error
        return {kept: chain, token_name(authority, number): token}, added

    def _added(  # noqa: PLR0913 - the parts of one stamp
        self, path: str, number: int, authority: str, answer: tuple[bytes, bytes], data: bytes, *, found: bool
    ) -> Added:
        token, chain = answer
        said = read_token(token, chain, data)
        digest = hashlib.sha256(chain).hexdigest()
        return Added(
            Stamp(authority, number, said.at, said.expires_at),
            digest,
            list_sha256="" if number == 1 else hashlib.sha256(data).hexdigest(),
            found=found,
            named=found and number == 1 and self._names_it(path, authority, digest),
        )

    def _names_it(self, path: str, authority: str, chain_sha256: str) -> bool:
        """Return whether the record's own facts, which the signature covers, name the authority with this chain."""
        for name in (SEAL, "data/record.json"):
            try:
                facts = json.loads(self._vault.open(path, name))
                return {"name": authority, "chain_sha256": chain_sha256} in facts["timestamp_authorities"]
            except (BadInput, ValueError, KeyError, TypeError):
                continue
        return False


def _hash_of(number: int) -> str:
    """Return the hash of a round: the manifest is stamped by SHA-256, a renewal by SHA-512."""
    return SHA256 if number == 1 else SHA512

"""The vault as the service reads it: encrypted records open with their own keys. Put together by build; used by steps, pages and packs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.evidence.seal.cipher import decrypt
from moderator.evidence.vault.names import DATA, ENCRYPTED_END, MANIFEST, SEAL
from moderator.ports import RecordKeys, Vault


class KeyedVault:
    """A vault whose `open` and `names` speak of plain files; implements ports.Vault. Everything else is the vault beneath."""

    def __init__(self, stored: Vault, keys: RecordKeys) -> None:
        """Take the vault beneath and the keys."""
        self.stored = stored
        self._keys = keys

    @property
    def working_folder(self) -> Path:
        """Return the vault's own."""
        return self.stored.working_folder

    def put(self, folder: Path, path: str) -> str:
        """Store a finished bag as it is: the sealing has encrypted it."""
        return self.stored.put(folder, path)

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored manifest, or None when there is no bag."""
        return self.stored.manifest_sha256(path)

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag in clear.

        Raises BadInput when there is none, when the record was disposed of, or when its key is lost: then the message says which.
        """
        try:
            return self.stored.open(path, name)
        except BadInput:
            if not name.startswith(DATA):
                raise
            sealed = self._encrypted(path, name)
            if sealed is None:
                self._say_if_disposed(path, name)
                raise
        record = path.rpartition("/")[2]
        key = self._keys.get(record)
        if key is None:
            message = f"{record} cannot be opened: its key was destroyed when it was disposed of, or is lost"
            raise BadInput(message)
        return decrypt(name.removeprefix(DATA), sealed, self.stored.open(path, SEAL), key)

    def _encrypted(self, path: str, name: str) -> bytes | None:
        try:
            return self.stored.open(path, name + ENCRYPTED_END)
        except BadInput:
            return None

    def _say_if_disposed(self, path: str, name: str) -> None:
        """Raise BadInput that says why, when the file was sealed with the record and is not there any more."""
        try:
            manifest = self.stored.open(path, MANIFEST).decode("utf-8", "replace")
        except BadInput:
            return
        if any(line.partition("  ")[2] in {name, name + ENCRYPTED_END} for line in manifest.splitlines()):
            message = f"{path.rpartition('/')[2]} has no {name} any more: it was removed when the record was disposed of, or is lost"
            raise BadInput(message) from None

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names that `open` takes."""
        return tuple(name.removesuffix(ENCRYPTED_END) for name in self.stored.names(path))

    def paths(self, school: str = "") -> Iterable[str]:
        """Yield every bag's path, in order."""
        return self.stored.paths(school)

    def add(self, path: str, files: Mapping[str, bytes]) -> None:
        """Add stamps beside the manifests."""
        self.stored.add(path, files)

    def hold(self, path: str, *, on: bool) -> None:
        """Hold or release the stored bag."""
        self.stored.hold(path, on=on)

    def dispose(self, path: str) -> None:
        """Remove the payload for good."""
        self.stored.dispose(path)

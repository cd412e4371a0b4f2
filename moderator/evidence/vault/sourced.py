"""What both shipped vaults have beside ports.Vault: what the sealing and the check need. Called by those two and by build."""

from typing import Protocol

from moderator.evidence.check.reading import BagSource
from moderator.ports import Vault


class SourcedVault(Vault, Protocol):
    """A vault as it is stored."""

    @property
    def protection(self) -> str:
        """How stored files are guarded against change, in plain words. For `moderator doctor`."""
        ...

    def source(self, path: str) -> BagSource:
        """Return how the check reads a bag, in this process or another. Raises BadInput for a path that no bag has."""
        ...

    def taken(self, path: str) -> bool:
        """Return whether something lies at `path` that a repeat must look at, whole or not. Raises Transient when the vault is away."""
        ...

    def finish(self, path: str) -> None:
        """Do again what a crash may have cut short after a bag came to its place. May be repeated. Raises Transient."""
        ...

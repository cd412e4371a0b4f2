"""The check of records where the service keeps them, whichever vault that is: implements ports.RecordCheck. Called by the verify step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from moderator.domain.errors import BadInput
from moderator.domain.record import Fault, Verification
from moderator.evidence.check.places import Place, place_in_vault
from moderator.evidence.check.reading import BagSource
from moderator.evidence.check.verify import verify_records


class Sourced(Protocol):
    """A vault whose bags the check can open by itself."""

    def source(self, path: str) -> BagSource:
        """Return how the check reads a bag. Raises BadInput for a path that no bag has."""
        ...


class StoredCheck:
    """Checks records of one vault against the ledger's file."""

    def __init__(self, vault: Sourced, ledger_of: Callable[[str], Path], *, workers: int = 1) -> None:
        """Take the vault as it is stored, where each school's ledger file is, and how many processes to use.

        One is enough for a night's work, and leaves the other cores to the comments that come in.
        """
        self._vault = vault
        self._ledger_of = ledger_of
        self._workers = workers

    def check(self, school: str, paths: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Verification:
        """Return what the check of these records found. Raises Transient when the vault does not answer."""
        astray: list[Fault] = []
        places = self._places(paths, astray)
        found = verify_records(places, ledger=self._ledger_of(school), workers=self._workers, progress=progress)
        return replace(found, faults=(*found.faults, *astray))

    def _places(self, paths: Sequence[str], astray: list[Fault]) -> Iterator[Place]:
        for path in paths:
            try:
                yield place_in_vault(self._vault.source(path), path)
            except BadInput:
                astray.append(Fault("record_gone", path[:200], "The ledger's place for this record is none that a record can have."))

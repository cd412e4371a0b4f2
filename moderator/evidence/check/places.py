"""Where one record lies, as a check is given it. Made by `scope`, `pack` and whoever calls `verify_records`."""

from collections.abc import Callable
from dataclasses import dataclass

from moderator.evidence.check.reading import BagSource

Say = Callable[[str, str, str], None]
"""Tells of a fault: code, plain sentence, where."""


@dataclass(frozen=True, slots=True)
class Place:
    """One bag: how to open it, and the school, year and record id that its place gives ("" where it gives none)."""

    source: BagSource
    school: str = ""
    year: str = ""
    record: str = ""


def place_in_vault(source: BagSource, path: str) -> Place:
    """Return the place of a bag of a vault; `path` is `<school>/<yyyy>/<record id>`, as the vault names it."""
    school, year, record = path.split("/")
    return Place(source, school, year, record)

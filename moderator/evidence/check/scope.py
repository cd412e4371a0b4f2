"""What a path given to `verify` is — a record, a school, the vault — and which ledgers and records belong to it. Called by `verify`."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.evidence.vault.folder import MANIFEST, RECORD, SCHOOL, YEAR
from moderator.evidence.vault.staging import STAGING

_BESIDE = "ledger*.jsonl"
_NOT_OURS = {STAGING, "lost+found"}
Say = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """One bag's place: its folder, and the school, year and record id that the path gives ("" where it gives none)."""

    folder: Path
    school: str
    year: str
    record: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be checked. `school` is "" for a whole vault; `record` is set for one record; `ledgers` the files found beside."""

    root: Path
    school: str = ""
    record: Place | None = None
    ledgers: tuple[Path, ...] = ()

    def places(self, say: Say) -> Iterator[Place]:
        """Yield every bag in order; tell of what does not belong in a vault. Links are never followed."""
        if self.record is not None:
            yield self.record
            return
        for school in [self.school] if self.school else _inside(self.root, SCHOOL, say, ""):
            folder = self.root / school
            for year in _inside(folder, YEAR, say, school):
                for record in _inside(folder / year, RECORD, say, f"{school}/{year}"):
                    yield Place(folder / year / record, school, year, record)


def scope_of(path: Path, ledger: Path | None) -> Scope:
    """Return what `path` is. Raises BadInput when it is nothing that can be checked, saying what to give instead.

    A folder with the files of a bag, or a record's name, is a record. A folder of years, or one whose ledger lies two steps up, is a
    school. Everything else with a ledger beside it, or with schools in it, is a vault.
    """
    path = path.absolute()
    if path.is_symlink() or not path.is_dir():
        message = f"{path} is not a folder: give a record, a school's folder or the vault"
        raise BadInput(message)
    if RECORD.fullmatch(path.name) or (path / "bagit.txt").exists() or (path / MANIFEST).exists():
        return _record(path, ledger)
    names = {entry.name for entry in os.scandir(path)}
    if any(RECORD.fullmatch(name) for name in names):
        message = f"{path} is one year of a school: give the school's folder, one record, or the whole vault"
        raise BadInput(message)
    beside, above = _ledgers(path.parent), _ledgers(path.parent.parent)
    if any(YEAR.fullmatch(name) for name in names) or (not beside and above):
        return Scope(path.parent, school=path.name, ledgers=(ledger,) if ledger else above)
    if ledger is None and not beside and not names - _NOT_OURS:
        message = f"{path} holds no record and there is no ledger beside it: give the vault, or --ledger FILE"
        raise BadInput(message)
    return Scope(path, ledgers=(ledger,) if ledger else beside)


def _record(path: Path, ledger: Path | None) -> Scope:
    year, school = path.parent.name, path.parent.parent.name
    in_vault = bool(YEAR.fullmatch(year) and SCHOOL.fullmatch(school) and RECORD.fullmatch(path.name))
    place = Place(path, school, year, path.name) if in_vault else Place(path, "", "", path.name)
    near = _ledgers(path.parents[3]) if in_vault and len(path.parents) > 3 else _ledgers(path.parent)  # noqa: PLR2004 - vault/school/year/record
    return Scope(path.parent, school=place.school, record=place, ledgers=(ledger,) if ledger else near)


def _ledgers(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob(_BESIDE)))


def _inside(folder: Path, form: re.Pattern[str], say: Say, where: str) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if form.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                found.append(entry.name)
            elif entry.is_symlink():
                say("link", f"{entry.name!r} is a link. A vault holds none; it was not followed.", f"{where}/{entry.name}".strip("/"))
            elif entry.name not in _NOT_OURS or where:
                say("stray", f"{entry.name!r} does not belong in a vault.", f"{where}/{entry.name}".strip("/"))
    return sorted(found)

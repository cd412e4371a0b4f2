"""What a path given to `verify` is — a record, a school, the vault, a ZIP — and its ledgers and records. Called by `verify`."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.record import RECORD_ID
from moderator.evidence.check.folders import FolderSource
from moderator.evidence.check.index import Index
from moderator.evidence.check.pack import Pack, open_pack
from moderator.evidence.check.places import Place, Say
from moderator.evidence.check.reading import shown
from moderator.evidence.check.walk import LedgerFile, ledger_file
from moderator.evidence.vault.names import MANIFEST, SCHOOL, YEAR
from moderator.evidence.vault.staging import STAGING

_BESIDE = "ledger*.jsonl"
_NOT_OURS = {STAGING, "lost+found"}
_MAX_LEDGERS = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be checked.

    `places` yields every bag, telling of what does not belong there. `complete`: every record that the ledgers say was sealed must be
    there, of `school` or of all ("" ). `lone`: a record by itself, which may come without a ledger.
    """

    places: Callable[[Say, Index], Iterator[Place]]
    ledgers: tuple[LedgerFile, ...] = ()
    school: str = ""
    complete: bool = False
    lone: bool = False


def scope_of(path: Path, ledger: Path | None) -> Scope:
    """Return what `path` is. Raises BadInput when it is nothing that can be checked, saying what to give instead.

    A file is a pack: a ZIP with records. A folder with the files of a bag, or a record's name, is a record. A folder of years, or one
    whose ledger lies two steps up, is a school. Everything else with a ledger beside it, or with schools in it, is a vault.
    """
    path = path.absolute()
    if path.is_file() and not path.is_symlink():
        return _pack(open_pack(path), ledger)
    if path.is_symlink() or not path.is_dir():
        message = f"{path} is not a folder or a ZIP file: give a record, a school's folder, the vault, or a pack"
        raise BadInput(message)
    if RECORD_ID.fullmatch(path.name) or (path / "bagit.txt").exists() or (path / MANIFEST).exists():
        return _record(path, ledger)
    if _any(path, RECORD_ID):
        message = f"{path} is one year of a school, or an unpacked pack: give the school's folder, one record, the whole vault, or the ZIP"
        raise BadInput(message)
    beside, above = _ledgers(path.parent), _ledgers(path.parent.parent)
    if _any(path, YEAR) or (not beside and above):
        return _folders(path.parent, path.name, _given(ledger) or above)
    if ledger is None and not beside and not _any(path, re.compile(r"(?!\.tmp$|lost\+found$).*", re.DOTALL)):
        message = f"{path} holds no record and there is no ledger beside it: give the vault, or --ledger FILE"
        raise BadInput(message)
    return _folders(path, "", _given(ledger) or beside)


def _any(folder: Path, form: re.Pattern[str]) -> bool:
    with os.scandir(folder) as entries:
        return any(form.fullmatch(entry.name) for entry in entries)


def _given(ledger: Path | None) -> tuple[LedgerFile, ...]:
    return (ledger_file(ledger),) if ledger else ()


def _record(path: Path, ledger: Path | None) -> Scope:
    year, school = path.parent.name, path.parent.parent.name
    in_vault = bool(YEAR.fullmatch(year) and SCHOOL.fullmatch(school) and RECORD_ID.fullmatch(path.name))
    source = FolderSource(str(path))
    place = Place(source, school, year, path.name) if in_vault else Place(source, record=path.name)
    near = _ledgers(path.parents[3]) if in_vault and len(path.parents) > 3 else _ledgers(path.parent)  # noqa: PLR2004 - vault/school/year/record
    return Scope(lambda _say, _index: iter((place,)), _given(ledger) or near, lone=True)


def _pack(pack: Pack, ledger: Path | None) -> Scope:
    return Scope(lambda say, _index: pack.places(say), _given(ledger) or pack.ledgers(), lone=True)


def _folders(root: Path, school: str, ledgers: tuple[LedgerFile, ...]) -> Scope:
    def places(say: Say, index: Index) -> Iterator[Place]:
        """Yield every bag in order; tell of what does not belong in a vault. Links are never followed."""
        for name in (school,) if school else index.in_order(_inside(root, SCHOOL, say, "")):
            folder = root / name
            for year in index.in_order(_inside(folder, YEAR, say, name)):
                for record in index.in_order(_inside(folder / year, RECORD_ID, say, f"{name}/{year}")):
                    yield Place(FolderSource(f"{folder}/{year}/{record}"), name, year, record)

    return Scope(places, ledgers, school=school, complete=True)


def _ledgers(folder: Path) -> tuple[LedgerFile, ...]:
    return tuple(ledger_file(path) for path in sorted(folder.glob(_BESIDE))[:_MAX_LEDGERS])


def _inside(folder: Path, form: re.Pattern[str], say: Say, where: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if form.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                yield entry.name
                continue
            name = shown(entry.name)
            if entry.is_symlink():
                say("link", f"{name!r} is a link. A vault holds none; it was not followed.", f"{where}/{name}".strip("/"))
            elif entry.name not in _NOT_OURS or where:
                say("stray", f"{name!r} does not belong in a vault.", f"{where}/{name}".strip("/"))

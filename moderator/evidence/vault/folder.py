"""Where bags live for good: a folder, `<school>/<yyyy>/<record id>`. Called by the recorder, the review page and exports."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.evidence.vault.durable import make_folders, read_only, remove_leftover, sync_folder

MANIFEST = "manifest-sha256.txt"
SCHOOL = re.compile(r"[a-z0-9][a-z0-9-]*")
YEAR = re.compile(r"[0-9]{4}")
RECORD = re.compile(r"R-[A-Z2-7]{16}")
NAME = re.compile(r"(data/)?[A-Za-z0-9_][A-Za-z0-9._-]*")
_PARTS = 3


class FolderVault:
    """The vault as a folder; implements ports.Vault. Nothing is ever changed or removed through it."""

    def __init__(self, root: Path) -> None:
        """Use `root`, making it on the first start. Raises Transient when it cannot be made."""
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"the vault {root} cannot be reached: {error.strerror}"
            raise Transient(message) from error

    def put(self, folder: Path, path: str) -> str:
        """Move a finished bag to `path`, durable and read-only; return SHA-256 of its manifest.

        1. Refuse a path that is not `<school>/<yyyy>/<record id>`.
        2. Make school and year, each flushed; take the write bits from the files.
        3. Rename, flush the year, close the folder to writing.

        May be repeated with the same bag. Raises Refused when a different bag is there, Transient when the disk is full.
        """
        target = self.folder(path)
        try:
            wanted = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
            make_folders(self.root, Path(path).parent)
            for inner in folder.iterdir():
                if inner.is_dir():
                    read_only(inner)
            if not _rename(folder, target):
                return self._same(folder, path, wanted)
            sync_folder(target.parent)
            read_only(target)
        except OSError as error:
            message = f"the vault could not take {path}: {error.strerror}"
            raise Transient(message) from error
        return wanted

    def _same(self, folder: Path, path: str, wanted: str) -> str:
        if self.manifest_sha256(path) != wanted:
            message = f"another record is already kept at {path}; it is left as it is"
            raise Refused(message)
        remove_leftover(folder)
        self.finish(path)
        return wanted

    def finish(self, path: str) -> None:
        """Do again what a crash may have cut short after the rename: flush the year, close the folder. May be repeated."""
        target = self.folder(path)
        try:
            sync_folder(target.parent)
            read_only(target)
        except OSError as error:
            message = f"the vault could not finish {path}: {error.strerror}"
            raise Transient(message) from error

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored bag's manifest, or None when there is no bag."""
        try:
            return hashlib.sha256(_read(self.folder(path) / MANIFEST)).hexdigest()
        except OSError:
            return None

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag. Raises BadInput when there is none or the name leaves the bag; links are not followed."""
        if not NAME.fullmatch(name):
            message = f"{name!r} is not a file of a record: give a plain name, or data/ and a plain name"
            raise BadInput(message)
        target = self.folder(path)
        if target.is_symlink() or (target / name).parent.is_symlink():
            message = f"{path} is a link, not a record"
            raise BadInput(message)
        try:
            return _read(target / name)
        except OSError as error:
            message = f"there is no {name} in {path}: {error.strerror}"
            raise BadInput(message) from error

    def paths(self) -> Iterator[str]:
        """Yield every bag's path, in order of school, year and record id."""
        for school in _folders(self.root, SCHOOL):
            for year in _folders(self.root / school, YEAR):
                for record in _folders(self.root / school / year, RECORD):
                    yield f"{school}/{year}/{record}"

    def folder(self, path: str) -> Path:
        """Return where a bag is. Raises BadInput for a path that is not `<school>/<yyyy>/<record id>`."""
        parts = path.split("/")
        forms = (SCHOOL, YEAR, RECORD)
        if len(parts) != _PARTS or not all(form.fullmatch(part) for form, part in zip(forms, parts, strict=True)):
            message = f"{path!r} is no place in the vault: it must be school/year/record id"
            raise BadInput(message)
        return self.root.joinpath(*parts)


def _rename(folder: Path, target: Path) -> bool:
    if target.is_symlink() or target.exists():
        return False
    try:
        folder.rename(target)
    except OSError:
        # Another process may have put the same record there since we looked.
        if target.exists():
            return False
        raise
    return True


def _read(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(handle, "rb") as file:  # noqa: PTH123 - a handle opened without following links
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(2, "not a plain file", str(path))
        return file.read()


def _folders(folder: Path, form: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if form.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False))

"""Where bags live for good: a folder, `<school>/<yyyy>/<record id>`. Called by the sealing, the stamps, the review page and exports."""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.domain.record import RECORD_ID
from moderator.evidence.check.folders import FolderSource
from moderator.evidence.vault.durable import (
    add_durably,
    disk,
    make_folders,
    read_only,
    remove_durably,
    remove_leftover,
    sync_folder,
)
from moderator.evidence.vault.immutable import close_for_good, lifted, why_not
from moderator.evidence.vault.names import (
    DATA,
    MANIFEST,
    NAME,
    SCHOOL,
    YEAR,
    added_in_order,
    bag_path,
    file_name,
    no_such_bag,
    other_bytes,
    school_name,
    stays,
)
from moderator.evidence.vault.staging import DRAFT, STAGING

__all__ = ["MANIFEST", "NAME", "RECORD_ID", "SCHOOL", "YEAR", "FolderVault"]


class FolderVault:
    """The vault as a folder; implements ports.Vault. Nothing is ever changed through it; only `dispose` removes."""

    def __init__(self, root: Path, *, immutable: bool = False) -> None:
        """Use `root`, making it on the first start. `immutable` also sets the file system's own "never change" flags, where it may.

        Raises Transient when the folder cannot be made.
        """
        self.root = root
        self._flushed: set[Path] = set()
        try:
            root.mkdir(parents=True, exist_ok=True)
            if immutable:
                (root / STAGING).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            message = f"the vault {root} cannot be reached: {error.strerror}"
            raise Transient(message) from error
        self._why_no_flags = why_not(root / STAGING) if immutable else "immutable_files is off"
        self._flags = not self._why_no_flags

    @property
    def working_folder(self) -> Path:
        """Return the vault's own root: `Staging` builds under it, so that `put` is a rename."""
        return self.root

    @property
    def protection(self) -> str:
        """Return in plain words how stored files are guarded against change. For `moderator doctor`."""
        if self._flags:
            return "files are read-only, and the file system lets nobody change them until the flag is lifted (chattr +i)"
        return f"files are read-only; they are not flagged immutable: {self._why_no_flags}"

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
            self._make_year(target.parent)
            for inner in folder.iterdir():
                if inner.is_dir():
                    read_only(inner)
            if not _rename(folder, target):
                return self._same(folder, path, wanted)
            self._close(target)
        except OSError as error:
            message = f"the vault could not take {path}: {error.strerror}"
            raise Transient(message) from error
        return wanted

    def _make_year(self, year: Path) -> None:
        """Make the folders above a bag. Those flushed once in this process stay so, while they are there."""
        if year in self._flushed and year.is_dir():
            return
        make_folders(self.root, year.relative_to(self.root))
        self._flushed.add(year)

    def _same(self, folder: Path, path: str, wanted: str) -> str:
        if self.manifest_sha256(path) != wanted:
            message = f"another record is already kept at {path}; it is left as it is"
            raise Refused(message)
        remove_leftover(folder)
        self.finish(path)
        return wanted

    def taken(self, path: str) -> bool:
        """Return whether anything lies at `path`, whole or not, a link too. Raises Transient when the vault is away."""
        there = os.path.lexists(self.folder(path))
        if not there and not self.root.is_dir():
            message = f"the vault {self.root} cannot be reached"
            raise Transient(message)
        return there

    def finish(self, path: str) -> None:
        """Do again what a crash may have cut short after the rename: flush school and year, close the folder. May be repeated."""
        target = self.folder(path)
        try:
            self._make_year(target.parent)
            self._close(target)
        except OSError as error:
            message = f"the vault could not finish {path}: {error.strerror}"
            raise Transient(message) from error

    def _close(self, target: Path) -> None:
        sync_folder(target.parent)
        read_only(target)
        if self._flags:
            close_for_good(target)

    def manifest_sha256(self, path: str) -> str | None:
        """Return SHA-256 of the stored bag's manifest, or None when there is no bag."""
        target = self.folder(path)
        try:
            return None if target.is_symlink() else hashlib.sha256(_read(target / MANIFEST)).hexdigest()
        except OSError:
            return None

    def open(self, path: str, name: str) -> bytes:
        """Return one file of a bag. Raises BadInput when there is none or the name leaves the bag; links are not followed."""
        file_name(name)
        target = self._bag(path)
        if (target / name).parent.is_symlink():
            message = f"{path} holds a link, not a record"
            raise BadInput(message)
        try:
            return _read(target / name)
        except OSError as error:
            message = f"there is no {name} in {path}: {error.strerror}"
            raise BadInput(message) from error

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names of a bag's plain files, sorted; empty when there is no bag."""
        target = self.folder(path)
        if target.is_symlink():
            return ()
        found = [*_files(target), *(f"{DATA}{name}" for name in _files(target / "data"))]
        return tuple(sorted(name for name in found if NAME.fullmatch(name)))

    def paths(self, school: str = "") -> Iterator[str]:
        """Yield every bag's path, of one school or of all, in order of school, year and record id. Raises BadInput for no school name."""
        for each in [school_name(school)] if school else _folders(self.root, SCHOOL):
            for year in _folders(self.root / each, YEAR):
                for record in _folders(self.root / each / year, RECORD_ID):
                    yield f"{each}/{year}/{record}"

    def add(self, path: str, files: Mapping[str, bytes]) -> None:
        """Add stamps beside the manifests, durably. Each is written apart, flushed, then named; no `.tsr` stands without its chain.

        May be repeated: a file that is there with the same bytes is left alone. Raises Refused, before anything is written, when one has
        other bytes; BadInput for payload or no bag; Transient when the disk is full.
        """
        first, stamps = added_in_order(frozenset(files))
        target = self._bag(path)
        there = {name: self.open(path, name) for name in files if os.path.lexists(target / name)}
        for name, content in there.items():
            if content != files[name]:
                raise Refused(other_bytes(path, name))
        groups = [[name for name in group if name not in there] for group in (first, stamps)]
        try:
            with lifted(target):
                self._add(target, groups, files)
        except OSError as error:
            message = f"the stamp of {path} could not be kept: {error.strerror}"
            raise Transient(message) from error
        if self._flags:
            close_for_good(target)

    def _add(self, target: Path, groups: list[list[str]], files: Mapping[str, bytes]) -> None:
        drafts = self.root / STAGING
        drafts.mkdir(mode=0o700, exist_ok=True)
        target.chmod(0o755)
        try:
            for group in groups:
                for name in group:
                    add_durably(drafts / f"{secrets.token_hex(8)}{DRAFT}", target / name, files[name])
                sync_folder(target)
        finally:
            target.chmod(0o555)

    def hold(self, path: str, *, on: bool) -> None:
        """Do nothing: a folder knows no hold of its own. The database holds it, and `steps` disposes of nothing that is held (R30)."""
        del on
        self._bag(path)

    def dispose(self, path: str) -> None:
        """Remove the payload for good, all but what names nobody (`names.stays`), and flush.

        May be repeated. Raises BadInput when there is no bag, Transient when the disk will not.
        """
        target = self._bag(path)
        data = target / "data"
        if data.is_symlink():
            message = f"{path} holds a link, not a record"
            raise BadInput(message)
        kept = stays(self.open(path, MANIFEST))
        if not data.is_dir():
            return
        names = [name for name in _names(data) if f"{DATA}{name}" not in kept]
        try:
            with lifted(target, data, *(data / name for name in names)):
                data.chmod(0o755)
                try:
                    remove_durably(data, names)
                finally:
                    data.chmod(0o555)
        except OSError as error:
            message = f"{path} could not be disposed of: {error.strerror}"
            raise Transient(message) from error

    def source(self, path: str) -> FolderSource:
        """Return how the check reads a bag, in this process or another."""
        return FolderSource(str(self.folder(path)))

    def folder(self, path: str) -> Path:
        """Return where a bag is. Raises BadInput for a path that is not `<school>/<yyyy>/<record id>`."""
        return self.root.joinpath(*bag_path(path))

    def _bag(self, path: str) -> Path:
        target = self.folder(path)
        if target.is_symlink():
            message = f"{path} is a link, not a record"
            raise BadInput(message)
        if not target.is_dir():
            raise no_such_bag(path)
        return target


def _rename(folder: Path, target: Path) -> bool:
    if target.is_symlink() or target.exists():
        return False
    try:
        disk.rename(folder, target)
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


def _files(folder: Path) -> list[str]:
    """Return the plain files of a folder that is no link."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def _names(folder: Path) -> list[str]:
    """Return everything in a folder but folders, links too: disposal takes the link, never what it points at."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]

"""PostgreSQL's programs and openssl, for the tests only: found, else Debian's packages. Called by ops/bootstrap.py."""

import os
import re
import shutil
from pathlib import Path

from setup import debian
from setup.place import CACHE, WRAPPERS, is_root
from setup.say import SetupFailedError, succeeds

NEEDED = ("initdb", "postgres", "pg_ctl")
SHARED = Path("/usr/lib/postgresql")
WRAPPERS_PG = CACHE / "postgresql"
# Debian starts a database of its own on installing the package; the tests want only the programs.
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/moderator-tests.conf")


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in NEEDED)


def _newest(base: Path) -> Path | None:
    folders = [path for path in base.glob("*/bin") if _complete(path)]
    return max(folders, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), default=None)


def found() -> Path | None:
    """Return the folder of PostgreSQL's programs on this machine: POSTGRES_BIN first."""
    named = os.environ.get("POSTGRES_BIN")
    if named:
        if not _complete(Path(named)):
            raise SetupFailedError(
                happened=f"POSTGRES_BIN names {named}, which lacks {', '.join(NEEDED)}", mend="Mend or unset it, then run make again."
            )
        return Path(named)
    on_path = shutil.which("initdb")
    if on_path and _complete(Path(on_path).resolve().parent):
        return Path(on_path).resolve().parent
    return _newest(SHARED) or (WRAPPERS_PG if _complete(WRAPPERS_PG) and succeeds([WRAPPERS_PG / "initdb", "--version"]) else None)


def _unpacked(tree: Path) -> Path | None:
    folder = _newest(tree / "usr/lib/postgresql")
    if folder is None:
        return None
    for provider in folder.parent.glob("lib/llvmjit*"):  # its compiler was not unpacked
        provider.unlink()
    for program in folder.iterdir():
        debian.wrap(program, tree=tree, folder=WRAPPERS_PG)
    return WRAPPERS_PG


def _install() -> None:
    NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
    NO_CLUSTER.write_text("create_main_cluster = false\n", encoding="utf-8")
    try:
        debian.install(["postgresql"], what="installing PostgreSQL, for the tests (no server is started)")
    finally:
        NO_CLUSTER.unlink()


def provide() -> Path:
    """Return the folder of PostgreSQL's programs, fetching them if need be. Raises SetupFailedError."""
    folder = found()
    if folder is None and debian.at_hand():
        if is_root():
            _install()
            folder = found()
        else:
            what = "fetching PostgreSQL, for the tests (not installed; unpacked in .cache)"
            folder = _unpacked(debian.unpack(["postgresql"], what=what, name="postgresql"))
    if folder is None:
        raise SetupFailedError(
            happened="the tests need PostgreSQL's programs", mend="Install PostgreSQL, or name their folder with POSTGRES_BIN."
        )
    return folder


def provide_openssl() -> Path:
    """Return the folder of the openssl command, which an outsider's check of a record uses. Raises SetupFailedError."""
    place = shutil.which("openssl")
    if place:
        return Path(place).parent
    unpacked = WRAPPERS / "openssl"  # by an earlier set-up
    if unpacked.exists() and succeeds([unpacked, "version"]):
        return WRAPPERS
    if not debian.at_hand():
        raise SetupFailedError(happened="the tests need the openssl command", mend="Install openssl, then run make again.")
    tree = debian.obtain(["openssl"], what="openssl, for the tests", name="openssl")
    if tree == Path("/"):
        return Path("/usr/bin")
    settings = f'export OPENSSL_CONF="${{OPENSSL_CONF:-{tree / "etc/ssl/openssl.cnf"}}}"'
    return debian.wrap(tree / "usr/bin/openssl", tree=tree, exports=[settings]).parent

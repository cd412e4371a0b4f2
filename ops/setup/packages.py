"""The virtual environment: Python packages pinned by hash, and the `moderator` command. Called by ops/bootstrap.py.

pip is taken where it lies: the wheel inside Python's ensurepip, Debian's python3-pip-whl, or a pip module already installed.
It installs into `.venv` without being installed there, so python3-venv may be missing.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from setup import debian
from setup.place import CACHE, LOCKS, PYTHON, ROOT, STAMP, TOOLS, VENV
from setup.say import SetupFailedError, answer, say, succeeds, work

SUPPORTED = ((3, 11), (3, 14))
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_PACKAGE = "python3-pip-whl"
# Published as source only. Built here, with the locked build tools that the first round installs, so nothing unpinned is fetched.
SOURCE_ONLY = ("bagit",)
# Modules are compiled when first imported: for the tests most never are, and to compile them all takes a third of the set-up.
LAZILY = ("--no-compile",)
# Begins as a shell script, because a `#!` line can hold no path with a blank in it.
ENTRY = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
# Made by the set-up. Starts moderator from the checkout, with the programs that the set-up found.
import os, shlex, sys
for line in open({tools!r}, encoding="utf-8"):
    name, _, value = line.partition("=")
    if name in {names!r}:
        os.environ.setdefault(name, shlex.split(value)[0])
if __name__ == "__main__":  # `verify` starts further processes, which read this file again
    from moderator.cli import main
    sys.exit(main())
"""
# What the product itself reads of tools.env; the rest is for the tests.
FOR_PRODUCT = ("MODERATOR_CHROMIUM", "PLAYWRIGHT_NODEJS_PATH", "JOBLIB_MULTIPROCESSING")


def check_python() -> None:
    """Raise SetupFailedError when this Python is too old or too new for the locked packages."""
    low, high = SUPPORTED
    if not low <= sys.version_info[:2] <= high:
        wanted = f"{low[0]}.{low[1]} to {high[0]}.{high[1]}"
        have = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupFailedError(happened=f"this is Python {have}, and {wanted} is needed", mend="Name one: make PYTHON=python3.11 …")


def _wanted(kind: str) -> str:
    """Name the exact state wanted: the lock, the Python, the place, and this code."""
    lock = LOCKS[kind]
    if not lock.exists():
        raise SetupFailedError(happened=f"{lock.name} is missing from the checkout", mend="Restore it with git, or run make lock.")
    parts = [lock.read_bytes(), sys.version.encode(), str(VENV).encode(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamps() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def ready(kind: str) -> bool:
    """Tell, in milliseconds, whether the environment already is what the lock asks for."""
    have = _stamps()
    return PYTHON.exists() and (VENV / "bin" / "moderator").exists() and have.get(kind) == _wanted(kind)


def _wheel(folder: Path) -> list[str | Path] | None:
    found = sorted(folder.glob("pip-*.whl"))
    return [PYTHON, found[-1] / "pip"] if found else None


def _pip_at_hand() -> list[str | Path] | None:
    """Return a command that is pip for `.venv`, from what the machine has, or nothing."""
    spec = importlib.util.find_spec("ensurepip")
    bundled = Path(spec.origin).parent / "_bundled" if spec and spec.origin else None
    folders = [
        bundled,
        sysconfig.get_config_var("WHEEL_PKG_DIR"),
        "/usr/share/python-wheels",
        *CACHE.glob("debian/pip/usr/share/python-wheels"),
    ]
    for folder in folders:
        command = _wheel(Path(folder)) if folder else None
        if command and succeeds([*command, "--version"]):
            return command
    module: list[str | Path] = [sys.executable, "-m", "pip", "--python", PYTHON]
    return module if succeeds([*module, "--version"]) else None


def _pip() -> list[str | Path]:
    command = _pip_at_hand()
    if command is None and debian.at_hand():
        debian.obtain([PIP_PACKAGE], what="pip, which this Python lacks", name="pip")
        command = _pip_at_hand()
    if command is None:
        raise SetupFailedError(
            happened="pip was not found", mend="Install python3-venv or python3-pip for this Python, then run make again."
        )
    return command


def _trust(pip: list[str | Path]) -> dict[str, str]:
    """Say which certificate authorities pip trusts, where it would not find them itself.

    It heeds no SSL_CERT_FILE, which many networks set; and a machine may have none installed while our unpacked packages carry them.
    """
    if any(os.environ.get(name) for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")) or answer(
        [*pip, "config", "get", "global.cert"]
    ):
        return {}
    named = os.environ.get("SSL_CERT_FILE", "")
    if Path(named).is_file():
        return {"PIP_CERT": named}
    authorities = sorted((CACHE / "debian" / "pip" / "usr" / "share" / "ca-certificates").rglob("*.crt"))
    if TRUSTED.exists() or not authorities:
        return {}
    bundle = CACHE / "ca-certificates.crt"
    whole = CACHE / f"ca-certificates.{threading.get_ident()}"  # two installs may be under way
    whole.write_bytes(b"\n".join(path.read_bytes() for path in authorities))
    whole.replace(bundle)
    return {"PIP_CERT": str(bundle)}


def _counter(total: int) -> Callable[[str], str | None]:
    seen = 0

    def note(line: str) -> str | None:
        nonlocal seen
        if line.startswith("Collecting "):
            seen += 1
            return f"{min(seen, total)} of about {total} packages fetched"
        return "all fetched; installing them" if line.startswith("Installing collected") else None

    return note


def _split(lock: Path) -> tuple[list[str], list[str]]:
    """Part a lock's entries, each with its hashes, into those that come as wheels and those to be built."""
    entries = re.split(r"^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    built = [entry for entry in entries if entry.split("==")[0] in SOURCE_ONLY]
    return [entry for entry in entries if entry not in built], built


def _install(pip: list[str | Path], entries: list[str], *, options: list[str], what: str) -> None:
    mend = (
        "Check that this machine reaches a Python package index (pip config list shows which); "
        "where the lines above speak of a certificate, name your network's with PIP_CERT. Then run make again."
    )
    always = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--require-hashes", "--no-deps"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as part:
        part.write("".join(entries))
        part.flush()
        command = [*pip, "install", *always, *options, "-r", part.name]
        work(command, what=what, mend=mend, env=_trust(pip), progress=_counter(len(entries)))


def _create() -> None:
    if VENV.exists() and answer([PYTHON, "-c", "import sys; print(sys.version, sys.prefix)"]) != f"{sys.version} {VENV}":
        say("the environment in .venv was made elsewhere or for another Python; making it anew")
        shutil.rmtree(VENV)
    if not VENV.exists():
        mend = "Install your system's python3 with its venv module, then run make again."
        work([sys.executable, "-m", "venv", "--without-pip", VENV], what="making a virtual environment in .venv", mend=mend)


def _own_command() -> None:
    """Put the checkout on the environment's path, and the `moderator` command beside its Python."""
    site = Path(answer([PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]))
    (site / "moderator-checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    TOOLS.touch()
    entry = VENV / "bin" / "moderator"
    entry.write_text(ENTRY.format(python=PYTHON, tools=str(TOOLS), names=FOR_PRODUCT), encoding="utf-8")
    entry.chmod(0o755)


def begin(kind: str) -> None:
    """Make `.venv`, with nothing in it, and see that there is a pip, so that two environments can then be filled side by side.

    Returns at once when `provide` has nothing to do. Raises SetupFailedError.
    """
    if ready(kind):
        return
    check_python()
    _create()
    _pip()


def provide(kind: str) -> None:
    """Bring `.venv` to what the lock of `kind` (run or dev) asks for. Returns at once when it already is. Raises SetupFailedError."""
    if ready(kind):
        return
    begin(kind)
    wanted = _wanted(kind)
    wheels, built = _split(LOCKS[kind])
    pip = _pip()
    how = ["--only-binary", ":all:", *([] if kind == "run" else LAZILY)]
    _install(pip, wheels, options=how, what=f"installing the locked Python packages ({LOCKS[kind].name})")
    if built:
        _install(pip, built, options=["--no-build-isolation"], what=f"building {', '.join(SOURCE_ONLY)}, which comes as source")
    _own_command()
    STAMP.write_text(json.dumps({**_stamps(), kind: wanted}), encoding="utf-8")


def provide_apart(folder: Path, lock: Path, *, what: str) -> Path:
    """Return the Python of an environment of its own, in `folder`, with a lock's packages; made when it is not there for this lock.

    For what must not lie beside our own packages. Needs `.venv`. Safe to repeat. Raises SetupFailedError.
    """
    program, stamp = folder / "bin" / "python", folder / "setup-stamp"
    if ready_apart(folder, lock):
        return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    mend = "Install your system's python3 with its venv module, then run make again."
    work([sys.executable, "-m", "venv", "--without-pip", folder], what=f"making an environment in {folder.relative_to(ROOT)}", mend=mend)
    wheels, _ = _split(lock)
    _install([*_pip(), "--python", program], wheels, options=["--only-binary", ":all:", *LAZILY], what=what)
    stamp.write_text(_state(folder, lock), encoding="ascii")
    return program


def ready_apart(folder: Path, lock: Path) -> bool:
    """Tell whether that environment already is what the lock asks for."""
    try:
        return (folder / "setup-stamp").read_text(encoding="ascii") == _state(folder, lock)
    except OSError:
        return False


def _state(folder: Path, lock: Path) -> str:
    return hashlib.sha256(b"\0".join([lock.read_bytes(), sys.version.encode(), str(folder).encode()])).hexdigest()

"""A real OpenID Connect provider, for the sign-in's tests only: npm's oidc-provider. Called by ops/bootstrap.py.

It is pinned by hash in tests/oidc_provider/package-lock.json (`npm install --package-lock-only --omit-lockfile-registry-resolved`, of
package.json beside it). The tests start it (tests/oidc_provider), on loopback.
"""

import hashlib
import os
import shutil
from pathlib import Path

from setup.npm import npm
from setup.place import CACHE, ROOT
from setup.say import SetupFailedError

GIVEN = ROOT / "tests" / "oidc_provider"
FOLDER = CACHE / "oidc_provider"
MODULES = FOLDER / "node_modules"
_STAMP = FOLDER / "setup-stamp"
_FILES = ("package.json", "package-lock.json")


def _state() -> str:
    return hashlib.sha256(b"".join((GIVEN / name).read_bytes() for name in _FILES)).hexdigest()


def ready() -> bool:
    """Tell whether it is there, for this lock, or is one named by OIDC_PROVIDER_MODULES."""
    try:
        return bool(os.environ.get("OIDC_PROVIDER_MODULES")) or _STAMP.read_text(encoding="ascii") == _state()
    except OSError:
        return False


def provide() -> Path:
    """Return the folder of its Node packages, fetching them if need be. Needs `.venv`. Safe to repeat. Raises SetupFailedError."""
    named = os.environ.get("OIDC_PROVIDER_MODULES")
    if named and not (Path(named) / "oidc-provider").is_dir():
        raise SetupFailedError(
            happened=f"OIDC_PROVIDER_MODULES names {named}, which lacks oidc-provider", mend="Mend or unset it, then run make again."
        )
    if named:
        return Path(named)
    if not ready():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        for name in _FILES:
            shutil.copy(GIVEN / name, FOLDER)
        what = "installing an identity provider, for the tests, in .cache/oidc_provider (once, 4 MB)"
        npm("ci", folder=FOLDER, what=what)
        shutil.rmtree(FOLDER / "npm", ignore_errors=True)
        _STAMP.write_text(_state(), encoding="ascii")
    return MODULES

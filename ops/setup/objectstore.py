"""A real S3 with Object Lock, for the vault's tests only: LocalStack's, in an environment of its own. Called by ops/bootstrap.py.

It is pinned by hash in objectstore.lock (`uv pip compile --universal --generate-hashes --only-binary :all: --python-version 3.11`, of the
names on its first line). 4.13.1 is the last version that runs on Python 3.11. The tests start it (tests/locked_store.py), on loopback.
"""

import os
from pathlib import Path

from setup import packages
from setup.place import CACHE
from setup.say import SetupFailedError

LOCK = Path(__file__).with_suffix(".lock")
FOLDER = CACHE / "objectstore" / "env"


def ready() -> bool:
    """Tell whether it is there, for this lock, or is one named by OBJECT_STORE_PYTHON."""
    return bool(os.environ.get("OBJECT_STORE_PYTHON")) or packages.ready_apart(FOLDER, LOCK)


def provide() -> Path:
    """Return the Python that has it, fetching it if need be. Needs `.venv`. Safe to repeat. Raises SetupFailedError."""
    named = os.environ.get("OBJECT_STORE_PYTHON")
    if named and not os.access(named, os.X_OK):
        raise SetupFailedError(
            happened=f"OBJECT_STORE_PYTHON names {named}, which is no program", mend="Mend or unset it, then run make again."
        )
    if named:
        return Path(named)
    return packages.provide_apart(FOLDER, LOCK, what="installing an object store, for the tests, in .cache/objectstore (once, 180 MB)")

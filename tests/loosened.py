"""Gives a test's vault back to the test: flags lifted, write bits given, so that it can tamper and pytest can clean up."""

import os
from contextlib import suppress
from pathlib import Path

from moderator.evidence.vault.immutable import APPEND, IMMUTABLE, change_flags


def loosen(folder: Path) -> None:
    """Make everything in a folder changeable and removable again."""
    for where, _, names in os.walk(folder):
        for path in [Path(where), *(Path(where, name) for name in names)]:
            with suppress(OSError):
                change_flags(path, take=IMMUTABLE | APPEND)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o600)

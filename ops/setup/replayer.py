"""A real player of web archives, for the test that our archives replay: npm's replaywebpage. Called by ops/bootstrap.py.

Only its two built files are wanted, not the hundred packages they were built from: so it is fetched as one packed file, pinned by hash.
"""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from setup.npm import npm
from setup.place import CACHE
from setup.say import SetupFailedError

VERSION = "2.5.3"
SHA512 = "9c28f63d238ddc1c5e489284f00b183f250bbf45cf64a2567f2e25f4fc90adef52ab02d9f9629956cfec7cba8f390e06ac7fb46248dbc0e86bf1c4931f4f20b1"
FOLDER = CACHE / "replaywebpage"
FILES = ("ui.js", "sw.js")
"""The player, and the service worker that answers it from the archive."""
_STAMP = FOLDER / "setup-stamp"


def ready() -> bool:
    """Tell whether this version is there, or one is named by REPLAYWEBPAGE_FOLDER."""
    try:
        return bool(os.environ.get("REPLAYWEBPAGE_FOLDER")) or _STAMP.read_text(encoding="ascii") == SHA512
    except OSError:
        return False


def provide() -> Path:
    """Return the folder of its files, fetching them if need be. Needs `.venv`. Safe to repeat. Raises SetupFailedError."""
    named = os.environ.get("REPLAYWEBPAGE_FOLDER")
    if named and not all((Path(named) / name).is_file() for name in FILES):
        raise SetupFailedError(
            happened=f"REPLAYWEBPAGE_FOLDER names {named}, which lacks {' or '.join(FILES)}", mend="Mend or unset it, then run make again."
        )
    if named:
        return Path(named)
    if not ready():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        what = "fetching a player of web archives, for the tests, into .cache/replaywebpage (once, 2 MB)"
        npm("pack", f"replaywebpage@{VERSION}", "--pack-destination", str(FOLDER), folder=FOLDER, what=what)
        _unpack(FOLDER / f"replaywebpage-{VERSION}.tgz")
        shutil.rmtree(FOLDER / "npm", ignore_errors=True)
        _STAMP.write_text(SHA512, encoding="ascii")
    return FOLDER


def _unpack(packed: Path) -> None:
    if hashlib.sha512(packed.read_bytes()).hexdigest() != SHA512:
        raise SetupFailedError(
            happened=f"{packed.name} is not the file that ops/setup/replayer.py pins",
            mend="Look at where npm fetches from, then run make again.",
        )
    with tarfile.open(packed) as archive:
        for name in FILES:
            held = archive.extractfile(f"package/{name}")
            if held is None:
                raise SetupFailedError(happened=f"{packed.name} lacks {name}", mend="Pin another version in ops/setup/replayer.py.")
            (packed.parent / name).write_bytes(held.read())
    packed.unlink()

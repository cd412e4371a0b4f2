"""Where set-up puts things: all inside the checkout, in folders that git ignores. Read by every module here."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CACHE = ROOT / ".cache"
UNPACKED = CACHE / "debian"  # Debian packages unpacked for a user who may not install them
WRAPPERS = CACHE / "bin"  # starts the programs inside UNPACKED with their own libraries
BROWSERS = CACHE / "browsers"  # Playwright's own download
TOOLS = VENV / "tools.env"
MISSED = VENV / "no-chromium"  # there when none could be fetched
STAMP = VENV / "setup-stamp.json"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "ops" / "requirements-dev.lock"}


def is_root() -> bool:
    """Tell whether packages may be installed for the whole machine."""
    return os.geteuid() == 0

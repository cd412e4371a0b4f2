"""Postfix and Dovecot, for the tests only: found, else Debian's packages, with no server started. Called by ops/bootstrap.py.

Postfix can only be run by root, so another user is not asked to have them: the tests that need them say then that they were left out.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from setup import debian
from setup.place import is_root
from setup.say import SetupFailedError, answer, succeeds

PACKAGES = ("postfix", "dovecot-imapd")
SERVICES = ("postfix", "dovecot")
POSTFIX = Path("/usr/lib/postfix/sbin")
DOVECOT = Path("/usr/sbin")
# There from any package that takes a machine's mail.
OTHER = Path("/usr/sbin/sendmail")
# Asked by every package before it starts a server of its own; 101 says: not allowed.
POLICY = Path("/usr/sbin/policy-rc.d")
# Without a configuration of its own Postfix cannot be started by accident, now or when the machine starts again.
NO_CONFIGURATION = "postfix postfix/main_mailer_type select No configuration"
MEND = "Name the folders of both with POSTFIX_BIN and DOVECOT_BIN, then run make again."


def _folder(variable: str, *, usual: Path, program: str) -> Path | None:
    named = os.environ.get(variable)
    if named and not os.access(Path(named) / program, os.X_OK):
        raise SetupFailedError(happened=f"{variable} names {named}, which has no {program}", mend="Mend or unset it, then run make again.")
    folder = Path(named) if named else usual
    return folder if os.access(folder / program, os.X_OK) else None


def found() -> dict[str, str]:
    """Return the folders of Postfix's daemons and of Dovecot by the names they have in tools.env; none unless both are there."""
    folders = {
        "POSTFIX_BIN": _folder("POSTFIX_BIN", usual=POSTFIX, program="master"),
        "DOVECOT_BIN": _folder("DOVECOT_BIN", usual=DOVECOT, program="dovecot"),
    }
    there = {name: str(folder) for name, folder in folders.items() if folder}
    return there if len(there) == len(folders) else {}


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """Let no package start a server meanwhile. A machine that has such a rule of its own keeps it."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def _installed(service: str) -> bool:
    return os.access(POSTFIX / "master" if service == "postfix" else DOVECOT / "dovecot", os.X_OK)


def _install() -> None:
    """Install both. 1. No configuration. 2. The packages, nothing started. 3. Nothing started at the machine's next start either."""
    missing = [name for name in SERVICES if not _installed(name)]
    if "postfix" in missing and OTHER.exists():
        raise SetupFailedError(
            happened="the tests need Postfix, and this machine has another mail server, which it would replace", mend=MEND
        )
    if "postfix" in missing:
        answer(["sh", "-c", f"echo '{NO_CONFIGURATION}' | debconf-set-selections"])
    with _nothing_starts():
        debian.install(PACKAGES, what="installing Postfix and Dovecot, for the tests (no server is started)")
    for name in missing:
        succeeds(["update-rc.d", name, "disable"])


def provide() -> dict[str, str]:
    """Return where both are, for tools.env, installing them if need be; nothing for a user who is not root. Raises SetupFailedError."""
    if not is_root():
        return {}
    folders = found()
    if not folders and debian.at_hand():
        _install()
        folders = found()
    if not folders:
        raise SetupFailedError(happened="the tests need the mail servers Postfix and Dovecot", mend=f"Install both. {MEND}")
    return folders

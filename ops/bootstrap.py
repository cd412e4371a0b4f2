#!/usr/bin/env python3
"""Set a fresh checkout up for `make`: Python packages, Chromium, and for the tests the servers they talk to.

Those are PostgreSQL, an object store, an identity provider, a player of web archives, Postfix and Dovecot; and openssl, which an
outsider checks records with.
Runs under the machine's own Python 3.11 or later with nothing installed. What is there is used; what is missing is installed
when root, else put inside the checkout. A second call finds its stamps and returns at once.

    python3 ops/bootstrap.py run|dev|test
"""

import os
import shlex
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The programs that tools.env names: the first for the product, the next five for the tests, then the two mail servers of the tests
# (where root runs them), the last where Playwright needs help.
NAMES = (
    *("MODERATOR_CHROMIUM", "POSTGRES_BIN", "OPENSSL_FOLDER", "OBJECT_STORE_PYTHON", "OIDC_PROVIDER_MODULES", "REPLAYWEBPAGE_FOLDER"),
    *("POSTFIX_BIN", "DOVECOT_BIN", "PLAYWRIGHT_NODEJS_PATH"),
)
# joblib, which we give one process anyway, warns on a machine whose shared memory is closed to this user.
ALWAYS = {"JOBLIB_MULTIPROCESSING": "0"}
KINDS = ("run", "dev", "test")
NO_BROWSER = "no Chromium could be had, so records will be drawn without a browser; install chromium and run make again for real pictures"

sys.path.insert(0, str(HERE))

try:
    from setup import browser, database, mailserver, objectstore, packages, provider, replayer
    from setup.place import MISSED, TOOLS, is_root
    from setup.say import SetupFailedError, say
except (ImportError, SyntaxError, TypeError) as error:
    sys.exit(f"setup: this Python cannot read the set-up ({error}). Python 3.11 or later is needed: make PYTHON=python3.11 …")


def _known() -> dict[str, str]:
    """Return the tools an earlier call wrote down and that are still there."""
    if not TOOLS.exists():
        return {}
    pairs = (line.split("=", 1) for line in TOOLS.read_text(encoding="utf-8").splitlines() if "=" in line)
    tools = {name: shlex.split(value)[0] for name, value in pairs if name in NAMES}
    return {name: place for name, place in tools.items() if os.access(place, os.X_OK)}


def _write(tools: dict[str, str]) -> None:
    """Write the tools as shell lines. The openssl folder goes last on PATH, so that it hides nothing."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in sorted((ALWAYS | tools).items())]
    path = [f'PATH="$PATH:{tools["OPENSSL_FOLDER"]}"'] if "OPENSSL_FOLDER" in tools else []
    TOOLS.write_text("\n".join([*lines, *path, ""]), encoding="utf-8")


def _chromium(*, needed: bool) -> dict[str, str]:
    """Return Chromium and what drives it. Without one, say so in a line, or raise SetupFailedError where it is needed.

    What could not be fetched is not tried again by every `make run`: a Chromium installed since is found, and `make test` tries afresh.
    """
    again = MISSED.exists() and not needed
    try:
        node = browser.provide_driver() if not again or browser.found() else None
        program = browser.found() if again else browser.provide()
    except SetupFailedError as error:
        if needed:
            raise
        say(str(error))
        program = None
    if program is None and needed:
        raise SetupFailedError(
            happened="the tests need Chromium", mend="Install it, or name one with MODERATOR_CHROMIUM, then run make again."
        )
    if program is None:
        say(NO_BROWSER)
        MISSED.touch()
        return {}
    MISSED.unlink(missing_ok=True)
    return {"MODERATOR_CHROMIUM": str(program)} | ({"PLAYWRIGHT_NODEJS_PATH": str(node)} if node else {})


def _tools(kind: str, *, known: dict[str, str], store: Future[Path] | None) -> None:
    """Find or fetch the programs that this kind of work starts and that are not yet known; write down where they are.

    `store` is the object store where it is being fetched.
    """
    wanted = NAMES[:1] if kind == "run" else NAMES[: 8 if is_root() else 6]
    named = {name: os.environ[name] for name in wanted if os.environ.get(name)}
    current = kind == "run" or (objectstore.ready() and provider.ready() and replayer.ready())
    if current and all(known.get(name) for name in wanted) and all(known[name] == value for name, value in named.items()):
        return
    tools = dict(known)
    if "MODERATOR_CHROMIUM" in named or "MODERATOR_CHROMIUM" not in known:
        tools |= _chromium(needed=kind == "test")
    if kind == "test":
        tools |= {"POSTGRES_BIN": str(database.provide()), "OPENSSL_FOLDER": str(database.provide_openssl())}
        tools |= {
            "OBJECT_STORE_PYTHON": str(store.result() if store else objectstore.provide()),
            "OIDC_PROVIDER_MODULES": str(provider.provide()),
            "REPLAYWEBPAGE_FOLDER": str(replayer.provide()),
        } | mailserver.provide()
    _write(tools)


def _provide(kind: str) -> bool:
    """Set up for one kind of work and tell whether there was anything to do. 1. Python packages. 2. Programs. Raises SetupFailedError."""
    lock = "run" if kind == "run" else "dev"
    fresh = not packages.ready(lock)
    packages.begin(lock)
    with ThreadPoolExecutor(1) as beside:
        # It has an environment of its own, so that it can be fetched while our packages are.
        store = beside.submit(objectstore.provide) if kind == "test" and not objectstore.ready() else None
        packages.provide(lock)
        if kind != "dev":
            _tools(kind, known={} if fresh else _known(), store=store)  # new packages may want other libraries
    return fresh


def main(arguments: list[str]) -> int:
    """Set up for one kind of work. Returns 0, 2 for bad use, 3 when something could not be had."""
    if len(arguments) != 1 or arguments[0] not in KINDS:
        sys.stderr.write(f"setup: say one of {', '.join(KINDS)}\n")
        return 2
    kind = arguments[0]
    started = time.monotonic()
    try:
        fresh = _provide(kind)
    except SetupFailedError as error:
        sys.stderr.write(f"setup: {error}\n")
        return 3
    except KeyboardInterrupt:
        sys.stderr.write("setup: stopped; run make again to go on\n")
        return 130
    if fresh:
        say(f"ready ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

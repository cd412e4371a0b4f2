"""Serving: the scheduler in the background and the review app in front, until a signal. Called by `run` and `demo`."""

import ctypes
import socket
import time
from pathlib import Path

import typer
import uvicorn

from moderator import build
from moderator.cli import line
from moderator.cli.rehearsal import network, prepare
from moderator.domain.errors import BadInput
from moderator.domain.record import Verification
from moderator.domain.times import SystemClock
from moderator.evidence.check.bag import BagTask, check_bag
from moderator.jobs.local import LocalScheduler
from moderator.settings import Settings
from moderator.store.database import Database
from moderator.store.ledger import public_keys
from moderator.web.app import create_app
from moderator.web.sign_in import new_link

M_ARENA_MAX = -8
"""glibc's `mallopt` parameter (malloc.h): how many separate heaps threads may have."""


def few_heaps() -> None:
    """Let glibc keep two heaps, not eight a core: a service of some threads otherwise grows by a hundred megabytes for nothing.

    Must come before threads start. Does nothing with another C library.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 2)


def serve(options: Settings) -> None:
    """Run the service on a school's own settings, until a signal."""
    few_heaps()
    with build.hold_data_dir(options):
        scheduler = LocalScheduler()
        context = build.build(options, dispatcher=scheduler)
        try:
            if context.database.embedded:
                context.database.release_leases()
            _say(f"moderator is running for {', '.join(school.name for school in options.schools())}.")
            if options.mail is None:
                _say(f"No [mail] is set: mail goes to {options.data_dir / 'outbox'} as .eml files, not to anybody's inbox.")
            _serve(context, scheduler)
        finally:
            context.close()


def rehearse(folder: Path, *, comments: Path | None, practice_url: str, once: bool, listen_port: int) -> None:
    """Run the line on a practice network until nothing waits; then end (`once`), or stay with the review app until a signal."""
    few_heaps()
    began = time.monotonic()
    folder = folder.resolve()
    if comments is not None and not comments.is_file():
        message = f"--comments {comments}: there is no such file"
        raise BadInput(message)
    if comments is not None and practice_url:
        _say(f"--comments is not used: the practice network at {practice_url} has its own comments.")
    folder.mkdir(parents=True, exist_ok=True)
    with network(folder, comments=comments, url=practice_url) as url:
        _say(f"The practice network is at {url}")
        options = prepare(folder, practice_url=url, listen_port=free_port(listen_port) if not once else 0).settings
        with build.hold_data_dir(options):
            scheduler = LocalScheduler()
            context = build.build(options, dispatcher=scheduler)
            try:
                context.database.release_leases()
                line.run_line(context, _say)
                line.send_digest(context)
                counts = line.summary(context, time.monotonic() - began)
                line.write_summary(folder / "summary.json", counts)
                _report(folder, counts)
                if not once:
                    _serve(context, scheduler)
            finally:
                context.close()


def _report(folder: Path, counts: dict[str, int | float]) -> None:
    _say("")
    for name, count in counts.items():
        _say(f"  {name:<12} {count}")
    _say("")
    _say(f"Records        {folder / 'vault'}   (check them: moderator verify {folder / 'vault'})")
    _say(f"Ledger         {folder / 'ledger.jsonl'}")
    _say(f"Mail           {folder / 'outbox'}   (no mail server is set, so nothing was sent)")


def _serve(context: build.Context, scheduler: LocalScheduler) -> None:
    options, tools = context.settings, context.tools

    def verify_record(path: str) -> Verification:
        school, year, record = path.split("/")
        with context.database.reading() as connection:
            keys = tuple(each.public_key for each in public_keys(connection, school))
        found = check_bag(BagTask(context.vault.source(path), school, record, keys=keys, year=year))
        return Verification(1, found.faults)

    app = create_app(
        database=context.database,
        tools=tools,
        templates=options.templates_dir,
        clock=tools.clock,
        base_url=options.public_url,
        verify_record=verify_record,
    )
    link = sign_in_link(context.database, options, "HEAD-1")
    _say("")
    _say("Review page    open this once to sign in:")
    _say(f"  {link}")
    _say("Stop with Ctrl-C.")
    scheduler.start(tools)
    try:
        uvicorn.run(
            app, host=options.listen_host, port=options.listen_port, log_config=None, access_log=False, server_header=False, ws="none"
        )
    finally:
        scheduler.close()


def sign_in_link(database: Database, options: Settings, actor: str) -> str:
    """Return a one-time link that signs `actor` in; it lasts a day."""
    return new_link(database, actor=actor, now=SystemClock().now(), base_url=options.public_url)


def free_port(wanted: int) -> int:
    """Return `wanted` when it is free on loopback, else some free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = "no port is free on this machine"
    raise BadInput(message)


def _say(text: str) -> None:
    typer.echo(text)

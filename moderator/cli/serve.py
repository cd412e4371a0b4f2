"""Serving: the scheduler in the background and the review app in front, until a signal. Called by `run` and `demo`."""

import ctypes
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import typer
import uvicorn

from moderator import build
from moderator.build.record_check import record_check
from moderator.cli import line
from moderator.cli.demo_people import SHOWN
from moderator.cli.rehearsal import network, prepare
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock
from moderator.jobs.local import LocalScheduler
from moderator.settings import Settings
from moderator.store.database import Database
from moderator.web.app import create_app
from moderator.web.providers import providers
from moderator.web.sign_in import is_set_up, new_link, new_set_up_code

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
            _serve(context, scheduler, way_in(context.database, options))
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
                    _serve(context, scheduler, links(context.database, options, SHOWN))
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


def _serve(context: build.Context, scheduler: LocalScheduler, told: Sequence[str]) -> None:
    options, tools = context.settings, context.tools

    app = create_app(
        database=context.database,
        tools=tools,
        templates=options.templates_dir,
        clock=tools.clock,
        base_url=options.public_url,
        data_dir=options.data_dir,
        rolls=build.rolls(options, context.database) if options.optional_secret("roll.key") else None,
        verify_record=record_check(context.database, context.vault),
        sealer=context.sealer,
        providers=providers(options),
        connectors=build.connectors(options, tools.clock),
    )
    _say("")
    for each in told:
        _say(each)
    _say("Stop with Ctrl-C.")
    scheduler.start(tools)
    try:
        uvicorn.run(
            app, host=options.listen_host, port=options.listen_port, log_config=None, access_log=False, server_header=False, ws="none"
        )
    finally:
        scheduler.close()


def way_in(database: Database, options: Settings) -> list[str]:
    """Return what `run` prints: the address, or, while nobody is designated, a one-time code for the first CEO or Headteacher."""
    with database.reading() as connection:
        done = is_set_up(connection, SystemClock().now())
    return ["Review page", f"  {options.public_url}"] if done else first_way_in(database, options)


def first_way_in(database: Database, options: Settings) -> list[str]:
    """Return the address of the first set-up and a new one-time code, good for a day; earlier codes end.

    Raises BadInput when somebody is designated already.
    """
    code = new_set_up_code(database, now=SystemClock().now())
    return [
        "Nobody can sign in yet. The first CEO or Headteacher opens this page",
        f"  {options.public_url}/set-up",
        "and types this one-time code, good for a day:",
        f"  {code}",
    ]


def links(database: Database, options: Settings, references: Sequence[str]) -> list[str]:
    """Return one-time links of people who are designated, each good for a day."""
    told = [f"  {reference:<9} {sign_in_link(database, options, reference)}" for reference in references]
    return ["Review page    open one of these once to sign in:", *told]


def sign_in_link(database: Database, options: Settings, actor: str) -> str:
    """Return a one-time link that signs the person of a designation in. Raises BadInput when it is not live."""
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

"""Running the whole line until nothing waits, and the summary of what happened. Called by `demo` and `run --demo`."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from moderator.build import Context
from moderator.domain.calendar import Span
from moderator.domain.times import london_date
from moderator.evidence.check.verify import verify
from moderator.jobs.schedule import SCHEDULE
from moderator.steps.digest import digest_for
from moderator.steps.drain import drain
from moderator.steps.poll import poll
from moderator.store import today
from moderator.store.items import ITEMS, RECORDS
from moderator.store.outbox import ALERTS, DIGESTS

TURN = timedelta(seconds=20)
"""How long one step drains before the next gets its turn: severe alerts must not wait for a long queue."""

ON_THE_LINE = frozenset({"score", "decide", "alert", "record", "hide", "restore", "send"})

Say = Callable[[str], None]


def run_line(context: Context, say: Say) -> None:
    """Poll until a poll finds nothing new, with everything found taken to its end in between. May be repeated."""
    while True:
        before = _polled(context)
        context.database.poll_now()
        drain(poll, context.tools, limit=1, deadline=context.tools.clock.now() + TURN)
        found = _polled(context) - before
        if found:
            say(f"{found} new comments")
        finish(context, say)
        if not found:
            return


def finish(context: Context, say: Say) -> None:
    """Run every step but polling until nothing waits, sleeping while the platform or a server has asked us to wait."""
    told = ""
    while True:
        done = 0
        for job in SCHEDULE:
            if job.name in ON_THE_LINE:
                done += drain(job.step, context.tools, limit=job.limit, deadline=context.tools.clock.now() + TURN)
        now = _progress(context)
        if now != told:
            say(now)
            told = now
        due = context.database.next_due()
        if not done and due is None:
            return
        if not done and due is not None:
            wait = (due - context.tools.clock.now()).total_seconds()
            if context.database.stuck():
                return
            time.sleep(min(max(wait, 0.05), 5.0))


def send_digest(context: Context) -> None:
    """Compose today's digest of every school, and deliver what waits."""
    tools = context.tools
    for school in tools.store.schools():
        digest_for(tools, school, Span.of(london_date(tools.clock.now())))
    for job in SCHEDULE:
        if job.name in {"alert", "send"}:
            drain(job.step, tools, limit=job.limit, deadline=tools.clock.now() + TURN)


def summary(context: Context, seconds: float) -> dict[str, int | float]:
    """Return what happened so far in this database, and every broken rule found: 0 unless something is wrong."""
    with context.database.reading() as connection:
        counted = today.totals(connection)
        recorded = connection.execute(sa.select(sa.func.count()).select_from(RECORDS)).scalar_one()
        hidden = connection.execute(sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.hidden_at.is_not(None))).scalar_one()
        unsealed = connection.execute(
            sa.select(sa.func.count())
            .select_from(ITEMS)
            .where(ITEMS.c.hide_called_at.is_not(None), sa.or_(ITEMS.c.sealed_at.is_(None), ITEMS.c.sealed_at >= ITEMS.c.hide_called_at))
        ).scalar_one()
        alerts = connection.execute(sa.select(sa.func.count()).select_from(ALERTS).where(ALERTS.c.mail_key.is_not(None))).scalar_one()
        digests = connection.execute(sa.select(sa.func.count()).select_from(DIGESTS)).scalar_one()
    faults = len(verify(context.settings.vault_dir).faults)
    return {
        "polled": counted["polled"],
        "cleared": counted["cleared"],
        "flagged": counted["flagged"],
        "recorded": recorded,
        "hidden": hidden,
        "routed": counted["routed"],
        "withheld": counted["withheld"],
        "held": counted["held"],
        "alerts": alerts,
        "digests": digests,
        "violations": unsealed + faults,
        "seconds": round(seconds, 1),
    }


def write_summary(path: Path, counts: dict[str, int | float]) -> None:
    """Write the summary whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def _polled(context: Context) -> int:
    with context.database.reading() as connection:
        return today.totals(connection)["polled"]


def _progress(context: Context) -> str:
    with context.database.reading() as connection:
        counted = today.totals(connection)
        recorded = connection.execute(sa.select(sa.func.count()).select_from(RECORDS)).scalar_one()
        hidden = connection.execute(sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.hidden_at.is_not(None))).scalar_one()
    return (
        f"{counted['polled']} comments read: {counted['cleared']} cleared, {counted['flagged']} flagged, "
        f"{recorded} recorded, {hidden} hidden, {counted['routed']} for a person, {counted['withheld']} withheld, {counted['held']} held"
    )

"""The embedded driver: APScheduler in this process, with the memory job store. Called by `moderator run`."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from moderator import observe
from moderator.domain.errors import ModeratorError
from moderator.jobs.schedule import SCHEDULE, Job
from moderator.steps.drain import Tools, drain

TURN = timedelta(minutes=5)
"""Longest time one call of a step keeps on draining before others get their turn."""

LOOKS_AT_CLOCK = timedelta(seconds=10)
"""How often the machine's clock is looked at: one that was set back would keep every job waiting for as long."""


def _system_now() -> datetime:
    return datetime.now(UTC)


class LocalScheduler:
    """Runs the schedule table until closed; implements ports.Dispatcher."""

    def __init__(self, *, now: Callable[[], datetime] = _system_now, looks_at_clock: timedelta = LOOKS_AT_CLOCK) -> None:
        """Make the scheduler; nothing runs yet. `now` gives aware UTC by the machine's clock."""
        self._now, self._pause = now, looks_at_clock.total_seconds()
        self._closed = threading.Event()
        self._clock_watch = threading.Thread(target=self._watch_the_clock, name="clock-watch", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            # Its default grace of one second would drop a late run.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self, tools: Tools) -> None:
        """Start every job of the schedule, the first runs now."""
        now = datetime.now(UTC)
        for job in SCHEDULE:
            self._scheduler.add_job(
                run_job, "interval", args=[job, tools], id=job.name, seconds=job.every.total_seconds(), next_run_time=now
            )
        self._scheduler.start()
        self._clock_watch.start()

    def wake(self, step: str) -> None:
        """Ask for a step to run now. May be repeated; does nothing before the start."""
        if self._scheduler.running and self._scheduler.get_job(step) is not None:
            self._scheduler.modify_job(step, next_run_time=datetime.now(UTC))

    def close(self) -> None:
        """Wait for the steps under way and stop. May be repeated."""
        self._closed.set()
        if self._scheduler.running:
            self._clock_watch.join()
            self._scheduler.shutdown(wait=True)

    def _watch_the_clock(self) -> None:
        """Let every job run now when the clock was set back: each waits for a time by the old clock, be it an hour or a year away."""
        latest = self._now()
        while not self._closed.wait(self._pause):
            now = self._now()
            if now < latest:
                observe.happened("clock_set_back", seconds=round((latest - now).total_seconds()))
                for job in SCHEDULE:
                    self.wake(job.name)
            latest = now


def run_job(job: Job, tools: Tools) -> int:
    """Drain one step for one turn; return how much was done. Trouble is logged and tried again at the next run."""
    try:
        return drain(job.step, tools, limit=job.limit, deadline=tools.clock.now() + TURN)
    except ModeratorError as error:
        observe.went_wrong("step_failed", step=job.name, error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - one step's fault must not end the schedule; leases bring its work back
        observe.went_wrong("step_broke", step=job.name, error=type(error).__name__)
    return 0


class NoDispatcher:
    """Wakes nothing: for a command that drains the steps itself; implements ports.Dispatcher."""

    def wake(self, step: str) -> None:
        """Do nothing."""

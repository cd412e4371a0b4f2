"""The embedded driver: APScheduler in this process, with the memory job store. Called by `moderator run`."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from moderator import observe
from moderator.domain.errors import ModeratorError
from moderator.jobs.schedule import SCHEDULE, Job
from moderator.steps.drain import Tools, drain

TURN = timedelta(minutes=5)
"""Longest time one call of a step keeps on draining before others get their turn."""


class LocalScheduler:
    """Runs the schedule table until closed; implements ports.Dispatcher."""

    def __init__(self) -> None:
        """Make the scheduler; nothing runs yet."""
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

    def wake(self, step: str) -> None:
        """Ask for a step to run now. May be repeated; does nothing before the start."""
        if self._scheduler.running and self._scheduler.get_job(step) is not None:
            self._scheduler.modify_job(step, next_run_time=datetime.now(UTC))

    def close(self) -> None:
        """Wait for the steps under way and stop. May be repeated."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


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

"""The embedded driver: the schedule table on APScheduler."""

import time
from dataclasses import replace

import pytest
from stage import Stage, comment

from moderator.domain.errors import Transient
from moderator.jobs.local import LocalScheduler, NoDispatcher, run_job
from moderator.jobs.schedule import SCHEDULE, Job
from moderator.steps.drain import Tools


def until(stage: Stage, states: list[str], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while stage.states() != states and time.monotonic() < end:
        time.sleep(0.1)
    assert stage.states() == states


def test_the_schedule_runs_the_whole_line(stage: Stage) -> None:
    stage.platform.comments += [comment(1), comment(2, "You are an idiot")]
    scheduler = LocalScheduler()
    scheduler.wake("poll")
    scheduler.start(stage.tools)
    try:
        until(stage, ["cleared", "hidden"])
        scheduler.wake("restore")
        scheduler.wake("no such step")
    finally:
        scheduler.close()
        scheduler.close()


def test_every_job_coalesces_and_never_drops_a_late_run(stage: Stage) -> None:
    scheduler = LocalScheduler()
    scheduler.start(stage.tools)
    try:
        jobs = scheduler._scheduler.get_jobs()  # noqa: SLF001 - the settings under test live there
        assert {job.id for job in jobs} == {job.name for job in SCHEDULE}
        for job in jobs:
            assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
    finally:
        scheduler.close()


@pytest.mark.parametrize("error", [Transient("no answer"), ZeroDivisionError()])
def test_a_step_that_fails_does_not_end_the_schedule(stage: Stage, error: Exception) -> None:
    def failing(tools: Tools, *, limit: int) -> int:
        del tools, limit
        raise error

    job: Job = replace(SCHEDULE[0], step=failing)
    assert run_job(job, stage.tools) == 0
    NoDispatcher().wake("poll")

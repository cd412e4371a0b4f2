"""The schedule: which step runs how often. The one table every driver reads; progress is in the database, nothing is pickled."""

from dataclasses import dataclass
from datetime import timedelta

from moderator.steps.alert import alert
from moderator.steps.bounce import bounce
from moderator.steps.decide import decide
from moderator.steps.digest import digest
from moderator.steps.dispose import dispose
from moderator.steps.drain import Step
from moderator.steps.hide import hide
from moderator.steps.poll import poll
from moderator.steps.prune import prune
from moderator.steps.record import record
from moderator.steps.remind import remind
from moderator.steps.report import report
from moderator.steps.restore import restore
from moderator.steps.retain import retain
from moderator.steps.score import score
from moderator.steps.send import send
from moderator.steps.stamp import stamp
from moderator.steps.submit import resume
from moderator.steps.sweep import sweep
from moderator.steps.trust_digest import trust_digest
from moderator.steps.unread import unread
from moderator.steps.verify import verify
from moderator.steps.webhook import webhook


@dataclass(frozen=True, slots=True)
class Job:
    """One row: the step's name, the step, how often it runs, how much it takes at once, and its queue."""

    name: str
    step: Step
    every: timedelta
    limit: int
    queue: str


SCHEDULE: tuple[Job, ...] = (
    Job("poll", poll, timedelta(seconds=10), 1, "platform"),
    Job("score", score, timedelta(seconds=5), 200, "assess"),
    Job("decide", decide, timedelta(seconds=5), 200, "assess"),
    Job("alert", alert, timedelta(seconds=5), 10, "tell"),
    Job("record", record, timedelta(seconds=5), 4, "evidence"),
    Job("hide", hide, timedelta(seconds=5), 20, "platform"),
    Job("restore", restore, timedelta(seconds=5), 20, "platform"),
    Job("send", send, timedelta(seconds=10), 10, "tell"),
    Job("digest", digest, timedelta(minutes=5), 10, "tell"),
    Job("trust_digest", trust_digest, timedelta(minutes=5), 10, "tell"),
    Job("report", report, timedelta(minutes=30), 10, "tell"),
    Job("unread", unread, timedelta(seconds=30), 20, "tell"),
    Job("bounce", bounce, timedelta(minutes=5), 50, "tell"),
    Job("resume", resume, timedelta(minutes=5), 20, "evidence"),
    Job("sweep", sweep, timedelta(minutes=5), 100, "keep"),
    Job("verify", verify, timedelta(minutes=10), 1000, "evidence"),
    Job("dispose", dispose, timedelta(minutes=5), 100, "keep"),
    Job("retain", retain, timedelta(hours=1), 200, "keep"),
    Job("remind", remind, timedelta(hours=1), 1000, "keep"),
    Job("webhook", webhook, timedelta(seconds=10), 50, "tell"),
    Job("stamp", stamp, timedelta(minutes=10), 20, "evidence"),
    Job("prune", prune, timedelta(minutes=30), 500, "keep"),
)
"""In the order of the line. How often an account is really polled is decided by its own row (`next_poll_in`)."""

"""Webhook: tell machines outside what happened, line by line of the ledger, in order, without names. Called by the schedule."""

from datetime import timedelta

from moderator import observe
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import Transient
from moderator.domain.readers import DueWebhook
from moderator.domain.work import AlertRequest
from moderator.steps.drain import PER_DAY, Tools

LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
TELL_AFTER = 30
"""Failed tries after which the Headteacher is told: about a day, by the waits below (our choice)."""


def webhook(tools: Tools, *, limit: int = 50) -> int:
    """Hand over up to `limit` messages; return how many lines were moved on from. A machine that does not answer is asked again for ever.

    A message may arrive twice (a crash between its answer and our note): it carries the same `webhook-id` both times.
    """
    for done in range(limit):
        due = tools.store.claim_webhook(now=tools.clock.now(), lease=LEASE)
        if due is None:
            return done
        if not _told(tools, due):
            continue
        with tools.store.unit() as unit:
            unit.webhook_told(due, tools.clock.now())
    return limit


def _told(tools: Tools, due: DueWebhook) -> bool:
    """Hand the message over; False when it could not be, which is noted."""
    if due.line is None:
        return True
    now = tools.clock.now()
    try:
        tools.courier.tell(due, at=now)
    except Transient as error:
        wait = min(FIRST_WAIT * (1 << min(due.webhook.attempts, 20)), LONGEST_WAIT)
        with tools.store.unit() as unit:
            unit.webhook_failed(due, str(error), next_at=now + wait)
            if due.webhook.attempts + 1 >= TELL_AFTER:
                unit.alert(_alert(due, f"{now:{PER_DAY}}", tools))
        observe.went_wrong("webhook_failed", webhook=due.webhook.id, attempts=due.webhook.attempts + 1)
        return False
    observe.happened("webhook_told", webhook=due.webhook.id, seq=due.seq)
    return True


def _alert(due: DueWebhook, day: str, tools: Tools) -> AlertRequest:
    now = tools.clock.now()
    return AlertRequest(
        key=f"webhook-{due.webhook.id}-{day}",
        school=due.webhook.school,
        kind=AlertKind.SYSTEM,
        severity=Severity.ORDINARY,
        subject=f"webhook {due.webhook.id}",
        what="A machine that is told of records does not answer.",
        done="The service keeps trying, and skips nothing.",
        at=now,
        due_at=now,
    )

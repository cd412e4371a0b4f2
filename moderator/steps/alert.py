"""Alert: put due alerts into one message a school, in the outbox. Called by the schedule."""

from datetime import timedelta

from moderator import observe
from moderator.domain.digest import AlertMail
from moderator.steps.drain import Tools

LEASE = timedelta(minutes=2)


def alert(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` alert messages; return how many were composed.

    A severe alert is due at once and the rest within five minutes of first sight (R7); whatever waits goes along.
    The message is durable in the outbox before any server is asked.
    """
    for done in range(limit):
        due = tools.store.claim_alerts(now=tools.clock.now(), lease=LEASE, link=tools.review_url)
        if due is None:
            return done
        key = f"alert-{due.school.slug}-{min(due.ids)}-{max(due.ids)}"
        platforms = tuple(tools.visible_after_hide.values())
        mail = AlertMail(key, due.school, due.school.head_email, due.lines, platforms)
        message = tools.composer.alert(mail)
        with tools.store.unit() as unit:
            unit.alerts_composed(due, key, message, tools.clock.now())
        observe.happened("alert_composed", school=due.school.slug, lines=len(due.lines))
    return limit

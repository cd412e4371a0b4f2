"""Alert: put due alerts into one message a school, in the outbox. Called by the schedule."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

from moderator import observe
from moderator.domain.digest import AlertKind, AlertMail
from moderator.domain.errors import BadInput
from moderator.steps.drain import Tools

LEASE = timedelta(minutes=2)


def alert(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` alert messages; return how many were composed.

    A severe alert is due at once and the rest within five minutes of first sight (R7); whatever waits goes along.
    The message is durable in the outbox before any server is asked. What is wrong with the evidence goes to the trust as well, in a
    mail of its own: the Headteacher's mailbox must not be the only place that knows.
    """
    for done in range(limit):
        due = tools.store.claim_alerts(now=tools.clock.now(), lease=LEASE, link=tools.review_url)
        if due is None:
            return done
        key = f"alert-{due.school.slug}-{min(due.ids)}-{max(due.ids)}"
        platforms = tuple(tools.visible_after_hide.values())
        mail = AlertMail(key, due.school, due.school.head_email, due.lines, platforms)
        message, copy = tools.composer.alert(mail), _for_the_trust(tools, mail)
        with tools.store.unit() as unit:
            unit.alerts_composed(due, key, message, tools.clock.now())
            if copy is not None:
                unit.mail_composed(f"{key}-trust", due.school.slug, copy, tools.clock.now())
        observe.happened("alert_composed", school=due.school.slug, lines=len(due.lines))
    return limit


def _for_the_trust(tools: Tools, mail: AlertMail) -> EmailMessage | None:
    """Return the trust's own message: the evidence lines alone, to the address of the settings (R26); None when there is none to send."""
    lines = tuple(line for line in mail.lines if line.kind is AlertKind.EVIDENCE)
    if not lines or tools.trust_email.lower() in {"", mail.to.lower()}:
        return None
    copy = replace(mail, key=f"{mail.key}-trust", to=tools.trust_email, lines=lines, visible_after_hide=())
    try:
        return tools.composer.alert(copy)
    except BadInput:  # an address that no mail can go to must not keep the Headteacher's own alert back; doctor tells of it
        observe.went_wrong("trust_not_told", school=mail.school.slug)
        return None

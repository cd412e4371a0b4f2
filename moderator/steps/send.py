"""Send: deliver what waits in the outbox; what a server will not take is tried again, never given up. Called by the schedule."""

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from moderator import observe
from moderator.domain.errors import ModeratorError, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.work import DueMail
from moderator.steps.drain import Tools, wait

LEASE = timedelta(minutes=40)
"""Longer than a batch can take: ten messages to a server that lets each answer run into its time limit."""

REFUSED_WAIT = timedelta(hours=1)
"""A server that says no for good is asked again this much later: a person may have mended the address or the password."""


def send(tools: Tools, *, limit: int = 10) -> int:
    """Deliver up to `limit` messages; return how many were handled. A crash after delivery repeats it with the same Message-ID."""
    mails = tools.store.claim_mail(limit=limit, now=tools.clock.now(), lease=LEASE)
    for mail in mails:
        _send(tools, mail)
    return len(mails)


def _send(tools: Tools, mail: DueMail) -> None:
    message = message_from_bytes(mail.message, _class=EmailMessage, policy=SMTP)
    try:
        tools.mailer.send(message)
    except ModeratorError as error:
        pause = wait(mail.attempts) if isinstance(error, Transient) else REFUSED_WAIT
        with tools.store.unit() as unit:
            unit.mail_failed(mail, str(error), next_at=tools.clock.now() + pause)
        observe.went_wrong("mail_not_taken", mail=mail.id, error=type(error).__name__)
        return
    at = tools.clock.now()
    with tools.store.unit() as unit:
        unit.mail_sent(mail, at)
        if mail.key.startswith("digest-"):
            unit.append(mail.school, LedgerEvent(Event.DIGEST_SENT, at, mail.key))
    observe.happened("mail_sent", mail=mail.id)

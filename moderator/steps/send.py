"""Send: deliver what waits in the outbox; what a server will not take is tried again, never given up. Called by the schedule."""

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from moderator import observe
from moderator.domain.errors import ModeratorError, Refused, ShutOut, Transient, Unreachable
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.work import DueMail, WaitingMail
from moderator.steps.drain import PER_DAY, Tools, tell_of_system, wait

LEASE = timedelta(minutes=20)
"""Longer than one message can take, to a server that lets each of some twenty answers run nearly into its time limit, the token's too."""

REFUSED_WAIT = timedelta(hours=1)
"""A server that says no for good is asked again this much later: a person may have mended the address or the password."""

UNDELIVERED = timedelta(hours=24)
"""How long a message may wait before people are alerted (our choice); its serious alerts have gone to further people long before (R21)."""

NOT_TAKEN = "A mail has waited for a day: no mail server takes it."
UNSENDABLE = "the message could not be handed over ({kind}). It waits; ask your IT lead to look at the service's log"
NOT_TAKEN_DONE = "It is kept and tried until it leaves. Alerts and Health say which mail it is. Ask your IT lead to run `moderator doctor`."


def send(tools: Tools, *, limit: int = 10) -> int:
    """Deliver up to `limit` messages; return how many were tried. A crash after delivery repeats it with the same Message-ID.

    1. One message is claimed at a time: a lease covers one delivery, and a crash keeps one message back, not a batch.
    2. When the server does not answer or lets nobody in, no other message is tried: all that is due waits as long as that one.
       A day without a server then costs one connection every few minutes, and a wrong password one sign-in an hour, whatever waits.
    """
    for done in range(limit):
        claimed = tools.store.claim_mail(limit=1, now=tools.clock.now(), lease=LEASE)
        if not claimed:
            return done
        _send(tools, claimed[0])
    return limit


def school_to_tell(tools: Tools, school: str) -> str:
    """Return the school that hears of a mail's trouble: its own, or, of the trust's own mail (""), the first, and not every one."""
    return school or tools.store.schools()[0].slug


def _send(tools: Tools, mail: DueMail) -> None:
    try:
        tools.mailer.send(message_from_bytes(mail.message, _class=EmailMessage, policy=SMTP))
    except ModeratorError as error:
        _not_taken(tools, mail, error)
        return
    except Exception as error:  # noqa: BLE001 - a message that breaks the mailer is pushed forward and shown; the others go on
        _not_taken(tools, mail, Refused(UNSENDABLE.format(kind=type(error).__name__)))
        return
    at = tools.clock.now()
    with tools.store.unit() as unit:
        if unit.mail_sent(mail, at) and mail.key.startswith("digest-"):
            unit.append(mail.school, LedgerEvent(Event.DIGEST_SENT, at, mail.key))
    observe.happened("mail_sent", mail=mail.id)


def _not_taken(tools: Tools, mail: DueMail, error: ModeratorError) -> None:
    """Push the message forward, and with it all that is due when it is the server that has trouble.

    What was refused for good, or has waited for a day, lets its serious alerts go to further people now.
    """
    at, lasting = tools.clock.now(), not isinstance(error, Transient)
    next_at = at + (REFUSED_WAIT if lasting else wait(mail.attempts))
    waiting = [WaitingMail(mail.key, mail.school, mail.created_at)]
    with tools.store.unit() as unit:
        unit.mail_failed(mail, str(error), next_at=next_at)
        if isinstance(error, Unreachable | ShutOut):
            waiting += unit.mails_put_off(str(error), at=at, next_at=next_at)
        for each in waiting:
            late = at - each.created_at >= UNDELIVERED
            if lasting or late:
                unit.reroute_now(each.key, at)
            if late:
                tell_of_system(unit, school_to_tell(tools, each.school), what=NOT_TAKEN, done=NOT_TAKEN_DONE, at=at, spell=PER_DAY)
    observe.went_wrong("mail_not_taken", mail=mail.id, error=type(error).__name__, put_off=len(waiting) - 1)

"""Bounce: note what mail servers gave back, and tell further people. Called by the schedule.

A report can be forged: whoever guesses a Message-ID can write one. So it marks and re-routes, and stops nothing: a mail that still waits
is sent all the same, and nobody is told less.
"""

from collections.abc import Iterator

from moderator import observe
from moderator.domain.errors import Refused, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.ports import Bounce
from moderator.steps.drain import PER_DAY, Tools, tell_of_system
from moderator.steps.send import school_to_tell

CAME_BACK = "A mail came back: its address cannot be reached."
CAME_BACK_DONE = (
    "Serious alerts in it go to further people at once. Alerts and Health say which mail it was. Mend the address, or the mailbox."
)

UNREADABLE = "The mailbox for mail that comes back cannot be read."
UNREADABLE_DONE = "Mail is sent all the same, but nobody hears of what comes back. Ask your IT lead to run `moderator doctor`."


def bounce(tools: Tools, *, limit: int = 50) -> int:
    """Note up to `limit` reports; return how many were read. May be repeated: each message is marked once.

    1. Take the next report; asking for it lets the mailbox mark the one before as seen.
    2. In one transaction: mark our message, make its unread serious alerts due for further people, write the ledger, and alert. A report
       about a message that is not ours changes nothing; one of a server that still tries is noted and no more.
    """
    reports, done = tools.mailbox.bounces(), 0
    while (report := _next_of(reports, tools)) is not None and done < limit:
        _note(report, tools)
        done += 1
    return done


def _next_of(reports: Iterator[Bounce], tools: Tools) -> Bounce | None:
    """Return the next report; None when there is none, or the mailbox cannot be read: then people hear of what they can mend."""
    try:
        return next(reports, None)
    except Transient as error:
        observe.went_wrong("mailbox_not_read", error=str(error))
    except Refused as error:
        observe.went_wrong("mailbox_not_read", error=str(error))
        school = school_to_tell(tools, "")  # the mailbox is the whole trust's
        with tools.store.unit() as unit:
            tell_of_system(unit, school, what=UNREADABLE, done=UNREADABLE_DONE, at=tools.clock.now(), spell=PER_DAY)
    return None


def _note(report: Bounce, tools: Tools) -> None:
    at, trusts_own = tools.clock.now(), school_to_tell(tools, "")
    with tools.store.unit() as unit:
        if not report.lasting:
            unit.mail_delayed(report)
            return
        mail = unit.mail_bounced(report, at)
        if mail is None:
            return
        unit.reroute_now(mail.key, at)
        if mail.school:
            unit.append(mail.school, LedgerEvent(Event.BOUNCED, at, mail.key, facts={"status": report.status}))
        tell_of_system(unit, mail.school or trusts_own, what=CAME_BACK, done=CAME_BACK_DONE, at=at, spell=PER_DAY)
    observe.happened("mail_bounced", mail=mail.key, status=report.status)

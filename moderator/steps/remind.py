"""Remind: of an account's dates before they pass: its password (R5), that it is not personal (R2), its approval (R1). Called daily."""

from datetime import date, datetime, timedelta

from moderator.domain.account import Account
from moderator.domain.attestation import OVERDUE, AccountDates, Dated, Due
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.steps.drain import Tools

_COMING = {
    Dated.PASSWORD: "The password of an account is due to be changed by {on} ({left}).",
    Dated.NOT_PERSONAL: "Look at an account again by {on} ({left}): is it still the school's own, and nobody's private one?",
    Dated.APPROVAL: "The approval of an account ends on {on} ({left}).",
}
_PASSED = {
    Dated.PASSWORD: "The password of an account was due to be changed by {on}. Nobody has said that it was.",
    Dated.NOT_PERSONAL: "Nobody has looked at an account since {on}: is it still the school's own, and nobody's private one?",
    Dated.APPROVAL: "The approval of an account ended on {on}. Its comments are not read any more.",
}
_DO = {
    Dated.PASSWORD: (
        "Ask the account's admin to change it on the platform, then to say so in the service and to connect the account again: "
        "a platform may end the service's access with the old password."
    ),
    Dated.NOT_PERSONAL: "Ask the account's admin to look, and to say so in the service.",
    Dated.APPROVAL: "Open the account in the service. Approve it again, or withdraw it.",
}


def remind(tools: Tools, *, limit: int = 100) -> int:
    """Write the alerts that are due for accounts' dates, once each; return 0: a reminder is never asked for twice in a row.

    Each date is told of 14, 7 and 1 days before, and once when it has passed. After a standstill only the latest of these is told.
    """
    del limit  # a trust has a handful of accounts, and each is told of at most once a date
    now = tools.clock.now()
    day = london_date(now)
    told = [_alert(dates.account, due, now, tools.alert_batch) for dates in tools.store.account_dates() for due in _to_tell(dates, day)]
    if told:
        with tools.store.unit() as unit:
            for request in told:
                unit.alert(request)
    return 0


def _to_tell(dates: AccountDates, day: date) -> list[Due]:
    """Return the dates with a reminder due; of an account whose approval is over, that alone."""
    live = dates.account.pollable(day)
    return [due for due in dates.dues() if due.reminder(day) is not None and (live or due.what is Dated.APPROVAL)]


def _alert(account: Account, due: Due, now: datetime, batch: timedelta) -> AlertRequest:
    before, left = due.reminder(london_date(now)), due.days_left(london_date(now))
    passed = before == OVERDUE
    words = (_PASSED if passed else _COMING)[due.what]
    severe = passed and due.what is Dated.APPROVAL
    return AlertRequest(
        key=f"account-{account.id}-{due.what.value}-{due.on.isoformat()}-{before}",
        school=account.school.slug,
        kind=AlertKind.ACCOUNT,
        severity=Severity.SEVERE if severe else Severity.ORDINARY,
        subject=f"account {account.id}",
        what=words.format(on=f"{due.on.day} {due.on:%B %Y}", left=_left(left)),
        done=_DO[due.what],
        at=now,
        due_at=now if severe else now + batch,
    )


def _left(days: int) -> str:
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")

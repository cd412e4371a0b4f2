"""Remind: of dates before they pass, and once when they have (R1, R2, R3, R5, R30, R33). Called by the schedule, hourly."""

from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage

from moderator import observe
from moderator.domain.access import Role
from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail
from moderator.domain.dues import EVERY_SCHOOL, HOLDER_DO, TOLD_ELSEWHERE, Dated, Deadline, said, said_to_holder, to_do
from moderator.domain.errors import BadInput
from moderator.domain.routes import OnDuty, RouteKind, told
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.steps.alert import last_resort
from moderator.steps.drain import Tools

_OF_AN_ACCOUNT = frozenset({Dated.PASSWORD, Dated.NOT_PERSONAL, Dated.APPROVAL})


@dataclass(frozen=True, slots=True)
class _Letter:
    """A mail to one person about one date."""

    key: str
    to: str
    line: AlertLine


def remind(tools: Tools, *, limit: int = 100) -> int:
    """Write the alerts and mails that are due for dates, once each; return 0: a reminder is never asked for twice in a row.

    1. Each date is told of 14, 7 and 1 days before, and once when it has passed. After a standstill only the latest of these is told.
    2. What is coming goes the way of reminders, what has passed to the Headteacher: see `domain.routes`.
    3. A person whose own designation ends hears of that alone, unless the reminders come to them anyway.
    4. The trust's own dates go to its CEO, or to the mailbox of the settings while it has none.
    """
    del limit  # a trust has a handful of dates, and each is told of at most four times
    schools = tools.store.schools()
    for school in schools:
        _of_school(tools, school)
    for first in schools[:1]:
        _of_trust(tools, replace(first, name=first.trust))
    return 0


def _of_school(tools: Tools, school: School) -> None:
    now = tools.clock.now()
    day = london_date(now)
    found = [each for each in tools.store.deadlines(school.slug, day) if each.school and each.due.what not in TOLD_ELSEWHERE]
    duty = tools.store.on_duty(school.slug, day)
    by_mail = {person.id for person in told(RouteKind.REMINDER, duty)}
    letters = [letter for each in found if each.holder not in by_mail for letter in _to_holder(tools, each, duty)]
    mails = _composed(tools, school, letters)
    with tools.store.unit() as unit:
        for each in found:
            unit.alert(_alert(tools, each, now))
        for key, message in mails:
            unit.mail_composed(key, school.slug, message, now)


def _of_trust(tools: Tools, trust: School) -> None:
    """Tell of what is the trust's and no school's."""
    now = tools.clock.now()
    day = london_date(now)
    duty = tools.store.on_duty(trust.slug, day)
    heads = duty.holders.get(Role.CEO, ()) or last_resort(tools, duty, frozenset())
    letters = []
    for each in tools.store.deadlines(EVERY_SCHOOL, day):
        letters += _to_holder(tools, each, duty)
        request = _alert(tools, each, now)
        line = AlertLine(request.kind, request.severity, each.subject, request.what, request.done, now, tools.review_url)
        letters += [_Letter(f"reminder-{request.key}-p{person.id}", person.email, line) for person in heads if person.id != each.holder]
    mails = _composed(tools, trust, letters)
    with tools.store.unit() as unit:
        for key, message in mails:
            unit.mail_composed(key, EVERY_SCHOOL, message, now)


def _alert(tools: Tools, deadline: Deadline, now: datetime) -> AlertRequest:
    day = london_date(now)
    passed = deadline.due.overdue(day)
    severe = passed and deadline.due.what is Dated.APPROVAL
    return AlertRequest(
        key=deadline.key(day),
        school=deadline.school,
        kind=_kind(deadline, passed=passed),
        severity=Severity.SEVERE if severe else Severity.ORDINARY,
        subject=deadline.subject,
        what=said(deadline, day),
        done=to_do(deadline),
        at=now,
        due_at=now if severe else now + tools.alert_batch,
    )


def _kind(deadline: Deadline, *, passed: bool) -> AlertKind:
    if not passed:
        return AlertKind.REMINDER
    return AlertKind.ACCOUNT if deadline.due.what in _OF_AN_ACCOUNT else AlertKind.OVERDUE


def _to_holder(tools: Tools, deadline: Deadline, duty: OnDuty) -> list[_Letter]:
    """Return the letter to the person whose own designation ends; none for any other date."""
    if deadline.due.what is not Dated.DESIGNATION:
        return []
    now = tools.clock.now()
    day = london_date(now)
    (email,) = {person.email for held in duty.holders.values() for person in held if person.id == deadline.holder}
    line = AlertLine(
        AlertKind.REMINDER, Severity.ORDINARY, deadline.subject, said_to_holder(deadline, day), HOLDER_DO, now, tools.review_url
    )
    return [_Letter(f"reminder-{deadline.key(day)}-own", email, line)]


def _composed(tools: Tools, school: School, letters: list[_Letter]) -> list[tuple[str, EmailMessage]]:
    """Return the messages of those letters that were not composed before; without one that no mail can go to."""
    known = tools.store.mail_known([letter.key for letter in letters])
    found = []
    for letter in letters:
        if letter.key in known:
            continue
        try:
            found.append((letter.key, tools.composer.alert(AlertMail(letter.key, school, letter.to, (letter.line,)))))
        except BadInput:  # an address that no mail can go to keeps nobody else's letter back
            observe.went_wrong("reminder_not_addressed", school=school.slug)
    return found

"""Unread: send a serious alert on to further people when nobody has read it in time (R21). Called by the schedule."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage

from moderator import observe
from moderator.domain.digest import AlertMail
from moderator.domain.errors import BadInput, LeaseLost
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.mail_words import MailWords
from moderator.domain.register import Person
from moderator.domain.routes import OnDuty
from moderator.domain.times import london_date
from moderator.domain.unread import DueUnread, Telling, Unread, next_readers, sent_on_words, waits_until
from moderator.ports import Unit
from moderator.steps.alert import last_resort, still_seen
from moderator.steps.drain import Tools
from moderator.steps.words import words_for

AT_ONCE = 50
"""Most alerts of one school that are looked at together."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """One message to be: to whom, and which alerts go on to them."""

    to: Person
    alerts: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Composed:
    """One message as it goes into the outbox, with whom it tells and of what."""

    letter: _Letter
    key: str
    message: EmailMessage


def unread(tools: Tools, *, limit: int = 10) -> int:
    """Look at what is due, up to `limit` times one school's alerts; return how many times it was.

    A serious alert that nobody has opened, acted on or acknowledged for `unread_after` goes to whoever comes next, round by round, and at
    last to the trust's mailbox. Each round is one transaction and happens once, whatever crashes; a reading ends it.
    """
    for done in range(limit):
        now = tools.clock.now()
        due = tools.store.unread_due(now=now, limit=AT_ONCE, link=tools.review_url)
        if due is None:
            return done
        try:
            _look(tools, due, now)
        except LeaseLost:  # read or sent on by another worker meanwhile: nothing was kept, and the next look sees how it stands
            observe.went_wrong("alert_taken_meanwhile", school=due.school.slug)
            return done
    return limit


def _look(tools: Tools, due: DueUnread, now: datetime) -> None:
    """Deal with one school's alerts whose time is up.

    1. What somebody has read meanwhile is noted as read, and goes no further.
    2. What has not left yet, or not long enough ago, waits.
       Nor does a trouble of the service that is on its way to them already: it is told of every hour, and they would get a storm.
    3. For the rest, ask who comes next, with everybody told so far away; compose one message a reader.
    4. In one transaction: all of that, the messages, whom they tell, and the ledger's lines.
    """
    waiting = {alert.id: until for alert in due.alerts if (until := waits_until(alert, now=now, after=tools.unread_after)) is not None}
    going = [alert for alert in due.alerts if alert.reading is None and not alert.known and alert.id not in waiting]
    composed = _composed(tools, due, going, now)
    reached = {alert.id for each in composed for alert in each.letter.alerts}
    with tools.store.unit() as unit:
        for alert in due.alerts:
            if alert.reading is not None:
                unit.alert_read(alert.id, alert.reading)
            elif alert.id in reached:
                _send_on(unit, due, alert, now, next_at=now + tools.unread_after)
            else:
                unit.unread_waits(alert.id, round_=alert.round, until=waiting.get(alert.id))
        for each in composed:
            unit.mail_composed(each.key, due.school.slug, each.message, now)
            for alert in each.letter.alerts:
                unit.alert_told((alert.id,), each.letter.to, each.key, now, round_=alert.round + 1)
    if reached:
        tools.ledger.sync(due.school.slug)
    nobody_left = len(going) - len(reached)
    observe.happened("alerts_unread", school=due.school.slug, sent_on=len(reached), mails=len(composed), nobody_left=nobody_left)


def _send_on(unit: Unit, due: DueUnread, alert: Unread, at: datetime, *, next_at: datetime) -> None:
    unit.sent_on(alert.id, round_=alert.round + 1, next_at=next_at)
    facts: dict[str, str | int | bool] = {"round": alert.round + 1, "alert": alert.id}
    unit.append(due.school.slug, LedgerEvent(Event.REROUTED, at, alert.subject, facts=facts))


def _composed(tools: Tools, due: DueUnread, going: list[Unread], now: datetime) -> list[_Composed]:
    """Return the messages to whoever comes next; an address no mail can go to counts as told, and the next one is asked for."""
    if not going:
        return []
    duty = tools.store.on_duty(due.school.slug, london_date(now))
    words = words_for(tools, due.school.slug, "alert")
    passed: list[Telling] = []
    while True:
        letters = _letters(tools, duty, going, passed)
        composed = [_compose(tools, due, duty, letter, number, words, now) for number, letter in enumerate(letters)]
        failed = [letter for letter, made in zip(letters, composed, strict=True) if made is None]
        if not failed:
            return [made for made in composed if made is not None]
        observe.went_wrong("alert_not_addressed", school=due.school.slug)
        passed += [Telling(letter.to.id, letter.to.email, "", 0, now) for letter in failed]


def _letters(tools: Tools, duty: OnDuty, going: list[Unread], passed: list[Telling]) -> list[_Letter]:
    letters: dict[str, _Letter] = {}
    for alert in going:
        for person in _next(tools, duty, alert, passed):
            letters.setdefault(person.email.lower(), _Letter(person)).alerts.append(alert)
    return list(letters.values())


def _next(tools: Tools, duty: OnDuty, alert: Unread, passed: list[Telling]) -> tuple[Person, ...]:
    """Return who is told next, or at last the trust's own mailbox; empty when everybody was told."""
    tellings = (*alert.tellings, *passed)
    people = next_readers(alert.route, duty, named=alert.about.named, tellings=tellings)
    had = {each.address.lower() for each in tellings}
    return people or tuple(one for one in last_resort(tools, duty, alert.about.named) if one.email.lower() not in had)


def _compose(  # noqa: PLR0913, PLR0917 - what one message is made of
    tools: Tools, due: DueUnread, duty: OnDuty, letter: _Letter, number: int, words: MailWords, now: datetime
) -> _Composed | None:
    first = min(letter.alerts, key=lambda alert: alert.id)
    key = f"alert-{due.school.slug}-{first.id}-round-{first.round + 1}-{number + 1}"  # an alert goes on for the same time once
    lines = tuple(replace(alert.line, sent_on=sent_on_words(alert, duty, now=now)) for alert in letter.alerts)
    try:
        message = tools.composer.alert(AlertMail(key, due.school, letter.to.email, lines, still_seen(tools, lines), words))
    except BadInput:  # an address that no mail can go to
        return None
    return _Composed(letter, key, message)

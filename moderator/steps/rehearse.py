"""Rehearse: send a harmless alert along one route, to exactly those whom it would reach now (R21). Called by the Routes page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from moderator import observe
from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import Person
from moderator.domain.routes import KIND_WORDS, RouteKind, told
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.steps.alert import last_resort
from moderator.steps.drain import Tools
from moderator.steps.words import words_for

GAP = timedelta(hours=1)
"""How long after a rehearsal of a route the next one may be sent (our choice): a mail that comes too often is not read."""
NO_ALERTS = frozenset({RouteKind.DIGEST, RouteKind.WEEKLY, RouteKind.TERMLY})
"""Routes of what is written at a set time: there a preview shows what a rehearsal would."""
ROUTE_REHEARSED = "route_rehearsed"
DONE = "It sent this message to those whom the route reaches now, to see whether it arrives. It did nothing else."


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed: the route of `kind` at a school, as if it were about those whom the roll calls `named`, and who asked."""

    school: School
    kind: RouteKind
    named: frozenset[str]
    by: str


def reached(tools: Tools, rehearsal: Rehearsal) -> tuple[Person, ...]:
    """Return whom the route reaches now, one a mailbox: who is told, or at last the trust's own mailbox; empty when it is nobody."""
    duty = tools.store.on_duty(rehearsal.school.slug, london_date(tools.clock.now()))
    by_address: dict[str, Person] = {}
    for person in told(rehearsal.kind, duty, named=rehearsal.named) or last_resort(tools, duty, rehearsal.named):
        by_address.setdefault(person.email, person)
    return tuple(by_address.values())


def rehearse(tools: Tools, rehearsal: Rehearsal, *, seen: Sequence[str]) -> tuple[Person, ...]:
    """Send the rehearsal, one mail a reader; return the readers. `seen` are the addresses that the person was shown. Not to be repeated.

    1. Refuse a route that is no alert's, one that reaches nobody, and other readers than were shown.
    2. In one transaction: a line in the ledger, an alert of a kind of its own, a message a reader, and whom it was told.
    3. The mails go at once.

    Raises BadInput for a route or an address that no alert can go to, NotAllowed within GAP of the last one and when the readers are others
    by now. Nothing is sent then.
    """
    people = _readers(tools, rehearsal, seen)
    school, words = rehearsal.school.slug, words_for(tools, rehearsal.school.slug, "alert")
    with tools.store.unit() as unit:
        at = tools.clock.now()
        told_of = LedgerEvent(
            Event.REGISTERED, at, f"route-{rehearsal.kind.value}", rehearsal.by, ROUTE_REHEARSED, facts={"mails": len(people)}
        )
        unit.append(school, told_of)  # first: it makes a second rehearsal at the same moment wait, and then see this one
        request = _request(rehearsal, at)
        number = unit.rehearsal_begun(request, of=_subject(rehearsal), since=at - GAP)
        line = _line(request, link=f"{tools.review_url}/schools/{school}/alerts/{number}")
        for place, person in enumerate(people, start=1):
            key = request.key if place == 1 else f"{request.key}-{place}"
            message = tools.composer.alert(AlertMail(key, rehearsal.school, person.email, (line,), words=words))
            unit.mail_composed(key, school, message, at)
            unit.alert_told((number,), person, key, at)
    observe.happened("route_rehearsed", school=school, route=rehearsal.kind.value, mails=len(people))
    tools.dispatcher.wake("send")
    return people


def _readers(tools: Tools, rehearsal: Rehearsal, seen: Sequence[str]) -> tuple[Person, ...]:
    if rehearsal.kind in NO_ALERTS:
        message = "this is written at a set time, and needs no rehearsal: look at the preview under Digests"
        raise BadInput(message)
    people = reached(tools, rehearsal)
    if not people:
        message = "this would reach nobody now: designate a CEO, or set the trust's e-mail in the settings"
        raise NotAllowed(message)
    if [person.email for person in people] != list(seen):
        message = "by now it would reach others than you were shown: look again, then press the button"
        raise NotAllowed(message)
    return people


def _subject(rehearsal: Rehearsal) -> str:
    """Return how the subject of a route's rehearsals begins; what follows tells them apart."""
    return f"rehearsal-{rehearsal.kind.value}-"


def _request(rehearsal: Rehearsal, at: datetime) -> AlertRequest:
    subject = f"{_subject(rehearsal)}{at.strftime('%Y%m%d-%H%M%S')}"
    return AlertRequest(
        key=f"rehearsal-{rehearsal.school.slug}-{subject.removeprefix('rehearsal-')}",
        school=rehearsal.school.slug,
        kind=AlertKind.REHEARSAL,
        severity=Severity.ORDINARY,
        subject=subject,
        what=f"Nothing. This is a rehearsal of one route: “{KIND_WORDS[rehearsal.kind]}”.",
        done=DONE,
        at=at,
        due_at=at,
    )


def _line(request: AlertRequest, *, link: str) -> AlertLine:
    return AlertLine(request.kind, request.severity, request.subject, request.what, request.done, request.at, link)

"""Alert: put due alerts into one message a reader, in the outbox. Called by the schedule."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage

from moderator import observe
from moderator.domain.digest import AlertKind, AlertLine, AlertMail
from moderator.domain.errors import BadInput
from moderator.domain.mail_words import MailWords
from moderator.domain.register import Person
from moderator.domain.routes import OnDuty, names, route_of, told
from moderator.domain.times import london_date
from moderator.domain.unread import MAILBOX
from moderator.domain.work import AlertAbout, DueAlerts
from moderator.steps.drain import PER_DAY, Tools, tell_of_system
from moderator.steps.words import words_for

LEASE = timedelta(minutes=2)

NOBODY = "An alert waits, since nobody is designated who may read it."
NOBODY_DONE = "It is kept, and tried again every few minutes. Designate a CEO, or set the trust's e-mail in the settings."


@dataclass(slots=True)
class _Letter:
    """One message to be: to whom, and the numbers and lines that go into it."""

    to: Person
    ids: list[int] = field(default_factory=list)
    lines: list[AlertLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Composed:
    """One message as it goes into the outbox, with the alerts it tells of."""

    to: Person
    key: str
    ids: frozenset[int]
    message: EmailMessage


def alert(tools: Tools, *, limit: int = 10) -> int:
    """Compose what is due, up to `limit` times one school's alerts; return how many times it was.

    A severe alert is due at once and the rest within five minutes of first sight (R7); whatever waits goes along.
    Each line goes to whom its route says, never to a person whom the comment names (R21), one message a reader.
    The messages are durable in the outbox before any server is asked. What is wrong with the evidence goes to the trust as well, in a
    mail of its own: the Headteacher's mailbox must not be the only place that knows.
    """
    for done in range(limit):
        due = tools.store.claim_alerts(now=tools.clock.now(), lease=LEASE, link=tools.review_url)
        if due is None:
            return done
        _tell(tools, due)
    return limit


def _tell(tools: Tools, due: DueAlerts) -> None:
    """Compose one school's alerts.

    1. Sort the lines into letters by reader.
    2. Compose each; an address no mail can go to keeps nobody else's letter back.
    3. In one transaction: the messages, which alerts they tell of, and whom. What reached nobody stays waiting, and the school hears
       that something waits.
    """
    letters = _letters(tools, due)
    words = words_for(tools, due.school.slug, "alert")
    composed = [made for number, letter in enumerate(letters) if (made := _compose(tools, due, letter, number, words)) is not None]
    copy = _for_the_trust(tools, due, letters)
    reached: set[int] = set()
    with tools.store.unit() as unit:
        at = tools.clock.now()
        for each in composed:
            new = each.ids - reached
            if new:
                due_now = replace(due, ids=tuple(sorted(new)))
                unit.alerts_composed(due_now, each.key, each.message, at, unread_after=tools.unread_after)
            else:
                unit.mail_composed(each.key, due.school.slug, each.message, at)
            unit.alert_told(sorted(each.ids), each.to, each.key, at)
            reached |= new
        if copy is not None:
            unit.mail_composed(copy.key, due.school.slug, copy.message, at)
            unit.alert_told(sorted(copy.ids), copy.to, copy.key, at)
        if reached < set(due.ids):
            tell_of_system(unit, due.school.slug, what=NOBODY, done=NOBODY_DONE, at=at, spell=PER_DAY)
    observe.happened("alert_composed", school=due.school.slug, lines=len(reached), mails=len(composed))


def _key(due: DueAlerts, ids: Collection[int]) -> str:
    """Return the key of a message by the alerts it tells of: they are told once, so no later message has the same."""
    return f"alert-{due.school.slug}-{min(ids)}-{max(ids)}"


def _letters(tools: Tools, due: DueAlerts) -> list[_Letter]:
    duty = tools.store.on_duty(due.school.slug, london_date(tools.clock.now()))
    letters: dict[str, _Letter] = {}
    for number, line, about in zip(due.ids, due.lines, due.about, strict=True):
        for person in _readers(tools, duty, line, about):
            letter = letters.setdefault(person.email, _Letter(person))
            letter.ids.append(number)
            letter.lines.append(line)
    return list(letters.values())


def _readers(tools: Tools, duty: OnDuty, line: AlertLine, about: AlertAbout) -> list[Person]:
    """Return to whom one line goes, one an address: those of its route, or, when that is nobody, the trust's own mailbox."""
    people = told(route_of(line.kind, line.severity, safeguarding=about.safeguarding), duty, named=about.named)
    by_address: dict[str, Person] = {}
    for person in people or last_resort(tools, duty, about.named):
        by_address.setdefault(person.email, person)
    return list(by_address.values())


def last_resort(tools: Tools, duty: OnDuty, named: frozenset[str]) -> tuple[Person, ...]:
    """Return the trust's mailbox of the settings, unless it is that of somebody named; empty when there is none."""
    theirs = {person.email for people in duty.holders.values() for person in people if names(person, named)}
    address = tools.trust_email.lower()
    return () if address in {"", *theirs} else (Person(MAILBOX, "", tools.trust_email),)


def _compose(tools: Tools, due: DueAlerts, letter: _Letter, number: int, words: MailWords) -> _Composed | None:
    key = _key(due, letter.ids) + (f"-{number + 1}" if number else "")
    lines = tuple(letter.lines)
    try:
        message = tools.composer.alert(AlertMail(key, due.school, letter.to.email, lines, still_seen(tools, lines), words))
    except BadInput:  # an address that no mail can go to
        observe.went_wrong("alert_not_addressed", school=due.school.slug)
        return None
    return _Composed(letter.to, key, frozenset(letter.ids), message)


def still_seen(tools: Tools, lines: Iterable[AlertLine]) -> tuple[str, ...]:
    """Return who can still see what was hidden, a sentence a platform that these lines are of, each once (R12)."""
    platforms = dict.fromkeys(line.platform for line in lines if line.kind is AlertKind.FLAGGED)
    return tuple(tools.visible_after_hide[platform] for platform in platforms if platform in tools.visible_after_hide)


def _for_the_trust(tools: Tools, due: DueAlerts, letters: list[_Letter]) -> _Composed | None:
    """Return the trust's own message: the evidence lines alone, to the address of the settings (R26); None when there is none to send."""
    evidence = {number: line for number, line in zip(due.ids, due.lines, strict=True) if line.kind is AlertKind.EVIDENCE}
    if not evidence or tools.trust_email.lower() in {"", *(letter.to.email.lower() for letter in letters)}:
        return None
    key = f"{_key(due, evidence)}-trust"
    try:
        message = tools.composer.alert(AlertMail(key, due.school, tools.trust_email, tuple(evidence.values())))
    except BadInput:  # an address that no mail can go to must not keep the Headteacher's own alert back; doctor tells of it
        observe.went_wrong("trust_not_told", school=due.school.slug)
        return None
    return _Composed(Person(MAILBOX, "", tools.trust_email), key, frozenset(evidence), message)

"""Trust digest: every school on one page, each London day once, to the Trust Safeguarding Lead. Called by the schedule."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from email.message import EmailMessage

from moderator import observe
from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.dues import plain_day
from moderator.domain.errors import BadInput, EvidenceFailed, Transient
from moderator.domain.mail_wishes import TRUST_DIGEST, wanting
from moderator.domain.register import EVERY_SCHOOL, Person
from moderator.domain.report_readers import digest_people
from moderator.domain.routes import OnDuty, View, reads_disclosures, references
from moderator.domain.times import LONDON, london_date
from moderator.domain.trust_digest import OwnDigest, SchoolStanding, TrustDigest, days_due, worst_first
from moderator.steps.drain import Tools

PATIENCE = timedelta(minutes=15)
"""How long past its hour the digest waits for the schools' own to be sent, so that it need not say that they wait (our choice)."""

NO_DISCLOSURES = "What may tell of harm to somebody is not counted here. The safeguarding leads are told of it."
BEHIND = "The ledger's file of {school} could not be brought up to date. Ask your IT lead to run moderator verify, and keep this message."
MISSED = "No digest of the trust was made for the days from {first} to {last}: the service stood still for too long."


def trust_digest(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` of the days that are due, oldest first; return how many were dealt with.

    A trust of one school without a Trust Safeguarding Lead or a CEO has none: its days are dealt with without a mail, so that whoever is
    designated later is not sent a month of them.
    """
    now = tools.clock.now()
    opened = [day for school in tools.store.schools() if (day := tools.store.opened_on(school.slug)) is not None]
    if not opened:
        return 0
    made = frozenset(date.fromisoformat(each) for each in tools.store.reports_made(TRUST_DIGEST, EVERY_SCHOOL))
    due = days_due(opened=min(opened), made=made, now=now, hour=tools.trust_hour)
    done = 0
    for day in due.days[:limit]:
        if _better_later(tools, day, now) or not trust_digest_for(tools, day, missed=due.missed if done == 0 else None):
            break
        done += 1
    return done


def _better_later(tools: Tools, day: date, now: datetime) -> bool:
    """Return whether a school's own digest of yesterday is still on its way, and the trust's hour only just struck."""
    here = now.astimezone(LONDON)
    fresh = day == here.date() - timedelta(days=1) and here - here.replace(hour=tools.trust_hour, minute=0, second=0) < PATIENCE
    on_its_way = {OwnDigest.MISSING, OwnDigest.WAITING}
    return fresh and any(tools.store.own_digest(school.slug, day, now=now) in on_its_way for school in tools.store.schools())


def trust_digest_for(tools: Tools, day: date, *, missed: Span | None = None) -> bool:
    """Compose one day's digest, one message a reader; False when it was before, or no mail can go to anybody. May be repeated.

    1. Each school's ledger file is brought up to date, so that the heads are those an outsider sees; where it cannot be, a note says so.
    2. Each reader is told of nothing that names them (R21), and of disclosures only where they are a lead (R15).
    3. In one transaction: the messages, and that the day is dealt with.
    """
    schools = tools.store.schools()
    today = london_date(tools.clock.now())
    duty = tools.store.trust_on_duty(today)
    left = tools.store.not_wanted(TRUST_DIGEST)
    notes = (
        *_missed(missed),
        *_behind(tools, schools),
        *tools.store.trust_notes(day, now=tools.clock.now(), link=tools.review_url),
    )
    at_schools = {school.slug: tools.store.on_duty(school.slug, today) for school in schools}
    mails: list[tuple[str, EmailMessage]] = []
    readers = digest_people(duty, several=len(schools) > 1, mailbox=tools.trust_email)
    for people in readers:
        mails = [
            mail for person in wanting(people, left) if (mail := _composed(tools, day, person, at_schools, schools, notes)) is not None
        ]
        if mails:
            break
    else:
        if readers:
            return False
    with tools.store.unit() as unit:
        new = unit.report_composed(TRUST_DIGEST, EVERY_SCHOOL, day.isoformat(), mails, tools.clock.now())
    if new:
        observe.happened("trust_digest_composed", day=day.isoformat(), mails=len(mails))
    return new


def trust_digest_preview(tools: Tools, day: date) -> EmailMessage | None:
    """Return one day's digest of the trust as its first reader would get it; None when nobody would. Writes nothing."""
    schools = tools.store.schools()
    today = london_date(tools.clock.now())
    at_schools = {school.slug: tools.store.on_duty(school.slug, today) for school in schools}
    notes = tools.store.trust_notes(day, now=tools.clock.now(), link=tools.review_url)
    readers = digest_people(tools.store.trust_on_duty(today), several=len(schools) > 1, mailbox=tools.trust_email)
    left = tools.store.not_wanted(TRUST_DIGEST)
    made = (_composed(tools, day, person, at_schools, schools, notes) for people in readers for person in wanting(people, left))
    return next((mail[1] for mail in made if mail is not None), None)


def _composed(  # noqa: PLR0913, PLR0917 - what one message is made of
    tools: Tools, day: date, person: Person, at_schools: Mapping[str, OnDuty], schools: Sequence[School], notes: tuple[str, ...]
) -> tuple[str, EmailMessage] | None:
    """Return one reader's message with its key; None when no mail can go to their address."""
    knows = {slug: bool(person.id) and reads_disclosures(person, duty) for slug, duty in at_schools.items()}
    content = TrustDigest(
        trust=tools.trust or schools[0].trust,
        day=day,
        to=person.email,
        reader=f"p{person.id}",
        schools=worst_first([_standing(tools, school, day, person, safeguarding=knows[school.slug]) for school in schools]),
        notes=notes if all(knows.values()) else (*notes, NO_DISCLOSURES),
        link=tools.review_url,
        wishes_link=f"{tools.review_url}/mail-wishes",
    )
    try:
        return content.key, tools.composer.trust_digest(content)
    except BadInput:  # an address that no mail can go to must not keep the others' digest back
        observe.went_wrong("trust_digest_not_addressed", reader=content.reader)
        return None


def _standing(tools: Tools, school: School, day: date, person: Person, *, safeguarding: bool) -> SchoolStanding:
    named = references(person) if person.id else tools.store.person_references(person.email)
    view = View(named, safeguarding=safeguarding)
    return tools.store.school_standing(school, day, now=tools.clock.now(), link=tools.review_url, silence=tools.silence, view=view)


def _behind(tools: Tools, schools: Sequence[School]) -> Iterator[str]:
    """Yield a note for each school whose ledger's file cannot be brought up to date."""
    for school in schools:
        try:
            tools.ledger.sync(school.slug)
        except (Transient, EvidenceFailed) as error:
            observe.went_wrong("ledger_behind", school=school.slug, error=type(error).__name__)
            yield BEHIND.format(school=school.name)


def _missed(span: Span | None) -> Iterator[str]:
    if span is not None:
        yield MISSED.format(first=plain_day(span.first), last=plain_day(span.last))

"""Digest: one message per school and London day, empty days too, with the ledger's head in it. Called by the schedule."""

from dataclasses import dataclass, replace
from email.message import EmailMessage

from moderator import observe
from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.digest import Digest, WitnessMail
from moderator.domain.errors import BadInput, EvidenceFailed, Transient
from moderator.domain.mail_words import MailWords
from moderator.domain.register import Person
from moderator.domain.routes import OnDuty, RouteKind, View, kept_references, reads_disclosures, references, told
from moderator.domain.times import london_date
from moderator.steps.alert import last_resort
from moderator.steps.drain import PER_DAY, Tools, tell_of_system
from moderator.steps.words import words_for

FOR_LEADS = "This message tells of disclosures and crises alone. They are in no other digest of the school."
IN_CONFLICT = "This message tells only of comments that name somebody who gets the school's digest. They are kept from that person."
NOT_WRITTEN = "The school's daily digest could not be written."
NOT_WRITTEN_DONE = "The service keeps trying, and the digest will say that it is late. Look at the Today page meanwhile."
NOT_UP_TO_DATE = "The ledger's file could not be brought up to date. Ask your IT lead to run moderator verify, and keep this message."


def digest(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` digests that are due; return how many were composed.

    A school whose digest cannot be written holds up no other: it is told of there, once a day, and is tried again at every run. Raises
    Transient when the database does not answer.
    """
    composed = 0
    failed: set[str] = set()
    for school, span in tools.store.digest_due(now=tools.clock.now()):
        if composed == limit:
            break
        if school.slug in failed:
            continue
        try:
            digest_for(tools, school, span)
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one school's digest does, the others' must go
            failed.add(school.slug)
            _not_written(tools, school, error)
        else:
            composed += 1
    return composed


def _not_written(tools: Tools, school: School, error: Exception) -> None:
    observe.went_wrong("digest_not_composed", school=school.slug, error=type(error).__name__)
    with tools.store.unit() as unit:
        tell_of_system(unit, school.slug, what=NOT_WRITTEN, done=NOT_WRITTEN_DONE, at=tools.clock.now(), spell=PER_DAY)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One reader of a digest, what of the items they are told of, and what tells their message apart from the others of the day."""

    person: Person
    view: View
    audience: str = ""
    notes: tuple[str, ...] = ()


def content_of(tools: Tools, school: School, span: Span) -> Digest:
    """Return the digest of a span of days as its first reader gets it, the Headteacher when they are there. Writes nothing."""
    reader, *_ = _readers(tools.store.on_duty(school.slug, london_date(tools.clock.now())))
    return _content(tools, school, span, reader, words_for(tools, school.slug, "digest"))


def content_for(tools: Tools, school: School, span: Span, *, person: Person, view: View) -> Digest:
    """Return the digest of a span of days as one person would get it, who may see no more than `view`. Writes nothing."""
    return _content(tools, school, span, _Reader(person, view), words_for(tools, school.slug, "digest"))


def digest_for(tools: Tools, school: School, span: Span) -> bool:
    """Compose the digest of a span of days into the outbox; return False when one of them was told of before. May be repeated.

    1. The ledger's file is brought up to date: the head in the digest is the head an outsider sees. When it cannot be, the digest goes
       out all the same and says so: a missing digest would hide the trouble, and the head must leave the machine every day.
    2. What its readers may not be told of goes to others, when there is any: disclosures to the safeguarding leads (R15), what names a
       reader to whoever stands in for them (R21).
    3. The witness mail, once a London date, goes into the outbox in the same transaction: every school's head, to the trust's mailbox.
    """
    notes = () if _brought_up_to_date(tools, school) else (NOT_UP_TO_DATE,)
    duty = tools.store.on_duty(school.slug, london_date(tools.clock.now()))
    words, due_on = words_for(tools, school.slug, "digest"), tools.store.calendar(school.slug).due_on(span.last)

    def made(reader: _Reader) -> Digest:
        return replace(_content(tools, school, span, reader, words), due_on=due_on)

    first, *others = [made(replace(reader, notes=notes)) for reader in _readers(duty)]
    apart = [content for reader in _kept_apart(tools, duty) if (content := made(reader)).needs_you or content.done]
    message, further = tools.composer.digest(first), [_composed(tools, each) for each in (*others, *apart)]
    witness = _witness(tools)
    with tools.store.unit() as unit:
        at = tools.clock.now()
        new = unit.digest_composed(first, message, at)
        for mail in (*further, witness) if new else ():
            if mail is not None:
                unit.mail_composed(*mail, at)
    if new:
        observe.happened("digest_composed", school=school.slug, day=span.last.isoformat())
    return new


def _content(tools: Tools, school: School, span: Span, reader: _Reader, words: MailWords) -> Digest:
    """Return a digest for one reader, with who can still see what was hidden in its days (R12)."""
    content = tools.store.digest_of(school, span, link=tools.review_url, view=reader.view, now=tools.clock.now())
    return replace(
        content,
        to=reader.person.email,
        audience=reader.audience,
        notes=(*content.notes, *reader.notes),
        visible_after_hide=tuple(says for platform, says in tools.visible_after_hide.items() if platform in content.hidden_on),
        words=words,
    )


def _readers(duty: OnDuty) -> list[_Reader]:
    """Return the digest's readers: nobody is told of what names them or the Headteacher they work for (R21), nor of others' disclosures.

    There is at least one: a school always has a Headteacher's mailbox, and whoever is missing or away is stood in for by that at last.
    """
    people = told(RouteKind.DIGEST, duty)
    return [
        _Reader(
            person, View(kept_references(person, duty), safeguarding=reads_disclosures(person, duty)), f"p{person.id}" if number else ""
        )
        for number, person in enumerate(people)
    ]


def _kept_apart(tools: Tools, duty: OnDuty) -> list[_Reader]:
    """Return who is told of what the digest's own readers are not: of disclosures, and of what names one of those readers."""
    own = _readers(duty)
    knowing = {reader.person.id for reader in own if reader.view.safeguarding and reader.view.references == references(reader.person)}
    apart = [
        _Reader(person, View(references(person), only_safeguarding=True), f"safeguarding-{person.id}", (FOR_LEADS,))
        for person in told(RouteKind.SAFEGUARDING, duty)
        if person.id not in knowing
    ]
    for reader in own:
        named = reader.view.references
        people = told(RouteKind.FLAGGED, duty, named=named) or last_resort(tools, duty, named) if named else ()
        apart += [
            _Reader(
                person,
                View(kept_references(person, duty), reads_disclosures(person, duty), naming=named),
                f"conflict-{reader.person.id}-{person.id}",
                (IN_CONFLICT,),
            )
            for person in people
        ]
    return apart


def _composed(tools: Tools, content: Digest) -> tuple[str, str, EmailMessage] | None:
    """Return a further message of the day (key, school, message); None when no mail can go to its address."""
    try:
        return content.key, content.school.slug, tools.composer.digest(content)
    except BadInput:  # an address that no mail can go to must not keep the Headteacher's own digest back
        observe.went_wrong("digest_not_addressed", school=content.school.slug)
        return None


def _brought_up_to_date(tools: Tools, school: School) -> bool:
    try:
        tools.ledger.sync(school.slug)
    except (Transient, EvidenceFailed) as error:
        observe.went_wrong("ledger_behind", school=school.slug, error=type(error).__name__)
        return False
    return True


def _witness(tools: Tools) -> tuple[str, str, EmailMessage] | None:
    """Return today's witness mail (key, no school, message) with every school's head as it is now; None without a mailbox for it."""
    if not tools.witness_email:
        return None
    heads = tuple((school, tools.store.head(school.slug)) for school in tools.store.schools())
    mail = WitnessMail(london_date(tools.clock.now()), tools.witness_email, tools.trust, heads)
    try:
        return mail.key, "", tools.composer.witness(mail)
    except BadInput:  # an address that no mail can go to must not keep the digest back; doctor tells of it
        observe.went_wrong("witness_not_composed")
        return None

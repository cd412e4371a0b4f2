"""Report: the week's and the term's counts, each once (R35). Called by the schedule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage

from moderator import observe
from moderator.domain.account import School
from moderator.domain.errors import BadInput
from moderator.domain.register import EVERY_SCHOOL, Person
from moderator.domain.report import DAY, Period, Report, ReportBar, ReportKind, SchoolCounts, period_of
from moderator.domain.report_due import DueReports, day_to_tell, reports_due, waits_for
from moderator.domain.report_readers import Reader, as_reader, school_readers, trust_readers
from moderator.domain.report_rows import counter, ground_rows, rate_words, rows, wait_told
from moderator.domain.times import london_date
from moderator.steps.drain import Tools

CHARTED = {ReportKind.WEEKLY: 8, ReportKind.TERMLY: 4}
"""How many periods the chart shows, the one told of among them (our choice): half a term of weeks, and a year and a term."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a report is about: one school, or the whole trust (`slug` ""); `opened` is the London day its counts begin."""

    slug: str
    name: str
    schools: tuple[School, ...]
    opened: date


def report(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` of the reports that are due; return how many were dealt with.

    A school's week goes to whom its route says, on Monday or the next school day; a term to the Headteacher and trustees, on the first
    school day after it. In a trust of several schools its trustees get one report of the whole trust in place of one a school. What is
    switched off is dealt with without a mail, so that switching it on again does not send what is past.
    """
    done = 0
    for subject, kind in _subjects(tools):
        due = _due(tools, subject, kind)
        for number, period in enumerate(due.due):
            if done == limit:
                return done
            done += _report_for(tools, subject, period, missed=due.missed if number == 0 else ())
    return done


def _subjects(tools: Tools) -> Iterator[tuple[_Subject, ReportKind]]:
    schools = [(school, opened) for school in tools.store.schools() if (opened := tools.store.opened_on(school.slug)) is not None]
    for school, opened in schools:
        for kind in ReportKind:
            yield _Subject(school.slug, school.name, (school,), opened), kind
    if len(schools) > 1:
        every = tuple(school for school, _ in schools)
        yield _Subject(EVERY_SCHOOL, tools.trust or every[0].trust, every, min(opened for _, opened in schools)), ReportKind.TERMLY


def _due(tools: Tools, subject: _Subject, kind: ReportKind) -> DueReports:
    """Return the periods that are to be reported now: at the school's hour, or for the trust at its own, once any school is open."""
    calendars = [tools.store.calendar(school.slug) for school in subject.schools]

    def tell_on(period: Period) -> date:
        at_latest = max(waits_for(kind, calendar) for calendar in calendars)
        return day_to_tell(period, lambda day: any(each.school_day(day) for each in calendars), at_latest=at_latest)

    return reports_due(
        kind,
        opened=subject.opened,
        made=tools.store.reports_made(kind.value, subject.slug),
        now=tools.clock.now(),
        hour=calendars[0].hour if subject.slug else tools.trust_hour,
        tell_on=tell_on,
    )


def report_preview(tools: Tools, kind: ReportKind, day: date, *, school: str) -> EmailMessage | None:
    """Return the report of the period with a London day in it, counted so far, as its first reader would get it. Writes nothing.

    `school` "" is the whole trust. None when nobody would get one.
    """
    subjects = [subject for subject, each in _subjects(tools) if each is kind and subject.slug == school]
    made = (
        _composed(tools, subject, period_of(kind, day), reader, ()) for subject in subjects for reader in _readers(tools, subject, kind)
    )
    return next((mail[1] for mail in made if mail is not None), None)


def report_as_read_by(tools: Tools, period: Period, person: Person, *, school: School) -> tuple[EmailMessage, bool]:
    """Return a school's report, counted so far, as a person would get it, and whether they are among those who get it. Writes nothing.

    Raises BadInput when no mail can go to their address.
    """
    opened = tools.store.opened_on(school.slug) or period.first
    subject = _Subject(school.slug, school.name, (school,), opened)
    read_by = as_reader(person, tools.store.on_duty(school.slug, london_date(tools.clock.now())), period.kind)
    gets_it = any(each.person.id == person.id for each in _readers(tools, subject, period.kind))
    return tools.composer.report(_content(tools, subject, period, read_by, ())), gets_it


def _report_for(tools: Tools, subject: _Subject, period: Period, *, missed: Sequence[Period] = ()) -> bool:
    """Compose one report, one message a reader; False when it was composed before, or no mail can go to any of them. May be repeated.

    The messages and that the period is dealt with are one transaction.
    """
    readers = _readers(tools, subject, period.kind)
    mails = [mail for reader in readers if (mail := _composed(tools, subject, period, reader, missed)) is not None]
    if readers and not mails:
        return False
    with tools.store.unit() as unit:
        new = unit.report_composed(period.kind.value, subject.slug, period.code, mails, tools.clock.now())
    if new:
        observe.happened("report_composed", kind=period.kind.value, school=subject.slug, period=period.code, mails=len(mails))
    return new


def _readers(tools: Tools, subject: _Subject, kind: ReportKind) -> tuple[Reader, ...]:
    """Return who gets a report; nobody when its kind is switched off."""
    if not (tools.weekly_report if kind is ReportKind.WEEKLY else tools.termly_report):
        return ()
    today, left = london_date(tools.clock.now()), tools.store.not_wanted(kind.value)
    if subject.slug:
        several = len(tools.store.schools()) > 1
        return school_readers(kind, tools.store.on_duty(subject.slug, today), left=left, several=several)
    return trust_readers(tools.store.trust_on_duty(today), left=left, mailbox=tools.trust_email)


def _composed(tools: Tools, subject: _Subject, period: Period, reader: Reader, missed: Sequence[Period]) -> tuple[str, EmailMessage] | None:
    """Return one reader's message with its key; None when no mail can go to their address."""
    content = _content(tools, subject, period, reader, missed)
    try:
        return content.key, tools.composer.report(content)
    except BadInput:  # an address that no mail can go to must not keep the others' report back
        observe.went_wrong("report_not_addressed", kind=period.kind.value, school=subject.slug, reader=content.reader)
        return None


def _content(tools: Tools, subject: _Subject, period: Period, reader: Reader, missed: Sequence[Period]) -> Report:
    slugs = [school.slug for school in subject.schools]
    charted = [each for each in period.back(CHARTED[period.kind]) if each == period or each.last >= subject.opened]
    tallies = {each.code: tools.store.tally(slugs, each, view=reader.view) for each in charted}
    now, before = tallies[period.code], tallies.get(period.before.code)
    count = counter(coarsely=reader.coarse)
    wait = wait_told(now, coarsely=reader.coarse)
    return Report(
        kind=period.kind,
        school=subject.slug,
        name=subject.name,
        period=period,
        to=reader.person.email,
        reader=f"p{reader.person.id}",
        coarse=reader.coarse,
        rows=rows(now, before, count),
        grounds=ground_rows(now, before, count),
        chart=tuple(ReportBar(each.short, count(tallies[each.code].flagged)) for each in charted),
        schools=tuple(_school_counts(tools, period, reader, subject.schools)) if not subject.slug else (),
        rate=rate_words(now, coarsely=reader.coarse),
        wait=wait,
        too_few=wait is None and now.waits > 0,
        gap_days=now.gap_days,
        days=(period.last - period.first) // DAY + 1,
        missed=tuple(each.words for each in missed),
        link=tools.review_url + _page(subject, period) if reader.opens else "",
        wishes_link=f"{tools.review_url}/mail-wishes",
    )


def _school_counts(tools: Tools, period: Period, reader: Reader, schools: Sequence[School]) -> Iterator[SchoolCounts]:
    count = counter(coarsely=reader.coarse)
    for school in schools:
        found = tools.store.tally([school.slug], period, view=reader.view)
        yield SchoolCounts(school.name, count(found.read), count(found.flagged))


def _page(subject: _Subject, period: Period) -> str:
    """Return the path of the page that shows more: the term's counts, or the week's digests."""
    if period.kind is ReportKind.WEEKLY:
        return f"/schools/{subject.slug}/digests"
    return f"/schools/{subject.slug}/trustees?term={period.code}" if subject.slug else f"/trust/trustees?term={period.code}"

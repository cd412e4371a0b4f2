"""The composer: alerts and digests become messages, three templates each (subject, text, HTML). The alert and digest steps call it.

What goes in holds no names, no comment text and no pictures (R28), and nothing here adds any: no image, no tracking, no remote style.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from moderator.domain import law
from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.decision import Severity
from moderator.domain.digest import AccountLine, AlertKind, AlertLine, AlertMail, Digest, WitnessMail
from moderator.domain.errors import BadInput
from moderator.domain.events import head_line
from moderator.domain.invitation import InvitationMail
from moderator.domain.mail_words import MailWords
from moderator.domain.report import Report
from moderator.domain.times import london_date
from moderator.domain.trust_digest import Level, TrustDigest
from moderator.mail import digest_words, evidence, moments, report_words, trust_words, words
from moderator.mail.chart import chart, usual_words
from moderator.mail.clean import cleaned, one_line
from moderator.mail.headers import Envelope, Words, address, addresses, build, domain
from moderator.mail.inline import inlined
from moderator.mail.words import web_link
from moderator.mail.wrap import wrapped

IN_FULL = 5
"""How many alerts a mail tells in full; the rest get a line each, so that a storm still reads on a phone."""

SILENCE = timedelta(hours=2)
"""A gap since the last good poll from which the digest says that an account needs attention, unless set otherwise (R4; our choice)."""

_RANK = {Severity.SEVERE: 0, Severity.ORDINARY: 1, Severity.NONE: 2}


def _system_now() -> datetime:
    return datetime.now(UTC)


class JinjaComposer:
    """Implements the Composer port with the templates in `templates/mail/`."""

    def __init__(  # noqa: PLR0913 - what every message is made with
        self,
        *,
        templates: Path,
        sender: str,
        trust_domain: str,
        now: Callable[[], datetime] = _system_now,
        silence: timedelta = SILENCE,
        domains: Collection[str] | None = None,
    ) -> None:
        """Read templates from the folder `templates` (the one that holds `mail/`).

        `sender` is the From address, with or without a name; `trust_domain` ends the message ids; `now` gives aware UTC for the Date;
        an account without a good poll for longer than `silence` is shown as wanting attention (R4). `domains`, in lower case, are those
        that mail may go to: to any other, a message raises BadInput as for a bad address (R26). None lets mail go anywhere: for tests.
        Raises BadInput when the sender or the domain is not one, or the templates are missing.
        """
        if not (templates / "mail" / "layout.html.j2").is_file():
            message = f"mail templates: no mail/layout.html.j2 in {templates}; give the project's templates folder"
            raise BadInput(message)
        self._sender = address(sender, what="mail sender")
        self._domain = domain(trust_domain, what="trust domain")
        self._now = now
        self._silence = silence
        self._domains = domains
        self._templates = _environment(templates)

    def alert(self, mail: AlertMail) -> EmailMessage:
        """Return the alert message: the worst first. A school's alerts of one London day share a thread.

        Repeatable: the same mail has the same Message-ID. Raises BadInput for a bad address or a mail without lines.
        """
        if not mail.lines:
            message = f"alert {mail.key}: there is nothing to tell; an alert needs at least one line"
            raise BadInput(message)
        lines = sorted(cleaned(mail.lines), key=_worst_first)
        day = london_date(max(line.at for line in lines))
        worst = lines[0].severity
        rendered = self._render(
            "alert",
            mail.school,
            worst=worst,
            lines=lines[:IN_FULL],
            rest=lines[IN_FULL:],
            total=len(lines),
            visible_after_hide=cleaned(mail.visible_after_hide) if any(line.kind is AlertKind.FLAGGED for line in lines) else (),
            rehearsal=all(line.kind is AlertKind.REHEARSAL for line in lines),
            sent_on=all(line.sent_on for line in lines),
            hints=law.together(line.grounds for line in lines[:IN_FULL]),
            beside=law.BESIDE,
            # No words of a school's own beside an indecent image: they could say "please look".
            words=MailWords() if any(line.kind is AlertKind.WITHHELD for line in lines) else cleaned(mail.words),
        )
        rehearsed = lines[0].kind is AlertKind.REHEARSAL  # it stays out of the thread of what did happen
        thread = "" if rehearsed else f"alerts-{mail.school.slug}-{day.isoformat()}"
        envelope = self._envelope(mail.to, mail.key, thread=thread, urgent=worst is Severity.SEVERE)
        return build(envelope, rendered)

    def digest(self, digest: Digest) -> EmailMessage:
        """Return the digest message: what needs a person first. Repeatable: one Message-ID a school and day.

        Raises BadInput for a bad address.
        """
        now = self._now()
        told = cleaned(digest)
        troubled = [line.handle for line in told.accounts if self._wants_attention(line, now)]
        rendered = self._render(
            "digest",
            digest.school,
            digest=told,
            words=told.words,
            now=now,
            headline=digest_words.headline(told, troubled=len(troubled)),
            days=digest_words.days_words(told),
            late=digest_words.late_words(told, now),
            quiet_day=digest_words.quiet_day(told.counts.seen) if digest_words.quiet(told) and told.accounts else "",
            done_words=digest_words.done_words(told.counts),
            numbers_title=digest_words.numbers_title(told),
            usual_words=usual_words(told.week, Span(told.begins, told.day)) if told.week.days else "",
            chart=chart(told.week),
            evidence=evidence.evidence_lines(told.evidence, now),
            troubled=troubled,
            silence=self._silence,
        )
        return build(self._envelope(digest.to, digest.key), rendered)

    def trust_digest(self, digest: TrustDigest) -> EmailMessage:
        """Return the trust's digest, the worst school first. Repeatable: one Message-ID a day and reader.

        Raises BadInput for a bad address, or a trust without schools.
        """
        if not digest.schools:
            message = f"{digest.key}: there is no school to tell of"
            raise BadInput(message)
        now, told = self._now(), cleaned(digest)
        rest = [each for each in told.schools if each.level is Level.QUIET]
        rendered = self._render(
            "trust_digest",
            None,
            digest=told,
            now=now,
            headline=trust_words.headline(told),
            troubled=[(each, trust_words.said_of(each, now)) for each in told.schools if each.level is not Level.QUIET],
            eventful=[each for each in rest if each.eventful],
            quiet=[each.school.name for each in rest if not each.eventful],
            totals=trust_words.totals(told),
            own_digests=trust_words.own_digests(told),
            heads=trust_words.head_lines(told),
        )
        return build(self._leavable(digest.to, digest.key, digest.wishes_link), rendered)

    def report(self, report: Report) -> EmailMessage:
        """Return a week's or a term's report. Repeatable: one Message-ID a report and reader. Raises BadInput for a bad address."""
        told = cleaned(report)
        rendered = self._render(
            "report",
            None,
            report=told,
            now=self._now(),
            title=report_words.title(told),
            headline=report_words.headline(told),
            columns=report_words.columns(told),
            bars=report_words.bars(told),
            wait=report_words.wait_words(told),
            gaps=report_words.gap_words_of(told),
            rounded=report_words.rounded(told),
        )
        return build(self._leavable(report.to, report.key, report.wishes_link), rendered)

    def witness(self, mail: WitnessMail) -> EmailMessage:
        """Return the witness message: each ledger's head on a line of its own, as `heads_from` reads it. One Message-ID a day.

        Repeatable. Raises BadInput for a bad address or a mail without heads.
        """
        if not mail.heads:
            message = f"witness mail {mail.key}: there is no ledger to tell of"
            raise BadInput(message)
        told = cleaned(mail)
        rendered = self._render(
            "witness",
            None,
            mail=told,
            now=self._now(),
            lines=[(school, head_line(school.slug, head)) for school, head in told.heads],
        )
        return build(self._envelope(mail.to, mail.key), rendered)

    def invitation(self, mail: InvitationMail) -> EmailMessage:
        """Return the invitation: which school invites, the link, until when. Repeatable: one Message-ID a link.

        Raises BadInput for a bad address.
        """
        rendered = self._render("invitation", None, mail=cleaned(mail))
        return build(self._envelope(mail.to, mail.key), rendered)

    def _wants_attention(self, line: AccountLine, now: datetime) -> bool:
        return bool(line.trouble) or line.last_good_poll is None or now - line.last_good_poll > self._silence

    def _envelope(self, to: str, key: str, *, thread: str = "", urgent: bool = False) -> Envelope:
        readers = addresses(to, what="mail recipient", domains=self._domains)
        return Envelope(self._sender, readers, key, self._domain, self._now(), thread, urgent)

    def _leavable(self, to: str, key: str, wishes_link: str) -> Envelope:
        """Return the envelope of a mail that a person may be without: it says where (RFC 2369)."""
        return replace(self._envelope(to, key), wishes=web_link(wishes_link))

    def _render(self, name: str, school: School | None, **told: object) -> Words:
        context = {"school": cleaned(school), **told}
        subject, text, html = (
            self._templates.get_template(f"mail/{name}.{part}.j2").render(context) for part in ("subject.txt", "txt", "html")
        )
        return Words(one_line(subject), wrapped(text), inlined(html))


def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for verb in (
        words.title,
        words.next_step,
        words.button,
        words.hurry,
        words.serious,
        words.mode_words,
        words.at_handle,
        words.platform_words,
        words.plural,
        words.times,
        words.web_link,
        words.capital,
        words.sentence,
        digest_words.mail_words,
        digest_words.spent_words,
        trust_words.day_of,
        moments.day_words,
        moments.when_words,
        moments.clock_words,
        moments.moment_words,
        moments.gap_words,
    ):
        environment.filters[verb.__name__] = verb
    return environment


def _worst_first(line: AlertLine) -> tuple[int, datetime]:
    return _RANK[line.severity], line.at

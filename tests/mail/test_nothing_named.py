"""No mail holds a name of the roll, a comment's words, or who wrote it (R28): made-up rolls and comments, through the whole line.

Everything that makes a mail runs: alerts of every kind, digests, reports, reminders, rehearsals, what people write beside their decisions,
what a platform says when it fails. Then everything in the outbox is read in every way that a mail program could read it.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from named import NamingClassifier, Said, Secret, heard, links, opened, pictures_and_attachments, said
from stage import NOON, SCHOOL, Stage, comment, set_up

from moderator.domain.access import TRUST_WIDE, Role
from moderator.domain.attestation import Attested
from moderator.domain.decision import Severity
from moderator.domain.digest import AccountLine, AlertKind, AlertLine, AlertMail, Digest, DigestCounts, WitnessMail
from moderator.domain.disposal import Ground
from moderator.domain.dues import DueLine
from moderator.domain.errors import Transient
from moderator.domain.events import Head
from moderator.domain.invitation import InvitationMail
from moderator.domain.item import Author
from moderator.domain.mail_words import MailWords, Part
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.report import Report, ReportKind, Tally, period_of
from moderator.domain.report_rows import counter, rows
from moderator.domain.review import Review, Verdict
from moderator.domain.routes import RouteKind
from moderator.domain.submission import Handed, statement
from moderator.domain.trust_digest import SchoolStanding, TrustDigest
from moderator.mail.compose import JinjaComposer
from moderator.mail.outbox import FolderMailer
from moderator.settings import ASSETS
from moderator.steps.dispose import ask
from moderator.steps.escalate import escalate
from moderator.steps.rehearse import Rehearsal, reached, rehearse
from moderator.steps.report import report_preview
from moderator.steps.review import review
from moderator.steps.submit import submit
from moderator.store import account_acts, accounts, mail_words, register
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.items import ITEMS
from moderator.store.outbox import ALERTS, OUTBOX

DAY = date(2026, 11, 18)
HEAD, DEPUTY, DSL = range(3)
"""Whose place on the roll the first three names are; the others are pupils'."""

OF_COMMENTS = (
    "{name} is an idiot, {filler}",
    "{name} I will hurt you. {filler}",
    "{filler} {name} it is a crisis",
    "{name} indecent_image {filler}",
    "{name}: whistleblowing. {filler}",
    "{filler} complaint {name} you idiot",
    "how lovely, {name}! {filler}",
)
KINDS = {AlertKind.FLAGGED, AlertKind.ROUTED, AlertKind.WITHHELD, AlertKind.NOT_HIDDEN, AlertKind.OVERRIDE}
KINDS |= {AlertKind.ACCOUNT, AlertKind.SUBMITTED, AlertKind.DISPOSAL, AlertKind.REMINDER, AlertKind.OVERDUE, AlertKind.REHEARSAL}
"""What every example must have told of: else it has tested little."""

STARTS = ("digest-", "alert-", "reminder-", "rehearsal-", "escalated-", "witness-", "trust-digest-", "weekly-")


@contextmanager
def staged(folder: Path, migrated: Path, secret: Secret) -> Iterator[Stage]:
    """Yield a stage whose roll, comments and authors are the secret's, with a person a role; the first three are on the roll."""
    folder.mkdir()
    shutil.copyfile(migrated, folder / "moderator.db")
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    stage = set_up(Database(engine), folder)
    composer = JinjaComposer(
        templates=ASSETS / "templates",
        sender="moderator@oakfield.example",
        trust_domain="oakfield.example",
        now=stage.clock.now,
        domains=frozenset({"oakfield.example"}),
    )
    tools = replace(
        stage.tools,
        classifier=NamingClassifier(secret.names),
        composer=composer,
        mailer=Falters(folder / "outbox"),
        trust="Oakfield Learning Trust",
        trust_email="trust@oakfield.example",
        witness_email="witness@oakfield.example",
    )
    made = replace(stage, tools=tools)
    _designate(made, secret.names)
    made.platform.comments += [
        comment(10 + number, text, author=Author(f"a{number}", *secret.authors[2 * number : 2 * number + 2]))
        for number, text in enumerate(secret.comments)
    ]
    yield made
    made.tools.recorder.close()
    engine.dispose()


def _designate(stage: Stage, names: Sequence[str]) -> None:
    with stage.database.unit() as unit:
        for number, role in enumerate((Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN, Role.CEO, Role.SAFEGUARDING_LEAD, Role.TRUSTEE)):
            person = register.add_person(
                unit.connection,
                name=names[number % len(names)],
                email=f"{role.value}@oakfield.example",
                roll_reference=f"P-{number}" if number in {HEAD, DEPUTY, DSL} else "",
                at=NOON,
            )
            register.designate(
                unit.connection,
                person_id=person.id,
                role=role,
                school=EVERY_SCHOOL if role in TRUST_WIDE else SCHOOL.slug,
                signed_by="CEO-1",
                signed_on=DAY,
                begins_on=date(2026, 9, 1),
                ends_on=DAY + timedelta(days=3) if role in {Role.DEPUTY, Role.SAFEGUARDING_LEAD} else None,
            )


def live_through(stage: Stage) -> None:
    """Let a week pass in which everything happens that makes a mail; whatever people may write, they write with a name in it."""
    first = stage.platform.comments[0]
    why = f"Because of {first.author.name}: {first.text}"
    stage.platform.failures.append(Transient(f"500 from the platform: {why}"))
    stage.run("poll")
    stage.clock.move(timedelta(hours=1))
    stage.run("poll", "score", "decide", "alert", "record")
    _own_words(stage, why)
    stage.platform.believes_hidden = False
    for _try in range(9):
        stage.run("hide")
        stage.clock.move(timedelta(minutes=15))
    stage.platform.believes_hidden = None
    _act(stage, why)
    stage.run("restore", "remind", "alert")
    stage.clock.move(timedelta(minutes=45))
    stage.run("unread", "alert", "sweep")
    stage.run("send")
    for day in (DAY + timedelta(days=1), DAY + timedelta(days=5)):
        stage.clock.move(datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - stage.clock.now())
        stage.platform.failures.append(Transient(f"500 from the platform: {why}"))
        stage.run("poll", "remind", "alert", "digest", "trust_digest", "report")
        stage.tools.mailer.answers = True  # type: ignore[attr-defined] # the stage's own, below
        stage.run("send")


def _own_words(stage: Stage, why: str) -> None:
    """Give the mails own words: some that name somebody, as if the roll had learnt the name later, and some that name nobody."""
    with stage.database.unit() as unit:
        for part, words in (
            (Part.ALERT_OPENING, (why,)),
            (Part.DIGEST_OPENING, ("Well done to everybody.",)),
            (Part.DIGEST_CLOSING, (why,)),
        ):
            mail_words.put_words(unit.connection, school=SCHOOL.slug, part=part, words=words, author="HEAD-1", why=why, at=NOON)


def _act(stage: Stage, why: str) -> None:
    """Do what people do on the pages, each with a reason that names somebody."""
    with stage.database.reading() as connection:
        held = connection.execute(sa.select(ITEMS.c.id).where(ITEMS.c.held_at.is_not(None)).order_by(ITEMS.c.id)).scalars().all()
        record = connection.execute(sa.select(ITEMS.c.record_id).where(ITEMS.c.id == held[-1])).scalar_one()
    now = stage.clock.now()
    review(stage.tools, Review(held[0], Verdict.RETRY, "ADMIN-1", why, now))
    stage.run("hide")
    review(stage.tools, Review(held[0], Verdict.RESTORE, "ADMIN-1", why, now))
    escalate(stage.tools, held[1], role="ceo", by="ADMIN-1", why=why)
    review(stage.tools, Review(held[-1], Verdict.UPHOLD, "HEAD-1", why, now))
    ask(stage.tools, record, ground=Ground.COURT_ORDER, why=why, by="HEAD-1")
    given = statement(place="https://social.example/p/1", seen="2026-11-18 11:05", why=why[:300], by="ADMIN-1", now=now)
    submit(stage.tools, school=SCHOOL.slug, files=(Handed("talk.txt", why.encode()),), statement=given)
    route = Rehearsal(stage.tools.store.schools()[0], RouteKind.FLAGGED, frozenset(), "HEAD-1")
    rehearse(stage.tools, route, seen=[person.email for person in reached(stage.tools, route)])
    with stage.database.unit() as unit:
        accounts.attest(unit.connection, stage.account, Attested.PASSWORD_CHANGED, on=DAY - timedelta(days=61), by="ADMIN-1", at=now)
        account_acts.ask(
            unit, school=SCHOOL, platform="memory", handle="oakfieldsports", contact_email="office@oakfield.example", purpose=why,
            monthly_reads=9, by="ADMIN-1", at=now,
        )  # fmt: skip


def mails(stage: Stage) -> list[bytes]:
    """Return every message there is: the outbox, and the reports of a term that is not over."""
    with stage.database.reading() as connection:
        found = [bytes(row) for row in connection.execute(sa.select(OUTBOX.c.message).order_by(OUTBOX.c.id)).scalars()]
    for school in (SCHOOL.slug, EVERY_SCHOOL):
        made = report_preview(stage.tools, ReportKind.TERMLY, DAY, school=school)
        if made is not None:
            found.append(made.as_bytes(policy=SMTP))
    return found


REAL = (
    "Siân ap Rhys", "Jo-Ann O'Hare", "Zoë-Renée D\u2019Souza", "Łukasz Żółć", "Oluwaseun Adébáyọ̀", "محمد علي", "王小明花", "Σωκράτης Παπάς",
    "Sinéad Ní Bhraonáin", "Bảo Nguyễn", "Иван Петрович", "Maia-Rose van der Merwe", "Ng Li", "Æthelflæd Ðórsdóttir",
)  # fmt: skip
_LETTERS = some.characters(categories=("Lu", "Ll", "Lo"), max_codepoint=0x6FF, exclude_characters="ſßŉǰΐΰ")
_PART = some.text(_LETTERS, min_size=4, max_size=9)
_JOINED = some.builds(lambda one, mark, other: f"{one}{mark}{other}", _PART, some.sampled_from(("-", "'", "\u2019", " ")), _PART)
NAMES = some.lists(
    some.one_of(some.sampled_from(REAL), some.builds(lambda one, two: f"{one} {two}", _PART, _JOINED)), min_size=5, max_size=6, unique=True
)
HOSTILE = (
    "\r\nBcc: someone@evil.example\r\n\r\n<b>body</b>",
    "\u2028Subject: other\u2029",
    "=?utf-8?q?x=0D=0ABcc:_y@evil.example?=",
    "{{ school }} {% raw %}",
    "<img src=https://evil.example/x.png>",
    "\u202egnp.cod",
    "&lt;script&gt;",
    "--==part==\r\nContent-Type: image/png\r\n",
    "plain words of it",
)
FILLERS = some.lists(some.builds(lambda one, two: f"{one} {two}", _PART, some.sampled_from(HOSTILE)), min_size=7, max_size=7)
AUTHORS = some.lists(
    some.builds(lambda one, two, bad: f"{one} {two}{bad}", _PART, _PART, some.sampled_from(("", "", *HOSTILE))), min_size=14, max_size=14
)


def _secret(names: list[str], fillers: list[str], authors: list[str]) -> Secret:
    comments = tuple(
        words.format(name=names[number % len(names)], filler=filler)
        for number, (words, filler) in enumerate(zip(OF_COMMENTS, fillers, strict=True))
    )
    return Secret(tuple(names), comments, tuple(authors))


SECRETS = some.builds(_secret, NAMES, FILLERS, AUTHORS)
PLAIN = _secret(
    [*REAL[:6]], [f"Quarvox {bad} zimbliqo" for bad in (*HOSTILE[:6], "")], [f"Vlarnik{n} Prumtosh{HOSTILE[n % 8]}" for n in range(14)]
)
OTHER = _secret(["Qopvex Zubliqua"] * 6, ["xyqvrtz"] * 7, [f"Wuzgrim{n} Bloqtar" for n in range(14)])
"""What the mails are written for once, to learn what they say anyway. Nobody in the examples is called like that."""


class Falters(FolderMailer):
    """A mailer that does not answer before it is told to; implements ports.Mailer."""

    def __init__(self, folder: Path) -> None:
        """Begin without an answer."""
        super().__init__(folder)
        self.answers = False

    def send(self, message: EmailMessage) -> None:
        """Deliver. Raises Transient until it answers."""
        if not self.answers:
            told = "the mail server did not answer"
            raise Transient(told)
        super().send(message)


@pytest.fixture(scope="module")
def ours(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Return what our mails say anyway; by the way, hold that all kinds of them were made."""
    with staged(tmp_path_factory.mktemp("ours") / "stage", migrated_file, OTHER) as stage:
        live_through(stage)
        found = [opened(raw) for raw in mails(stage)]
        with stage.database.reading() as connection:
            assert {str(kind) for kind in connection.execute(sa.select(ALERTS.c.kind)).scalars()} >= {kind.value for kind in KINDS}
            keys = connection.execute(sa.select(OUTBOX.c.key)).scalars().all()
        assert {start for start in STARTS if any(key.startswith(start) for key in keys)} == set(STARTS)
        assert len(found) == len(keys) + 1, "and the report of the term"
        return heard("\n".join(said(message.as_bytes()).text for message in found))


def test_the_search_finds_what_is_there(ours: Said) -> None:
    """What a mail must not hold is seen when it is there: else the next test would prove nothing."""
    for leak in (PLAIN.names[1], PLAIN.names[3].split()[0], PLAIN.comments[0][-30:], PLAIN.authors[3], "D&#8217;Souza", "So<b>u</b>za"):
        message = EmailMessage()
        message.set_content("Nothing is the matter.")
        message.add_alternative(f"<p>{leak}</p>", subtype="html")
        assert PLAIN.found_in(said(message.as_bytes()), ours=ours), leak
    message = EmailMessage()
    message["Subject"] = PLAIN.names[4]
    message.set_content("Nothing.")
    assert PLAIN.found_in(said(message.as_bytes()), ours=ours)
    message.add_alternative("<p style='background:url(https://x.example/y)'><img src='x.png'>", subtype="html")
    assert len(pictures_and_attachments(message.as_bytes())) == 3
    message.add_attachment(b"x", maintype="image", subtype="png", filename="Tilly.png")
    assert {"image/png", "Tilly.png", "multipart/mixed"} <= set(pictures_and_attachments(message.as_bytes()))


@settings(max_examples=2, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(secret=SECRETS)
@example(secret=PLAIN)
def test_r28_no_mail_names_anybody_or_quotes_anything(
    secret: Secret, ours: Said, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with staged(tmp_path_factory.mktemp("named") / "stage", migrated_file, secret) as stage:
        live_through(stage)
        found = mails(stage)
        assert len(found) > 20
        for raw in found:
            told = said(raw)
            assert secret.found_in(told, ours=ours) == [], told.text
            assert pictures_and_attachments(raw) == []
            assert all(link.startswith(stage.tools.review_url) for link in links(raw))
            assert header_faults(raw) == []


COMPOSER = JinjaComposer(templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example")
ONCE = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("Content-Language", "In-Reply-To", "References", "Importance", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"),
)
"""Every header that one of our mails may have; none stands in it twice."""


def header_faults(raw: bytes) -> list[str]:
    """Return what is wrong with a message's headers, by its bytes and by the standard library's reading of them."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    found = ["no end of the headers"] if not gap else []
    found += [f"a stray byte: {line!r}" for line in lines if set(line) & {0, 10, 11, 12, 13, 28, 29, 30, 133} or max(line, default=0) > 126]
    found += [f"too long: {line!r}" for line in lines if len(line) > 998]
    found += [f"a header of its own: {line!r}" for line in lines if not _HEADER.match(line) and not line.startswith(b" ")]
    found += ["a line break of its own in the body"] if b"\r" in body.replace(b"\r\n", b"") or b"\n" in body.replace(b"\r\n", b"") else []
    message = opened(raw)
    names = [name for name, _ in message.items()]
    found += [f"twice: {name}" for name in {*names} if names.count(name) > 1]
    found += [f"unknown: {name}" for name in names if name not in ONCE]
    found += [f"broken: {name} {value.defects}" for name, value in message.items() if value.defects]
    found += [f"a break in {name}" for name, value in message.items() if len(str(value).splitlines()) > 1]
    if len(message["To"].addresses) != 1 or message["To"].addresses[0].domain != "oakfield.example":
        found.append(f"to {message['To']}")
    if not re.fullmatch(r"<[a-z0-9.-]+@oakfield\.example>", str(message["Message-ID"]).strip()):
        found.append(f"id {message['Message-ID']}")
    return found


_HEADER = re.compile(rb"[A-Za-z-]+: ?[^\s]?")

FREE = some.one_of(
    some.sampled_from(HOSTILE), some.text(max_size=40), some.sampled_from(("\x00", "a\rb", "a\nb", "a\r\nBcc: x@evil.example", "x" * 1200))
)


@settings(max_examples=15, deadline=None, database=None, derandomize=True)
@given(name=FREE, trust=FREE, handle=FREE, words=FREE, key=FREE)
@example(name=HOSTILE[0], trust=HOSTILE[1], handle=HOSTILE[2], words=HOSTILE[7], key=HOSTILE[0])
def test_no_value_adds_a_header_or_a_line_break_to_one_in_any_mail(name: str, trust: str, handle: str, words: str, key: str) -> None:
    """Every composer over values of every kind that a school, its trust or a platform can set."""
    school = replace(SCHOOL, name=name, trust=trust)
    own = MailWords((words,), (words,))
    at = NOON
    line = AlertLine(AlertKind.SYSTEM, Severity.SEVERE, key, words, handle, at, f"https://review.example/{key}")
    account = AccountLine(handle, trust, name, at, 1, 2, words)
    due = DueLine(words, DAY, 3, f"https://review.example/{key}", key, overdue=True)
    standing = SchoolStanding(school, waiting=1, accounts=1, unchecked=(account,), overdue=(words,))
    week, numbers = period_of(ReportKind.WEEKLY, DAY), rows(Tally(), None, counter(coarsely=False))
    to = "head@oakfield.example"
    made = (
        COMPOSER.alert(AlertMail(key, school, to, (line,), (words,), words=own)),
        COMPOSER.digest(
            Digest(
                school, DAY, to, DigestCounts(), Head(1, "a" * 64), accounts=(account,), notes=(words,), review_link=words, dues=(due,),
                visible_after_hide=(words,), audience=key, words=own,
            )
        ),
        COMPOSER.witness(WitnessMail(DAY, to, trust, ((school, Head(1, "a" * 64)),))),
        COMPOSER.invitation(InvitationMail(to, name, f"https://review.example/{key}", at, key)),
        COMPOSER.trust_digest(TrustDigest(trust, DAY, to, key, (standing,), (words,), words, words)),
        COMPOSER.report(
            Report(ReportKind.WEEKLY, key, name, week, to, key, coarse=False, rows=numbers, missed=(words,), link=words, wishes_link=words)
        ),
    )  # fmt: skip
    for message in made:
        assert header_faults(message.as_bytes(policy=SMTP)) == []

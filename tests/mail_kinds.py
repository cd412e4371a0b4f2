"""Every kind of mail there is, full of what it can tell, with invented schools. Called by the tests that send, read and look at mails."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.decision import Severity
from moderator.domain.digest import (
    AccountLine,
    AlertKind,
    AlertLine,
    AlertMail,
    Digest,
    DigestCounts,
    DigestLine,
    LateMail,
    WitnessMail,
    grounds,
)  # fmt: skip
from moderator.domain.dues import Dated, Deadline, Due, DueLine, line_of, said, to_do
from moderator.domain.events import GENESIS, Head
from moderator.domain.invitation import InvitationMail
from moderator.domain.mail_words import MailWords
from moderator.domain.report import Report, ReportBar, ReportKind, Tally, period_of
from moderator.domain.report_rows import counter, ground_rows, rate_words, rows
from moderator.domain.trust_digest import OwnDigest, SchoolStanding, TrustDigest, worst_first
from moderator.domain.usual import week_of
from moderator.mail.compose import JinjaComposer
from moderator.store.undelivered import kind_of, trouble_of

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
HEAD, WITNESS = "head@northfield.example", "witness@trust.example"
SITE = "https://moderator.trust.example"
SCHOOL = School("northfield", "Northfield Primary School", "100001", HEAD, ("northfield.example",), "Northfield Trust")
ASHFORD = replace(SCHOOL, slug="ashford", name="Ashford Church of England Primary School", urn="100002")
BEDE = replace(SCHOOL, slug="st-bede", name="St Bede Academy", urn="100003")
SEEN = "X: a hidden reply can still be read by anyone who opens “hidden replies” under the post. The author is not told."
WORDS = MailWords(
    opening=("Please look before you go home. Mark it as read, so that nobody else is called.",), closing=("The office: extension 12.",)
)


def stored(message: EmailMessage) -> EmailMessage:
    """Return a message as the outbox keeps it and the send step reads it back."""
    return message_from_bytes(message.as_bytes(), _class=EmailMessage, policy=policy.SMTP)


def readdressed(message: EmailMessage, address: str) -> EmailMessage:
    """Return the same message for somebody else."""
    message.replace_header("To", address)
    return message


KINDS = (
    "alert_severe", "alert_sent_on", "alert_batch", "alert_withheld", "alert_reminder", "alert_overdue", "alert_rehearsal",
    "digest_full", "digest_empty", "trust_digest", "weekly", "termly", "witness", "invitation",
)  # fmt: skip


def every_kind(composer: JinjaComposer) -> dict[str, Callable[[], EmailMessage]]:
    """Return how each kind of mail is made, by name."""
    link = f"{SITE}/invited/a-secret-of-43-letters"
    heads = ((SCHOOL, Head(123_456, "3f" * 32)), (ASHFORD, Head(0, GENESIS)))
    return {
        "alert_severe": lambda: composer.alert(_alert("1", _severe(1))),
        "alert_sent_on": lambda: composer.alert(_alert("1-r1", replace(_severe(1), sent_on="Nobody has read this alert for 30 minutes."))),
        "alert_batch": lambda: composer.alert(_alert("2", *_batch())),
        "alert_withheld": lambda: composer.alert(_alert("3", _withheld())),
        "alert_reminder": lambda: composer.alert(_alert("4", _dated(AlertKind.REMINDER, REVIEW))),
        "alert_overdue": lambda: composer.alert(_alert("6", _dated(AlertKind.OVERDUE, PASSWORD))),
        "alert_rehearsal": lambda: composer.alert(_alert("5", _rehearsal())),
        "digest_full": lambda: composer.digest(full_digest()),
        "digest_empty": lambda: composer.digest(empty_digest()),
        "trust_digest": lambda: composer.trust_digest(trust_digest()),
        "weekly": lambda: composer.report(report(ReportKind.WEEKLY)),
        "termly": lambda: composer.report(report(ReportKind.TERMLY)),
        "witness": lambda: composer.witness(WitnessMail(NOW.date(), WITNESS, SCHOOL.trust, heads)),
        "invitation": lambda: composer.invitation(InvitationMail(HEAD, SCHOOL.name, link, NOW + timedelta(days=3), "invitation-1")),
    }


def _alert(number: str, *lines: AlertLine) -> AlertMail:
    return AlertMail(f"alert-northfield-{number}", SCHOOL, HEAD, lines, (SEEN,), WORDS)


def _line(kind: AlertKind, number: int, labels: tuple[str, ...], *, done: str) -> AlertLine:
    severity = Severity.ORDINARY if kind is AlertKind.ROUTED else Severity.SEVERE
    what = f"A reply to your post was flagged. {grounds(labels)}"
    return AlertLine(
        kind, severity, f"R-AAAABBBBCCCC{number:04d}", what, done, NOW - timedelta(minutes=number), f"{SITE}/items/{number}", "x", labels
    )


def _severe(number: int) -> AlertLine:
    done = "Sealed a permanent record, then hid the reply. X confirms that it is hidden."
    return _line(AlertKind.FLAGGED, number, ("abusive", "threat"), done=done)


def _batch() -> tuple[AlertLine, ...]:
    done = "Sealed a permanent record. It is not hidden: a person decides."
    labels = (("complaint", "insult"), ("name",), ("disclosure",))
    return tuple(_line(AlertKind.ROUTED, number, labels[number % 3], done=done) for number in range(1, 14))


def _withheld() -> AlertLine:
    done = "Kept nothing of it and opened nothing. It is not in the record, and not in this message."
    return _line(AlertKind.WITHHELD, 31, ("indecent_image",), done=done)


PASSWORD = Deadline(SCHOOL.slug, Due(Dated.PASSWORD, date(2026, 11, 16)), "account 1", "northfield")
REVIEW = Deadline(SCHOOL.slug, Due(Dated.POLICY_REVIEW, date(2026, 11, 30)), "policy 2025")


def _dated(kind: AlertKind, deadline: Deadline) -> AlertLine:
    what, done = said(deadline, NOW.date()), to_do(deadline)
    return AlertLine(kind, Severity.ORDINARY, deadline.subject, what, done, NOW, f"{SITE}/accounts/1")


def _rehearsal() -> AlertLine:
    what = "This is a rehearsal. Nothing happened, and no comment was flagged."
    return AlertLine(
        AlertKind.REHEARSAL, Severity.SEVERE, "rehearsal-1", what, "Sent this message, as it would send a real alert.", NOW, SITE
    )


def _row(number: int, outcome: str, state: str, severity: Severity = Severity.ORDINARY, **more: int) -> DigestLine:
    at = NOW - timedelta(hours=number)
    return DigestLine(
        f"R-DDDDEEEEFFFF{number:04d}", at, outcome, severity, state, f"{SITE}/items/{number}", bool(more), more.get("sent_on", 0)
    )


def _accounts() -> tuple[AccountLine, ...]:
    trouble = "X no longer accepts this account's sign-in."
    return (
        AccountLine("northfield", "x", "hide", NOW - timedelta(minutes=4), 1_310, 15_000),
        AccountLine("@northfield_pe", "x", "observe", NOW - timedelta(hours=5), 900, 1_000, trouble),
    )


def full_digest() -> Digest:
    """Return the digest of a bad weekend: everything that a digest can tell of is in it."""
    flagged = {DAY - timedelta(days=back): (5 if back == 0 else back % 4) for back in range(70)}
    checked = CheckSummary(NOW - timedelta(hours=15), NOW - timedelta(hours=14), 312, 2, 0)
    return Digest(
        school=SCHOOL,
        day=DAY,
        to=HEAD,
        counts=DigestCounts(1_204, 1_196, 8, 8, 5, 2, 1, 1, 2, 0, 5),
        head=Head(1_234, "3f" * 32),
        needs_you=(
            _row(1, "For a person, never hidden", "Recorded, still showing", Severity.SEVERE, sent_on=1),
            _row(2, "Hide", "Recorded, then hidden", Severity.SEVERE),
            _row(3, "", "Waiting for you: the service could not finish"),
        ),
        more_needing_you=2,
        done=(_row(4, "Hide", "Decision kept"), _row(5, "Hide", "Showing again")),
        more_done=1,
        accounts=_accounts(),
        notes=("The policy review was due on 31 August 2026. Please ask the trust to review it.",),
        review_link=f"{SITE}/",
        visible_after_hide=(SEEN,),
        evidence=EvidenceStanding(sample=checked, full=checked, stamps_pending=1, due_for_review=3),
        first_day=DAY - timedelta(days=2),
        words=WORDS,
        week=week_of(flagged, Span(DAY - timedelta(days=2), DAY), opened=DAY - timedelta(days=90)),
        dues=_dues(),
        undelivered=(
            LateMail("An alert", 1, NOW - timedelta(hours=3), trouble_of("5.1.1"), bounced=True),
            LateMail(kind_of("digest-"), 2, NOW - timedelta(days=1)),
        ),
        hidden_on=("X",),
        due_on=NOW.date(),
    )


def _dues() -> tuple[DueLine, ...]:
    today = NOW.date()
    return (line_of(PASSWORD, today, link=f"{SITE}/accounts/1"), line_of(REVIEW, today, link=f"{SITE}/schools/northfield/policy"))


def empty_digest() -> Digest:
    """Return the digest of a day on which nothing happened."""
    checked = CheckSummary(NOW - timedelta(hours=15), NOW - timedelta(hours=14), 312, 0, 0)
    return Digest(
        school=SCHOOL,
        day=DAY,
        to=HEAD,
        counts=DigestCounts(seen=12, cleared=12),
        head=Head(1_235, "4a" * 32),
        accounts=_accounts()[:1],
        review_link=f"{SITE}/",
        evidence=EvidenceStanding(sample=checked, full=checked),
        week=week_of({}, Span(DAY, DAY), opened=DAY - timedelta(days=90)),
    )


def trust_digest() -> TrustDigest:
    """Return the trust's digest: one school with trouble, one that waits, many that are quiet."""
    busy = DigestCounts(seen=1_204, cleared=1_196, flagged=8, hidden=5, routed=2, withheld=1)
    schools = (
        SchoolStanding(
            SCHOOL, waiting=5, serious=2, oldest=NOW - timedelta(days=2), unread=1, unchecked=_accounts()[1:], accounts=2, undelivered=1,
            overdue=(_dues()[0].what,), counts=busy, head=Head(1_234, "3f" * 32), link=f"{SITE}/today?school=northfield",
        ),
        SchoolStanding(ASHFORD, waiting=1, oldest=NOW - timedelta(hours=3), accounts=1, own_digest=OwnDigest.WAITING, link=SITE),
        SchoolStanding(BEDE, accounts=1, counts=DigestCounts(seen=40, cleared=39, flagged=1, hidden=1), link=SITE),
        *(SchoolStanding(replace(BEDE, slug=f"oak-{number}", name=f"Oak {number} Academy"), accounts=1) for number in range(1, 8)),
    )  # fmt: skip
    wishes = f"{SITE}/mail-wishes"
    return TrustDigest("Northfield Trust", DAY, HEAD, "p12", worst_first(schools), link=f"{SITE}/", wishes_link=wishes)


def report(kind: ReportKind) -> Report:
    """Return a week's report with exact counts, or a term's with rounded ones."""
    coarse = kind is ReportKind.TERMLY
    count, period = counter(coarsely=coarse), period_of(kind, DAY).before if coarse else period_of(kind, DAY)
    now = Tally(4_310, 31, 22, 4, 4, 1, 20, 3, 8, 1, 2, 23, timedelta(hours=2), (("insult", 14), ("threat", 6), ("name", 5)))
    before = Tally(3_900, 18, 12, 3, 3, 0, 15, 1, 2, 0, 0, 16, timedelta(hours=5), (("insult", 9), ("sexual", 2)))
    return Report(
        kind=kind,
        school=SCHOOL.slug,
        name=SCHOOL.name,
        period=period,
        to=HEAD,
        reader="p12",
        coarse=coarse,
        rows=rows(now, before, count),
        grounds=ground_rows(now, before, count),
        chart=tuple(ReportBar(each.short, count(5 * at + 3)) for at, each in enumerate(period.back(4 if coarse else 8))),
        rate=rate_words(now, coarsely=coarse),
        wait=now.wait,
        gap_days=2,
        days=(period.last - period.first).days + 1,
        link=f"{SITE}/digests",
        wishes_link=f"{SITE}/mail-wishes",
    )

"""A school, its alerts and digests, composed with the project's own templates."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from mail_kinds import every_kind, stored
from mail_server import MailServer, running

from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.decision import Severity
from moderator.domain.digest import AccountLine, AlertKind, AlertLine, AlertMail, Digest, DigestCounts, DigestLine, LateMail
from moderator.domain.dues import DueLine
from moderator.domain.events import GENESIS, Head
from moderator.domain.usual import Week, week_of
from moderator.mail.compose import JinjaComposer

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
X_WORDS = "X: a hidden reply can still be read by anyone who opens “hidden replies” under the post. The author is not told."
SCHOOL = School(
    slug="northfield",
    name="Northfield Primary School",
    urn="100001",
    head_email="head@northfield.example",
    email_domains=("northfield.example",),
    trust="Northfield Trust",
)


@pytest.fixture(scope="module")
def running_mail_server() -> Iterator[MailServer]:
    """Yield Postfix and Dovecot on loopback."""
    with running() as server:
        yield server


@pytest.fixture
def mail_server(running_mail_server: MailServer) -> MailServer:
    """Return the running server with empty mailboxes."""
    running_mail_server.empty()
    return running_mail_server


@pytest.fixture
def kinds(composer: JinjaComposer) -> dict[str, Callable[[], EmailMessage]]:
    """Return how each kind of mail is made, by name."""
    return every_kind(composer)


@pytest.fixture
def message(composer: JinjaComposer, alert_mail: AlertMail) -> EmailMessage:
    """Return an alert as it leaves the outbox."""
    return stored(composer.alert(alert_mail))


@pytest.fixture
def templates() -> Path:
    return Path(__file__).parents[2] / "templates"


@pytest.fixture
def composer(templates: Path) -> JinjaComposer:
    return JinjaComposer(templates=templates, sender="Moderator <moderator@trust.example>", trust_domain="trust.example", now=lambda: NOW)


@pytest.fixture
def school() -> School:
    return SCHOOL


@pytest.fixture
def line() -> Callable[..., AlertLine]:
    def make(kind: AlertKind = AlertKind.FLAGGED, severity: Severity = Severity.SEVERE, number: int = 1, **given: Any) -> AlertLine:
        words: dict[str, Any] = {
            "subject": f"R-AAAABBBBCCCC{number:04d}",
            "what": "A reply to your post was flagged. It threatens somebody.",
            "done": "Sealed a permanent record, then hid the reply. X confirms that it is hidden.",
            "link": f"https://moderator.trust.example/items/{number}",
        } | given
        return AlertLine(kind=kind, severity=severity, at=NOW - timedelta(minutes=number), **words)

    return make


@pytest.fixture
def alert_mail(line: Callable[..., AlertLine]) -> AlertMail:
    return AlertMail(
        key="alert-northfield-1",
        school=SCHOOL,
        to="head@northfield.example",
        lines=(line(severity=Severity.ORDINARY, number=2), line(number=1)),
        visible_after_hide=(X_WORDS,),
    )


def _row(number: int, outcome: str, state: str, severity: Severity = Severity.ORDINARY) -> DigestLine:
    return DigestLine(
        subject=f"R-DDDDEEEEFFFF{number:04d}",
        at=NOW - timedelta(hours=number),
        outcome=outcome,
        severity=severity,
        state=state,
        link=f"https://moderator.trust.example/items/{number}",
    )


@pytest.fixture
def full_digest() -> Digest:
    return Digest(
        school=SCHOOL,
        day=date(2026, 11, 22),
        to="head@northfield.example",
        counts=DigestCounts(
            seen=1_204, cleared=1_196, flagged=8, recorded=8, hidden=5, routed=2, withheld=1, restored=1, upheld=2, waiting_for_decision=5
        ),
        head=Head(1_234, "3f" * 32),
        needs_you=(
            _row(1, "For a person, never hidden", "Recorded, still showing", Severity.SEVERE),
            _row(2, "Hide", "Recorded, then hidden", Severity.SEVERE),
            _row(3, "", "Waiting for you: the service could not finish"),
        ),
        more_needing_you=2,
        done=(_row(4, "Hide", "Decision kept"), _row(5, "Hide", "Showing again")),
        more_done=1,
        accounts=(
            AccountLine("northfield", "x", "hide", NOW - timedelta(minutes=4), 1_310, 15_000),
            AccountLine(
                "@northfield_pe", "x", "observe", NOW - timedelta(hours=5), 900, 1_000, "X no longer accepts this account's sign-in."
            ),
        ),
        notes=("The policy review was due on 31 August 2025. Please ask the trust to review it.",),
        review_link="https://moderator.trust.example/",
        visible_after_hide=(X_WORDS,),
        week=_week(Span.of(TODAY), {0: 8, 1: 3, 2: 4, 3: 1, 4: 0, 5: 2, 6: 3}),
        dues=(
            _due("The password of @northfield_pe was due to be changed by 1 November 2026. Nobody has said that it was.", -22),
            _due("The designation of the Deputy Headteacher, DEPUTY-1, ends on 30 November 2026 (in 7 days).", 7),
        ),
        undelivered=(LateMail("An alert", 3, NOW - timedelta(hours=2), "The mail server asks us to wait."),),
    )


def _week(span: Span, counts: dict[int, int], *, weeks: int = 9) -> Week:
    """Return a week with that many flagged so many days before the span's last day, and three on every day before that."""
    usual = {span.last - timedelta(days=number): 3 for number in range(7, 7 * (weeks + 1))}
    lately = {span.last - timedelta(days=number): count for number, count in counts.items()}
    return week_of(usual | lately, span, opened=span.last - timedelta(weeks=weeks, days=1))


def _due(what: str, left: int) -> DueLine:
    return DueLine(what, TODAY + timedelta(days=left), left, "https://moderator.trust.example/accounts/2", "account 2", overdue=left < 0)


@pytest.fixture
def weekend_digest(empty_digest: Digest) -> Digest:
    """Three days in one, with something unread since Friday: it comes on Monday morning, an hour late."""
    span = Span(date(2026, 11, 20), TODAY)
    friday = replace(_row(1, "Hide", "Recorded, then hidden", Severity.SEVERE), at=NOW - timedelta(days=2), unread=True, sent_on=2)
    return replace(
        empty_digest,
        first_day=span.first,
        counts=DigestCounts(seen=310, cleared=308, flagged=2, recorded=2, hidden=2, waiting_for_decision=1),
        needs_you=(friday,),
        done=(replace(_row(4, "Hide", "Decision kept"), at=NOW - timedelta(days=1)),),
        week=_week(span, {0: 1, 2: 1, 3: 3, 4: 2, 5: 4, 6: 3}),
        hidden_on=("x",),
        visible_after_hide=(X_WORDS,),
        due_on=TODAY,
        undelivered=(
            LateMail(
                "A daily digest", 1, NOW - timedelta(hours=9), "A mail server gave it back: the mailbox is full (5.2.2).", bounced=True
            ),
        ),
    )


@pytest.fixture
def storm_digest(full_digest: Digest) -> Digest:
    """Thousands in a day."""
    needs = tuple(_row(number, "Hide", "Recorded, then hidden", Severity.SEVERE) for number in range(1, 11))
    return replace(
        full_digest,
        counts=DigestCounts(
            seen=48_211, cleared=41_904, flagged=6_307, recorded=6_307, hidden=6_250, routed=57, waiting_for_decision=6_301
        ),
        needs_you=needs,
        more_needing_you=6_291,
        done=tuple(_row(number, "Hide", "Decision kept") for number in range(11, 21)),
        more_done=1_204,
        week=_week(Span.of(TODAY), {0: 6_307, 1: 412, 2: 4}),
        accounts=(AccountLine("northfield", "x", "hide", NOW - timedelta(minutes=4), 14_950, 15_000),),
        notes=("57 recorded comments wait to be hidden. They are still showing.",),
        evidence=EvidenceStanding(sample=CheckSummary(NOW, NOW, 1_214, 0, 0), stamps_pending=57),
    )


@pytest.fixture
def first_digest(empty_digest: Digest) -> Digest:
    """Tell of the first day of all."""
    return replace(empty_digest, first_ever=True, week=week_of({}, Span.of(TODAY), opened=TODAY))


@pytest.fixture
def empty_digest() -> Digest:
    return Digest(
        school=SCHOOL,
        day=date(2026, 11, 22),
        to="head@northfield.example",
        counts=DigestCounts(seen=12, cleared=12),
        head=Head(1_235, "4a" * 32),
        accounts=(AccountLine("northfield", "x", "hide", NOW - timedelta(minutes=4), 1_322, 15_000),),
        review_link="https://moderator.trust.example/",
        week=_week(Span.of(TODAY), {1: 3, 2: 4, 3: 1, 4: 0, 5: 2, 6: 3}),
    )


@pytest.fixture
def bare_digest() -> Digest:
    return Digest(school=SCHOOL, day=date(2026, 11, 22), to="head@northfield.example", counts=DigestCounts(), head=Head(0, GENESIS))

"""A school, its alerts and digests, composed with the project's own templates."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AccountLine, AlertKind, AlertLine, AlertMail, Digest, DigestCounts, DigestLine
from moderator.domain.events import GENESIS, Head
from moderator.mail.compose import JinjaComposer

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
X_WORDS = "X: a hidden reply can still be read by anyone who opens “hidden replies” under the post. The author is not told."
SCHOOL = School(
    slug="northfield",
    name="Northfield Primary School",
    urn="100001",
    head_email="head@northfield.example",
    email_domains=("northfield.example",),
    trust="Northfield Trust",
)


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
    def make(kind: AlertKind = AlertKind.FLAGGED, severity: Severity = Severity.SEVERE, number: int = 1, **given: str) -> AlertLine:
        words = {
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
    )


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
    )


@pytest.fixture
def bare_digest() -> Digest:
    return Digest(school=SCHOOL, day=date(2026, 11, 22), to="head@northfield.example", counts=DigestCounts(), head=Head(0, GENESIS))

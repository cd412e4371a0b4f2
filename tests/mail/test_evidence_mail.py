"""The digest's evidence part, the witness mail and the evidence alert: in plain words, the warnings marked."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest

from moderator.domain.account import School
from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail, Digest, WitnessMail
from moderator.domain.errors import BadInput
from moderator.domain.events import GENESIS, Head, heads_from
from moderator.mail.compose import JinjaComposer

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
NIGHT = NOW - timedelta(hours=15)
GOOD = CheckSummary(NIGHT, NIGHT, 1214, 0, 0)
BAD = replace(GOOD, faults=3)
LATE = replace(GOOD, started_at=NIGHT - timedelta(days=2))
FULL = "Every record was last checked on Sunday 22 November 2026: 1,214 records"
RUNNING = "The monthly check of every record began on Sunday 22 November 2026"


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def html(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (EvidenceStanding(), "The records have not been checked yet. The first check comes in the first night."),
        (EvidenceStanding(), "The monthly check of every record has not been made yet."),
        (EvidenceStanding(sample=GOOD), "22 November 2026, 02:00 GMT (02:00 UTC). 1,214 records, nothing wrong."),
        (EvidenceStanding(sample=replace(GOOD, disposed=2, checked=1)), "1 record (2 of them lawfully disposed of), nothing wrong."),
        (EvidenceStanding(sample=replace(GOOD, faults=1)), "02:00 GMT (02:00 UTC). 1,214 records, 1 fault. Ask your IT lead to look today"),
        (EvidenceStanding(sample=LATE), "That is 2 days ago: the nightly check is not running."),
        (EvidenceStanding(full=GOOD), f"- {FULL}, nothing wrong."),
        (EvidenceStanding(full=BAD), f"- WARNING: {FULL}, 3 faults."),
        (EvidenceStanding(full=GOOD, running=replace(GOOD, checked=600)), f"- {RUNNING}: 600 records, nothing wrong so far."),
        (EvidenceStanding(running=BAD), f"- WARNING: {RUNNING}"),
        (EvidenceStanding(stamps_pending=1), "1 record still without an outside time stamp. The service keeps asking."),
        (EvidenceStanding(due_for_review=1), "1 record comes up for review this month. Nothing is disposed of unless two people decide."),
        (EvidenceStanding(due_for_review=2), "2 records come up for review"),
        (EvidenceStanding(witness_waiting=1), "WARNING: The trust's witness mailbox is not taking our mail."),
    ],
)  # fmt: skip
def test_the_digest_says_how_the_evidence_stands(
    composer: JinjaComposer, empty_digest: Digest, standing: EvidenceStanding, said: str
) -> None:
    message = composer.digest(replace(empty_digest, evidence=standing))
    assert said in plain(message)
    assert ('class="card severe"' in html(message)) == ("WARNING" in plain(message))


def test_what_is_not_there_is_not_told(composer: JinjaComposer, empty_digest: Digest) -> None:
    said = plain(composer.digest(empty_digest))
    assert not any(word in said for word in ("time stamp", "review this month", "witness"))


def test_a_fault_is_in_the_digests_subject_unless_a_comment_needs_somebody(
    composer: JinjaComposer, empty_digest: Digest, full_digest: Digest
) -> None:
    bad = EvidenceStanding(sample=replace(GOOD, faults=1))
    assert composer.digest(replace(empty_digest, evidence=bad))["Subject"].startswith("The evidence needs attention (digest")
    assert composer.digest(replace(full_digest, evidence=bad))["Subject"].startswith("5 comments need you")


def test_the_witness_mail_is_one_head_a_line(composer: JinjaComposer, school: School) -> None:
    other = replace(school, slug="st-bede", name="St Bede\nSchool")
    heads = ((school, Head(123_456, "3f" * 32)), (other, Head(0, GENESIS)))
    mail = WitnessMail(date(2026, 11, 23), "witness@trust.example", "Northfield Trust", heads)
    message = composer.witness(mail)
    body = message.get_body(("plain",))
    assert body is not None
    assert heads_from(str(body.get_content())) == {"northfield": (heads[0][1],), "st-bede": (heads[1][1],)}
    assert heads_from(message.as_string()) == heads_from(str(body.get_content()))
    assert "northfield 123456:" + "3f" * 32 in html(message)
    assert message["Message-ID"] == composer.witness(mail)["Message-ID"]
    assert message["Message-ID"] != composer.witness(replace(mail, day=date(2026, 11, 24)))["Message-ID"]
    assert "Importance" not in message
    assert f'moderator verify vault --head "northfield 123456:{"3f" * 32}"' in str(body.get_content()).splitlines()


def test_a_witness_mail_without_a_ledger_is_refused(composer: JinjaComposer) -> None:
    with pytest.raises(BadInput, match="no ledger to tell of"):
        composer.witness(WitnessMail(date(2026, 11, 23), "witness@trust.example", "Northfield Trust", ()))


def test_an_evidence_alert_says_change_nothing(composer: JinjaComposer, school: School, line: Callable[..., AlertLine]) -> None:
    told = line(kind=AlertKind.EVIDENCE, severity=Severity.SEVERE, subject="the permanent record", link="https://moderator.trust.example")
    message = composer.alert(AlertMail("alert-1-trust", school, "evidence@trust.example", (told,)))
    assert message["Subject"] == "Look now: the evidence needs attention (Northfield Primary School)"
    assert "Change, repair and delete nothing. Keep this message and every digest." in plain(message)
    assert "Open the service" in html(message)

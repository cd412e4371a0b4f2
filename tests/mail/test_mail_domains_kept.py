"""No message is composed for an address outside the schools' and the trust's domains (R26), whatever kind of message it is."""

from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from moderator.build import build, make_keys
from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail, Digest, DigestCounts, WitnessMail
from moderator.domain.errors import BadInput
from moderator.domain.events import Head
from moderator.domain.invitation import InvitationMail
from moderator.mail.compose import JinjaComposer
from moderator.settings import ASSETS, make

SCHOOL = School("oakfield", "Oakfield Primary School", "", "head@oakfield.example", ("oakfield.example",), "Oakfield Learning Trust")
DAY, NOW = date(2026, 11, 18), datetime(2026, 11, 18, 12, tzinfo=UTC)
HEAD = Head(3, "a" * 64)
LINE = AlertLine(AlertKind.SYSTEM, Severity.SEVERE, "the service", "The disk is full.", "Nothing is hidden.", NOW)
KINDS = ("alert", "digest", "witness", "invitation")


def composed(composer: JinjaComposer, kind: str, to: str) -> EmailMessage:
    """Return one message of a kind to an address."""
    if kind == "alert":
        return composer.alert(AlertMail("k-1", SCHOOL, to, (LINE,)))
    if kind == "digest":
        return composer.digest(Digest(SCHOOL, DAY, to, DigestCounts(), HEAD))
    if kind == "witness":
        return composer.witness(WitnessMail(DAY, to, SCHOOL.trust, ((SCHOOL, HEAD),)))
    return composer.invitation(InvitationMail(to, SCHOOL.name, "https://review.example/x", NOW, "k-1"))


@pytest.fixture(scope="module")
def composer() -> JinjaComposer:
    """Return a composer that may write to one school and its trust."""
    domains = frozenset({"oakfield.example", "trust.example"})
    return JinjaComposer(templates=ASSETS / "templates", sender="m@oakfield.example", trust_domain="oakfield.example", domains=domains)


@pytest.mark.parametrize("kind", KINDS)
def test_r26_every_recipient_is_on_a_domain_of_ours(composer: JinjaComposer, kind: str) -> None:
    for to in ("head@oakfield.example", "Head <head@OAKFIELD.example>", "head@oakfield.example, it@trust.example"):
        assert composed(composer, kind, to)["To"]
    for to in (
        "head@gmail.example",
        "head@mail.oakfield.example",
        "head@oakfield.example, it@gmail.example",
        "Head <x@oakfield.example.evil>",
    ):
        with pytest.raises(
            BadInput, match=r"^mail recipient: .* is on no domain of a school or of the trust, and mail goes to no other \(R26\)$"
        ):
            composed(composer, kind, to)
    with pytest.raises(BadInput, match="is not an e-mail address"):
        composed(composer, kind, "head@oakfield.example\r\nBcc: x@gmail.example")


def test_r26_the_service_composes_for_the_domains_of_its_settings(tmp_path: Path) -> None:
    school = {"slug": "oakfield", "name": "Oakfield", "head_email": "head@oakfield.example", "email_domains": ["Oakfield.example"]}
    trust = {"name": "T", "email": "chair@trust.example", "email_domains": ["trust.example"]}
    table = {"data_dir": tmp_path / "data", "secrets_dir": tmp_path / "secrets", "delegation": "D-1", "trust": trust, "school": [school]}
    settings = make(table | {"encoder": False}, where="a test")
    make_keys(settings.secrets_dir)
    context = build(settings)
    try:
        for to in ("head@oakfield.example", "chair@trust.example"):
            assert context.tools.composer.alert(AlertMail("k", SCHOOL, to, (LINE,)))["To"] == to
        with pytest.raises(BadInput, match="R26"):
            context.tools.composer.alert(AlertMail("k", SCHOOL, "head@gmail.example", (LINE,)))
    finally:
        context.close()

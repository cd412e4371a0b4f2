"""Every kind of mail through a real mail server (Postfix) and out of a real mailbox (Dovecot): nothing is changed, lost or doubled."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme
from mail_doors import dropping
from mail_kinds import KINDS, readdressed, stored
from mail_server import GONE, HEAD, LATER, SENDER, UNKNOWN, USERS, MailServer

from moderator.domain.digest import AlertMail
from moderator.domain.errors import Refused, Transient
from moderator.mail.compose import JinjaComposer

ON_THE_WAY = {"return-path", "x-original-to", "delivered-to", "received"}
"""What servers write above a message while they carry it (RFC 5321 section 4.4; Postfix)."""


def _body(raw: bytes) -> bytes:
    return raw.partition(b"\r\n\r\n")[2]


# --- every kind, both ways in ---


@pytest.mark.parametrize("way", ["required", "implicit"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mail_arrives_byte_for_byte(
    mail_server: MailServer, kinds: dict[str, Callable[[], EmailMessage]], kind: str, way: str
) -> None:
    message = stored(kinds[kind]())
    mail_server.mailer(starttls=way, port=mail_server.smtp_port if way == "required" else mail_server.smtps_port).send(message)
    (raw,) = mail_server.raw(str(message["To"]), at_least=1)
    arrived = message_from_bytes(raw, policy=policy.default)
    assert _body(raw) == _body(message.as_bytes())
    for name in message.keys():  # noqa: SIM118 - a message's own iteration repeats names
        assert [str(value) for value in arrived.get_all(name, [])] == [str(value) for value in message.get_all(name, [])]
    assert {name.lower() for name in arrived.keys()} - {name.lower() for name in message.keys()} == ON_THE_WAY  # noqa: SIM118 - as above
    assert "with ESMTPSA" in str(arrived["Received"]), "TLS and a sign-in, in the server's own words"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert bool(arrived["References"]) == (kind.startswith("alert") and kind != "alert_rehearsal")
    assert bool(arrived["List-Unsubscribe"]) == (kind in {"trust_digest", "weekly", "termly"})


def test_every_kind_is_tried(kinds: dict[str, Callable[[], EmailMessage]]) -> None:
    assert tuple(kinds) == KINDS


def test_a_days_alerts_of_a_school_stand_in_one_thread(mail_server: MailServer, composer: JinjaComposer, alert_mail: AlertMail) -> None:
    for number in (1, 2):
        mail_server.mailer().send(composer.alert(replace(alert_mail, key=f"alert-northfield-{number}")))
    first, second = mail_server.inbox(HEAD, at_least=2)
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]


# --- what the server says no to ---


def test_a_wrong_password_is_refused_and_nothing_is_sent(mail_server: MailServer, message: EmailMessage) -> None:
    with pytest.raises(Refused, match="refused the user name or password"):
        mail_server.mailer(password=USERS[HEAD]).send(message)
    mail_server.settle()
    assert mail_server.inbox(HEAD) == []


@pytest.mark.parametrize("way", ["required", "implicit"])
def test_a_certificate_from_another_authority_keeps_the_message_waiting(
    mail_server: MailServer, message: EmailMessage, tmp_path: Path, way: str
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    port = mail_server.smtp_port if way == "required" else mail_server.smtps_port
    with pytest.raises(Transient, match=r"certificate is not trusted \(.+\)\. Nothing was sent"):
        mail_server.mailer(ca_file=tmp_path / "other.pem", starttls=way, port=port).send(message)
    mail_server.settle()
    assert mail_server.inbox(HEAD) == []


def test_the_server_takes_nothing_without_tls_or_a_sign_in(mail_server: MailServer, message: EmailMessage) -> None:
    for given in ({"username": ""}, {"username": "", "starttls": "off"}):
        with pytest.raises(Refused, match="answer 5"):
            mail_server.mailer(**given).send(message)
    mail_server.settle()
    assert mail_server.inbox(HEAD) == []


def test_a_mailbox_that_is_not_there_is_refused_at_once(mail_server: MailServer, message: EmailMessage) -> None:
    with pytest.raises(Refused, match="answer 550"):
        mail_server.mailer().send(readdressed(message, UNKNOWN))
    mail_server.settle()
    assert mail_server.inbox(SENDER) == []


# --- what the server says later to, or says nothing ---


def test_greylisted_mail_waits_and_is_delivered_once(mail_server: MailServer, message: EmailMessage) -> None:
    with pytest.raises(Transient, match="answer 450"):
        mail_server.mailer().send(readdressed(message, LATER))
    mail_server.mailer().send(message)
    mail_server.settle()
    assert [found["Message-ID"] for found in mail_server.inbox(LATER, at_least=1)] == [message["Message-ID"]]


def test_a_server_that_is_down_keeps_the_message_waiting(mail_server: MailServer, message: EmailMessage) -> None:
    mail_server.down()
    try:
        with pytest.raises(Transient, match="ConnectionRefusedError"):
            mail_server.mailer().send(message)
    finally:
        mail_server.up()
    mail_server.mailer().send(message)
    assert len(mail_server.inbox(HEAD, at_least=1)) == 1


@pytest.fixture
def cut_line(mail_server: MailServer) -> Iterator[int]:
    with dropping(mail_server.smtps_port, authority=mail_server.authority, ca_file=mail_server.ca_file) as port:
        yield port


def test_a_line_dropped_after_the_server_took_it_makes_one_recognisable_repeat(
    mail_server: MailServer, message: EmailMessage, cut_line: int
) -> None:
    with pytest.raises(Transient, match="SMTPServerDisconnected"):
        mail_server.mailer(starttls="implicit", port=cut_line).send(message)
    assert len(mail_server.raw(HEAD, at_least=1)) == 1, "the server had taken it"
    mail_server.mailer(starttls="implicit", port=mail_server.smtps_port).send(message)
    first, second = mail_server.raw(HEAD, at_least=2)
    assert _body(first) == _body(second)
    assert {message_from_bytes(raw, policy=policy.default)["Message-ID"] for raw in (first, second)} == {message["Message-ID"]}


# --- what comes back ---


def test_what_cannot_be_delivered_comes_back_with_our_message_id(mail_server: MailServer, message: EmailMessage) -> None:
    mail_server.mailer().send(readdressed(message, GONE))
    (report,) = mail_server.inbox(SENDER, at_least=1)
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    _, status, original = report.iter_parts()
    told = [part["Status"] for part in status.iter_parts() if part["Status"]]
    assert told == ["5.1.1"]
    (inner,) = original.iter_parts()
    assert inner["Message-ID"] == message["Message-ID"]


def test_doctor_can_ask_the_server_whether_it_lets_us_in(mail_server: MailServer) -> None:
    assert mail_server.mailer().check().startswith(f"127.0.0.1:{mail_server.smtp_port} answers, TLS required, signed in")

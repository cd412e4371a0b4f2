"""The way back and the proof of who wrote: real reports, tokens instead of passwords, signatures, and the service's own steps."""

import subprocess
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme
from certificates import Authority, new_key, pem_of
from mail_kinds import readdressed, stored
from mail_server import GONE, HEAD, OAKFIELD, OAKFIELD_HEAD, SENDER, USERS, MailServer
from stage import Stage, comment

from moderator.build import mailing
from moderator.domain.errors import Refused, Transient
from moderator.mail.imap import ImapMailbox
from moderator.mail.oauth import Access, Grant, TokenSource
from moderator.mail.smime import SigningMailer, identity
from moderator.ports import Bounce
from moderator.settings import load
from moderator.steps.bounce import bounce
from moderator.steps.drain import Tools
from moderator.steps.send import LEASE, send
from moderator.store.database import SqlUnit
from moderator.store.outbox import OUTBOX

# --- a token instead of a password ---


def _tokens(mail_server: MailServer, user: str = SENDER) -> TokenSource:
    return TokenSource(Access(Grant.CLIENT_CREDENTIALS, mail_server.tokens.token_url, client_id=user, secret=mail_server.tokens.SECRET))


def test_xoauth2_lets_us_in_to_send_and_to_read(mail_server: MailServer, message: EmailMessage) -> None:
    tokens = _tokens(mail_server)
    mail_server.mailer(tokens=tokens, password="").send(message)
    mail_server.mailer(tokens=tokens, password="", starttls="implicit", port=mail_server.smtps_port).send(message)
    assert len(mail_server.inbox(HEAD, at_least=2)) == 2
    assert "sasl_method=XOAUTH2, sasl_username=moderator@trust.example" in mail_server.log()
    assert list(_mailbox(mail_server, tokens=tokens).bounces()) == []
    assert "signed in by XOAUTH2" in _mailbox(mail_server, tokens=tokens).check()


def test_xoauth2_a_token_that_ran_out_early_is_asked_for_anew(mail_server: MailServer, message: EmailMessage) -> None:
    tokens = _tokens(mail_server)
    mail_server.mailer(tokens=tokens).send(message)
    mail_server.tokens.withdraw()
    given = mail_server.tokens.given
    mail_server.mailer(tokens=tokens).send(message)
    assert mail_server.tokens.given == given + 1
    mail_server.tokens.withdraw()
    assert list(_mailbox(mail_server, tokens=tokens).bounces()) == []
    assert mail_server.tokens.given == given + 2
    assert len(mail_server.inbox(HEAD, at_least=2)) == 2


def test_xoauth2_a_token_for_another_mailbox_is_refused(mail_server: MailServer, message: EmailMessage) -> None:
    tokens = _tokens(mail_server, HEAD)
    with pytest.raises(Refused, match="refused the user name or token"):
        mail_server.mailer(tokens=tokens).send(message)
    with pytest.raises(Refused, match="refused the user name or token"):
        list(_mailbox(mail_server, tokens=tokens).bounces())
    mail_server.settle()
    assert mail_server.inbox(HEAD) == []


# --- undelivered mail read from the mailbox ---


def _mailbox(mail_server: MailServer, **given: Any) -> ImapMailbox:
    settings: dict[str, Any] = {"username": SENDER, "password": USERS[SENDER], "ca_file": mail_server.ca_file} | given
    return ImapMailbox(host="127.0.0.1", port=mail_server.imap_port, **settings)


def test_a_real_report_is_read_once_and_other_mail_is_left_alone(mail_server: MailServer, message: EmailMessage) -> None:
    mailbox = _mailbox(mail_server)
    mail_server.mailer().send(readdressed(message, SENDER))  # something a person sent to the same mailbox
    mail_server.inbox(SENDER, at_least=1)
    mail_server.mailer().send(readdressed(message, GONE))
    mail_server.inbox(SENDER, at_least=2)
    (found,) = mailbox.bounces()
    assert found == Bounce(str(message["Message-ID"]).strip("<>"), GONE, "5.1.1", lasting=True)
    assert list(mailbox.bounces()) == []
    assert list(_mailbox(mail_server).bounces()) == [], "seen, as the next process finds it"
    with mail_server.line() as line:
        line.login(SENDER, USERS[SENDER])
        line.select("INBOX", readonly=True)
        assert line.search(None, "UNSEEN")[1] == [b"1"]


def test_a_report_that_was_not_noted_comes_again(mail_server: MailServer, message: EmailMessage) -> None:
    mail_server.mailer().send(readdressed(message, GONE))
    mail_server.inbox(SENDER, at_least=1)
    first = _mailbox(mail_server).bounces()
    found = next(first)
    assert isinstance(first, Generator)
    first.close()  # the process died here
    assert list(_mailbox(mail_server).bounces()) == [found]


def test_the_mailbox_says_what_is_wrong(mail_server: MailServer, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    for given, error, words in (
        ({"password": USERS[HEAD]}, Refused, "refused the user name or password"),
        ({"folder": "No such"}, Refused, "folder cannot be opened"),
        ({"ca_file": tmp_path / "other.pem"}, Transient, "certificate is not trusted"),
    ):
        with pytest.raises(error, match=words):
            list(_mailbox(mail_server, **given).bounces())


# --- a signature ---


def test_an_smime_signature_holds_when_it_arrives(
    mail_server: MailServer, kinds: dict[str, Callable[[], EmailMessage]], tmp_path: Path
) -> None:
    root, key = Authority.new(), new_key()
    between = root.below()
    signing = identity(pem_of(key), between.gives(key) + between.pem, sender=SENDER)
    (tmp_path / "root.pem").write_text(root.pem)
    for kind in ("digest_full", "alert_batch"):
        message, file = stored(kinds[kind]()), tmp_path / f"{kind}.eml"
        SigningMailer(mail_server.mailer(), signing).send(message)
        file.write_bytes(mail_server.raw(str(message["To"]), at_least=1)[0])
        mail_server.empty()
        arrived = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert arrived.get_content_type() == "multipart/signed"
        for name in ("Message-ID", "Subject", "To", "Auto-Submitted", "References"):
            assert str(arrived[name]).strip() == str(message[name]).strip()  # a long subject is folded anew
        command = ["openssl", "cms", "-verify", "-in", str(file), "-CAfile", str(tmp_path / "root.pem"), "-out", str(tmp_path / "inside")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        inside = message_from_bytes((tmp_path / "inside").read_bytes(), policy=policy.default)
        for part in ("plain", "html"):
            ours, theirs = (each.get_body((part,)) for each in (message, inside))
            assert ours is not None
            assert theirs is not None
            assert theirs.get_content().replace("\r\n", "\n") == ours.get_content().replace("\r\n", "\n")
        # a word changed on the way is found out
        file.write_bytes(file.read_bytes().replace(b"Northfield", b"Northfeild"))
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0


# --- as the settings file alone brings it about ---

_FILE = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
[trust]
name = "Northfield Trust"
[[school]]
slug = "northfield"
name = "Northfield Primary School"
urn = "100001"
head_email = "head@northfield.example"
email_domains = ["northfield.example", "trust.example"]
[x]
client_id = "abc"
[mail]
host = "127.0.0.1"
port = {smtps}
starttls = "implicit"
username = "moderator@trust.example"
sender = "moderator@trust.example"
ca_file = "{ca_file}"
smime = true
[mail.bounces]
host = "127.0.0.1"
port = {imap}
ca_file = "{ca_file}"
"""


def test_the_settings_file_alone_brings_mail_there_and_back(mail_server: MailServer, message: EmailMessage, tmp_path: Path) -> None:
    key = new_key()
    (tmp_path / "secrets").mkdir(mode=0o700)
    for name, value in {
        "smtp-password": USERS[SENDER],
        "imap-password": USERS[SENDER],
        "smime-key": pem_of(key),
        "smime-cert": Authority.new().gives(key),
    }.items():
        (tmp_path / "secrets" / name).write_text(value)
        (tmp_path / "secrets" / name).chmod(0o600)
    file = tmp_path / "moderator.toml"
    file.write_text(_FILE.format(smtps=mail_server.smtps_port, imap=mail_server.imap_port, ca_file=mail_server.ca_file))
    settings = load(file)
    mailing.mailer(settings).send(message)
    mailing.mailer(settings).send(readdressed(message, GONE))
    (arrived,) = mail_server.inbox(HEAD, at_least=1)
    assert arrived.get_content_type() == "multipart/signed"
    mail_server.inbox(SENDER, at_least=1)
    assert [found.recipient for found in mailing.mailbox(settings).bounces()] == [GONE]


# --- the service's own steps, with the real server at the other end ---


@pytest.fixture
def tools(stage: Stage, mail_server: MailServer) -> Tools:
    """Return the stage's tools, which send by this server and read its mailbox; one serious comment was seen and is to be told."""
    stage.platform.comments.append(comment(12, "I will hurt you"))
    stage.run("poll", "score", "decide", "alert")
    password = USERS[OAKFIELD]
    mailbox = _mailbox(mail_server, username=OAKFIELD, password=password)
    return replace(stage.tools, mailer=mail_server.mailer(username=OAKFIELD, password=password), mailbox=mailbox)


def test_a_crash_after_the_server_took_it_makes_one_recognisable_repeat(
    stage: Stage, tools: Tools, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(SqlUnit, "mail_sent", killed)
        with pytest.raises(KilledError):
            send(tools)
    (first,) = mail_server.inbox(OAKFIELD_HEAD, at_least=1)
    assert send(tools) == 0, "its lease has not run out"
    stage.clock.move(LEASE + timedelta(minutes=1))
    assert [send(tools), send(tools)] == [1, 0]
    mail_server.settle()
    again = mail_server.inbox(OAKFIELD_HEAD, at_least=2)
    assert [found["Message-ID"] for found in again] == [first["Message-ID"]] * 2
    assert again[0].get_body(("plain",)).get_content() == again[1].get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has


def test_a_day_with_smtp_down_loses_nothing_and_doubles_nothing(stage: Stage, tools: Tools, mail_server: MailServer) -> None:
    mail_server.down()
    try:
        for _ in range(24):
            send(tools)
            stage.clock.move(timedelta(hours=1))
    finally:
        mail_server.up()
    assert send(tools) >= 1
    while send(tools):
        pass
    mail_server.settle()
    arrived = mail_server.inbox(OAKFIELD_HEAD, at_least=1)
    with stage.database.reading() as connection:
        told = set(connection.execute(sa.select(OUTBOX.c.message_id).where(OUTBOX.c.sent_at.is_not(None))).scalars())
    assert sorted(str(found["Message-ID"]).strip("<>") for found in arrived) == sorted(told)


def test_a_real_bounce_is_noted_and_told(stage: Stage, tools: Tools, mail_server: MailServer) -> None:
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(OUTBOX).values(message=_for_nobody(unit.connection)))
    assert send(tools) == 1
    mail_server.inbox(OAKFIELD, at_least=1)
    assert bounce(tools) == 1
    assert bounce(tools) == 0
    with stage.database.reading() as connection:
        at, told = connection.execute(sa.select(OUTBOX.c.bounced_at, OUTBOX.c.bounce)).one()
    assert at is not None
    assert "5.1.1" in told
    assert "bounced" in stage.ledger_events()


def _for_nobody(connection: sa.Connection) -> bytes:
    """Return the message that waits, for a mailbox that is not there, as when somebody has left the school."""
    waiting = connection.execute(sa.select(OUTBOX.c.message)).scalar_one()
    return readdressed(message_from_bytes(waiting, _class=EmailMessage, policy=policy.SMTP), GONE).as_bytes()

"""Both mailers against one contract, and SMTP against a real server on loopback in every mood a server can have."""

import asyncio
import base64
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from token_endpoint import Endpoint, endpoint

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.mail.oauth import Access, Grant, TokenSource
from moderator.mail.outbox import FolderMailer, file_name
from moderator.mail.smtp import SmtpMailer
from moderator.ports import Mailer

USER, PASSWORD = "moderator", "correct horse battery"


@pytest.fixture
def message() -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = "moderator@trust.example"
    made["To"] = "head@northfield.example"
    made["Subject"] = "5 comments need you: caf\u00e9"
    made["Message-ID"] = "<digest-northfield-2026-11-22.0011223344556677@trust.example>"
    made.set_content("Zażółć.\n.\nA line with one dot above.\n", cte="quoted-printable")
    made.add_alternative("<p>Zażółć.</p>", subtype="html", cte="quoted-printable")
    return made


@dataclass
class Answers:
    """What the server says at each turn; an empty text means: take it."""

    mail: str = ""
    rcpt: str = ""
    data: str = ""
    drop_after_data: bool = False
    login: str = ""
    token: str = "token-1"  # noqa: S105 - of a test
    garbled: bool = False


class Letterbox:
    """Keeps what arrives, and how it came."""

    def __init__(self, answers: Answers) -> None:
        """Start empty."""
        self.answers = answers
        self.messages: list[EmailMessage] = []
        self.signed_in: list[bytes] = []
        self.shown: list[str] = []
        self.protected: list[bool] = []

    async def handle_MAIL(self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name and shape
        """Answer MAIL FROM."""
        del server
        if self.answers.mail:
            return self.answers.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name and shape
        """Answer RCPT TO."""
        del server
        if self.answers.rcpt:
            return self.answers.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Answer DATA."""
        if self.answers.data:
            return self.answers.data
        assert isinstance(envelope.content, bytes)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.protected.append(session.ssl is not None)
        if self.answers.drop_after_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        """Let in whoever shows the token; explain a no first, as Google's and Microsoft's servers do."""
        shown = base64.b64decode(args[1]).decode()
        self.shown.append(shown)
        if shown == f"user={USER}\x01auth=Bearer {self.answers.token}\x01\x01":
            return AuthResult(success=True, auth_data=LoginPassword(USER.encode(), b""))
        if self.answers.garbled:
            await server.push("334 this is not base64!!")
            return AuthResult(success=False, handled=True)
        assert await server.challenge_auth('{"status":"401"}') == b""
        return AuthResult(success=False, handled=False)

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        """Let one user in."""
        if self.answers.login:
            return AuthResult(success=False, handled=False, message=self.answers.login)
        if isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode()):
            self.signed_in.append(data.login)
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)


@dataclass
class Server:
    """A running server and how to reach it."""

    port: int
    box: Letterbox
    ca_file: Path

    def mailer(self, **given: Any) -> SmtpMailer:
        """Return a mailer for this server."""
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "username": USER,
            "password": PASSWORD,
            "timeout": 60.0,
            "ca_file": self.ca_file,
        }
        return SmtpMailer(**(settings | given))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve(authority: trustme.CA, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    with ExitStack() as running:

        def start(answers: Answers | None = None, *, certificate: trustme.LeafCert | None = None, **given: Any) -> Server:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            (certificate or authority.issue_cert("127.0.0.1", "localhost")).configure_cert(context)
            box = Letterbox(answers or Answers())
            settings: dict[str, Any] = {"tls_context": context, "authenticator": box.authenticate, "auth_require_tls": True} | given
            controller = Controller(box, hostname="127.0.0.1", port=_free_port(), **settings)
            controller.start()
            running.callback(controller.stop)
            return Server(controller.port, box, ca_file)

        yield start


@contextmanager
def scripted(*says: bytes, then_close: bool = False) -> Iterator[int]:
    """Accept lines and say these answers, one a turn; then fall silent, or close."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def talk() -> None:
        line, _ = listener.accept()
        with line:
            for turn, answer in enumerate(says):
                if turn:
                    line.recv(4096)
                line.sendall(answer)
            if not then_close:
                done.wait(10)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join()
        listener.close()


# --- the contract of every Mailer ---


@pytest.fixture(params=["smtp", "folder"])
def mailer(request: pytest.FixtureRequest, serve: Callable[..., Server], tmp_path: Path) -> tuple[Mailer, Callable[[], list[EmailMessage]]]:
    if request.param == "smtp":
        server = serve()
        return server.mailer(), lambda: server.box.messages
    folder = tmp_path / "outbox"
    return FolderMailer(folder), lambda: [message_from_bytes(p.read_bytes(), policy=policy.default) for p in sorted(folder.glob("*.eml"))]


type_of_mailer = tuple[Mailer, Callable[[], list[EmailMessage]]]


def test_contract_what_is_sent_arrives_whole(mailer: type_of_mailer, message: EmailMessage) -> None:
    sender, arrived = mailer
    sender.send(message)
    (found,) = arrived()
    assert str(found["Message-ID"]).strip() == str(message["Message-ID"])
    assert found["Subject"] == "5 comments need you: caf\u00e9"
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "Zażółć.\n.\nA line with one dot above.\n"


def test_contract_a_stored_message_read_back_is_sent_the_same(mailer: type_of_mailer, message: EmailMessage) -> None:
    sender, arrived = mailer
    sender.send(message_from_bytes(message.as_bytes(), policy=policy.default))
    (found,) = arrived()
    assert found["Subject"] == message["Subject"]


def test_contract_a_repeat_is_told_apart_by_its_id(mailer: type_of_mailer, message: EmailMessage) -> None:
    sender, arrived = mailer
    sender.send(message)
    sender.send(message)
    assert {str(found["Message-ID"]).strip() for found in arrived()} == {str(message["Message-ID"])}


@pytest.mark.parametrize("name", ["Message-ID", "From", "To"])
def test_contract_a_message_without_an_id_sender_or_recipient_is_refused(mailer: type_of_mailer, message: EmailMessage, name: str) -> None:
    sender, arrived = mailer
    del message[name]
    with pytest.raises(Refused, match="cannot be sent"):
        sender.send(message)
    assert arrived() == []


@pytest.mark.parametrize("name", ["To", "Cc", "Bcc"])
def test_contract_a_message_for_two_is_refused_so_that_no_half_is_ever_sent_again(
    mailer: type_of_mailer, message: EmailMessage, name: str
) -> None:
    sender, arrived = mailer
    if name == "To":
        message.replace_header("To", "head@northfield.example, deputy@northfield.example")
    else:
        message[name] = "deputy@northfield.example"
    with pytest.raises(Refused, match="several recipients"):
        sender.send(message)
    assert arrived() == []


# --- the folder ---


def test_a_repeat_makes_no_second_file_and_leaves_no_parts(tmp_path: Path, message: EmailMessage) -> None:
    folder = tmp_path / "a" / "outbox"
    FolderMailer(folder).send(message)
    FolderMailer(folder).send(message)
    (only,) = folder.iterdir()
    assert only.name.startswith("digest-northfield-2026-11-22-0011223344556677-trust-example-")
    assert only.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_file_name_never_leaves_the_folder_and_two_ids_never_share_one() -> None:
    names = [file_name(found) for found in ("../../etc/passwd", "..", "a/b@c", "a-b@c", "\x00", "x" * 500, "\ud800")]
    assert len(set(names)) == len(names)
    assert all("/" not in name and not name.startswith(".") and len(name) < 120 for name in names)


def test_a_full_disk_keeps_the_message_waiting_and_leaves_nothing_half_written(
    tmp_path: Path, message: EmailMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient, match=r"No space left on device.*nothing is lost"):
        FolderMailer(tmp_path).send(message)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_keeps_the_message_waiting(tmp_path: Path, message: EmailMessage) -> None:
    (tmp_path / "outbox").write_text("a file, not a folder")
    with pytest.raises(Transient, match="cannot be written"):
        FolderMailer(tmp_path / "outbox").send(message)


# --- SMTP ---


def test_smtp_turns_tls_on_and_signs_in_before_anything_is_sent(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(auth_required=True)
    server.mailer().send(message)
    assert server.box.protected == [True]
    assert server.box.signed_in == [USER.encode()]


def test_smtp_with_tls_from_the_first_byte(serve: Callable[..., Server], authority: trustme.CA, message: EmailMessage) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(ssl_context=context, tls_context=None, auth_require_tls=False)
    server.mailer(starttls="implicit").send(message)
    assert len(server.box.messages) == 1


def test_smtp_in_clear_only_to_a_relay_on_this_machine(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(tls_context=None, auth_require_tls=False)
    server.mailer(starttls="off", username="", password="").send(message)
    assert server.box.protected == [False]
    for host, username in (("mail.school.example", ""), ("localhost", USER), ("192.0.2.1", "")):
        with pytest.raises(BadInput, match="starttls = 'off'"):
            SmtpMailer(host=host, port=25, username=username, starttls="off")
    SmtpMailer(host="localhost", port=25, starttls="off")


@pytest.mark.parametrize(
    ("code", "error"), [("421 busy", Transient), ("451 later", Transient), ("550 no", Refused), ("554 never", Refused)]
)
@pytest.mark.parametrize("turn", ["mail", "rcpt", "data"])
def test_smtp_4xx_waits_and_5xx_is_for_good(
    serve: Callable[..., Server], message: EmailMessage, turn: str, code: str, error: type[Exception]
) -> None:
    answers = Answers()
    setattr(answers, turn, code)
    server = serve(answers)
    with pytest.raises(error, match=code[:3]):
        server.mailer().send(message)
    assert server.box.messages == []


@pytest.mark.parametrize(("code", "error"), [("550 no such head@northfield.example", Refused), ("450 head@northfield.example", Transient)])
def test_smtp_a_refused_recipient_is_told_without_the_address(
    serve: Callable[..., Server], message: EmailMessage, code: str, error: type[Exception]
) -> None:
    server = serve(Answers(rcpt=code))
    with pytest.raises(error) as told:
        server.mailer().send(message)
    assert "head@" not in str(told.value)
    assert server.box.messages == []


def test_smtp_a_wrong_password_is_refused_in_clear_words(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(auth_required=True)
    wrong = "wrong-secret-word"
    with pytest.raises(Refused, match="refused the user name or password") as told:
        server.mailer(password=wrong).send(message)
    assert wrong not in f"{told.value!r} {told.value}"
    assert server.box.messages == []


def test_smtp_a_sign_in_that_fails_for_now_is_tried_again(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(Answers(login="454 4.7.0 try later"))
    with pytest.raises(Transient, match="454"):
        server.mailer().send(message)


def test_smtp_without_starttls_nothing_is_sent_in_clear(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(tls_context=None, auth_require_tls=False)
    with pytest.raises(Refused, match="cannot do what the settings ask"):
        server.mailer().send(message)
    assert server.box.signed_in == []
    assert server.box.messages == []


def test_smtp_without_a_sign_in_method_in_common_is_refused(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(auth_exclude_mechanism=["LOGIN", "PLAIN"])
    with pytest.raises(Refused, match="cannot do what the settings ask"):
        server.mailer().send(message)


def test_smtp_signed_out_when_there_is_no_user(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve()
    server.mailer(username="", password="").send(message)
    assert server.box.signed_in == []
    assert len(server.box.messages) == 1


# --- by a token instead of a password ---


@pytest.fixture(scope="module")
def desk() -> Iterator[Endpoint]:
    with endpoint() as here:
        yield here


def source(here: Endpoint) -> TokenSource:
    return TokenSource(Access(Grant.CLIENT_CREDENTIALS, here.url, "app-1", secret="client-secret"))  # noqa: S106 - of a test


def test_smtp_a_token_signs_in_and_is_asked_for_once(serve: Callable[..., Server], desk: Endpoint, message: EmailMessage) -> None:
    server, tokens = serve(auth_required=True), source(desk.gives("token-1"))
    mailer = server.mailer(password="", tokens=tokens)
    mailer.send(message)
    mailer.send(message)
    assert len(server.box.messages) == 2
    assert len(desk.asked) == 1
    assert ", signed in by XOAUTH2, " in mailer.check()


def test_smtp_a_token_that_has_run_out_is_asked_for_anew(serve: Callable[..., Server], desk: Endpoint, message: EmailMessage) -> None:
    tokens = source(desk.gives("token-old"))
    assert tokens.token() == "token-old"
    desk.gives("token-1")
    server = serve(auth_required=True)
    server.mailer(tokens=tokens).send(message)
    assert len(server.box.messages) == 1
    assert [shown.count("token-old") for shown in server.box.shown] == [1, 0]


@pytest.mark.parametrize("garbled", [False, True])
def test_smtp_a_token_that_is_not_taken_is_asked_for_anew_once(
    serve: Callable[..., Server], desk: Endpoint, message: EmailMessage, *, garbled: bool
) -> None:
    server = serve(Answers(garbled=garbled), auth_required=True)
    desk.gives("token-wrong")
    with pytest.raises(Transient if garbled else Refused) as told:
        server.mailer(tokens=source(desk)).send(message)
    assert len(desk.asked) == (1 if garbled else 2)
    assert "token-wrong" not in f"{told.value!r}"
    assert garbled or "refused the user name or token (535). Nothing was sent. Check that the app may send" in str(told.value)
    assert server.box.messages == []


def test_smtp_a_token_that_cannot_be_had_sends_nothing(serve: Callable[..., Server], desk: Endpoint, message: EmailMessage) -> None:
    server = serve(auth_required=True)
    for answer, error in (((400, {"error": "invalid_client"}), Refused), ((503, b""), Transient)):
        desk.says(answer)
        with pytest.raises(error):
            server.mailer(tokens=source(desk)).send(message)
    assert server.box.messages == []


def test_smtp_a_server_without_xoauth2_is_refused(serve: Callable[..., Server], desk: Endpoint, message: EmailMessage) -> None:
    server = serve(auth_exclude_mechanism=["XOAUTH2"])
    with pytest.raises(Refused, match="cannot do what the settings ask"):
        server.mailer(tokens=source(desk.gives("token-1"))).send(message)
    assert server.box.messages == []


@pytest.mark.parametrize("wrong", ["other_authority", "other_host", "expired"])
def test_smtp_a_wrong_certificate_sends_nothing_and_says_so(
    serve: Callable[..., Server], authority: trustme.CA, message: EmailMessage, wrong: str
) -> None:
    certificates = {
        "other_authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "other_host": lambda: authority.issue_cert("elsewhere.example"),
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)),
    }
    server = serve(certificate=certificates[wrong]())
    with pytest.raises(Transient, match=r"certificate is not trusted \(.+\)\. Nothing was sent"):
        server.mailer().send(message)
    assert server.box.signed_in == []
    assert server.box.messages == []


def test_smtp_check_signs_in_and_sends_nothing(serve: Callable[..., Server]) -> None:
    server = serve()
    assert server.mailer().check() == f"127.0.0.1:{server.port} answers, TLS required, signed in, its certificate lasts until 3000-01-01"
    assert "without a password" in server.mailer(username="").check()
    assert server.box.signed_in == [USER.encode()]
    assert server.box.messages == []
    with pytest.raises(Refused, match="user name or password"):
        server.mailer(password="").check()
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        server.mailer(port=_free_port()).check()


def test_smtp_nobody_listening_keeps_the_message_waiting(message: EmailMessage, tmp_path: Path) -> None:
    del tmp_path
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        SmtpMailer(host="127.0.0.1", port=_free_port(), timeout=1).send(message)


@pytest.mark.parametrize("says", [(), (b"220 hello\r\n",), (b"220 hello\r\n", b"250-me\r\n250 STARTTLS\r\n")])
def test_smtp_a_server_that_hangs_is_left_after_the_timeout(message: EmailMessage, says: tuple[bytes, ...]) -> None:
    with scripted(*says) as port, pytest.raises(Transient):
        SmtpMailer(host="127.0.0.1", port=port, timeout=0.3).send(message)


def test_smtp_a_server_that_hangs_up_at_once_keeps_the_message_waiting(message: EmailMessage) -> None:
    with scripted(then_close=True) as port, pytest.raises(Transient):
        SmtpMailer(host="127.0.0.1", port=port, timeout=1).send(message)


def test_smtp_a_line_dropped_after_data_is_sent_again_under_the_same_id(serve: Callable[..., Server], message: EmailMessage) -> None:
    server = serve(Answers(drop_after_data=True))
    with pytest.raises(Transient, match="SMTPServerDisconnected"):
        server.mailer().send(message)
    server.box.answers = Answers()
    server.mailer().send(message)
    assert len({str(found["Message-ID"]) for found in server.box.messages}) == 1
    assert len(server.box.messages) == 2


def test_smtp_a_hang_at_the_good_bye_does_not_undo_the_delivery(message: EmailMessage) -> None:
    # greeting, EHLO, MAIL, RCPT, DATA, the message; QUIT is never answered
    turns = (b"220 hello\r\n", b"250 me\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go on\r\n", b"250 taken\r\n")
    with scripted(*turns) as port:
        SmtpMailer(host="127.0.0.1", port=port, timeout=0.5, starttls="off").send(message)


def test_smtp_unknown_protection_or_unreadable_certificates_are_bad_settings(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="use one of required, implicit, off"):
        SmtpMailer(host="mail.school.example", port=587, starttls="maybe")
    (tmp_path / "ca.pem").write_text("not a certificate")
    for ca_file in (tmp_path / "none.pem", tmp_path / "ca.pem"):
        with pytest.raises(BadInput, match="cannot be read as PEM certificates"):
            SmtpMailer(host="mail.school.example", port=587, ca_file=ca_file)

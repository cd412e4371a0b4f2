"""A bad mail server on loopback, and a stage whose outbox sends to it: for the tests of outages, leases and clocks."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa
import trustme
from stage import SCHOOL, Stage

from moderator.mail.headers import message_id
from moderator.mail.smtp import SmtpMailer
from moderator.ports import Mailer
from moderator.steps.drain import drain
from moderator.steps.send import send
from moderator.store.outbox import OUTBOX

A_DAY = timedelta(days=1)
WELL = "well"


@dataclass
class Server:
    """A mail server that speaks just enough SMTP, and does what its mood says; it can change at any time."""

    context: ssl.SSLContext | None = None
    mood: str = WELL
    port: int = 0
    connections: int = 0
    signed_in: int = 0
    taken: list[bytes] = field(default_factory=list)
    before_answer: Callable[[], object] | None = None
    """Called once, when a message has been taken and the answer is still to be given."""

    def talk(self, line: socket.socket) -> None:
        """Speak to one caller until the line ends."""
        self.connections += 1
        if self.mood == "busy":
            line.sendall(b"421 4.3.2 Not now\r\n")
            return
        line.sendall(b"220 hello\r\n")
        with line.makefile("rb") as file:
            if self.context is None:
                self._speak(line, file)
                return
            for answer in (self._answer(b"EHLO", b""), b"220 go\r\n"):  # to EHLO, then to STARTTLS
                file.readline()
                line.sendall(answer)
        if self.mood != "no handshake":
            with self.context.wrap_socket(line, server_side=True) as safe, safe.makefile("rb") as file:
                self._speak(safe, file)

    def _speak(self, line: socket.socket, file: BinaryIO) -> None:
        to = b""
        while command := file.readline().strip():
            word = command.upper().split(b":")[0]
            to = command if word == b"RCPT TO" else to
            if word == b"QUIT":
                if self.mood != "drops at the good-bye":
                    line.sendall(b"221 bye\r\n")
                return
            if word != b"DATA":
                line.sendall(self._answer(word, command))
            elif not self._data(line, file, to):
                return

    def _answer(self, word: bytes, command: bytes) -> bytes:
        if word.startswith(b"EHLO"):
            return b"250-me\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n" if self.context else b"250 me\r\n"
        if word.startswith(b"AUTH"):
            self.signed_in += 1
            return b"535 5.7.8 no\r\n" if self.mood == "wrong password" else b"235 yes\r\n"
        if word == b"RCPT TO" and (self.mood[:3].isdigit() or b"bad@" in command):
            return (self.mood if self.mood[:3].isdigit() else "550 5.1.1 no such mailbox").encode() + b"\r\n"
        return b"250 OK\r\n"

    def _data(self, line: socket.socket, file: BinaryIO, to: bytes) -> bool:
        """Take a message; return whether the line goes on."""
        line.sendall(b"354 go on\r\n")
        if self.mood == "drops in the message" or b"virus@" in to:
            return False
        message = b""
        while (more := file.readline()) not in {b".\r\n", b""}:
            message += more
        self.taken.append(message)
        if self.before_answer is not None:
            call, self.before_answer = self.before_answer, None
            call()
        if self.mood == "drops after taking":
            return False
        line.sendall(b"250 taken\r\n")
        return True

    def ids(self) -> list[str]:
        """Return the Message-ID of each message that was taken, in order."""
        lines = (line for message in self.taken for line in message.split(b"\r\n") if line.lower().startswith(b"message-id:"))
        return [line.partition(b":")[2].strip().decode() for line in lines]


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Let a server listen on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    callers: list[threading.Thread] = []

    def one(line: socket.socket) -> None:
        with line, suppress(OSError):
            server.talk(line)

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                callers.append(threading.Thread(target=one, args=(line,)))
                callers[-1].start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for caller in callers:
            caller.join()


def plain(server: Server) -> SmtpMailer:
    return SmtpMailer(host="127.0.0.1", port=server.port, starttls="off", timeout=20)


def with_mailer(stage: Stage, mailer: Mailer) -> Stage:
    return replace(stage, tools=replace(stage.tools, mailer=mailer))


def wait_in_outbox(stage: Stage, *keys: str, to: str = "head@oakfield.example") -> None:
    """Put messages in the outbox."""
    for key in keys:
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = "moderator@oakfield.example"
        message["To"] = to
        message["Subject"] = key
        message["Message-ID"] = message_id(key, at="oakfield.example")
        message.set_content("Nothing to report.")
        with stage.database.unit() as unit:
            unit.mail_composed(key, SCHOOL.slug, message, stage.clock.now())


def rows(stage: Stage) -> dict[str, Any]:
    with stage.database.reading() as connection:
        columns = (OUTBOX.c.key, OUTBOX.c.attempts, OUTBOX.c.sent_at, OUTBOX.c.due_at, OUTBOX.c.trouble, OUTBOX.c.lease_until)
        return {row.key: row for row in connection.execute(sa.select(*columns))}


def live(stage: Stage, time: timedelta) -> None:
    """Let time pass, and send whenever something is due or, under a lease of somebody else, may be free again."""
    end = stage.clock.now() + time
    while (now := stage.clock.now()) < end:
        due = stage.database.next_due() or end
        stage.clock.move(min(max(due, now), end) - now)
        if drain(send, stage.tools, limit=10, deadline=end + A_DAY) == 0:
            stage.clock.move(timedelta(minutes=1))
    drain(send, stage.tools, limit=10, deadline=end + A_DAY)


def over_tls(folder: Path) -> tuple[Server, Callable[[int], SmtpMailer]]:
    """Return a server with a certificate, and what makes a mailer that trusts it and signs in."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def mailer(port: int) -> SmtpMailer:
        return SmtpMailer(host="127.0.0.1", port=port, username="moderator", password="a b c", ca_file=folder / "ca.pem")  # noqa: S106 - the test server's

    return Server(context), mailer


def at(stage: Stage, moment: datetime) -> None:
    stage.clock.move(moment - stage.clock.now())

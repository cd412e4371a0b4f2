"""A real mail server on loopback: Postfix takes mail after TLS and sign-in, Dovecot serves it by IMAP. Called by the tests of mail.

Nothing of the machine's own mail set-up is read or written: settings, queue, mailboxes, certificates and ports are this run's.

    submission (STARTTLS) or submissions (TLS at once) ─> queue ─> mailbox in a folder ─> Dovecot (IMAP over TLS)
                                                            └────> another server, which does not know the mailbox ─> a report comes back
"""

import grp
import imaplib
import os
import pwd
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from mail_doors import GreyList, TokenDesk, grey_list, token_desk
from mail_settings import DOVECOT, MAIN, MASTER, OAUTH2

from moderator.mail.smtp import SmtpMailer

SENDER = "moderator@trust.example"
HEAD = "head@northfield.example"
DEPUTY = "deputy@northfield.example"
WITNESS = "witness@trust.example"
LATER = "later@northfield.example"
"""Answered with a 450 the first time a message for it is offered, as a server that greylists does."""
UNKNOWN = "nobody@northfield.example"
"""No such mailbox, and the server says so at once: 550 5.1.1."""
GONE = "gone@ashford.example"
"""No such mailbox either, but the server takes the message first; the report comes back to the sender afterwards."""

OAKFIELD, OAKFIELD_HEAD = "moderator@oakfield.example", "head@oakfield.example"
"""The sender and the Headteacher of `stage`."""

_EVERYBODY = (SENDER, HEAD, DEPUTY, WITNESS, LATER, OAKFIELD, OAKFIELD_HEAD)
USERS = {name: f"kettle-otter-{number}" for number, name in enumerate(_EVERYBODY)}
PATIENCE = 15.0
SHORT = Path("/tmp")  # noqa: S108 - a socket's whole path may have 107 letters, and the servers' own users must be let through
_OWNER = "nobody"
_PORTS = range(61_000, 65_500)
"""Above what the kernel hands out, so that nobody takes a port while the server is down."""


class MailServer:
    """The running pair. `users` holds each mailbox's password; `tokens` says who holds which access token."""

    def __init__(self, folder: Path, *, grey: GreyList, desk: TokenDesk) -> None:
        """Write every setting of both into the folder and start neither."""
        self.folder, self.grey, self.tokens = folder, grey, desk
        self.users = dict(USERS)
        self.smtp_port, self.smtps_port, self.imap_port, self._elsewhere = _free_ports(4)
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self._postfix: subprocess.Popen[bytes] | None = None
        self._dovecot: subprocess.Popen[bytes] | None = None
        self._write()

    def up(self) -> None:
        """Start what does not run, and return when it answers. May be repeated."""
        if self._dovecot is None:
            self._dovecot = self._start([_program("DOVECOT_BIN", "/usr/sbin", "dovecot"), "-F", "-c", str(self.folder / "dovecot.conf")])
            self._await(self.imap_port, self._dovecot, log="dovecot.log")
        if self._postfix is None:
            # -d keeps it in the foreground, where we can end it
            self._postfix = self._start(
                [_program("POSTFIX_BIN", "/usr/lib/postfix/sbin", "master"), "-c", str(self.folder / "postfix"), "-d"]
            )
            for port in (self.smtp_port, self.smtps_port, self._elsewhere):
                self._await(port, self._postfix, log="postfix.log")

    def down(self) -> None:
        """Stop taking mail; what was taken stays in its mailboxes and can be read. May be repeated."""
        if self._postfix is not None:
            self._postfix.terminate()
            self._postfix.wait(timeout=PATIENCE)
            self._postfix = None
            for port in (self.smtp_port, self.smtps_port):  # its children hold them a moment longer
                _await_nobody(port)

    def stop(self) -> None:
        """Stop both for good. May be repeated."""
        self.down()
        if self._dovecot is not None:
            os.killpg(self._dovecot.pid, signal.SIGKILL)  # asked kindly, it takes a second
            self._dovecot.wait(timeout=PATIENCE)
            self._dovecot = None

    def raw(self, user: str, *, at_least: int = 0) -> list[bytes]:
        """Return every message of a user's inbox as it lies there, the oldest first, read by IMAP over TLS.

        Waits until there are `at_least` so many, and fails the test when they do not come.
        """
        end = time.monotonic() + PATIENCE
        with self.line() as line:
            line.login(user, self.users[user])
            while True:
                line.select("INBOX", readonly=True)
                _, found = line.search(None, "ALL")
                numbers = found[0].split()
                if len(numbers) >= at_least:
                    return [_fetched(line, number.decode()) for number in numbers]
                assert time.monotonic() < end, f"{len(numbers)} of {at_least} messages came to {user}; {self.log()}"
                time.sleep(0.03)

    def inbox(self, user: str, *, at_least: int = 0) -> list[EmailMessage]:
        """Return every message of a user's inbox, the oldest first; see `raw`."""
        return [message_from_bytes(each, policy=policy.default) for each in self.raw(user, at_least=at_least)]

    def mailer(self, **given: Any) -> SmtpMailer:
        """Return a mailer that sends as `SENDER` over STARTTLS; any of its settings can be given."""
        settings: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.smtp_port,
            "username": SENDER,
            "password": self.users[SENDER],
            "timeout": PATIENCE,
            "ca_file": self.ca_file,
        }
        return SmtpMailer(**(settings | given))

    def line(self) -> imaplib.IMAP4_SSL:
        """Return a line to Dovecot, its certificate checked, nobody signed in."""
        return imaplib.IMAP4_SSL("127.0.0.1", self.imap_port, ssl_context=ssl.create_default_context(cafile=self.ca_file), timeout=PATIENCE)

    def empty(self) -> None:
        """Throw away what lies in every mailbox, and forget whom the greylist met; for the start of a test, when nothing is on its way."""
        self.settle()
        self.grey.forget()
        for box in ("new", "cur"):
            for message in (self.folder / "homes").glob(f"*/{box}/*"):
                message.unlink()

    def settle(self) -> None:
        """Return once Postfix holds nothing that it could still deliver."""
        end = time.monotonic() + PATIENCE
        while any(file.is_file() for name in ("maildrop", "incoming", "active") for file in (self.folder / "queue" / name).rglob("*")):
            assert time.monotonic() < end, f"mail stays in the queue; {self.log()}"
            time.sleep(0.02)

    def log(self) -> str:
        """Return the last of what both servers say."""
        logs = (self.folder / name for name in ("postfix.log", "dovecot.log"))
        return "\n".join(line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()[-20:])

    def _start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        # It ends with us, however we end; and it reads no settings of this shell.
        ended = [shutil.which("setpriv") or "/usr/bin/setpriv", "--pdeathsig", "TERM", *command]
        return subprocess.Popen(
            ended,
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _await(self, port: int, process: "subprocess.Popen[bytes]", *, log: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
            except ConnectionRefusedError:
                said = (self.folder / log).read_text(errors="replace") if (self.folder / log).exists() else ""
                assert process.poll() is None, f"the mail server did not start: {said}"
                assert time.monotonic() < end, f"the mail server does not answer: {said}"
                time.sleep(0.02)
            else:
                return

    def _write(self) -> None:
        owner = pwd.getpwnam(_OWNER)
        given = {
            "folder": self.folder,
            "daemons": os.environ.get("POSTFIX_BIN", "/usr/lib/postfix/sbin"),
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "sender": SENDER,
            "smtp": self.smtp_port,
            "smtps": self.smtps_port,
            "imap": self.imap_port,
            "elsewhere": self._elsewhere,
            "grey_port": self.grey.port,
        }
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        (self.folder / "postfix").mkdir()
        users = list(self.users)
        for name, words in {
            "postfix/main.cf": MAIN.format(**given),
            "postfix/master.cf": MASTER.format(**given),
            "dovecot.conf": DOVECOT.format(**given),
            "oauth2.conf": OAUTH2.format(port=self.tokens.port),
            "mailboxes": "".join(f"{user} {user}/\n" for user in users),
            "senders": "".join(f"{user} {user}\n" for user in users),
            "transports": f"ashford.example smtp:[127.0.0.1]:{self._elsewhere}\n",
            "passwords": "".join(f"{user}:{password}\n" for user, password in self.users.items()),
        }.items():
            (self.folder / name).write_text(words, encoding="utf-8")
            os.utime(self.folder / name, (0, 0))  # Postfix waits for a file that may still be being written
        self.authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(self.folder / "server.pem"))
        (self.folder / "server.pem").chmod(0o600)
        self._make_folders(owner)

    def _make_folders(self, owner: pwd.struct_passwd) -> None:
        postfix, postdrop = pwd.getpwnam("postfix"), grp.getgrnam("postdrop").gr_gid
        self.folder.chmod(0o711)
        for name in ("homes", "data", "queue", "queue/pid"):
            (self.folder / name).mkdir()
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"):
            (self.folder / "queue" / name).mkdir(mode=0o700)
            os.chown(self.folder / "queue" / name, postfix.pw_uid, 0)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (self.folder / "queue" / name).mkdir()
            os.chown(self.folder / "queue" / name, postfix.pw_uid, postdrop)
            (self.folder / "queue" / name).chmod(mode)
        os.chown(self.folder / "data", postfix.pw_uid, 0)
        os.chown(self.folder / "homes", owner.pw_uid, owner.pw_gid)


@contextmanager
def running() -> Iterator[MailServer]:
    """Yield a running server; afterwards nothing of it is left. A user who is not root is told that the test is left out."""
    if os.geteuid() != 0:
        pytest.skip("Postfix can only be run by root")
    with ExitStack() as doors:
        grey, desk = doors.enter_context(grey_list(LATER)), doors.enter_context(token_desk())
        folder = Path(doors.enter_context(tempfile.TemporaryDirectory(prefix="mail-", dir=SHORT)))
        server = MailServer(folder, grey=grey, desk=desk)
        doors.callback(server.stop)
        server.up()
        yield server


def _program(variable: str, usual: str, name: str) -> str:
    program = Path(os.environ.get(variable, usual)) / name
    if not os.access(program, os.X_OK):
        pytest.fail(f"{name} is not on this machine: run `make test`, which installs it")
    return str(program)


def _await_nobody(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass
        assert time.monotonic() < end, "the mail server does not go down"
        time.sleep(0.01)


def _free_ports(number: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == number:
            break
    return found


def _fetched(line: imaplib.IMAP4_SSL, number: str) -> bytes:
    _, answer = line.fetch(number, "(BODY.PEEK[])")
    assert isinstance(answer[0], tuple)
    return answer[0][1]

"""An IMAP server over TLS on loopback, as far as a mailbox of reports needs one, with every mood a server can have.

The tests of the real pair (mail_server.py) show that a real server agrees; this one says no, lies, hangs up and holds a message of 50 MB.
"""

import base64
import re
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import trustme

USER, PASSWORD = "moderator@trust.example", "correct horse b\u00e4ttery"


@dataclass
class Folder:
    """The messages by number, which of them are seen, and what the server does. `asked` is every command without its tag."""

    messages: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    sent: int = 0
    """Bytes that went out for FETCH."""
    validity: int = 7
    capabilities: str = "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2"
    token: str = "token-1"  # noqa: S105 - of a test
    no: dict[str, str] = field(default_factory=dict)
    """A word of a command, and what is answered to it instead."""
    hang_up_at: str = ""
    silent_at: str = ""

    def commands(self, word: str) -> list[str]:
        """Return the commands with that word in it."""
        return [each for each in self.asked if word in each]


@dataclass
class Server:
    """A running server."""

    port: int
    ca_file: Path
    folder: Folder


class _Line(socketserver.StreamRequestHandler):
    folder: Folder
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._say("* OK ready")
        for raw in self.rfile:
            tag, _, command = raw.decode("utf-8", "replace").strip().partition(" ")
            self.folder.asked.append(command)
            if self.folder.hang_up_at and self.folder.hang_up_at in command:
                return
            if self.folder.silent_at and self.folder.silent_at in command:
                self.rfile.readline()  # until the other side has had enough
                return
            refusal = next((answer for word, answer in self.folder.no.items() if word in command), None)
            if refusal is not None:
                self._say(f"{tag} {refusal}")
                continue
            done = self._answer(command)
            self._say(f"{tag} {done}")
            if command.startswith("LOGOUT"):
                return

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def _answer(self, command: str) -> str:
        folder = self.folder
        if command == "CAPABILITY":
            self._say(f"* CAPABILITY {folder.capabilities}")
        elif command.startswith("AUTHENTICATE"):
            return self._signed_in(command.split()[1])
        elif command.startswith("LOGIN"):
            return "OK done" if PASSWORD in command else "NO wrong"
        elif command.startswith("SELECT"):
            self._say(f"* {len(folder.messages)} EXISTS")
            self._say(f"* OK [UIDVALIDITY {folder.validity}] valid")
        elif command.startswith("UID SEARCH"):
            after = int(str(re.search(r"UID (\d+):\*", command)[1]))  # type: ignore[index] # the product always sends it
            unseen = [uid for uid in folder.messages if uid not in folder.seen]
            # as RFC 3501 has it, `n:*` names the last message even when its number is lower
            found = [uid for uid in unseen if uid >= after] or unseen[-1:]
            self._say(f"* SEARCH {' '.join(map(str, found))}")
        elif command.startswith("UID FETCH"):
            self._fetch(command)
        elif command.startswith("UID STORE"):
            folder.seen.add(int(command.split()[2]))
        return "OK done"

    def _signed_in(self, mechanism: str) -> str:
        self._say("+ ")
        shown = base64.b64decode(self.rfile.readline()).decode()
        if mechanism == "PLAIN":
            return "OK done" if shown == f"\0{USER}\0{PASSWORD}" else "NO [AUTHENTICATIONFAILED] wrong"
        if shown == f"user={USER}\x01auth=Bearer {self.folder.token}\x01\x01":
            return "OK done"
        self._say("+ " + base64.b64encode(b'{"status":"401"}').decode())
        assert self.rfile.readline().strip() == b""
        return "NO [AUTHENTICATIONFAILED] wrong"

    def _fetch(self, command: str) -> None:
        uid = int(command.split()[2])
        most = int(str(re.search(r"<0\.(\d+)>", command)[1]))  # type: ignore[index] # the product always sends it
        if uid not in self.folder.messages:
            return
        message = self.folder.messages[uid]
        part = message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in command else message
        self.folder.sent += len(part[:most])
        self._say(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(part[:most])}}}")
        self.wfile.write(part[:most])
        self._say(")")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext, folder: Folder) -> None:
        super().__init__(("127.0.0.1", 0), type("Line", (_Line,), {"folder": folder}))
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up."""


@contextmanager
def imap_server(ca_folder: Path, *, authority: trustme.CA | None = None) -> Iterator[Server]:
    """Yield a running server with an empty folder."""
    authority = authority or trustme.CA()
    ca_file = ca_folder / "imap-ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    folder = Folder()
    listener = _Listener(tls, folder)
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(listener.server_address[1], ca_file, folder)
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()

"""The mailbox that undelivered mail comes back to, over IMAP with TLS. Implements the Mailbox port; the bounce step reads it.

What each failure decides:
  no route, refused, timeout, line dropped, certificate not trusted   Transient; after a day of it Refused, so that a person hears
  sign-in refused, no such folder, a mailbox that cannot be written   Refused: a person must mend the settings

Nothing is deleted, and only delivery reports are marked as seen. Anybody can send to the mailbox, so only the heads of messages are
fetched, and no more than a fixed part of what looks like a report.
"""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from moderator.domain.errors import ModeratorError, Refused, Transient
from moderator.domain.times import SystemClock
from moderator.mail.delivery_report import MOST_BYTES, may_be_report, reports
from moderator.mail.oauth import TokenSource, sign_in_line
from moderator.mail.tls import certificate_ends, tls_context
from moderator.ports import Bounce, Clock

HEAD_BYTES = 32 * 1024
"""How much of a message's head is fetched (our choice): mail servers take no longer ones."""

MOST_A_TIME, MOST_READ = 500, 50
"""Most messages looked at, and most reports read, in one call (our choice); the next call goes on from there."""

SINCE = timedelta(days=30)
"""How old a message may be (our choice): servers give up within five days (RFC 5321 section 4.5.4.1)."""

AWAY = timedelta(days=1)
"""How long the mailbox may be away before that is told as something to mend (our choice)."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FOR_NOW = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
"""Answers that mean "later" (RFC 5530)."""


class ImapMailbox:
    """Reads delivery reports from a folder. One line for each call; it remembers how far it came, so that nothing is fetched twice."""

    def __init__(  # noqa: PLR0913 - a mail server has this many settings; all keyword-only
        self,
        *,
        host: str,
        port: int = 993,
        username: str,
        password: str = "",
        tokens: TokenSource | None = None,
        folder: str = "INBOX",
        timeout: float = 30.0,
        ca_file: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Hold the settings; nothing is asked yet. `timeout` is in seconds, for each answer. With `tokens` the sign-in is XOAUTH2.

        `ca_file` holds the certificates to trust (PEM); without it the machine's own are used. Raises BadInput when it cannot be read.
        """
        self._host, self._port, self._timeout = host, port, timeout
        self._username, self._password, self._tokens = username, password, tokens
        self._folder = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        self._tls = tls_context(ca_file)
        self._clock = clock or SystemClock()
        self._looked: tuple[str, int] = ("", 0)
        self._away_since: datetime | None = None

    def bounces(self) -> Iterator[Bounce]:
        """Yield what came back since the last time; a report is marked as seen once the caller asks for the next one.

        1. Of the unseen messages of the last days, those not looked at yet, the oldest first.
        2. The head of each; of one that may be a report, its first part; of one that is a report, what it says.
        3. Mark it as seen. Every other message is left as it is.

        May be repeated: after a crash the last ones come again. Raises Transient or Refused as the head of this file says.
        """
        try:
            with self._signed_in() as line:
                yield from self._read(line)
        except (OSError, imaplib.IMAP4.error) as error:
            raise self._away(error) from error

    def check(self) -> str:
        """Return a line that says the server answers, is who it says, and lets us in. For `moderator doctor`. Raises like `bounces`."""
        try:
            with self._signed_in() as line:
                self._select(line)
                ends = certificate_ends(line.sock)
        except (OSError, imaplib.IMAP4.error) as error:
            raise self._translated(error) from error
        how = "signed in" if self._tokens is None else "signed in by XOAUTH2"
        return f"{self._host}:{self._port} answers, {how}, the folder is there, its certificate lasts until {ends}"

    def _read(self, line: imaplib.IMAP4_SSL) -> Iterator[Bounce]:
        validity = self._select(line)
        self._away_since = None
        looked = self._looked[1] if self._looked[0] == validity else 0
        read = 0
        for uid in self._unseen(line, after=looked)[:MOST_A_TIME]:
            if may_be_report(_fetched(line, uid, "BODY.PEEK[HEADER]", most=HEAD_BYTES)):
                if read == MOST_READ:
                    return
                read += 1
                found = reports(_fetched(line, uid, "BODY.PEEK[]", most=MOST_BYTES))
                yield from found
                self._looked = (validity, uid)
                if found:
                    self._mark(line, uid)
            self._looked = (validity, uid)

    def _select(self, line: imaplib.IMAP4_SSL) -> str:
        """Open the folder; return the number under which its message numbers hold (UIDVALIDITY)."""
        kind, told = line.select(self._folder)
        if kind != "OK":
            message = f"{self._place}: the folder cannot be opened. Check folder in [mail.bounces]"
            raise Transient(message) if _FOR_NOW.search(str(told)) else Refused(message)
        return str(line.response("UIDVALIDITY")[1])

    def _unseen(self, line: imaplib.IMAP4_SSL, *, after: int) -> list[int]:
        day = self._clock.now() - SINCE
        since = f"{day.day:02d}-{_MONTHS[day.month - 1]}-{day.year}"
        _, told = line.uid("SEARCH", "UNSEEN", "SINCE", since, "UID", f"{after + 1}:*")
        words = b" ".join(each for each in told if isinstance(each, bytes)).split()
        numbers = {int(word) for word in words if word.isdigit() and len(word) <= len(str(2**32))}
        # `n:*` names the last message even when its number is lower (RFC 3501 section 6.4.8).
        return sorted(number for number in numbers if number > after)

    def _mark(self, line: imaplib.IMAP4_SSL, uid: int) -> None:
        kind, _ = line.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)")
        if kind != "OK":
            message = f"{self._place}: a message cannot be marked as seen. Let the user write to the folder"
            raise Refused(message)

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4_SSL]:
        """Connect by TLS and sign in; hang up in any case. A token that is not taken is asked for anew, once."""
        line = self._enter(again=self._tokens is not None)
        try:
            yield line
        finally:
            _hang_up(line)

    def _enter(self, *, again: bool) -> imaplib.IMAP4_SSL:
        token = self._tokens.token() if self._tokens is not None else ""
        line = imaplib.IMAP4_SSL(self._host, self._port, ssl_context=self._tls, timeout=self._timeout)
        try:
            self._sign_in(line, token)
        except (imaplib.IMAP4.abort, OSError):
            _hang_up(line)
            raise
        except (imaplib.IMAP4.error, UnicodeEncodeError) as error:
            _hang_up(line)
            if _FOR_NOW.search(str(error)):
                message = f"{self._place} lets nobody in for now"
                raise Transient(message) from error
            if again and self._tokens is not None:
                self._tokens.forget()
                return self._enter(again=False)
            what = "password" if self._tokens is None else "token"
            message = f"{self._place} refused the user name or {what}. Check [mail.bounces], and that IMAP is allowed for this mailbox"
            raise Refused(message) from error
        return line

    def _sign_in(self, line: imaplib.IMAP4_SSL, token: str) -> None:
        if token:
            said = iter((sign_in_line(self._username, token).encode(),))
            line.authenticate("XOAUTH2", lambda _challenge: next(said, b""))
        elif "AUTH=PLAIN" in line.capabilities:
            line.authenticate("PLAIN", lambda _challenge: f"\0{self._username}\0{self._password}".encode())
        else:
            line.login(self._username, self._password)

    @property
    def _place(self) -> str:
        return f"mailbox {self._host}:{self._port}"

    def _away(self, error: Exception) -> ModeratorError:
        now = self._clock.now()
        self._away_since = self._away_since or now
        if now - self._away_since >= AWAY:
            return Refused(f"{self._place} could not be read for a day ({type(error).__name__}). Check [mail.bounces] and the network")
        return self._translated(error)

    def _translated(self, error: Exception) -> ModeratorError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return Transient(f"{self._place}: its certificate is not trusted ({error.verify_message}). Mend the certificate or ca_file")
        # The kind only: a server's own words may repeat an address.
        return Transient(f"{self._place} cannot be read for now ({type(error).__name__})")


def _fetched(line: imaplib.IMAP4_SSL, uid: int, what: str, *, most: int) -> bytes:
    """Return the first `most` bytes of a message or of its head; empty when it has gone meanwhile."""
    _, told = line.uid("FETCH", str(uid), f"({what}<0.{most}>)")
    return next((bytes(each[1][:most]) for each in told if isinstance(each, tuple)), b"")


def _hang_up(line: imaplib.IMAP4_SSL) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        line.logout()
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        line.shutdown()

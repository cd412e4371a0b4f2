"""The mailer over SMTP: STARTTLS with a checked certificate, then sign-in, then the message. Implements the Mailer port.

What each failure decides:
  no route, refused, timeout, line dropped, any 4xx   Transient: the message waits and is sent again
  certificate not trusted                             Transient: the server's owner or our `ca_file` can mend it, and mail must not be lost
  no STARTTLS, no AUTH, password or token refused     Refused: a person must mend the settings; nothing was sent in clear
  any other 5xx                                       Refused: this message will not be taken
Until a message is begun, the first two of these are Unreachable and the third is ShutOut: the other messages need not try then.

With a token source (XOAUTH2) instead of a password: a token that the server does not take is asked for anew, once; what the token
endpoint does is told as mail/oauth.py says.
"""

import contextlib
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path

from moderator.domain.errors import BadInput, ModeratorError, Refused, ShutOut, Transient, Unreachable
from moderator.mail.envelope import checked_id
from moderator.mail.oauth import TokenSource, sign_in_line
from moderator.mail.tls import certificate_ends, tls_context

_LASTING = 500
"""From this reply code on, a refusal is for good (RFC 5321 section 4.2.1)."""


class Starttls(StrEnum):
    """How the line is protected. `required` turns TLS on after the greeting (port 587); `implicit` starts with it (port 465).

    `off` is for a relay on this same machine only.
    """

    REQUIRED = "required"
    IMPLICIT = "implicit"
    OFF = "off"


class SmtpMailer:
    """Delivers through the school's mail server."""

    def __init__(  # noqa: PLR0913 - a mail server has this many settings; all keyword-only
        self,
        *,
        host: str,
        port: int,
        username: str = "",
        password: str = "",
        starttls: str = Starttls.REQUIRED,
        timeout: float = 30.0,
        ca_file: Path | None = None,
        tokens: TokenSource | None = None,
    ) -> None:
        """Hold the settings; nothing is sent yet. `timeout` is in seconds, for each answer. An empty `username` signs nobody in.

        With `tokens` the sign-in is XOAUTH2, and `password` is not used.

        `ca_file` holds the certificates to trust (PEM); without it the machine's own are used.
        Raises BadInput for settings that cannot work or are not safe.
        """
        self._host, self._port, self._timeout = host, port, timeout
        self._username, self._password, self._tokens = username, password, tokens
        self._starttls = _protection(starttls, host=host, username=username)
        self._tls = tls_context(ca_file)

    def send(self, message: EmailMessage) -> None:
        """Deliver the message to the one reader it is for.

        May be repeated: after a dropped line nobody knows whether it arrived, and the Message-ID tells repeats apart.
        Raises Transient or Refused as the head of this file says.
        """
        checked_id(message)
        with self._signed_in() as line:
            line.send_message(message)

    def check(self) -> str:
        """Return a line that says the server answers, is who it says, and lets us in. Sends no mail. For `moderator doctor`.

        Raises Transient or Refused as the head of this file says.
        """
        with self._signed_in() as line:
            line.noop()
            ends = certificate_ends(line.sock)
        how = "without a password" if not self._username else "signed in" if self._tokens is None else "signed in by XOAUTH2"
        lasts = f", its certificate lasts until {ends}" if ends is not None else ""
        return f"{self._host}:{self._port} answers, TLS {self._starttls.value}, {how}{lasts}"

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        """Connect, protect the line and sign in; translate what goes wrong then or inside the block; hang up in any case."""
        try:
            line = self._let_in()
        except (OSError, smtplib.SMTPException) as error:
            raise _of_the_server(self._translated(error)) from error
        except (Transient, Refused) as error:  # the token's
            raise _of_the_server(error) from error
        try:
            yield line
        except (OSError, smtplib.SMTPException) as error:
            line.close()
            raise self._translated(error) from error
        # The server has taken what it was given: whatever happens to the good-bye does not undo that.
        with contextlib.suppress(OSError, smtplib.SMTPException):
            line.quit()
        line.close()

    def _let_in(self) -> smtplib.SMTP:
        """Return a line that is protected and signed in; a token that is not taken is asked for anew, once."""
        try:
            return self._try_in()
        except smtplib.SMTPAuthenticationError:
            if self._tokens is None:
                raise
        self._tokens.forget()
        return self._try_in()

    def _try_in(self) -> smtplib.SMTP:
        # The token comes first: a server does not wait while somebody else is asked.
        token = self._tokens.token() if self._tokens is not None and self._username else ""
        line = self._connect()
        try:
            if self._starttls is Starttls.REQUIRED:
                line.starttls(context=self._tls)
            if token:
                self._present(token, line)
            elif self._username:
                line.login(self._username, self._password)
        except (OSError, smtplib.SMTPException):
            line.close()
            raise
        return line

    def _present(self, token: str, line: smtplib.SMTP) -> None:
        """Sign in by XOAUTH2. A server that says no explains it first (334), and says no (535) to the empty line that follows."""
        line.ehlo_or_helo_if_needed()
        if "XOAUTH2" not in line.esmtp_features.get("auth", "").upper().split():
            message = "no XOAUTH2"
            raise smtplib.SMTPNotSupportedError(message)

        def said(challenge: bytes | None = None) -> str:
            return sign_in_line(self._username, token) if challenge is None else ""

        try:
            line.auth("XOAUTH2", said)
        except ValueError as error:  # an explanation that is not base64: the line is not one to go on with
            raise smtplib.SMTPServerDisconnected from error

    def _connect(self) -> smtplib.SMTP:
        # The name given in EHLO is the plain host name: the library's default asks DNS first, which can hang past any timeout.
        name = socket.gethostname()
        if self._starttls is Starttls.IMPLICIT:
            return smtplib.SMTP_SSL(self._host, self._port, local_hostname=name, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(self._host, self._port, local_hostname=name, timeout=self._timeout)

    def _translated(self, error: Exception) -> ModeratorError:
        server = f"mail server {self._host}:{self._port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            return Transient(
                f"{server}: its certificate is not trusted ({error.verify_message}). Nothing was sent. Mend the certificate or ca_file"
            )
        if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
            # The bare SMTPException is the library's word for "no sign-in method in common".
            return Refused(f"{server} cannot do what the settings ask ({error}). Nothing was sent. Check host, port and starttls")
        codes = _codes(error)
        if not codes or any(code < _LASTING for code in codes):
            return Transient(f"{server} did not take the message for now ({_told(error, codes)}). It waits and is sent again")
        if isinstance(error, smtplib.SMTPAuthenticationError):
            mend = "Check both and store the password anew" if self._tokens is None else "Check that the app may send for this mailbox"
            what = "password" if self._tokens is None else "token"
            return Refused(f"{server} refused the user name or {what} ({codes[0]}). Nothing was sent. {mend}")
        return Refused(f"{server} refused the message for good ({_told(error, codes)})")


def _of_the_server(error: ModeratorError) -> ModeratorError:
    """Return the trouble as one that every message would have: nothing of this one was said yet."""
    return Unreachable(str(error)) if isinstance(error, Transient) else ShutOut(str(error))


def _protection(starttls: str, *, host: str, username: str) -> Starttls:
    try:
        chosen = Starttls(starttls)
    except ValueError as error:
        message = f"mail starttls = {starttls!r}: use one of {', '.join(kind.value for kind in Starttls)}"
        raise BadInput(message) from error
    if chosen is Starttls.OFF and (username or not _on_this_machine(host)):
        message = "mail starttls = 'off': mail without TLS is for a relay on this machine (localhost) without a password only"
        raise BadInput(message)
    return chosen


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _codes(error: Exception) -> list[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    if isinstance(error, smtplib.SMTPResponseException):
        return [error.smtp_code]
    return []


def _told(error: Exception, codes: Iterable[int]) -> str:
    # Codes and kinds only: a server's own words may repeat an address.
    return ", ".join(f"answer {code}" for code in codes) or f"{type(error).__name__}"

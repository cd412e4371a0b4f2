"""TLS to mail servers: who is trusted, and how long a server's certificate lasts. SMTP and IMAP call it."""

import socket
import ssl
from datetime import UTC, date, datetime
from pathlib import Path

from moderator.domain.errors import BadInput


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return how a mail server's certificate and name are checked, by the machine's own authorities or those of a PEM file.

    Raises BadInput for a file that holds none.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        message = f"mail ca_file {ca_file}: cannot be read as PEM certificates ({error.strerror or error})"
        raise BadInput(message) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def certificate_ends(sock: socket.socket | None) -> date | None:
    """Return the last day (UTC) of the certificate of the server at the other end; None for a line without TLS."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC).date() if shown else None

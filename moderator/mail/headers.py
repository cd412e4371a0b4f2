"""The message around the words: addresses, ids, threads and dates. The composer calls it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

from moderator.domain.errors import BadInput

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[A-Za-z0-9.-]{1,200})")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")

_NAMED = re.compile(r"(?:(?P<name>[^<>@]*) )?(?P<spec><[^<>\s]+>|[^<>\s]+)")
_ENCODED = "=?"
"""How an encoded word (RFC 2047) starts. The header library decodes what it is given, so that one could smuggle in a line break."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message is from and for, and what makes its id. `thread` is empty or a key that a day's alerts share."""

    sender: Address
    to: tuple[Address, ...]
    key: str
    domain: str
    at: datetime
    thread: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The rendered message: a one-line subject, plain text, and HTML with its styles inlined."""

    subject: str
    text: str
    html: str


def address(text: str, *, what: str) -> Address:
    """Return one address, with or without a name before it.

    Raises BadInput, naming `what`, for anything that is not one plain ASCII address, and for any line break.
    """
    parts = _NAMED.fullmatch(text) if text.isprintable() and _ENCODED not in text else None
    name, spec = (parts["name"], parts["spec"]) if parts else ("", "")
    match = _ADDRESS.fullmatch(spec.strip("<>"))
    if match is None or _DOMAIN.fullmatch(match["domain"]) is None:
        message = f"{what}: {text!r} is not an e-mail address; write it as name@school.example"
        raise BadInput(message)
    return Address(display_name=(name or "").strip(' "'), addr_spec=spec.strip("<>"))


def addresses(text: str, *, what: str) -> tuple[Address, ...]:
    """Return the addresses of a list parted by commas; at least one. Raises BadInput like `address`."""
    return tuple(address(part.strip(" "), what=what) for part in text.split(","))


def domain(text: str, *, what: str) -> str:
    """Return a domain for message ids, in lower case. Raises BadInput when it is not one."""
    if _DOMAIN.fullmatch(text) is None:
        message = f"{what}: {text!r} is not a domain; write it like school.example"
        raise BadInput(message)
    return text.lower()


def message_id(key: str, *, at: str) -> str:
    """Return the Message-ID of a key: a part that a person can read, and 64 bits of SHA-256, `@` the domain. Same key, same id."""
    readable = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")[:40].strip("-") or "message"
    return f"<{readable}.{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}@{at}>"


def build(envelope: Envelope, words: Words) -> EmailMessage:
    """Return the message: multipart/alternative, text first. Every header value is one line; the header parser refuses any other."""
    message = EmailMessage(policy=policy.SMTP)
    message.set_content(words.text, cte="quoted-printable")
    message.add_alternative(words.html, subtype="html", cte="quoted-printable")
    for name, value in _headers(envelope, words.subject):
        message[name] = value
    return message


def _headers(envelope: Envelope, subject: str) -> Iterable[tuple[str, object]]:
    yield "From", envelope.sender
    yield "To", envelope.to
    yield "Subject", subject.replace(_ENCODED, "= ?")
    yield "Date", envelope.at.astimezone(UTC)
    yield "Message-ID", message_id(envelope.key, at=envelope.domain)
    if envelope.thread:
        thread = message_id(envelope.thread, at=envelope.domain)
        yield "In-Reply-To", thread
        yield "References", thread
    if envelope.urgent:
        yield "Importance", "high"
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "All"
    yield "Content-Language", "en-GB"

"""The message around the words: addresses, ids, threads and dates. The composer calls it."""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage

from moderator.domain.errors import BadInput
from moderator.domain.mail_domains import allowed

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[A-Za-z0-9.-]{1,200})")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")

_NAMED = re.compile(r"(?:(?P<name>[^<>@]*) )?(?P<spec><[^<>\s]+>|[^<>\s]+)")
_ENCODED = "=?"
"""How an encoded word (RFC 2047) starts. The header library decodes what it is given, so that one could smuggle in a line break."""

_DOMAIN_ROOM = 78 - len("In-Reply-To: <.0123456789abcdef@>")
"""How many characters the domain of an id and its readable part have on a line of 78, the longest that is not folded (RFC 5322)."""

_WISHES_ROOM = 78 - len("List-Unsubscribe: <>")
"""The longest address that is not folded (RFC 5322): the library would write a longer one as an encoded word, which no program follows."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who a message is from and for, and what makes its id. `thread` is empty or a key that a day's alerts share.

    `wishes` is the https address where a reader may leave this mail (RFC 2369); empty for what nobody may leave.
    """

    sender: Address
    to: tuple[Address, ...]
    key: str
    domain: str
    at: datetime
    thread: str = ""
    urgent: bool = False
    wishes: str = ""


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


def addresses(text: str, *, what: str, domains: Collection[str] | None = None) -> tuple[Address, ...]:
    """Return the addresses of a list parted by commas; at least one.

    Raises BadInput like `address`, and for one that is on none of `domains` (R26), where those are given.
    """
    found = tuple(address(part.strip(" "), what=what) for part in text.split(","))
    for each in found if domains is not None else ():
        if not allowed(each.addr_spec, domains or ()):
            message = f"{what}: {each.addr_spec!r} is on no domain of a school or of the trust, and mail goes to no other (R26)"
            raise BadInput(message)
    return found


def domain(text: str, *, what: str) -> str:
    """Return a domain for message ids, in lower case. Raises BadInput when it is not one."""
    if _DOMAIN.fullmatch(text) is None:
        message = f"{what}: {text!r} is not a domain; write it like school.example"
        raise BadInput(message)
    return text.lower()


def message_id(key: str, *, at: str) -> str:
    """Return the Message-ID of a key: a part that a person can read, and 64 bits of SHA-256, `@` the domain. Same key, same id.

    It is short enough for one line of a header: the library folds a longer id, and writes one in References as an encoded word, which no
    mail program takes for an id. So the readable part gives way, and of a very long domain only its end is kept.
    """
    while len(at) > _DOMAIN_ROOM and "." in at:
        key, at = f"{key}@{at}", at.partition(".")[2]
    readable = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")[: min(40, max(_DOMAIN_ROOM - len(at), 0))].strip("-")
    number = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"<{readable}.{number}@{at}>" if readable else f"<{number}@{at}>"


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
    if envelope.wishes.startswith("https://") and len(envelope.wishes) <= _WISHES_ROOM and not set(envelope.wishes) & set("<>, "):
        yield "List-Unsubscribe", f"<{envelope.wishes}>"
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "All"
    yield "Content-Language", "en-GB"

"""What a delivery report says: which of our messages did not arrive, for whom, and why (RFC 3464). The mailbox over IMAP calls it.

Anybody can write such a report, or a broken one. So it never raises, its work is bounded, and it decides nothing: a report can mark a
mail and send its alerts on to further people, and never stops or takes back a mail.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from email.utils import parseaddr

from moderator.ports import Bounce

MOST_BYTES = 128 * 1024
"""How much of a message is read (our choice): the report's own part comes before the message it gives back."""

MOST_PARTS, MOST_RECIPIENTS = 50, 20
"""Bounds on one report (our choice): our mails have one recipient each."""

UNKNOWN = "5.0.0"
"""A failure that says no more (RFC 3463 section 3.1)."""

_DAEMONS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_MESSAGE_ID = re.compile(r"<([\x21-\x3b\x3d\x3f-\x7e]{3,300})>")
_QUOTED_ID = re.compile(r"^[ >\t]{0,8}Message-ID:\s{0,4}<([\x21-\x3b\x3d\x3f-\x7e]{3,300})>", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[\x21-\x7e]{1,254}")
_RETURNED = frozenset({
    "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers",
})  # fmt: skip
_NAMED_IN = ("Original-Message-ID", "X-Original-Message-ID")
_ANSWERED_IN = ("In-Reply-To", "References")
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the standard library's parser raises on hostile input: charsets it does not know, numbers that are none, parts within parts."""


def may_be_report(head: bytes) -> bool:
    """Return whether a message with those headers may be a delivery report: only then is the rest of it worth fetching. Never raises."""
    try:
        return _is_report(message_from_bytes(head[:MOST_BYTES]))
    except _BROKEN:
        return False


def reports(message: bytes) -> tuple[Bounce, ...]:
    """Return what a message says did not arrive, one each recipient; empty for anything that is no delivery report. Never raises.

    Out-of-office answers, read receipts, reports of success, and reports that do not say which message they are about, are none.
    """
    try:
        report = message_from_bytes(message[:MOST_BYTES])
        if not _is_report(report):
            return ()
        parts = list(_parts(report))
        told = [each for part in parts if _is_status(part) for each in _told(part)]
        if not any(_is_status(part) for part in parts):
            told = list(_told_by_headers(report, parts))
        about = _about(report, parts) if told else ""
    except _BROKEN:
        return ()
    return tuple(Bounce(about, *each) for each in told[:MOST_RECIPIENTS]) if about else ()


def _is_report(message: Message) -> bool:
    """Return whether the headers are those of a report: by type, by Gmail's and Exim's own header, or by who sent it."""
    if message.get_content_type() == "multipart/report":
        return str(message.get_param("report-type", "delivery-status")).lower() == "delivery-status"
    local = parseaddr(_text(message, "From"))[1].partition("@")[0].lower()
    return bool(_text(message, "X-Failed-Recipients")) or local in _DAEMONS or local.startswith("microsoftexchange")


def _parts(message: Message) -> Iterator[Message]:
    """Yield the message's own parts, not those of a message within it: somebody may pass a report on."""
    waiting = [message]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += _inside(part)
        else:
            yield part


def _inside(part: Message) -> list[Message]:
    """Return the messages, or the groups of fields, within a part; empty when it holds plain text."""
    inside = part.get_payload()
    return [each for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []


def _is_status(part: Message) -> bool:
    return part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}


def _told(part: Message) -> Iterator[tuple[str, str, bool]]:
    """Yield recipient, status and whether the server has given up, from the groups of fields of a delivery-status part."""
    for group in _inside(part) or [HeaderParser().parsestr(_decoded(part))]:
        action = _text(group, "Action").lower()
        status = _status_in(_text(group, "Status")) or _status_in(_text(group, "Diagnostic-Code"))
        if action not in {"failed", "delayed"} and (action or status[:1] not in {"4", "5"}):
            continue
        lasting = action == "failed" or (action == "" and status.startswith("5"))
        recipient = _recipient(_text(group, "Original-Recipient")) or _recipient(_text(group, "Final-Recipient"))
        yield recipient, status or UNKNOWN, lasting


def _told_by_headers(report: Message, parts: list[Message]) -> Iterator[tuple[str, str, bool]]:
    """Yield the same from a report without a part for machines: its own headers and its plain text."""
    failed = _text(report, "X-Failed-Recipients")
    status = _status_in(_plain(parts))
    if failed or status[:1] in {"4", "5"}:
        for each in failed.split(",")[:MOST_RECIPIENTS]:
            yield _recipient(each), status or UNKNOWN, bool(failed) or status.startswith("5")


def _about(report: Message, parts: list[Message]) -> str:
    """Return the id of the message that a report is about, "" when it does not say.

    In order: the message it gives back, or its headers; a field of the report; what the report answers; a header quoted in its text.
    """
    returned = [_returned(part) for part in parts if part.get_content_type() in _RETURNED]
    fields = [group for part in parts if _is_status(part) for group in _inside(part)]
    said = [
        *(_text(each, "Message-ID") for each in returned),
        *(_text(group, name) for group in fields for name in _NAMED_IN),
        *(_text(report, name) for name in _ANSWERED_IN),
    ]
    quoted = _QUOTED_ID.search(_plain(parts))
    return next((found for text in said if (found := _id_in(text))), quoted[1] if quoted else "")


def _returned(part: Message) -> Message:
    """Return the headers that a report gives back, as a message."""
    return next(iter(_inside(part)), None) or HeaderParser().parsestr(_decoded(part))


def _plain(parts: list[Message]) -> str:
    return "\n".join(_decoded(part) for part in parts if part.get_content_maintype() == "text")


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _text(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip()


def _id_in(text: str) -> str:
    """Return the last message id in a header: of References that is the message answered (RFC 5322 section 3.6.4)."""
    found = _MESSAGE_ID.findall(text[:20_000])
    return str(found[-1]) if found else ""


def _status_in(text: str) -> str:
    match = _STATUS.search(text[:20_000])
    return match[1] if match else ""


def _recipient(text: str) -> str:
    """Return the address of `rfc822; head@school.example`, in lower case."""
    address = text.rpartition(";")[2].strip().strip("<>").lower()
    return address if _ADDRESS.fullmatch(address) and "@" in address else ""

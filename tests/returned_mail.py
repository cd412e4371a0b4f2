"""Delivery reports in the shapes that mail servers write them, written for these tests. Called by the tests of bounces."""

OURS = "alert-northfield-1-2.0011223344556677@trust.example"
HEAD = "head@northfield.example"
TO = f"Final-Recipient: rfc822; {HEAD}\n"


def dsn(  # noqa: PLR0913 - what a report says
    *,
    fields: str = f"{TO}Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no mailbox\n",
    per_message: str = "Reporting-MTA: dns; mail.trust.example\n",
    returned: str = f"Message-ID: <{OURS}>\nFrom: moderator@trust.example\nTo: {HEAD}\nSubject: An alert\n\nThe text.\n",
    returned_type: str = "message/rfc822",
    head: str = "From: MAILER-DAEMON@mail.trust.example (Mail Delivery System)\nAuto-Submitted: auto-replied\nSubject: Undelivered Mail\n",
    words: str = "This is the mail system. It could not be delivered.\n",
    report_type: str = "; report-type=delivery-status",
) -> bytes:
    """Return a report as RFC 3464 describes it; each part can be given."""
    parts = [
        f"Content-Type: text/plain; charset=us-ascii\n\n{words}",
        f"Content-Type: message/delivery-status\n\n{per_message}\n{fields}",
    ]
    if returned:
        parts.append(f"Content-Type: {returned_type}\n\n{returned}")
    body = "".join(f"--edge\n{part}\n" for part in parts)
    text = f"{head}Return-Path: <>\nMIME-Version: 1.0\nContent-Type: multipart/report{report_type}; boundary=edge\n\n{body}--edge--\n"
    return text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def plain(text: str, *, head: str) -> bytes:
    """Return a message of plain text."""
    return f"{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}".replace("\n", "\r\n").encode()


QUOTED = f"\n------ This is a copy of the message ------\n\n> Subject: An alert\n> Message-ID: <{OURS}>\n"

LASTING: dict[str, tuple[bytes, str]] = {
    "postfix": (dsn(), "5.1.1"),
    "postfix, given up after days": (
        dsn(fields=f"{TO}Action: failed\nStatus: 4.4.1\n"),
        "4.4.1",
    ),
    "exchange online": (
        dsn(
            head=(
                "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@trust.example>\n"
                f"X-MS-Exchange-Message-Is-Ndr:\nIn-Reply-To: <{OURS}>\nReferences: <{OURS}>\nSubject: Undeliverable: An alert\n"
            ),
            fields=(
                "Final-Recipient: rfc822;HEAD@northfield.example\nAction: failed\nStatus: 5.1.10\n"
                "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR\n"
            ),
            returned=f"Received: from a by b\nMessage-ID: <{OURS}>\nSubject: An alert\n",
            returned_type="text/rfc822-headers",
        ),
        "5.1.10",
    ),
    "exchange, nothing given back": (
        dsn(
            head=f"From: postmaster@northfield.example\nIn-Reply-To: <{OURS}>\nSubject: Undeliverable: An alert\n",
            fields=(
                "Original-Recipient: rfc822;head@northfield.example\nFinal-Recipient: rfc822;inbox-7@host.example\n"
                "Action: failed\nStatus: 5.2.2\n"
            ),
            returned="",
        ),
        "5.2.2",
    ),
    "gmail": (
        dsn(
            head=(
                "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>\n"
                f"X-Failed-Recipients: {HEAD}\nIn-Reply-To: <{OURS}>\n"
                f"References: <other@trust.example> <{OURS}>\nSubject: Delivery Status\n"
            ),
            fields=(
                f"{TO}Action: failed\nStatus: 5.7.1\nRemote-MTA: dns; mx.example. (192.0.2.1)\n"
                "Diagnostic-Code: smtp; 550-5.7.1 policy\nLast-Attempt-Date: Sun, 22 Nov 2026 09:00:00 -0800\n"
            ),
        ),
        "5.7.1",
    ),
    "no status, a code in the diagnosis": (
        dsn(fields=f"{TO}Action: failed\nDiagnostic-Code: smtp; 554 5.4.4 Host not found\n"),
        "5.4.4",
    ),
    "no status at all": (dsn(fields=f"{TO}Action: FAILED\n"), "5.0.0"),
    "no action, a status": (dsn(fields=f"{TO}Status: 5.1.2\n"), "5.1.2"),
    "the id as a field of the report": (
        dsn(per_message=f"Reporting-MTA: dns; a\nX-Original-Message-ID: <{OURS}>\n", returned=""),
        "5.1.1",
    ),
    "exim": (
        plain(
            f"A message that you sent could not be delivered.\n\n  {HEAD}\n    550 5.1.1 no such user\n{QUOTED}",
            head=f"From: Mail Delivery <Mailer-Daemon@mail.trust.example>\nX-Failed-Recipients: {HEAD}\nSubject: failed\n",
        ),
        "5.1.1",
    ),
    "exim, only the header": (
        plain(f"It could not be delivered.\n{QUOTED}", head=f"From: a@b.example\nX-Failed-Recipients: {HEAD}\nSubject: failed\n"),
        "5.0.0",
    ),
    "an old daemon": (
        plain(
            f"Sorry. Remote host said: 550 5.1.1 unknown ({HEAD})\n{QUOTED}",
            head="From: MAILER-DAEMON@mail.trust.example\nSubject: failure notice\n",
        ),
        "5.1.1",
    ),
    "a daemon with the headers beside it": (
        (
            "From: postmaster@mail.example\r\nContent-Type: multipart/mixed; boundary=e\r\n\r\n--e\r\nContent-Type: text/html\r\n\r\n"
            f"<p>5.4.1 no</p>\r\n--e\r\nContent-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            f"Message-ID: <{OURS}>\r\n--e--\r\n"
        ).encode(),
        "5.4.1",
    ),
    "no report-type": (dsn(report_type=""), "5.1.1"),
    "status in a part of text": (
        dsn().replace(b"message/delivery-status\r\n", b"message/delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n"),
        "5.1.1",
    ),
}
"""Reports of what did not arrive, and the status each tells."""

DELAYED: dict[str, bytes] = {
    "postfix": dsn(fields=f"{TO}Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: Mon\n"),
    "no action": dsn(fields=f"{TO}Status: 4.4.1\n"),
    "plain text": plain(f"It waits: 451 4.4.1 try later\n{QUOTED}", head="From: MAILER-DAEMON@mail.trust.example\nSubject: Warning\n"),
}
"""Reports of what is still tried."""

NOTHING: dict[str, bytes] = {
    "out of office": plain(
        "I am away until Monday. For anything urgent write to the office.\n5.1.1 is a room here.\n",
        head=f"From: Head <{HEAD}>\nAuto-Submitted: auto-replied\nIn-Reply-To: <{OURS}>\nSubject: Automatic reply: An alert\n",
    ),
    "out of office that quotes us": plain(
        f"I am away.\n{QUOTED}", head=f"From: {HEAD}\nReturn-Path: <>\nAuto-Submitted: auto-replied\nIn-Reply-To: <{OURS}>\nSubject: Away\n"
    ),
    "read receipt": dsn(report_type="; report-type=disposition-notification"),
    "abuse report": dsn(report_type="; report-type=feedback-report"),
    "delivered": dsn(fields=f"{TO}Action: delivered\nStatus: 2.0.0\n"),
    "relayed": dsn(fields=f"{TO}Action: relayed\nStatus: 2.0.0\n"),
    "no action, no status": dsn(fields=f"{TO}"),
    "about nothing": dsn(returned="", head="From: MAILER-DAEMON@a.example\n"),
    "about nothing that is an id": dsn(returned="Message-ID: not an id\n\nx\n"),
    "a daemon's newsletter": plain("Version 5 of our service is here.\n", head="From: postmaster@mail.example\nSubject: News\n"),
    "a report passed on": (
        b"From: it@northfield.example\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n"
        + dsn()
        + b"\r\n--out--\r\n"
    ),
    "a daemon's report passed on": (
        b"From: postmaster@northfield.example\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n"
        b"Content-Type: text/plain\r\n\r\nPlease look.\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n" + dsn() + b"\r\n--out--\r\n"
    ),
    "a question": plain(f"Is this right?\n{QUOTED}", head=f"From: {HEAD}\nIn-Reply-To: <{OURS}>\nSubject: Re: An alert\n"),
    "nothing": b"",
    "a report without parts": b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n",
}
"""What is no report of something that did not arrive."""

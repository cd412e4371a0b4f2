"""Delivery reports: every vendor's shape is understood, everything else is left alone, and nothing that anybody sends can hurt."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from returned_mail import DELAYED, HEAD, LASTING, NOTHING, OURS, dsn

from moderator.mail.delivery_report import MOST_BYTES, MOST_RECIPIENTS, may_be_report, reports
from moderator.ports import Bounce


def head_of(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@pytest.mark.parametrize("name", LASTING)
def test_each_shape_of_a_failure_is_understood(name: str) -> None:
    message, status = LASTING[name]
    assert may_be_report(head_of(message))
    (found,) = reports(message)
    assert found in {Bounce(OURS, HEAD, status, lasting=True), Bounce(OURS, "", status, lasting=True)}
    assert (found.recipient == "") == (name in {"an old daemon", "a daemon with the headers beside it"})


@pytest.mark.parametrize("name", DELAYED)
def test_each_shape_of_a_delay_is_understood(name: str) -> None:
    assert may_be_report(head_of(DELAYED[name]))
    assert [(each.message_id, each.status, each.lasting) for each in reports(DELAYED[name])] == [(OURS, "4.4.1", False)]


@pytest.mark.parametrize("name", NOTHING)
def test_everything_else_is_no_report(name: str) -> None:
    assert reports(NOTHING[name]) == ()


@pytest.mark.parametrize(
    "name", ["out of office", "out of office that quotes us", "read receipt", "a report passed on", "a question", "nothing"]
)
def test_what_people_send_is_not_even_fetched(name: str) -> None:
    assert not may_be_report(head_of(NOTHING[name]))


def test_each_recipient_is_told_up_to_a_bound() -> None:
    group = "Final-Recipient: rfc822; {0}@northfield.example\nAction: {1}\nStatus: {2}\n\n"
    two = dsn(fields=group.format("a", "failed", "5.1.1") + group.format("b", "delayed", "4.2.2") + group.format("c", "delivered", "2.0.0"))
    assert [(each.recipient, each.status, each.lasting) for each in reports(two)] == [
        ("a@northfield.example", "5.1.1", True),
        ("b@northfield.example", "4.2.2", False),
    ]
    many = dsn(fields="".join(group.format(number, "failed", "5.1.1") for number in range(500)))
    assert len(reports(many)) == MOST_RECIPIENTS


@pytest.mark.parametrize(
    "address", ["", "rfc822;", "rfc822; a b@c", "rfc822; \x07@c", "rfc822; nobody", "utf-8; caf\u00e9@b.example", "x" * 5000]
)
def test_an_address_that_is_none_is_left_out(address: str) -> None:
    (found,) = reports(dsn(fields=f"Final-Recipient: {address}\nAction: failed\nStatus: 5.1.1\n"))
    assert found == Bounce(OURS, "", "5.1.1", lasting=True)


def test_a_status_is_digits_and_dots_whatever_a_server_writes() -> None:
    for said in ("5.1.1 <script>", "5.1.1\x00", "x5.1.1", "#5.1.1#"):
        (found,) = reports(dsn(fields=f"Action: failed\nStatus: {said}\n"))
        assert found.status == "5.1.1"
    for said in ("15.1.1", "5.1.1.1", "5.1", "3.1.1", "5.9999.1", ""):
        (found,) = reports(dsn(fields=f"Action: failed\nStatus: {said}\n"))
        assert found.status == "5.0.0"


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=400))
@example(b"Content-Type: multipart/report; report-type*0*=x'%; boundary=a\r\n\r\n--a")
@example(b"From: =?bad?q?=?= <mailer-daemon\xff@>\r\nContent-Type: text/plain; charset=no-such\r\n\r\n5.1.1")
@example(b"Content-Type: multipart/report; boundary*1\xb2*=a\r\n\r\n")
def test_no_bytes_raise(noise: bytes) -> None:
    assert reports(noise) == ()
    may_be_report(noise)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([message for message, _ in LASTING.values()]), st.data())
def test_a_report_that_is_damaged_anywhere_raises_nothing_and_says_nothing_new(message: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(message)))
    end = data.draw(st.integers(at, min(len(message), at + 60)))
    damaged = message[:at] + data.draw(st.binary(max_size=20)) + message[end:]
    for each in reports(damaged):
        assert each.status[:1] in {"2", "4", "5"}
        assert each.recipient.isascii()
        assert 3 <= len(each.message_id) <= 300
        assert each.message_id.isprintable()


def nested() -> bytes:
    return b"".join(b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(8_000))


BOMBS: dict[str, Callable[[], bytes]] = {
    "50 MB": lambda: dsn(words="x" * 50_000_000),
    "fields": lambda: dsn(fields="Action: failed\nStatus: 5.1.1\n\n" * 50_000),
    "id": lambda: dsn(returned=f"Message-ID: {'<' * 5_000_000}{OURS}>\n\nx"),
    "from": lambda: dsn(head="From: " + "(" * 100_000 + "\n"),
    "references": lambda: dsn(head="References: " + "<a@b> " * 100_000 + "\n", returned=""),
    "nested": nested,
    "headers": lambda: b"X: y\r\n" * 100_000 + dsn(),
    "edges": lambda: b"Content-Type: multipart/report; boundary=\r\n\r\n" + b"--\r\n" * 100_000,
    "parts": lambda: b"Content-Type: multipart/report; boundary=e\r\n\r\n" + b"--e\r\n\r\nx\r\n" * 30_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_message_costs_little(name: str) -> None:
    bomb = BOMBS[name]()
    assert len(bomb) > MOST_BYTES // 4
    began = time.process_time()
    may_be_report(bomb)
    found = reports(bomb)
    assert time.process_time() - began < 10.0, "bounded by what is read, not by what was sent"
    assert len(found) <= MOST_RECIPIENTS

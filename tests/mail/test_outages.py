"""What goes wrong between the outbox and a mailbox, one fault a test, over real lines on loopback: each mail arrives, once or recognisably.

Leases and clocks are in test_outage_leases.py; the whole year with everything at once is in test_school_year.py.
"""

import socket
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from bad_post import A_DAY, WELL, Server, live, over_tls, plain, rows, serving, wait_in_outbox, with_mailer
from stage import Stage

from moderator.domain.events import Event
from moderator.mail.headers import message_id
from moderator.mail.smtp import SmtpMailer
from moderator.ports import Mailer
from moderator.steps.drain import LONGEST_WAIT, drain
from moderator.steps.send import LEASE, REFUSED_WAIT, send


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as made:
        yield made


@pytest.fixture
def sending(stage: Stage, server: Server) -> Stage:
    return with_mailer(stage, plain(server))


class Died(BaseException):
    """The process ended here."""


class Dying:
    """The real mailer in a process that dies once, right after the server has taken a message; implements ports.Mailer."""

    def __init__(self, real: Mailer) -> None:
        self.real, self.alive = real, False

    def send(self, message: EmailMessage) -> None:
        self.real.send(message)
        if not self.alive:
            self.alive = True
            raise Died


# --- a repeat, and only a recognisable one ---


def test_a_crash_between_send_and_commit_repeats_that_mail_alone_under_its_id(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, "alert-1", "alert-2", "alert-3")
    dying = with_mailer(sending, Dying(sending.tools.mailer))
    with pytest.raises(Died):
        send(dying.tools)
    assert send(dying.tools) == 2, "a crash keeps one message back, not the batch"
    live(dying, LEASE)
    one, two, three = (message_id(f"alert-{number}", at="oakfield.example") for number in (1, 2, 3))
    assert server.ids() == [one, two, three, one]
    assert all(row.sent_at for row in rows(sending).values())


def test_after_a_restart_nothing_waits_for_the_lease_of_a_process_that_died(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, "alert-1")
    dying = with_mailer(sending, Dying(sending.tools.mailer))
    with pytest.raises(Died):
        send(dying.tools)
    sending.database.release_leases()
    assert send(dying.tools) == 1
    assert len(server.ids()) == 2
    assert len(set(server.ids())) == 1


@pytest.mark.parametrize(("mood", "copies"), [("drops after taking", 2), ("drops in the message", 1), ("drops at the good-bye", 1)])
def test_a_dropped_line_loses_nothing_and_repeats_only_what_may_have_been_taken(
    sending: Stage, server: Server, mood: str, copies: int
) -> None:
    wait_in_outbox(sending, "alert-1")
    server.mood = mood
    send(sending.tools)
    server.mood = WELL
    live(sending, timedelta(minutes=1))
    assert server.ids() == [message_id("alert-1", at="oakfield.example")] * copies
    assert rows(sending)["alert-1"].sent_at


# --- what waits, and how long ---


@pytest.mark.parametrize(("mood", "within"), [("450 4.7.1 greylisted", LONGEST_WAIT), ("421 busy", LONGEST_WAIT), ("550 no", REFUSED_WAIT)])
def test_an_answer_to_one_mail_is_waited_out_and_never_given_up(sending: Stage, server: Server, mood: str, within: timedelta) -> None:
    wait_in_outbox(sending, "digest-oakfield-2026-11-17")
    server.mood = mood
    live(sending, timedelta(hours=6))
    assert server.taken == []
    server.mood = WELL
    live(sending, within)
    assert len(server.ids()) == 1
    assert sending.ledger_events().count(Event.DIGEST_SENT.value) == 1


def test_a_day_without_a_server_costs_one_connection_a_wait_however_much_mail_waits(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, *(f"alert-{number}" for number in range(50)))
    server.mood = "busy"
    live(sending, A_DAY)
    assert 100 < server.connections <= 155, "each wait is ten minutes at most, and one mail asks for all"
    assert all(row.attempts > 100 and "did not take" in row.trouble for row in rows(sending).values()), "each is shown as waiting"
    server.mood, before = WELL, server.connections
    live(sending, LONGEST_WAIT)
    assert len(server.ids()) == len(set(server.ids())) == 50
    assert server.connections - before == 50


def test_a_new_mail_in_an_outage_tries_quickly_for_itself_and_then_waits_with_the_rest(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, "alert-1")
    server.mood = "busy"
    live(sending, timedelta(hours=6))
    before = server.connections
    wait_in_outbox(sending, "alert-2")
    live(sending, timedelta(hours=1))
    assert 6 < server.connections - before <= 6 + 2 * 7


def test_a_refused_password_costs_one_sign_in_an_hour_however_much_mail_waits(stage: Stage, tmp_path: Path) -> None:
    server, mailer = over_tls(tmp_path)
    with serving(server):
        sending = with_mailer(stage, mailer(server.port))
        wait_in_outbox(sending, *(f"alert-{number}" for number in range(20)))
        server.mood = "wrong password"
        live(sending, timedelta(hours=12))
        assert 12 <= server.signed_in <= 13
        server.mood = WELL
        live(sending, REFUSED_WAIT)
    assert len(server.ids()) == 20


@pytest.mark.parametrize("to", ["bad@oakfield.example", "virus@oakfield.example"])
def test_a_mail_that_cannot_go_keeps_no_other_back(sending: Stage, server: Server, to: str) -> None:
    wait_in_outbox(sending, *(f"alert-bad-{number}" for number in range(15)), to=to)
    wait_in_outbox(sending, "alert-good", "digest-oakfield-2026-11-17")
    live(sending, timedelta(seconds=5))
    assert len(server.ids()) == 2
    assert server.connections <= 15 * 2 + 2
    assert all(row.attempts for key, row in rows(sending).items() if "bad" in key)


class Breaking:
    """The real mailer, which a message with that key breaks; implements ports.Mailer."""

    def __init__(self, real: Mailer, key: str) -> None:
        self.real, self.key = real, key

    def send(self, message: EmailMessage) -> None:
        if message["Subject"] == self.key:
            raise ZeroDivisionError
        self.real.send(message)


def test_a_mail_that_breaks_the_mailer_is_shown_and_pushed_forward_and_the_others_go_on(sending: Stage, server: Server) -> None:
    breaking = with_mailer(sending, Breaking(sending.tools.mailer, "alert-1"))
    wait_in_outbox(sending, "alert-1", "alert-2", "alert-3")
    drain(send, breaking.tools, limit=10, deadline=sending.clock.now() + A_DAY)
    assert len(server.ids()) == 2
    waiting = rows(sending)["alert-1"]
    assert (waiting.attempts, waiting.lease_until) == (1, None)
    assert "ZeroDivisionError" in waiting.trouble


def test_an_alert_goes_before_the_digests_that_wait(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, *(f"digest-oakfield-2026-10-{day:02}" for day in range(10, 22)), "alert-1")
    send(sending.tools)
    assert server.ids()[0] == message_id("alert-1", at="oakfield.example")


def test_a_failing_handshake_sends_nothing_in_clear_and_is_waited_out(stage: Stage, tmp_path: Path) -> None:
    server, mailer = over_tls(tmp_path)
    with serving(server):
        sending = with_mailer(stage, mailer(server.port))
        wait_in_outbox(sending, "alert-1", "alert-2")
        server.mood = "no handshake"
        live(sending, timedelta(hours=1))
        assert (server.signed_in, server.taken) == (0, [])
        assert server.connections < 20
        server.mood = WELL
        live(sending, LONGEST_WAIT)
    assert len(server.ids()) == len(set(server.ids())) == 2


def test_names_that_cannot_be_looked_up_are_waited_out(stage: Stage, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    asked = Counter[str]()

    def lost(host: str, *_given: object, **_named: object) -> object:
        asked[host] += 1
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    def found(host: str, *given: object, **named: object) -> object:
        return real("127.0.0.1" if host == "localhost" else host, *given, **named)  # type: ignore[arg-type] # passed through

    sending = with_mailer(stage, SmtpMailer(host="localhost", port=server.port, starttls="off"))
    wait_in_outbox(sending, *(f"alert-{number}" for number in range(10)))
    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lost)
        live(sending, timedelta(hours=3))
    assert asked["localhost"] < 30
    monkeypatch.setattr(socket, "getaddrinfo", found)
    live(sending, LONGEST_WAIT)
    assert len(server.ids()) == 10

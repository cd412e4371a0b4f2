"""The mailbox of returned mail over IMAP: what is read, what is marked, what is left, and what a bad server or sender can do."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from imap_server import PASSWORD, USER, Server, imap_server
from returned_mail import LASTING, NOTHING, OURS, dsn
from token_endpoint import Endpoint, endpoint

from moderator.domain.errors import BadInput, ModeratorError, Refused, Transient
from moderator.domain.times import FrozenClock
from moderator.mail.delivery_report import MOST_BYTES
from moderator.mail.imap import HEAD_BYTES, MOST_A_TIME, MOST_READ, ImapMailbox
from moderator.mail.oauth import Access, Grant, TokenSource
from moderator.ports import NoMailbox

NOW = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with imap_server(tmp_path) as running:
        yield running


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


def mailbox(server: Server, **given: Any) -> ImapMailbox:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "username": USER,
        "password": PASSWORD,
        "timeout": 20.0,
        "ca_file": server.ca_file,
        "clock": FrozenClock(NOW),
    }
    return ImapMailbox(**(settings | given))


def about(number: int) -> bytes:
    return dsn(returned=f"Message-ID: <{number}@trust.example>\n\nx\n")


def ids(mailbox: ImapMailbox) -> list[str]:
    return [found.message_id for found in mailbox.bounces()]


def test_reports_are_read_and_marked_and_everything_else_is_left(server: Server) -> None:
    server.folder.messages = {3: about(3), 4: NOTHING["out of office"], 7: about(7), 9: NOTHING["a question"], 11: NOTHING["delivered"]}
    assert ids(mailbox(server)) == ["3@trust.example", "7@trust.example"]
    assert server.folder.seen == {3, 7}
    assert sorted(server.folder.messages) == [3, 4, 7, 9, 11]
    said = " ".join(server.folder.asked)
    for word in ("EXPUNGE", "CLOSE", "MOVE", "Deleted", "BODY["):
        assert word not in said, "nothing is deleted, and looking marks nothing"
    assert server.folder.commands("SINCE") == ["UID SEARCH UNSEEN SINCE 03-Oct-2026 UID 1:*"]


def test_a_report_is_marked_once_the_caller_has_gone_on(server: Server) -> None:
    server.folder.messages = {3: about(3), 7: about(7)}
    bounces = mailbox(server).bounces()
    assert next(bounces).message_id == "3@trust.example"
    assert server.folder.seen == set()
    assert next(bounces).message_id == "7@trust.example"
    assert server.folder.seen == {3}
    bounces.close()  # type: ignore[attr-defined] # it is a generator
    assert server.folder.seen == {3}, "the caller did not come back: it comes again"


def test_what_the_caller_left_comes_again_and_what_was_looked_at_is_not_fetched_twice(server: Server) -> None:
    server.folder.messages = {3: NOTHING["a question"], 5: about(5), 7: about(7)}
    box = mailbox(server)
    assert [each.message_id for each in itertools.islice(box.bounces(), 1)] == ["5@trust.example"]
    assert ids(box) == ["5@trust.example", "7@trust.example"]
    fetched = server.folder.commands("FETCH 3")
    assert len(fetched) == 1
    assert ids(box) == []
    assert server.folder.commands("FETCH 3") == fetched
    server.folder.messages[8] = about(8)
    assert ids(box) == ["8@trust.example"]


def test_a_folder_that_was_made_anew_is_looked_at_from_the_start(server: Server) -> None:
    server.folder.messages = {30: about(30)}
    box = mailbox(server)
    assert ids(box) == ["30@trust.example"]
    server.folder.messages, server.folder.validity = {1: about(1)}, 8
    assert ids(box) == ["1@trust.example"]


def test_a_message_of_50_mb_costs_its_first_part_only(server: Server) -> None:
    server.folder.messages = {1: dsn(words="x" * 50_000_000), 2: b"X: " + b"y" * 5_000_000 + b"\r\n\r\n", 3: about(3)}
    assert ids(mailbox(server)) == ["3@trust.example"]
    assert server.folder.sent < MOST_BYTES + 2 * HEAD_BYTES


def test_a_flood_is_read_a_part_at_a_time(server: Server) -> None:
    server.folder.messages = dict.fromkeys(range(1, MOST_A_TIME + 1), NOTHING["a question"]) | {MOST_A_TIME + 1: about(1)}
    box = mailbox(server)
    assert ids(box) == []
    assert ids(box) == ["1@trust.example"]
    server.folder.messages = dict.fromkeys(range(1, MOST_READ + 1), NOTHING["delivered"]) | {MOST_READ + 1: about(1)}
    server.folder.validity = 8
    assert ids(box) == []
    assert ids(box) == ["1@trust.example"]


def test_a_report_about_several_is_marked_after_the_last(server: Server) -> None:
    fields = "Final-Recipient: rfc822; {}@b.example\nAction: failed\nStatus: 5.1.1\n\n"
    server.folder.messages = {1: dsn(fields=fields.format("a") + fields.format("c"))}
    bounces = mailbox(server).bounces()
    next(bounces)
    assert next(bounces).recipient == "c@b.example"
    assert server.folder.seen == set()
    assert next(bounces, None) is None
    assert server.folder.seen == {1}


def test_a_message_that_went_away_meanwhile_is_passed_over(server: Server) -> None:
    server.folder.messages = {1: about(1), 2: about(2)}
    server.folder.no = {"FETCH 1": "OK nothing"}
    assert ids(mailbox(server)) == ["2@trust.example"]


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=PLAIN", "IMAP4rev1"])
def test_a_password_signs_in_and_a_wrong_one_is_refused(server: Server, capabilities: str) -> None:
    server.folder.capabilities = capabilities
    server.folder.messages = {1: about(1)}
    if capabilities.endswith("PLAIN"):
        assert ids(mailbox(server)) == ["1@trust.example"]
    for wrong in ("wrong-words", "wr\u00f6ng"):
        with pytest.raises(Refused, match="refused the user name or password") as told:
            ids(mailbox(server, password=wrong))
        assert wrong not in f"{told.value!r}"


def test_a_token_signs_in_and_an_old_one_is_asked_for_anew_once(server: Server) -> None:
    server.folder.messages = {1: about(1)}
    with endpoint() as desk:
        tokens = TokenSource(Access(Grant.CLIENT_CREDENTIALS, desk.url, "app-1", secret="s"))  # noqa: S106 - of a test
        old(desk, tokens)
        assert ids(mailbox(server, tokens=tokens)) == ["1@trust.example"]
        assert "signed in by XOAUTH2" in mailbox(server, tokens=tokens).check()
        tokens.forget()
        desk.gives("token-wrong")
        with pytest.raises(Refused, match="refused the user name or token") as told:
            ids(mailbox(server, tokens=tokens))
        assert len(desk.asked) == 2
        assert "token-wrong" not in f"{told.value!r}"
        desk.says((503, b""))
        tokens.forget()
        with pytest.raises(Transient, match="token endpoint"):
            ids(mailbox(server, tokens=tokens))


def old(desk: Endpoint, tokens: TokenSource) -> None:
    """Let the source hold a token that has run out; the next one is right."""
    desk.gives("token-old")
    tokens.token()
    desk.gives("token-1")


@pytest.mark.parametrize(
    ("word", "answer", "error", "said"),
    [
        ("SELECT", "NO no such folder", Refused, "the folder cannot be opened"),
        ("SELECT", "NO [UNAVAILABLE] later", Transient, "the folder cannot be opened"),
        ("AUTHENTICATE", "NO [UNAVAILABLE] later", Transient, "lets nobody in for now"),
        ("AUTHENTICATE", "BAD what", Refused, "refused the user name"),
        ("STORE", "NO read-only", Refused, "cannot be marked as seen"),
        ("SEARCH", "BAD what", Transient, "cannot be read for now"),
    ],
)
def test_what_a_server_says_no_to(server: Server, word: str, answer: str, error: type[ModeratorError], said: str) -> None:
    server.folder.messages = {1: about(1)}
    server.folder.no = {word: answer}
    with pytest.raises(error, match=said) as told:
        ids(mailbox(server))
    assert type(told.value) is error


@pytest.mark.parametrize("at", ["CAPABILITY", "AUTHENTICATE", "SELECT", "FETCH", "STORE", "LOGOUT"])
def test_a_line_that_drops_is_tried_again(server: Server, at: str) -> None:
    server.folder.messages = {1: about(1)}
    server.folder.hang_up_at = at
    if at == "LOGOUT":
        assert ids(mailbox(server)) == ["1@trust.example"], "what happens to the good-bye undoes nothing"
        return
    with pytest.raises(Transient, match="cannot be read for now"):
        ids(mailbox(server))


@pytest.mark.parametrize("at", ["AUTHENTICATE", "SELECT", "FETCH"])
def test_a_server_that_falls_silent_is_left_after_the_timeout(server: Server, at: str) -> None:
    server.folder.messages = {1: about(1)}
    server.folder.silent_at = at
    with pytest.raises(Transient, match=r"cannot be read for now \((TimeoutError|abort)\)"):
        ids(mailbox(server, timeout=0.3))


def test_a_folder_that_takes_no_marks_does_not_hold_the_rest_up(server: Server) -> None:
    server.folder.messages = {1: about(1), 2: about(2)}
    server.folder.no = {"STORE 1": "NO no"}
    box = mailbox(server)
    with pytest.raises(Refused):
        ids(box)
    assert ids(box) == ["2@trust.example"]


def test_a_server_that_is_away_is_told_as_something_to_mend_after_a_day(server: Server, clock: FrozenClock) -> None:
    box = mailbox(server, clock=clock)
    server.folder.hang_up_at = "AUTHENTICATE"
    for _ in range(2):
        with pytest.raises(Transient):
            ids(box)
        clock.move(timedelta(hours=23))
    with pytest.raises(Refused, match="could not be read for a day"):
        ids(box)
    server.folder.hang_up_at = ""
    ids(box)
    server.folder.hang_up_at = "AUTHENTICATE"
    with pytest.raises(Transient):
        ids(box)


def test_nothing_answers(tmp_path: Path) -> None:
    with imap_server(tmp_path) as gone:
        box = mailbox(gone)
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        ids(box)
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        box.check()


def test_a_certificate_of_another_authority_is_not_trusted(server: Server, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    box = mailbox(server, ca_file=tmp_path / "other.pem")
    with pytest.raises(Transient, match=r"certificate is not trusted \(.+\)"):
        ids(box)
    assert server.folder.asked == []
    with pytest.raises(BadInput, match="ca_file"):
        mailbox(server, ca_file=tmp_path / "none.pem")


def test_a_folders_name_cannot_be_more_than_a_name(server: Server) -> None:
    ids(mailbox(server, folder='Re"turned \\mail'))
    assert server.folder.commands("SELECT") == ['SELECT "Re\\"turned \\\\mail"']


def test_check_signs_in_and_reads_nothing(server: Server) -> None:
    server.folder.messages = {1: about(1)}
    assert (
        mailbox(server).check()
        == f"127.0.0.1:{server.port} answers, signed in, the folder is there, its certificate lasts until 3000-01-01"
    )
    assert server.folder.commands("FETCH") == []
    server.folder.no = {"SELECT": "NO no"}
    with pytest.raises(Refused, match="Check folder"):
        mailbox(server).check()


def test_no_mailbox_gives_nothing_back() -> None:
    assert list(NoMailbox().bounces()) == []


def test_every_shape_comes_through_the_line_as_it_is(server: Server) -> None:
    server.folder.messages = dict(enumerate((message for message, _ in LASTING.values()), start=1))
    assert ids(mailbox(server)) == [OURS] * len(LASTING)

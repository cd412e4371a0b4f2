"""Webhooks: told in order, signed, without names, again after every failure, and to nobody else; met by a real HTTP server."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from cast import ASHFORD, enrol
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.errors import BadInput, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.readers import TOLD, DueWebhook, Webhook, checked_url
from moderator.mail.courier import HttpCourier
from moderator.ports import NoCourier
from moderator.steps.webhook import TELL_AFTER, webhook
from moderator.store import readers

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes for it").decode()


@dataclass
class Machine:
    """A machine that is told: what it took, and the status it answers with next."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    took: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Yield a machine on loopback."""
    made = Machine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.took.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.answers.pop(0) if made.answers else 204)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def subscribe(stage: Stage, url: str, *events: Event, school: str = SCHOOL.slug) -> Stage:
    """Return the stage with a webhook and a real courier."""
    with stage.database.unit() as unit:
        readers.add_webhook(
            unit.connection,
            school=school,
            url=url,
            sealed_secret=SECRET.encode(),
            events=events or tuple(TOLD),
            made_by="HEAD-1",
            at=NOON,
        )
    return replace(stage, tools=replace(stage.tools, courier=HttpCourier(bytes.decode, timeout=5)))


def happen(stage: Stage, number: int = 10) -> None:
    stage.platform.comments.append(comment(number, "Tilly Marwood is an idiot"))
    stage.clock.move(timedelta(hours=1))
    stage.run("poll", "score", "decide", "record", "hide")


def test_a_machine_is_told_in_order_signed_and_without_names(any_stage: Stage, machine: Machine) -> None:
    stage = subscribe(any_stage, machine.url)
    happen(stage)
    assert webhook(stage.tools) > 0
    bodies = [json.loads(body) for _, body in machine.took]
    assert [each["type"] for each in bodies] == ["item.flagged", "record.sealed", "item.hidden"]
    seqs = [each["data"]["seq"] for each in bodies]
    assert seqs == sorted(seqs)
    for (headers, body), seq in zip(machine.took, seqs, strict=True):
        assert headers["webhook-id"] == f"oakfield-{seq}"
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = hmac.new(b"a key of thirty-two bytes for it", signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    said = b"".join(body for _, body in machine.took).decode()
    for word in ("Tilly", "Marwood", "idiot", "Fern", "fern_ashwick", "social.example", "actor"):
        assert word not in said
    assert webhook(stage.tools) == 0


def test_only_what_was_ticked_is_told_and_nothing_from_before(stage: Stage, machine: Machine) -> None:
    happen(stage)
    stage = subscribe(stage, machine.url, Event.HIDE_VERIFIED)
    assert webhook(stage.tools) == 0
    happen(stage, 11)
    webhook(stage.tools)
    assert [json.loads(body)["type"] for _, body in machine.took] == ["item.hidden"]


def test_r3_no_school_is_told_of_anothers(stage: Stage, machine: Machine) -> None:
    enrol(stage)
    stage = subscribe(stage, machine.url, school=ASHFORD.slug)
    happen(stage)
    assert webhook(stage.tools) == 0
    with stage.database.unit() as unit:
        unit.append(ASHFORD.slug, LedgerEvent(Event.WITHHELD, stage.clock.now(), "item-99"))
    webhook(stage.tools)
    assert [json.loads(body)["data"]["subject"] for _, body in machine.took] == ["item-99"]


def test_lines_that_are_not_for_it_are_passed_over(stage: Stage, machine: Machine) -> None:
    stage = subscribe(stage, machine.url, Event.RESTORED)
    happen(stage)
    assert webhook(stage.tools) == 1
    assert webhook(stage.tools) == 0
    assert machine.took == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_taken_comes_again_in_order_with_the_same_id(stage: Stage, machine: Machine, status: int) -> None:
    stage = subscribe(stage, machine.url)
    happen(stage)
    machine.answers = [status, status]
    webhook(stage.tools)
    assert len(machine.took) == 1
    with stage.database.reading() as connection:
        found = readers.webhooks_of(connection, SCHOOL.slug)[0]
    assert (found.attempts, found.trouble) == (1, f"it answered {status}")
    for _ in range(3):
        stage.clock.move(timedelta(hours=1))
        webhook(stage.tools)
    ids = [headers["webhook-id"] for headers, _ in machine.took]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1] == ids[2]
    with stage.database.reading() as connection:
        assert readers.webhooks_of(connection, SCHOOL.slug)[0].trouble == ""


def test_a_machine_that_is_away_is_said_and_told_later(stage: Stage, machine: Machine) -> None:
    away = "http://127.0.0.1:9/hook"
    stage = subscribe(stage, away)
    happen(stage)
    for _ in range(TELL_AFTER + 2):
        webhook(stage.tools)
        stage.clock.move(timedelta(hours=1))
    with stage.database.reading() as connection:
        found = readers.webhooks_of(connection, SCHOOL.slug)[0]
        kinds = [row.kind for row in connection.execute(sa.text("SELECT kind FROM alerts WHERE key LIKE 'webhook-%'"))]
    assert found.trouble == "it could not be reached (ConnectionError)"
    assert kinds[:1] == ["system"]
    assert machine.took == []


def test_a_crash_between_answer_and_note_repeats_one_recognisable_message(stage: Stage, machine: Machine) -> None:
    stage = subscribe(stage, machine.url, Event.HIDE_VERIFIED)
    happen(stage)
    due = stage.database.claim_webhook(now=stage.clock.now(), lease=timedelta(minutes=2))
    assert due is not None
    stage.tools.courier.tell(due, at=stage.clock.now())
    assert stage.database.claim_webhook(now=stage.clock.now(), lease=timedelta(minutes=2)) is None
    stage.clock.move(timedelta(minutes=5))
    webhook(stage.tools)
    ids = [headers["webhook-id"] for headers, _ in machine.took]
    assert ids == [ids[0]] * 2


def test_a_late_note_of_another_worker_does_not_take_it_back(stage: Stage, machine: Machine) -> None:
    stage = subscribe(stage, machine.url, Event.HIDE_VERIFIED)
    happen(stage)
    old = stage.database.claim_webhook(now=stage.clock.now(), lease=timedelta(minutes=2))
    assert old is not None
    stage.clock.move(timedelta(minutes=5))
    happen(stage, 11)
    webhook(stage.tools)
    with stage.database.unit() as unit:
        unit.webhook_told(old, stage.clock.now())
    webhook(stage.tools)
    assert len(machine.took) == 2


def test_an_ended_webhook_is_told_nothing(stage: Stage, machine: Machine) -> None:
    stage = subscribe(stage, machine.url)
    with stage.database.unit() as unit:
        readers.end_webhook(unit.connection, 1, stage.clock.now())
    happen(stage)
    assert webhook(stage.tools) == 0
    assert machine.took == []
    with pytest.raises(BadInput, match="ended already"), stage.database.unit() as unit:
        readers.end_webhook(unit.connection, 1, stage.clock.now())


def test_a_full_batch_leaves_the_rest_for_the_next(stage: Stage, machine: Machine) -> None:
    stage = subscribe(stage, machine.url)
    happen(stage)
    assert webhook(stage.tools, limit=2) == 2
    assert len(machine.took) == 2


def test_the_null_courier_and_a_line_that_is_none(machine: Machine) -> None:
    found = Webhook(1, "oakfield", machine.url, frozenset(), 0, "HEAD-1", NOON)
    nothing = DueWebhook(found, SECRET.encode(), None, 5)
    NoCourier().tell(nothing, at=NOON)
    HttpCourier(bytes.decode).tell(nothing, at=NOON)
    assert machine.took == []
    with pytest.raises(Transient, match="could not be reached"):
        HttpCourier(bytes.decode, timeout=1).tell(
            replace(
                nothing,
                webhook=replace(found, url="http://127.0.0.1:9/"),
                line='{"event":"sealed","school":"a","seq":1,"at":"x","subject":"y","reason":""}',
            ),
            at=NOON,
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://mis.example/",
        "https://",
        "https://user:pw@mis.example/",
        "ftp://mis.example",
        "https://mis.example:0/",
        "https://a:b",
        "javascript:x",
        "",
    ],
)
def test_an_address_that_cannot_be_told_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="https"):
        checked_url(url)


def test_addresses_that_can() -> None:
    assert checked_url(" https://mis.example/hook ") == "https://mis.example/hook"
    assert checked_url("http://127.0.0.1:8/x") == "http://127.0.0.1:8/x"

"""A serious alert that nobody reads goes on, round by round, once each, and stops when somebody has read it (R21)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
import sqlalchemy as sa
from cast import NAMES, enrol
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.unread import DueUnread
from moderator.domain.work import AlertRequest
from moderator.steps.acknowledge import acknowledge, acknowledge_item
from moderator.steps.unread import unread
from moderator.store import absences, register
from moderator.store.outbox import ALERTS
from moderator.store.tellings import TELLINGS, TellingWrites, told
from moderator.store.unread import unread_alerts

DAY = date(2026, 11, 18)
LATER = timedelta(minutes=31)
THREAT, CRISIS, INSULT, NAMING = "I will hurt you", "this reads as crisis", "You are an idiot", "Tilly Marwood, I will hurt you"


def peopled(stage: Stage) -> Stage:
    """Return the stage with one person a role, and the trust's own mailbox."""
    enrol(stage)
    return replace(stage, tools=replace(stage.tools, trust_email="chair@oakfield.example"))


@pytest.fixture
def school(stage: Stage) -> Stage:
    """Return it on SQLite."""
    return peopled(stage)


@pytest.fixture
def any_school(any_stage: Stage) -> Stage:
    """Return it on either engine."""
    return peopled(any_stage)


def arrive(stage: Stage, *texts: str) -> list[int]:
    """Let comments arrive, be decided on and told; return their item numbers."""
    start = len(stage.platform.comments) + 10
    stage.platform.comments += [comment(start + number, text) for number, text in enumerate(texts)]
    stage.clock.move(timedelta(hours=1))
    stage.run("poll", "score", "decide", "alert", "send")
    return [int(str(row[0])) for row in stage.rows("id")][-len(texts) :]


def mails(stage: Stage) -> list[EmailMessage]:
    """Return every message of the outbox, oldest first."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT message FROM outbox ORDER BY id")).scalars().all()
    return [message_from_bytes(bytes(row), policy=default) for row in rows]


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def round_of(stage: Stage, *, after: timedelta = LATER) -> set[str]:
    """Let time pass, send on and deliver; return to whom it went, by the part before the `@`."""
    before = len(mails(stage))
    stage.clock.move(after)
    stage.run("unread", "send")
    return {str(message["To"]).partition("@")[0] for message in mails(stage)[before:]}


def alert_rows(stage: Stage) -> list[Any]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.select(ALERTS).order_by(ALERTS.c.id)).all())


def opened_by(stage: Stage, subject: str, reference: str, *, event: Event = Event.VIEWED) -> None:
    """Write in the ledger that somebody opened something."""
    with stage.database.unit() as unit:
        unit.append(SCHOOL.slug, LedgerEvent(event, stage.clock.now(), subject, actor=reference, facts={"session": "s-1"}))


def open_subjects(stage: Stage) -> list[str]:
    with stage.database.reading() as connection:
        return [each.subject for each in unread_alerts(connection, SCHOOL.slug, seen=sa.true())]


def test_r21_round_by_round_to_further_people_and_at_last_to_the_trusts_mailbox(any_school: Stage) -> None:
    school = any_school
    (item,) = arrive(school, THREAT)
    assert round_of(school, after=timedelta(minutes=29)) == set()
    assert round_of(school, after=timedelta(minutes=2)) == {"deputy"}
    assert [round_of(school) for _ in range(5)] == [{"ceo"}, {"tsl"}, {"dsl"}, {"chair"}, set()]
    (row,) = alert_rows(school)
    assert (row.round, row.reroute_at, row.read_at) == (5, None, None)
    assert round_of(school, after=timedelta(days=1)) == set(), "nobody is left, and nobody is told twice"
    assert open_subjects(school) == [row.subject], "it stays in the digest as unread"
    first, *others = mails(school)
    for message in others:
        assert "This went to the Headteacher first. Nobody has opened it for" in words(message)
        assert message["References"] == first["References"], "one thread"
        assert message["Subject"] == f"Still unread: a comment was flagged ({SCHOOL.name})"
        assert not any(name in message.as_string() for name in NAMES.values()), "a role, never a name"
        assert f"/items/{item}" in words(message)
    assert "for 31 minutes, so it comes to you now" in words(others[0])
    assert len({message["Message-ID"] for message in mails(school)}) == 6


def test_every_reader_of_every_alert_is_noted_with_the_round_and_the_ledger_knows(school: Stage) -> None:
    arrive(school, THREAT)
    round_of(school)
    (row,) = alert_rows(school)
    with school.database.reading() as connection:
        tellings = told(connection, row.id)
        lines = list(connection.execute(sa.text("SELECT line FROM ledger WHERE event = 'rerouted'")).scalars())
    assert [(each.address, each.round) for each in tellings] == [("head@oakfield.example", 0), ("deputy@oakfield.example", 1)]
    assert all(each.sent_at is not None for each in tellings)
    assert len({each.mail_key for each in tellings}) == 2
    assert len(lines) == 1
    assert f'"subject":"{row.subject}"' in lines[0]
    assert '"round":1' in lines[0]
    assert "deputy" not in lines[0]


def test_r15_a_disclosure_goes_to_the_leads_alone_and_then_to_the_trust(school: Stage) -> None:
    arrive(school, CRISIS)
    assert {str(message["To"]) for message in mails(school)} == {"dsl@oakfield.example", "tsl@oakfield.example"}
    assert [round_of(school) for _ in range(2)] == [{"chair"}, set()]


def test_r21_the_person_named_never_gets_it_in_any_round(school: Stage) -> None:
    with school.database.unit() as unit:
        head = register.person_by_email(unit.connection, "head@oakfield.example")
        assert head is not None
        register.change_person(unit.connection, replace(head, roll_reference="P-1"))
    arrive(school, NAMING)
    assert {str(message["To"]) for message in mails(school)} == {"ceo@oakfield.example"}
    assert [round_of(school) for _ in range(3)] == [{"tsl"}, {"chair"}, set()]
    assert "This went to the Trust CEO or COO first" in words(mails(school)[1])


def test_r21_whoever_is_away_comes_last(school: Stage) -> None:
    with school.database.unit() as unit:
        for role in ("deputy", "ceo"):
            someone = register.person_by_email(unit.connection, f"{role}@oakfield.example")
            assert someone is not None
            absences.note_absence(
                unit.connection, person_id=someone.id, first_day=DAY, last_day=date(2026, 11, 30), noted_by="HEAD-1", at=NOON
            )
    arrive(school, THREAT)
    assert [round_of(school) for _ in range(6)] == [{"tsl"}, {"dsl"}, {"deputy"}, {"ceo"}, {"chair"}, set()]


@pytest.mark.parametrize(
    ("rounds", "how"), [(0, "item"), (0, "said"), (1, "record"), (2, "acted"), (4, "said"), (5, "item"), (6, "said"), (6, "record")]
)
def test_a_reading_at_any_moment_stops_it(school: Stage, rounds: int, how: str) -> None:
    (item,) = arrive(school, THREAT)
    school.run("record")
    for _ in range(rounds):
        round_of(school)
    subject = alert_rows(school)[0].subject
    if how == "said":
        assert acknowledge_item(school.tools, item, school=SCHOOL.slug, by="HEAD-1")
    else:
        opened_by(school, f"item-{item}" if how == "item" else subject, "CEO-1", event=Event.REVIEWED if how == "acted" else Event.VIEWED)
    assert open_subjects(school) == []
    assert round_of(school) == set()
    (row,) = alert_rows(school)
    assert row.reroute_at is None
    assert row.read_by == ("HEAD-1" if how == "said" else "CEO-1" if rounds < 6 else "")
    assert row.round == min(rounds, 5)


def test_what_is_no_reading_does_not_stop_it(school: Stage) -> None:
    (item,) = arrive(school, THREAT)
    subject = alert_rows(school)[0].subject
    opened_by(school, subject, "AUDITOR-1")  # may look, and can do nothing about it
    opened_by(school, subject, "service", event=Event.REVIEWED)
    opened_by(school, f"item-{item + 1}", "HEAD-1")
    opened_by(school, subject, "HEAD-1", event=Event.CAPTURED)
    with school.database.unit() as unit:
        unit.append("ashford", LedgerEvent(Event.VIEWED, school.clock.now(), subject, actor="HEAD-2"))
    assert round_of(school) == {"deputy"}


def test_a_view_from_before_the_alert_does_not_count(school: Stage) -> None:
    (item,) = arrive(school, THREAT)
    opened_by(school, f"item-{item}", "HEAD-1")
    with school.database.unit() as unit:
        at = school.clock.now()
        unit.alert(
            AlertRequest(
                "held-1", SCHOOL.slug, AlertKind.HELD, Severity.SEVERE, f"item-{item}", "It is stuck.", "Nothing.", at, at, item_id=item
            )
        )
    school.run("alert", "send")
    assert round_of(school) == {"deputy"}
    assert [row.read_by for row in alert_rows(school)] == ["HEAD-1", ""]


def test_an_ordinary_alert_stays_where_it_is(school: Stage) -> None:
    arrive(school, INSULT)
    school.clock.move(timedelta(minutes=6))
    school.run("alert", "send")
    assert len(mails(school)) == 1
    assert round_of(school, after=timedelta(days=2)) == set()
    assert alert_rows(school)[0].reroute_at is None


def test_several_alerts_are_one_mail_a_reader(school: Stage) -> None:
    arrive(school, THREAT, THREAT + "!", CRISIS)
    assert round_of(school) == {"deputy", "chair"}
    to_deputy = next(message for message in mails(school) if str(message["To"]).startswith("deputy"))
    assert "and 1 more" in str(to_deputy["Subject"])
    assert words(to_deputy).count("Why you get this now") == 2
    assert len(mails(school)) == 3 + 2


class Down:
    """A mail server that takes nothing, or nothing for some."""

    def __init__(self, stage: Stage) -> None:
        """Take nothing yet."""
        self.mailer, self.down = stage.tools.mailer, True

    def send(self, message: EmailMessage) -> None:
        """Deliver, or not."""
        if self.down:
            message_text = "no answer"
            raise Transient(message_text)
        self.mailer.send(message)


def test_what_never_left_is_not_sent_on_until_it_could_have_been_read(school: Stage) -> None:
    server = Down(school)
    stage = replace(school, tools=replace(school.tools, mailer=server))
    arrive(stage, THREAT)
    for _ in range(10):
        assert round_of(stage) == set()
    server.down = False
    assert round_of(stage, after=timedelta(minutes=11)) == set(), "now the mail has left, and the time runs"
    assert round_of(stage, after=timedelta(minutes=28)) == set()
    assert round_of(stage, after=timedelta(minutes=4)) == {"deputy"}


def test_a_mail_that_came_back_goes_on_at_once(any_school: Stage) -> None:
    school = any_school
    arrive(school, THREAT)
    (key,) = _keys(school)
    with school.database.unit() as unit:
        assert unit.reroute_now(key, school.clock.now()) == 1
        assert unit.reroute_now(key, school.clock.now()) == 0, "the first time counts"
        assert unit.reroute_now("no such mail", school.clock.now()) == 0
    assert round_of(school, after=timedelta(minutes=1)) == {"deputy"}
    assert "A mail about it could not be delivered, so it comes to you now." in words(mails(school)[-1])
    assert round_of(school, after=timedelta(minutes=29)) == set(), "the next round has its own time"
    with school.database.unit() as unit:
        assert unit.reroute_now(key, school.clock.now()) == 0, "a late word about an old round changes nothing"


def test_a_bounce_of_what_was_read_or_is_ordinary_changes_nothing(school: Stage) -> None:
    (item,) = arrive(school, THREAT)
    assert acknowledge_item(school.tools, item, school=SCHOOL.slug, by="HEAD-1")
    with school.database.unit() as unit:
        assert unit.reroute_now(_keys(school)[0], school.clock.now()) == 0
    assert round_of(school) == set()


def _keys(stage: Stage) -> list[str]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.select(TELLINGS.c.mail_key).distinct()).scalars())


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let the process die while it notes who is told: once for each number in the list that is yielded."""
    left: list[int] = []
    note = TellingWrites.alert_told

    def dies(self: TellingWrites, *given: Any, **named: Any) -> None:
        note(self, *given, **named)
        if left:
            left.pop()
            raise SystemExit

    monkeypatch.setattr(TellingWrites, "alert_told", dies)
    yield left
    assert left == []


def test_a_crash_leaves_nothing_or_all_of_a_round(school: Stage, crash: list[int]) -> None:
    arrive(school, THREAT)
    school.clock.move(LATER)
    for _ in range(3):
        crash.append(1)
        with pytest.raises(SystemExit):
            unread(school.tools)
        assert len(mails(school)) == 1
        assert alert_rows(school)[0].round == 0
    assert unread(school.tools, limit=1) == 1
    assert unread(school.tools) == 0
    assert len(mails(school)) == 2


class Stale:
    """A store whose first answer was read before another worker did the work."""

    def __init__(self, stage: Stage, answer: DueUnread) -> None:
        """Keep the answer."""
        self._store, self._answers = stage.tools.store, [answer]

    def unread_due(self, **asked: Any) -> DueUnread | None:
        """Return the old answer, then what the store says."""
        return self._answers.pop() if self._answers else self._store.unread_due(**asked)

    def __getattr__(self, name: str) -> Any:
        """Do the rest as the store does."""
        return getattr(self._store, name)


@pytest.mark.parametrize("meanwhile", ["sent_on", "read"])
def test_two_workers_send_a_round_once(school: Stage, meanwhile: str) -> None:
    (item,) = arrive(school, THREAT)
    school.clock.move(LATER)
    due = school.tools.store.unread_due(now=school.clock.now(), limit=5, link="")
    assert due is not None
    if meanwhile == "sent_on":
        assert unread(school.tools) == 1
    else:
        acknowledge_item(school.tools, item, school=SCHOOL.slug, by="HEAD-1")
    before = len(mails(school))
    assert unread(replace(school.tools, store=Stale(school, due))) == 0
    assert len(mails(school)) == before
    assert alert_rows(school)[0].round == (1 if meanwhile == "sent_on" else 0)


def test_an_address_no_mail_can_go_to_is_passed_over(school: Stage) -> None:
    arrive(school, THREAT)
    with school.database.unit() as unit:
        broken = sa.update(register.PEOPLE).where(register.PEOPLE.c.email == "deputy@oakfield.example")
        unit.connection.execute(broken.values(email="deputy @@oakfield.example"))
    assert round_of(school) == {"ceo"}


def test_with_nobody_left_and_no_mailbox_it_stops_and_stays_unread(school: Stage) -> None:
    stage = replace(school, tools=replace(school.tools, trust_email="chair @@trust"))
    arrive(stage, CRISIS)
    assert round_of(stage) == set()
    assert alert_rows(stage)[0].reroute_at is None
    assert len(open_subjects(stage)) == 1


def test_an_alert_about_no_item_is_read_by_its_own_page_or_by_the_button(school: Stage) -> None:
    def trouble(number: int, what: str) -> None:
        at = school.clock.now()
        with school.database.unit() as unit:
            unit.alert(
                AlertRequest(f"s-{number}", SCHOOL.slug, AlertKind.SYSTEM, Severity.SEVERE, "the service", what, "It waits.", at, at)
            )

    for number, what in enumerate(("The disk is full.", "The disk is full.", "The clock is wrong.", "The roof leaks."), start=1):
        trouble(number, what)
    school.run("alert", "send")
    assert f"/schools/oakfield/alerts/{1}" in words(mails(school)[0])
    assert acknowledge(school.tools, 1, school=SCHOOL.slug, by="HEAD-1")
    opened_by(school, "alert-4", "HEAD-1")
    assert round_of(school) == {"deputy"}
    assert [(row.round, row.read_by) for row in alert_rows(school)] == [(0, "HEAD-1"), (0, "HEAD-1"), (1, ""), (0, "HEAD-1")]
    assert open_subjects(school) == [], "the digest lists those of items"
    said = [line for line in _lines(school, "acknowledged") if '"subject":"alert-1"' in line]
    assert len(said) == 1


def test_a_trouble_that_is_told_of_every_hour_goes_on_once_a_day(school: Stage) -> None:
    def hour(number: int, what: str = "The disk is full.") -> set[str]:
        at = school.clock.now()
        with school.database.unit() as unit:
            unit.alert(
                AlertRequest(f"s-{number}", SCHOOL.slug, AlertKind.SYSTEM, Severity.SEVERE, "the service", what, "It waits.", at, at)
            )
        school.run("alert", "send")
        return round_of(school)

    assert hour(1) == {"deputy"}
    assert hour(2) == {"ceo"}, "of the first alone"
    assert hour(3, "The roof leaks.") == {"tsl", "deputy"}
    assert [row.round for row in alert_rows(school)] == [3, 0, 1]
    school.clock.move(timedelta(days=1))
    assert "deputy" in hour(4)
    assert acknowledge(school.tools, 4, school=SCHOOL.slug, by="HEAD-1")
    assert [row.read_by for row in alert_rows(school)] == ["HEAD-1", "HEAD-1", "", "HEAD-1"]


def test_an_acknowledgement_is_noted_once(any_school: Stage) -> None:
    school = any_school
    (item,) = arrive(school, THREAT)
    (row,) = alert_rows(school)
    assert acknowledge(school.tools, row.id, school=SCHOOL.slug, by="DEPUTY-1")
    assert not acknowledge(school.tools, row.id, school=SCHOOL.slug, by="HEAD-1")
    assert not acknowledge_item(school.tools, item, school=SCHOOL.slug, by="HEAD-1")
    assert not acknowledge(school.tools, row.id, school="ashford", by="HEAD-2"), "another school's"
    assert not acknowledge(school.tools, 99, school=SCHOOL.slug, by="HEAD-1")
    assert not acknowledge_item(school.tools, 99, school=SCHOOL.slug, by="HEAD-1")
    (row,) = alert_rows(school)
    assert row.read_by == "DEPUTY-1"
    assert len(_lines(school, "acknowledged")) == 1


def test_one_who_only_opened_it_may_still_say_so(school: Stage) -> None:
    (item,) = arrive(school, THREAT)
    opened_by(school, f"item-{item}", "HEAD-1")
    school.clock.move(LATER)
    school.run("unread")
    read = alert_rows(school)[0].read_at
    assert acknowledge_item(school.tools, item, school=SCHOOL.slug, by="DEPUTY-1")
    row = alert_rows(school)[0]
    assert (row.read_at, row.read_by) == (read, "HEAD-1"), "the first reading stays"


def test_everybody_whom_a_rehearsal_reaches_says_so_for_themselves(school: Stage) -> None:
    at = school.clock.now()
    request = AlertRequest(
        "r-1", SCHOOL.slug, AlertKind.REHEARSAL, Severity.SEVERE, "rehearsal-severe", "Nothing.", "It sent this.", at, at
    )
    with school.database.unit() as unit:
        unit.alert(request)
    school.run("alert", "send")
    assert alert_rows(school)[0].reroute_at is None, "nothing happened: it goes to nobody else"
    assert acknowledge(school.tools, 1, school=SCHOOL.slug, by="HEAD-1")
    assert acknowledge(school.tools, 1, school=SCHOOL.slug, by="DEPUTY-1")
    assert not acknowledge(school.tools, 1, school=SCHOOL.slug, by="HEAD-1")


def _lines(stage: Stage, event: str) -> list[str]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.text("SELECT line FROM ledger WHERE event = :event"), {"event": event}).scalars())


@pytest.mark.parametrize(
    ("seen", "thread_day"),
    [
        (datetime(2027, 7, 1, 22, 40, tzinfo=UTC), "2027-07-01"),  # 23:40 in London: sent on after midnight
        (datetime(2027, 7, 1, 23, 10, tzinfo=UTC), "2027-07-02"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25"),  # 01:30 BST, in the hour that comes twice
        (datetime(2027, 3, 28, 0, 40, tzinfo=UTC), "2027-03-28"),  # 00:40 GMT: half an hour later it is 02:11 BST
        (datetime(2026, 11, 18, 23, 59, tzinfo=UTC), "2026-11-18"),
    ],
)
def test_a_school_and_london_day_are_one_thread_for_each_reader(school: Stage, seen: datetime, thread_day: str) -> None:
    school.clock.move(seen - school.clock.now())
    with school.database.unit() as unit:
        for kind in (AlertKind.NOT_HIDDEN, AlertKind.ACCOUNT, AlertKind.WITHHELD):
            unit.alert(AlertRequest(kind.value, SCHOOL.slug, kind, Severity.SEVERE, "account 1", "What.", "Done.", seen, seen))
    school.run("alert", "send")
    assert round_of(school) == {"deputy", "ceo"}
    sent = mails(school)
    assert [str(message["To"]).partition("@")[0] for message in sent] == ["head", "admin", "dsl", "tsl", "deputy", "ceo"]
    (thread,) = {str(message["References"]) for message in sent}
    assert f"<alerts-oakfield-{thread_day}." in thread
    assert all(message["In-Reply-To"] == thread for message in sent)


def test_nothing_walks_a_table_that_grows(school: Stage) -> None:
    arrive(school, THREAT, CRISIS)
    seen: dict[str, Any] = {}

    def remember(connection: object, cursor: object, statement: str, parameters: Any, context: object, executemany: bool) -> None:  # noqa: FBT001, PLR0913, PLR0917 - SQLAlchemy's own signature
        del connection, cursor, context
        seen[statement] = parameters[0] if executemany else parameters

    engine = school.database.engine
    sa.event.listen(engine, "before_cursor_execute", remember)
    school.clock.move(LATER)
    school.run("unread", "send", "alert")
    acknowledge(school.tools, 1, school=SCHOOL.slug, by="HEAD-1")
    open_subjects(school)
    with school.database.unit() as unit:
        unit.reroute_now("alert-x", NOON)
    sa.event.remove(engine, "before_cursor_execute", remember)
    with engine.connect() as connection:
        steps = {
            row.detail: statement
            for statement, parameters in seen.items()
            if statement.split()[0] in {"SELECT", "UPDATE"}
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        }
    walked = [
        (step, statement)
        for step, statement in steps.items()
        if re.match(r"SCAN (alerts|tellings|ledger|outbox|items)\b(?!.*ix_(outbox|alerts)_waiting)", step)
        or re.search(r"(alerts|ledger) USING .*(?<!ix_alerts_waiting)(?<!ix_alerts_open) \(school=\?\)$", step)
    ]
    assert walked == []
    for index in ("ix_alerts_unread (reroute_at<?)", "ix_alerts_open (school=?)", "ix_tellings_mail_key (mail_key=?)", "ix_ledger_subject"):
        assert any(index in step for step in steps), (index, sorted(steps))

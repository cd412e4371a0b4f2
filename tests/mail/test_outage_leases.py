"""Leases and clocks: two processes, a server slower than a lease, a clock that jumps, a machine that sleeps. Each mail goes once."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from bad_post import A_DAY, WELL, Server, at, live, plain, rows, serving, wait_in_outbox, with_mailer
from stage import NOON, SCHOOL, Stage, set_up

from moderator.domain.calendar import SchoolCalendar
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import LeaseLost
from moderator.domain.events import Event
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.jobs.local import LocalScheduler
from moderator.jobs.schedule import SCHEDULE
from moderator.mail.headers import message_id
from moderator.steps.alert import LEASE as ALERT_LEASE
from moderator.steps.alert import alert
from moderator.steps.drain import drain
from moderator.steps.send import LEASE, send
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.outbox import DIGESTS


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as made:
        yield made


@pytest.fixture
def sending(stage: Stage, server: Server) -> Stage:
    return with_mailer(stage, plain(server))


# --- two processes, and leases ---


def test_two_processes_sending_at_once_send_each_mail_once(any_stage: Stage, server: Server) -> None:
    sending = with_mailer(any_stage, plain(server))
    wait_in_outbox(sending, *(f"alert-{number}" for number in range(30)))
    other = Database(open_engine(sending.database.engine.url.render_as_string(hide_password=False)))

    def work(database: Database) -> None:
        drain(send, replace(sending.tools, store=database), limit=10, deadline=NOON + A_DAY)

    threads = [threading.Thread(target=work, args=(database,)) for database in (sending.database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.engine.dispose()
    assert len(server.ids()) == len(set(server.ids())) == 30
    assert all(row.sent_at for row in rows(sending).values())


@pytest.mark.parametrize("mood", [WELL, "drops after taking"])
def test_a_lease_that_runs_out_while_the_server_is_slow_makes_one_repeat_and_no_third(sending: Stage, server: Server, mood: str) -> None:
    wait_in_outbox(sending, "digest-oakfield-2026-11-17")

    def meanwhile() -> None:
        sending.clock.move(LEASE + timedelta(seconds=1))
        server.mood = WELL
        assert send(sending.tools) == 1, "another process takes it"
        server.mood = mood

    server.before_answer = meanwhile
    assert send(sending.tools) == 1
    server.mood = WELL
    live(sending, A_DAY)
    assert server.ids() == [message_id("digest-oakfield-2026-11-17", at="oakfield.example")] * 2
    assert sending.ledger_events().count(Event.DIGEST_SENT.value) == 1


def test_a_failure_told_late_does_not_take_a_mail_from_the_worker_that_has_it_now(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, "alert-1")
    now = sending.clock.now()
    (late,) = sending.database.claim_mail(limit=1, now=now, lease=LEASE)
    (mine,) = sending.database.claim_mail(limit=1, now=now + LEASE, lease=LEASE)
    with sending.database.unit() as unit:
        unit.mail_failed(late, "timed out", next_at=now)
        unit.mails_put_off("away", at=now + LEASE, next_at=now + A_DAY)
    assert sending.database.claim_mail(limit=1, now=now + LEASE, lease=LEASE) == []
    with sending.database.unit() as unit:
        assert unit.mail_sent(mine, now)
        assert not unit.mail_sent(late, now)
    assert server.taken == []


def test_alerts_composed_after_their_lease_ran_out_are_not_told_twice(any_stage: Stage) -> None:
    stage = any_stage
    with stage.database.unit() as unit:
        unit.alert(request("one", stage))
    real = stage.tools.composer

    class Slept:
        """The machine sleeps while it composes, and another worker goes on meanwhile."""

        def alert(self, mail: object) -> EmailMessage:
            stage.clock.move(ALERT_LEASE + timedelta(seconds=1))
            with stage.database.unit() as unit:
                unit.alert(request("two", stage))
            assert alert(stage.tools) == 1
            return real.alert(mail)  # type: ignore[arg-type] # passed through

    with pytest.raises(LeaseLost):
        alert(replace(stage.tools, composer=Slept()))  # type: ignore[arg-type] # an alert is all it composes
    alert(stage.tools)
    assert [key for key in rows(stage) if key.startswith("alert-")] == ["alert-oakfield-1-2"]


def request(key: str, stage: Stage) -> AlertRequest:
    at = stage.clock.now()
    return AlertRequest(
        key=key,
        school=SCHOOL.slug,
        kind=AlertKind.FLAGGED,
        severity=Severity.SEVERE,
        subject="item-1",
        what="It insults somebody.",
        done="It is recorded.",
        at=at,
        due_at=at,
    )


# --- clocks ---


def test_a_clock_set_back_by_hours_keeps_mail_waiting_that_long_at_most_and_one_by_a_year_not_at_all(
    sending: Stage, server: Server
) -> None:
    sending.clock.move(timedelta(days=365))
    wait_in_outbox(sending, "alert-1", "alert-2")
    sending.database.claim_mail(limit=1, now=sending.clock.now(), lease=LEASE)
    sending.clock.move(-timedelta(days=365))
    assert send(sending.tools) == 2, "a due time and a lease of next year are no reason to wait"
    wait_in_outbox(sending, "alert-3")
    sending.database.claim_mail(limit=1, now=sending.clock.now(), lease=LEASE)
    sending.clock.move(-timedelta(hours=2))
    assert send(sending.tools) == 0, "it may be on its way right now"
    live(sending, timedelta(hours=2) + LEASE)
    assert len(server.ids()) == len(set(server.ids())) == 3


def test_a_clock_set_forward_over_a_lease_makes_no_repeat(sending: Stage, server: Server) -> None:
    wait_in_outbox(sending, "alert-1")
    server.before_answer = lambda: sending.clock.move(timedelta(hours=5))
    assert send(sending.tools) == 1
    live(sending, A_DAY)
    assert len(server.ids()) == 1


@pytest.mark.parametrize(
    ("hour", "moments"),
    [
        (1, ["2027-10-31T00:00:01", "2027-10-31T00:30:00", "2027-10-31T01:00:01", "2027-10-31T01:30:00"]),  # 01:00 twice, BST then GMT
        (2, ["2027-10-31T02:00:01", "2027-10-31T02:30:00"]),
        (1, ["2027-03-28T01:00:01", "2027-03-28T01:30:00"]),  # 01:00 does not come: the clocks show 02:00
        (0, ["2027-03-28T00:00:01", "2027-03-28T02:00:00"]),
    ],
)
def test_on_the_nights_when_the_clocks_change_the_digest_comes_once_and_at_its_hour(
    migrated_file: Path, tmp_path: Path, server: Server, hour: int, moments: list[str]
) -> None:
    file = tmp_path / "moderator.db"
    file.write_bytes(migrated_file.read_bytes())
    database = Database(open_engine(f"sqlite:///{file}"), calendars={SCHOOL.slug: SchoolCalendar(hour)})
    stage = with_mailer(set_up(database, tmp_path), plain(server))
    runs = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]
    day = london_date(runs[0]) - A_DAY
    told = {"first_day": london_date(NOON), "day": day - A_DAY, "key": "digest-before", "head_seq": 1, "head_hash": "", "composed_at": NOON}
    with database.unit() as unit:
        unit.connection.execute(sa.insert(DIGESTS).values(school=SCHOOL.slug, **told))
    at(stage, runs[0] - timedelta(minutes=2))
    stage.run("digest", "send")
    assert server.ids() == [], "it is not the hour yet"
    for moment in runs:
        at(stage, moment)
        stage.run("digest", "send")
    assert server.ids() == [message_id(f"digest-oakfield-{day}", at="oakfield.example")]
    database.engine.dispose()


@pytest.mark.parametrize("days", [1, 3, 40])
def test_a_machine_asleep_over_the_hour_tells_of_each_day_once_when_it_wakes(sending: Stage, server: Server, days: int) -> None:
    at(sending, datetime(2026, 11, 19, 6, 59, tzinfo=UTC))
    sending.run("digest", "send")
    assert server.ids() == []
    sending.clock.move((days - 1) * A_DAY + timedelta(hours=9))
    for _ in range(3):
        sending.run("digest", "send")
    with sending.database.reading() as connection:
        made = connection.execute(sa.select(DIGESTS.c.first_day, DIGESTS.c.day, DIGESTS.c.key).order_by(DIGESTS.c.day)).all()
    told = [row.first_day + number * A_DAY for row in made for number in range((row.day - row.first_day).days + 1)]
    assert told == [london_date(NOON) + number * A_DAY for number in range(days)]
    assert server.ids() == [message_id(row.key, at="oakfield.example") for row in made]
    assert all(row.first_day == row.day for row in made[1:])


def test_a_clock_set_back_does_not_make_the_jobs_wait_for_it_to_catch_up(sending: Stage, server: Server) -> None:
    moments = iter([NOON, NOON, NOON - timedelta(hours=1)])
    scheduler = LocalScheduler(now=lambda: next(moments, NOON), looks_at_clock=timedelta(seconds=0.2))
    ran = threading.Event()
    server.before_answer = ran.set
    scheduler.start(replace(sending.tools, store=sending.database))
    try:
        for job in SCHEDULE:  # what a clock does to them that was an hour ahead
            scheduler._scheduler.modify_job(job.name, next_run_time=datetime.now(UTC) + timedelta(hours=1))  # noqa: SLF001 - no other way
        wait_in_outbox(sending, "alert-1")
        assert ran.wait(30)
    finally:
        scheduler.close()

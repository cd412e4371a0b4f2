"""Faults: whatever fails, nothing is hidden unsealed, nothing is lost, and a person is told in words they understand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, approval, comment, set_up

from moderator.domain.account import Mode
from moderator.domain.calendar import Span
from moderator.domain.errors import EvidenceFailed, Gone, ModeratorError, NotAllowed, RateLimited, Refused, Transient, Unauthorised
from moderator.domain.events import Head
from moderator.domain.record import Evidence, Fault, SealedRecord
from moderator.evidence.vault.folder import FolderVault
from moderator.ports import Ledger, Recorder
from moderator.steps.decide import decide
from moderator.steps.drain import LONGEST_WAIT, MAX_ATTEMPTS, Tools, wait
from moderator.steps.hide import hide
from moderator.steps.poll import poll
from moderator.steps.record import record
from moderator.steps.send import REFUSED_WAIT, send
from moderator.steps.sweep import sweep
from moderator.store import ledger, people
from moderator.store.database import Database
from moderator.store.items import ITEMS
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.people import ACCOUNTS, BUDGETS

INSULT = comment(11, "You are an idiot")


def told(stage: Stage) -> str:
    """Return every alert's words."""
    with stage.database.reading() as connection:
        return " ".join(f"{row.what} {row.done}" for row in connection.execute(sa.select(ALERTS.c.what, ALERTS.c.done)))


def to_record(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    stage.run("poll", "score", "decide")
    assert stage.states() == ["flagged"]


def to_hide(stage: Stage) -> None:
    to_record(stage)
    stage.run("record")
    assert stage.states() == ["recorded"]


def hides(stage: Stage) -> int:
    return sum(call.startswith("hide") for call in stage.platform.calls)


class Failing:
    """A recorder that fails as told, then hands over to the real one; implements ports.Recorder."""

    def __init__(self, real: Recorder, *errors: ModeratorError) -> None:
        self.real, self.errors = real, list(errors)

    def seal(self, evidence: Evidence) -> SealedRecord:
        if self.errors:
            raise self.errors.pop(0)
        return self.real.seal(evidence)

    def close(self) -> None:
        self.real.close()


# Polling


def test_r1_an_account_without_a_live_approval_is_never_polled(stage: Stage) -> None:
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id, NOON)
    assert poll(stage.tools) == 0
    assert stage.platform.calls == []


def test_r1_an_approval_that_has_ended_stops_the_poll(stage: Stage) -> None:
    stage.clock.move(timedelta(days=400))
    assert poll(stage.tools) == 0
    assert stage.platform.calls == []


@pytest.mark.parametrize("error", [Transient("no answer"), Refused("no")])
def test_a_failed_poll_is_tried_again_and_loses_nothing(stage: Stage, error: ModeratorError) -> None:
    stage.platform.comments.append(INSULT)
    stage.platform.failures.append(error)
    stage.run("poll")
    assert stage.rows("id") == []
    stage.database.poll_now()
    stage.run("poll")
    assert stage.states() == ["seen"]
    lines = stage.database.digest_of(SCHOOL, Span.of(stage.clock.now().date()), link="").accounts
    assert lines[0].trouble == ""


def test_a_rate_limit_waits_until_the_time_it_names(stage: Stage) -> None:
    stage.platform.failures.append(RateLimited(NOON + timedelta(hours=2)))
    stage.run("poll")
    stage.clock.move(timedelta(hours=1, minutes=59))
    assert poll(stage.tools) == 0
    stage.clock.move(timedelta(minutes=2))
    assert poll(stage.tools) == 1


def test_a_revoked_token_pauses_the_account_and_tells_a_person(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    stage.platform.failures.append(Unauthorised("401"))
    stage.run("poll")
    assert "authorisation no longer works" in told(stage)
    stage.clock.move(timedelta(days=1))
    assert poll(stage.tools) == 0
    with stage.database.unit() as unit:
        people.resume_account(unit.connection, stage.account.id, stage.clock.now())
    stage.run("poll")
    assert stage.states() == ["seen"]


def test_the_read_budget_is_never_passed_and_the_rest_is_not_lost(database: Database, tmp_path: Path) -> None:
    stage = set_up(database, tmp_path, monthly_reads=5)
    stage.platform.comments += [comment(number) for number in range(1, 9)]
    for _ in range(4):
        stage.database.poll_now()
        stage.run("poll")
    assert len(stage.rows("id")) == 5
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(BUDGETS.c.reads)).scalar() == 5
    assert "budget is used up" in stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="").accounts[0].trouble
    stage.clock.move(timedelta(days=15))
    stage.database.poll_now()
    stage.run("poll")
    assert len(stage.rows("id")) == 8


def test_a_broken_answer_stays_booked_and_the_next_try_asks_for_little(stage: Stage) -> None:
    stage.platform.comments += [comment(number) for number in range(1, 9)]
    stage.platform.failures.append(Transient("half an answer"))
    stage.run("poll")
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(BUDGETS.c.reads)).scalar() == 300
    stage.database.poll_now()
    stage.run("poll")
    assert len(stage.rows("id")) == 8


def test_a_booking_another_worker_took_first_ends_the_poll(stage: Stage) -> None:
    with stage.database.unit() as unit:
        assert unit.reserve_reads(stage.account.id, "2026-11", 10_000)
        assert not unit.reserve_reads(stage.account.id, "2026-11", 1)
    turn = stage.database.claim_poll(now=stage.clock.now(), lease=timedelta(minutes=1))
    assert turn is not None
    stage.database.release_leases()
    from moderator.steps import poll as module  # noqa: PLC0415 - reaches the function under test

    read = module._read_source(stage.tools, stage.platform, replace(turn, reads_left=500), "comments", left=500)  # noqa: SLF001 - the function under test
    assert read == (0, 0, True)


# Scoring


def test_one_text_that_breaks_the_classifier_does_not_stop_the_rest(stage: Stage) -> None:
    stage.classifier.breaks_on = "poison"
    stage.platform.comments += [comment(1), comment(2, "poison"), comment(3)]
    stage.run("poll", "score")
    assert stage.states() == ["scored", "seen", "scored"]
    for _ in range(MAX_ATTEMPTS):
        stage.clock.move(LONGEST_WAIT)
        stage.run("score")
    assert stage.rows("held_stage")[1] == ("score",)
    assert "classifier could not read" in told(stage)
    assert stage.ledger_events()[-1] == "held"


def test_an_item_without_a_score_is_not_decided_on(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    stage.run("poll", "score")
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(score=None))
    with pytest.raises(NotAllowed, match="no score"):
        decide(stage.tools)


# Recording


def with_recorder(stage: Stage, *errors: ModeratorError) -> Tools:
    return replace(stage.tools, recorder=Failing(stage.tools.recorder, *errors))


def test_a_full_vault_hides_nothing_tells_a_person_and_goes_on_later(stage: Stage) -> None:
    to_record(stage)
    record(with_recorder(stage, Transient("no space left")))
    stage.run("hide")
    assert stage.states() == ["flagged"]
    assert hides(stage) == 0
    assert "disk may be full" in told(stage)
    stage.clock.move(LONGEST_WAIT)
    stage.run("record", "hide")
    assert stage.states() == ["hidden"]


@pytest.mark.parametrize("error", [EvidenceFailed("damaged"), Refused("another bag is there")])
def test_when_no_record_can_be_made_the_item_is_held_and_not_hidden(stage: Stage, error: ModeratorError) -> None:
    to_record(stage)
    record(with_recorder(stage, error))
    stage.run("hide")
    assert hides(stage) == 0
    assert stage.rows("state", "stage", "held_stage") == [("flagged", None, "record")]
    assert "was not hidden" in told(stage)


def test_an_item_whose_bytes_are_missing_is_held_and_does_not_stop_the_rest(stage: Stage) -> None:
    stage.platform.comments += [INSULT, comment(12, "another idiot")]
    stage.run("poll", "score", "decide")
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).where(ITEMS.c.id == 1).values(page_id=None))
    stage.run("record")
    assert stage.states() == ["flagged", "recorded"]
    assert stage.rows("held_stage")[0] == ("record",)


def test_an_item_without_a_decision_is_not_recorded(stage: Stage) -> None:
    to_record(stage)
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(decision=None))
    with pytest.raises(NotAllowed, match="no decision"):
        record(stage.tools)


def test_a_deleted_comment_is_still_recorded_from_the_bytes_held(stage: Stage) -> None:
    to_record(stage)
    stage.platform.delete("11")
    stage.run("record", "hide")
    assert stage.states() == ["gone"]
    assert stage.ledger_events()[-1] == "gone"
    path = str(stage.database.work(1).record.path)  # type: ignore[union-attr] # it was recorded
    assert stage.tools.vault.open(path, "data/api-response.json") == b'{"from":"memory"}'


@pytest.mark.parametrize(
    ("error", "paused"),
    [
        (Unauthorised("401"), True),
        (RateLimited(NOON + timedelta(hours=1)), False),
        (Transient("timeout"), False),
        (Refused("403"), False),
    ],
)
def test_a_platform_that_does_not_answer_never_stops_the_record(stage: Stage, error: ModeratorError, paused: bool) -> None:  # noqa: FBT001 - a parametrised case
    to_record(stage)
    stage.platform.failures.append(error)
    stage.run("record")
    assert stage.states() == ["recorded"]
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(ACCOUNTS.c.needs_person)).scalar() is paused


def test_without_budget_or_approval_the_bytes_held_are_recorded(database: Database, tmp_path: Path) -> None:
    stage = set_up(database, tmp_path, monthly_reads=1)
    to_record(stage)
    stage.run("record", "hide")
    assert stage.states() == ["hidden"]
    assert not any(call.startswith("fetch") for call in stage.platform.calls[: stage.platform.calls.index("hide 11")])


def test_a_withdrawn_approval_still_leads_to_a_record_but_not_to_a_hide(stage: Stage) -> None:
    to_record(stage)
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id, NOON)
    stage.run("record", "hide")
    assert stage.states() == ["recorded"]
    assert hides(stage) == 0
    assert not any(call.startswith("fetch") for call in stage.platform.calls)


# Hiding


def test_r10_the_hide_step_refuses_an_item_without_a_record(stage: Stage) -> None:
    to_record(stage)
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(stage="hide"))
    with pytest.raises(NotAllowed, match="must not be hidden"):
        hide(stage.tools)
    assert hides(stage) == 0


def test_r10_a_record_that_was_changed_in_the_vault_stops_the_hide(stage: Stage) -> None:
    to_hide(stage)
    manifest = stage.folder / "vault" / str(stage.database.work(1).record.path) / "manifest-sha256.txt"  # type: ignore[union-attr] # told by the type of the test's own call
    manifest.chmod(0o600)
    manifest.write_text("changed\n")
    stage.run("hide")
    assert hides(stage) == 0
    assert "missing or was changed" in told(stage)


def test_a_clock_set_back_makes_hiding_wait_and_tells_a_person(stage: Stage) -> None:
    to_hide(stage)
    stage.clock.move(timedelta(hours=-2))
    with stage.database.engine.begin() as connection:
        connection.execute(sa.update(ITEMS).values(due_at=stage.clock.now() - timedelta(hours=1)))
    stage.run("hide")
    assert hides(stage) == 0
    assert "clock was set back" in told(stage)
    stage.clock.move(timedelta(hours=3))
    stage.run("hide")
    assert stage.states() == ["hidden"]


def test_a_hide_limit_waits_and_the_rest_of_the_account_with_it(stage: Stage) -> None:
    stage.platform.comments += [INSULT, comment(12, "another idiot"), comment(13, "I will hurt you")]
    stage.run("poll", "score", "decide", "record")
    stage.platform.failures.append(RateLimited(stage.clock.now() + timedelta(minutes=15)))
    hide(stage.tools)
    assert stage.states() == ["recorded"] * 3
    assert hides(stage) == 1
    assert stage.platform.calls[-1] == "hide 13"
    assert hide(stage.tools) == 0
    stage.clock.move(timedelta(minutes=16))
    stage.run("hide")
    assert stage.states() == ["hidden"] * 3


def test_the_digest_says_what_still_shows_and_which_mail_is_stuck(stage: Stage) -> None:
    stage.platform.comments.append(comment(12, "I will hurt you"))
    stage.run("poll", "score", "decide", "alert", "record")
    send(replace(stage.tools, mailer=Failer(Transient("no answer"))))
    told_now = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="", now=stage.clock.now())
    assert told_now.notes == ("1 recorded comment waits to be hidden. It is still showing.",)
    assert told_now.undelivered == (), "a mail that failed once a moment ago is not told of yet"
    later = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="", now=stage.clock.now() + timedelta(minutes=16))
    assert [(mail.what, mail.count, mail.bounced) for mail in later.undelivered] == [("An alert", 1, False)]


def test_a_token_revoked_before_the_hide_waits_for_a_person_and_goes_on(stage: Stage) -> None:
    to_hide(stage)
    stage.platform.failures.append(Unauthorised("401"))
    stage.run("hide")
    assert stage.states() == ["recorded"]
    assert "authorisation no longer works" in told(stage)
    assert stage.database.stuck() is False
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert", "send")
    assert stage.database.stuck()
    with stage.database.unit() as unit:
        people.resume_account(unit.connection, stage.account.id, stage.clock.now())
    stage.run("hide")
    assert stage.states() == ["hidden"]


def test_a_comment_deleted_before_the_hide_is_done(stage: Stage) -> None:
    to_hide(stage)
    stage.platform.failures.append(Gone("404"))
    stage.run("hide")
    assert stage.rows("state", "stage") == [("recorded", None)]
    assert stage.ledger_events()[-1] == "gone"


def test_a_refused_hide_is_held_and_told(stage: Stage) -> None:
    to_hide(stage)
    stage.platform.failures.append(Refused("403"))
    stage.run("hide")
    assert stage.rows("held_stage") == [("hide",)]
    assert "refused to hide" in told(stage)
    assert "still showing" in told(stage)


def test_a_hide_that_is_not_confirmed_is_tried_again_then_held(stage: Stage) -> None:
    to_hide(stage)
    stage.platform.believes_hidden = False
    for _ in range(MAX_ATTEMPTS):
        assert stage.states() == ["recorded"]
        stage.run("hide")
        stage.clock.move(LONGEST_WAIT)
    assert stage.rows("held_stage") == [("hide",)]
    assert "did not confirm" in told(stage)
    assert hides(stage) == MAX_ATTEMPTS


def test_an_approval_that_ends_before_the_hide_leaves_the_comment_showing(stage: Stage) -> None:
    to_hide(stage)
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id, NOON)
    stage.run("hide")
    assert hides(stage) == 0
    assert stage.rows("state", "stage") == [("recorded", None)]
    assert "approval to hide has ended" in str(stage.rows("trouble"))


class FullLedger:
    """A ledger file on a full disk; implements ports.Ledger."""

    def __init__(self) -> None:
        self.full = True

    def sync(self, school: str) -> Head:
        del school
        message = "the ledger file could not be written: No space left on device"
        raise Transient(message)

    def differences(self, school: str) -> tuple[Fault, ...]:
        del school
        return ()


def test_r10_nothing_is_hidden_when_the_ledger_file_cannot_be_written(stage: Stage) -> None:
    to_hide(stage)
    assert hide(replace(stage.tools, ledger=FullLedger())) == 1
    assert hides(stage) == 0
    stage.clock.move(LONGEST_WAIT)
    stage.run("hide")
    assert stage.states() == ["hidden"]


def test_r10_nothing_is_hidden_while_the_ledger_file_was_changed_from_outside(stage: Stage) -> None:
    to_hide(stage)
    path = stage.folder / "ledger.jsonl"
    whole = path.read_text()
    path.write_text(whole.replace('"flagged"', '"cleared"').replace('"sealed"', '"seeled"'))
    stage.run("hide", "sweep")
    assert hides(stage) == 0
    assert "changed from outside" in told(stage)
    path.write_text(whole)
    stage.clock.move(LONGEST_WAIT)
    stage.run("hide")
    assert stage.states() == ["hidden"]


OTHER = replace(SCHOOL, slug="elmfield", name="Elmfield Primary School", head_email="head@elmfield.example", ledger="ledger-elmfield.jsonl")


def with_other_school(stage: Stage) -> None:
    """Register another school of the trust, which sees the same comments."""
    with stage.database.unit() as unit:
        people.put_school(unit.connection, OTHER)
        number = people.add_account(
            unit.connection,
            school=OTHER,
            platform="memory",
            handle="elmfieldprimary",
            platform_id="memory-9",
            contact_email="office@oakfield.example",
            monthly_reads=10_000,
            at=NOON,
        )
        people.approve(unit.connection, number, approval())
        key = ledger.public_keys(unit.connection, SCHOOL.slug)[0].public_key
        unit.append(OTHER.slug, ledger.opened(key, NOON))


def spoil(stage: Stage) -> None:
    path = stage.folder / "ledger.jsonl"
    path.write_text(path.read_text().replace('"flagged"', '"cleared"'))


def test_r10_a_spoilt_ledger_file_hides_nothing_and_holds_up_no_other_school(stage: Stage) -> None:
    with_other_school(stage)
    to_record_twice(stage)
    spoil(stage)
    stage.run("record", "hide")
    assert stage.rows("school", "state") == [("oakfield", "recorded"), ("elmfield", "hidden")]
    assert hides(stage) == 1


def test_a_spoilt_ledger_file_holds_up_no_other_school_when_an_item_is_held(stage: Stage) -> None:
    with_other_school(stage)
    to_record_twice(stage)
    spoil(stage)
    record(with_recorder(stage, EvidenceFailed("damaged")))
    assert stage.rows("school", "state", "held_stage") == [("oakfield", "flagged", "record"), ("elmfield", "recorded", None)]
    assert "was not hidden" in told(stage)


def to_record_twice(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    stage.run("poll", "score", "decide")
    assert stage.states() == ["flagged", "flagged"]


class FullAfter(FullLedger):
    """A ledger file that takes so much, then the disk is full; implements ports.Ledger."""

    def __init__(self, real: Ledger, times: int) -> None:
        self.real, self.times = real, times

    def sync(self, school: str) -> Head:
        if not self.times:
            return super().sync(school)
        self.times -= 1
        return self.real.sync(school)


@pytest.mark.parametrize(("answer", "state"), [(None, "hidden"), (Gone("404"), "recorded")])
def test_a_ledger_file_that_fills_up_while_hiding_keeps_no_other_item_waiting(stage: Stage, answer: Gone | None, state: str) -> None:
    stage.platform.comments += [INSULT, comment(12, "another idiot")]
    stage.run("poll", "score", "decide", "record")
    if answer:
        stage.platform.failures.append(answer)
    hide(replace(stage.tools, ledger=FullAfter(stage.tools.ledger, 1)))
    assert stage.rows("state", "lease_until") == [(state, None), ("recorded", None)]


class Blinking(FolderVault):
    """A vault that does not answer the first time."""

    asked = 0

    def manifest_sha256(self, path: str) -> str | None:
        self.asked += 1
        if self.asked == 1:
            message = "the bucket does not answer"
            raise Transient(message)
        return super().manifest_sha256(path)


def test_r10_while_the_vault_does_not_answer_nothing_is_hidden_and_all_goes_on_soon(stage: Stage) -> None:
    stage.platform.comments += [INSULT, comment(12, "another idiot"), comment(13, "I will hurt you")]
    stage.run("poll", "score", "decide", "record")
    vault = Blinking(stage.folder / "vault")
    tools = replace(stage.tools, vault=vault)
    assert hide(tools) == 3
    assert (hides(stage), vault.asked) == (0, 1), "the rest is not asked for"
    assert stage.rows("state", "attempts", "lease_until") == [("recorded", 0, None)] * 3
    assert "Nothing is hidden until it does" in told(stage)
    stage.clock.move(wait(0))
    assert hide(tools) == 3
    assert stage.states() == ["hidden"] * 3


def test_a_sweep_tells_of_a_ledger_file_that_cannot_be_written(stage: Stage) -> None:
    sweep(replace(stage.tools, ledger=FullLedger()))
    assert "ledger file cannot be written" in told(stage)


# Mail


class Failer:
    """A mailer that fails; implements ports.Mailer."""

    def __init__(self, error: ModeratorError) -> None:
        self.error = error

    def send(self, message: EmailMessage) -> None:
        del message
        raise self.error


@pytest.mark.parametrize(("error", "least"), [(Transient("no answer"), wait(0)), (Refused("550"), REFUSED_WAIT)])
def test_mail_that_is_not_taken_is_pushed_forward_and_never_given_up(stage: Stage, error: ModeratorError, least: timedelta) -> None:
    stage.platform.comments.append(comment(12, "I will hurt you"))
    stage.run("poll", "score", "decide", "alert")
    failing = replace(stage.tools, mailer=Failer(error))
    assert send(failing) == 1
    with stage.database.reading() as connection:
        due, attempts = connection.execute(sa.select(OUTBOX.c.due_at, OUTBOX.c.attempts)).one()
    assert attempts == 1
    assert due - stage.clock.now() > least - timedelta(seconds=1)
    stage.clock.move(REFUSED_WAIT)
    assert send(stage.tools) == 1
    assert len(list((stage.folder / "outbox").glob("*.eml"))) == 1


def test_a_full_database_disk_rolls_back_and_is_tried_again(stage: Stage) -> None:
    stage.platform.comments.append(INSULT)
    with stage.database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def cap(most: int) -> Callable[[object, object], None]:
        def on_connect(connection: object, record: object) -> None:
            del record
            connection.execute(f"PRAGMA max_page_count={most}")  # type: ignore[attr-defined] # the driver's connection

        return on_connect

    stage.platform.comments += [comment(number, "x" * 20_000) for number in range(20, 60)]
    stage.database.engine.dispose()
    listener = cap(pages + 2)
    sa.event.listen(stage.database.engine, "connect", listener)
    stage.run("poll")
    sa.event.remove(stage.database.engine, "connect", listener)
    stage.database.engine.dispose()
    assert stage.rows("id") == []
    stage.database.release_leases()
    stage.database.poll_now()
    stage.run("poll")
    assert len(stage.rows("id")) == 41


def test_observe_mode_after_the_record_leaves_it(stage: Stage) -> None:
    to_hide(stage)
    from stage import approval  # noqa: PLC0415 - for one call

    with stage.database.unit() as unit:
        people.approve(unit.connection, stage.account.id, approval(Mode.OBSERVE))
    stage.run("hide")
    assert hides(stage) == 0

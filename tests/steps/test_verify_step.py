"""The nightly and monthly check: what it looks at, when, what it tells and whom."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import sqlalchemy as sa
from night import TRUST, CountedCheck, alerts, damage, encrypted, night, remove, runs, sealed, with_check
from stage import NOON, SCHOOL, Stage

from moderator.domain.checks import CheckKind
from moderator.domain.digest import AlertKind
from moderator.domain.errors import EvidenceFailed, NotAllowed, Transient
from moderator.domain.events import Event, Head, LedgerEvent
from moderator.domain.record import Fault
from moderator.domain.times import utc_text
from moderator.steps import verify as step
from moderator.steps.verify import check_now, verify
from moderator.store import people
from moderator.store.ledger import LEDGER
from moderator.store.outbox import ALERTS
from moderator.store.record_keys import KEYS, destroy


@pytest.fixture
def checked(stage: Stage) -> tuple[Stage, CountedCheck]:
    return with_check(stage)


@pytest.fixture
def any_checked(any_stage: Stage) -> tuple[Stage, CountedCheck]:
    return with_check(any_stage)


def verified(stage: Stage) -> list[dict[str, object]]:
    with stage.database.reading() as connection:
        wanted = sa.select(LEDGER.c.line).where(LEDGER.c.event == Event.VERIFIED.value).order_by(LEDGER.c.seq)
        return [json.loads(line) for line in connection.execute(wanted).scalars()]


def test_without_a_check_nothing_is_checked(stage: Stage) -> None:
    assert verify(stage.tools) == 0
    assert stage.database.last_check(SCHOOL.slug, CheckKind.SAMPLE) is None


def test_a_night_is_checked_once_and_the_ledger_says_so(any_checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = any_checked
    paths = sealed(stage)
    assert verify(stage.tools) == 0
    assert runs(stage).checked == runs(stage, CheckKind.FULL).checked == 3
    assert [sorted(asked) for asked in check.asked] == [sorted(paths)] * 2
    assert [(line["reason"], line["subject"], line["kind"], line["faults"], line["complete"]) for line in verified(stage)] == [
        ("", "sample", "sample", 0, False),
        ("", "full", "full", 0, True),
    ]
    assert (stage.folder / "ledger.jsonl").read_text().count('"event":"verified"') == 2
    verify(stage.tools)
    assert len(check.asked) == 2
    night(stage)
    assert len(check.asked) == 3
    assert alerts(stage) == []


def test_the_night_begins_at_two_in_london_and_a_missed_one_is_made_up_for(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    verify(stage.tools)
    stage.clock.move(timedelta(hours=13, minutes=30))  # half past one in the night
    verify(stage.tools)
    assert len(verified(stage)) == 2
    stage.clock.move(timedelta(hours=1))
    verify(stage.tools)
    assert len(verified(stage)) == 3
    stage.clock.move(timedelta(days=3, hours=6))  # the machine was off; it is on again in the morning
    verify(stage.tools)
    assert len(verified(stage)) == 4


def test_the_sample_holds_what_was_sealed_lately_and_some_drawn_by_chance(any_checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = any_checked
    paths = sealed(stage, 6)
    stage = replace(stage, tools=replace(stage.tools, verify_sample=2))
    verify(stage.tools)
    assert sorted(check.asked[0]) == sorted(paths)
    drawn: set[str] = set()
    for days in (3, 1, 1, 1, 1, 1, 1, 1):
        night(stage, days=days)
        assert len(check.asked[-1]) == 2
        drawn.update(check.asked[-1])
    assert len(drawn) > 2


def test_the_full_pass_goes_on_where_it_stopped(any_checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = any_checked
    paths = sealed(stage, 5)

    def turn_is_over() -> None:
        stage.clock.move(step.TURN)

    check.before = [turn_is_over]  # the night's sample takes it all
    verify(stage.tools, limit=5)
    assert stage.database.last_check(SCHOOL.slug, CheckKind.FULL) is None
    for count in (2, 4):
        check.asked.clear()
        check.before = [turn_is_over]
        verify(stage.tools, limit=2)
        running = runs(stage, CheckKind.FULL)
        assert check.asked == [tuple(paths[count - 2 : count])]
        assert (running.finished_at, running.position, running.checked) == (None, paths[count - 1].rpartition("/")[2], count)
    verify(stage.tools, limit=2)
    done = runs(stage, CheckKind.FULL)
    assert (done.id, done.checked, done.finished_at is not None) == (running.id, 5, True)
    assert check.asked[1:] == [(paths[4],)]


def test_a_full_pass_begins_in_the_first_night_of_a_month(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    verify(stage.tools)
    first = runs(stage, CheckKind.FULL)
    stage.clock.move(timedelta(days=12, hours=13))  # one in the night to the 1st of December
    verify(stage.tools)
    assert runs(stage, CheckKind.FULL).id == first.id
    stage.clock.move(timedelta(hours=1))
    verify(stage.tools)
    assert runs(stage, CheckKind.FULL).id > first.id


def test_a_turn_that_is_used_up_leaves_the_next_school_for_later(checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = checked
    other = replace(SCHOOL, slug="ashdown", ledger="ledger-ashdown.jsonl")
    with stage.database.unit() as unit:
        people.put_school(unit.connection, other)
        unit.append("ashdown", LedgerEvent(Event.OPENED, NOON, "ledger", facts={"public_key": "k"}))
    sealed(stage, 1)
    check.before = [lambda: stage.clock.move(step.TURN)]
    verify(stage.tools)
    done = [line["school"] for line in verified(stage)]
    assert done == ["ashdown", "oakfield"]
    verify(stage.tools)
    assert sorted(str(line["school"]) for line in verified(stage)) == ["ashdown", "ashdown", "oakfield", "oakfield"]


@pytest.mark.parametrize("harm", [damage, remove])
def test_a_fault_is_told_to_the_headteacher_and_to_the_trust(checked: tuple[Stage, CountedCheck], harm: object) -> None:
    stage, _ = checked
    path = sealed(stage)[1]
    harm(stage, path)  # type: ignore[operator] # one of the two functions above
    stage.clock.move(stage.tools.alert_batch)
    stage.run("alert", "send")
    before = {each.name for each in (stage.folder / "outbox").iterdir()}
    verify(stage.tools)
    assert runs(stage).faults > 0
    (told,) = alerts(stage)
    assert path.rpartition("/")[2] in told
    stage.run("alert", "send")
    mails = [
        message_from_bytes(each.read_bytes(), policy=default) for each in (stage.folder / "outbox").iterdir() if each.name not in before
    ]
    assert sorted(str(mail["To"]) for mail in mails) == [TRUST, SCHOOL.head_email]
    assert all("Look now: the evidence needs attention" in mail["Subject"] for mail in mails)
    bodies = [str(body.get_content()) for mail in mails if (body := mail.get_body(("plain",))) is not None]
    assert all(path.rpartition("/")[2] in body for body in bodies)
    assert not any(word in body for word in ("Fern", "idiot", "page.html") for body in bodies)
    assert len({str(mail["Message-ID"]) for mail in mails}) == 2


def test_the_same_fault_is_told_again_after_a_week_and_a_new_one_at_once(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    first, second, _ = sealed(stage)
    damage(stage, first)
    verify(stage.tools)
    for _ in range(5):
        night(stage)
    assert len(alerts(stage)) == 1
    remove(stage, second)
    night(stage)
    assert len(alerts(stage)) == 2
    assert first.rpartition("/")[2] not in alerts(stage)[1]
    night(stage)
    assert len(alerts(stage)) == 3
    assert first.rpartition("/")[2] in alerts(stage)[2]


def test_a_record_at_fault_stays_in_the_sample_until_it_is_mended(checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = checked
    path = sealed(stage, 4)[0]
    page = stage.folder / "vault" / path / "data" / "page.html"
    whole = page.read_bytes()
    damage(stage, path)
    stage = replace(stage, tools=replace(stage.tools, verify_sample=1))
    verify(stage.tools)
    for _ in range(4):
        night(stage, days=3)
        assert runs(stage).faults > 0
    page.write_bytes(whole)
    night(stage, days=8)
    assert (runs(stage).faults, runs(stage, CheckKind.FULL).faults) == (0, 0)
    assert path in check.asked[-1]


def test_what_is_right_at_the_second_look_is_no_fault(checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = checked
    path = sealed(stage)[0]
    page = stage.folder / "vault" / path / "data" / "page.html"
    whole = page.read_bytes()
    damage(stage, path)
    check.before = [lambda: None, lambda: page.write_bytes(whole)]
    verify(stage.tools)
    assert (runs(stage).faults, len(check.asked)) == (0, 3)
    assert alerts(stage) == []


def test_a_vault_that_is_away_says_nothing_against_the_records(checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = checked
    sealed(stage)
    check.failures = [Transient("the bucket does not answer")] * 2
    assert verify(stage.tools) == 0
    assert (verified(stage), alerts(stage)) == ([], [])
    verify(stage.tools)
    assert len(verified(stage)) == 2


def test_a_check_that_breaks_is_told_and_does_not_stop_the_other_schools(checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = checked
    other = replace(SCHOOL, slug="pinefield", ledger="ledger-pinefield.jsonl")
    with stage.database.unit() as unit:
        people.put_school(unit.connection, other)
        unit.append("pinefield", LedgerEvent(Event.OPENED, NOON, "ledger", facts={"public_key": "k"}))
    sealed(stage, 1)
    check.failures = [RuntimeError("whatever")] * 2
    assert verify(stage.tools) == 0
    assert [line["school"] for line in verified(stage)] == ["pinefield"] * 2
    with stage.database.reading() as connection:
        told = connection.execute(sa.select(ALERTS.c.school, ALERTS.c.what).where(ALERTS.c.kind == AlertKind.SYSTEM.value)).all()
    assert [tuple(row) for row in told] == [("oakfield", step.NOT_CHECKED)], "one alert a day, however often it is tried"
    verify(stage.tools)
    assert [line["school"] for line in verified(stage)].count("oakfield") == 2


def test_a_line_that_is_no_text_in_the_ledgers_file_does_not_hide_an_altered_record(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    path = sealed(stage, 1)[0]
    damage(stage, path)
    head = stage.database.head(SCHOOL.slug)
    row = {"seq": head.seq + 1, "prev": head.hash, "at": utc_text(NOON), "school": "oakfield", "event": "captured", "subject": "\ud800"}
    with (stage.folder / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(row | {"actor": "service", "reason": ""}, separators=(",", ":")) + "\n")
    verify(stage.tools)
    (told,) = alerts(stage)
    assert path.rpartition("/")[2] in told


def test_a_ledger_file_written_anew_with_the_same_last_line_is_told_of(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    sealed(stage)
    path = stage.folder / "ledger.jsonl"
    path.write_text(path.read_text().replace('"actor":"service"', '"actor":"somebody"', 1))
    verify(stage.tools)
    assert {fault.code for fault in runs(stage).found} >= {"ledger_file"}
    assert "ledger line 1" in alerts(stage)[0]


def test_a_ledger_file_with_another_last_line_does_not_stop_the_check(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    sealed(stage)
    path = stage.folder / "ledger.jsonl"
    path.write_text(path.read_text()[:-3] + "x}\n")
    verify(stage.tools)
    assert runs(stage).faults > 0
    assert runs(stage).finished_at is not None
    assert len(alerts(stage)) >= 1


def test_a_full_disk_after_the_check_is_not_a_fault(checked: tuple[Stage, CountedCheck], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _ = checked
    real, calls = stage.tools.ledger.sync, []

    def sync(school: str) -> Head:
        calls.append(school)
        if len(calls) == 2:  # after the night's line
            raise Transient
        if len(calls) == 3:  # before the full pass
            raise EvidenceFailed
        return real(school)

    monkeypatch.setattr(type(stage.tools.ledger), "sync", lambda _self, school: sync(school))
    verify(stage.tools)
    assert [line["faults"] for line in verified(stage)] == [0, 0]


def test_the_head_of_every_digest_must_still_be_a_line(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    stage.clock.move(timedelta(days=1))
    stage.run("digest")
    verify(stage.tools)
    assert runs(stage).faults == 0
    with stage.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE digests SET head_hash = :hash"), {"hash": "ab" * 32})
    night(stage)
    assert [fault.code for fault in runs(stage).found] == ["digest_head"]
    assert "A ledger line that a digest named is gone: ledger line 1." in alerts(stage)[0]


def test_r30_every_encrypted_record_has_its_own_key(checked: tuple[Stage, CountedCheck]) -> None:
    stage = encrypted(checked[0])
    paths = sealed(stage)
    verify(stage.tools)
    assert runs(stage).faults == 0
    names = [path.rpartition("/")[2] for path in paths]
    with stage.database.engine.begin() as connection:
        rows = {row.record_id: row.sealed for row in connection.execute(sa.select(KEYS.c.record_id, KEYS.c.sealed))}
        destroy(connection, names[0], NOON)
        connection.execute(sa.update(KEYS).where(KEYS.c.record_id == names[1]).values(sealed=rows[names[2]]))
        connection.execute(sa.update(KEYS).where(KEYS.c.record_id == names[2]).values(sealed=b"not a key of ours"))
    night(stage)
    assert {(fault.code, fault.where) for fault in runs(stage).found} == {
        ("key_lost", paths[0]),
        ("key_wrong", paths[1]),
        ("key_lost", paths[2]),
    }


def test_r30_a_disposed_record_is_counted_and_its_key_must_be_gone(checked: tuple[Stage, CountedCheck]) -> None:
    stage = encrypted(checked[0])
    paths = sealed(stage)
    names = [path.rpartition("/")[2] for path in paths]
    with stage.database.unit() as unit:
        unit.append(
            SCHOOL.slug, *(LedgerEvent(Event.DISPOSED, stage.clock.now(), name, facts={"approved_by": "CEO-1"}) for name in names[:2])
        )
        destroy(unit.connection, names[0], NOON)
    for path in paths[:2]:
        stage.tools.vault.dispose(path)
    verify(stage.tools)
    assert (runs(stage).disposed, runs(stage).checked) == (2, 3)
    assert [(fault.code, fault.where) for fault in runs(stage).found] == [("key_still_there", paths[1])]
    assert f"A record that was disposed of is still there: {names[1]}." in alerts(stage)[0]


def test_a_bag_the_ledger_does_not_know_is_told_of_unless_it_is_new(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    path = sealed(stage)[0]
    school, year, record = path.split("/")
    root = stage.folder / "vault"
    stray, young, broken = (f"{school}/{year}/R-{letter * 16}" for letter in "ABC")
    for name, seal in ((stray, {"sealed_utc": utc_text(NOON)}), (young, {"sealed_utc": "soon"}), (broken, ["no", "facts"])):
        (root / name / "data").mkdir(parents=True)
        (root / name / "data" / "seal.json").write_text(json.dumps(seal))
        (root / name / "manifest-sha256.txt").write_text("")
    stage.clock.move(timedelta(hours=30))
    (root / young / "data" / "seal.json").write_text(json.dumps({"sealed_utc": utc_text(stage.clock.now())}))
    verify(stage.tools)
    found = [(fault.code, fault.where) for fault in runs(stage, CheckKind.FULL).found]
    assert found == [("not_in_ledger", stray), ("not_in_ledger", broken)]
    assert record not in alerts(stage)[0]


def test_a_second_bag_of_a_known_record_is_told_of(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    school, _, record = sealed(stage)[0].split("/")
    (stage.folder / "vault" / school / "2020" / record / "data").mkdir(parents=True)
    (stage.folder / "vault" / school / "2020" / record / "manifest-sha256.txt").write_text("")
    verify(stage.tools)
    assert [fault.where for fault in runs(stage, CheckKind.FULL).found] == [f"{school}/2020/{record}"]


def test_more_faults_than_are_kept_are_all_counted(checked: tuple[Stage, CountedCheck], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _ = checked
    many = tuple(Fault("ledger_row", f"oakfield ledger line {number} (database)", "changed") for number in range(1, 151))

    def differences(_self: object, school: str) -> Iterator[Fault]:
        del school
        return iter(many)

    monkeypatch.setattr(type(stage.tools.ledger), "differences", differences)
    verify(stage.tools)
    assert (runs(stage).faults, len(runs(stage).found)) == (150, 100)
    assert "ledger line 5 and 95 more." in alerts(stage)[0]


def test_the_trust_is_not_told_twice_at_the_headteachers_address_and_never_without_one(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    damage(stage, sealed(stage)[0])
    for address in ("", SCHOOL.head_email.upper(), "not\u00a0an@address.example"):
        stage = replace(stage, tools=replace(stage.tools, trust_email=address))
        night(stage, days=8)
        outbox(stage)
        stage.run("alert")
        assert [str(mail["To"]) for mail in outbox(stage)] == [SCHOOL.head_email]


def outbox(stage: Stage) -> list[EmailMessage]:
    """Return the mails that wait, and mark them as taken."""
    with stage.database.engine.begin() as connection:
        rows = list(connection.execute(sa.text("SELECT message FROM outbox WHERE sent_at IS NULL")).scalars())
        connection.execute(sa.text("UPDATE outbox SET sent_at = :at"), {"at": str(NOON)})
    return [message_from_bytes(bytes(row), policy=default) for row in rows]


def test_ten_thousand_records_are_read_a_slice_at_a_time(any_stage: Stage) -> None:
    stage, at = any_stage, NOON
    with stage.database.unit() as unit:
        facts = [f"oakfield/2026/R-{number:016d}" for number in range(2000)]
        unit.append(SCHOOL.slug, *(LedgerEvent(Event.SEALED, at, path[14:], facts={"path": path}) for path in facts))
        unit.append(SCHOOL.slug, LedgerEvent(Event.SEALED, at, facts[0][14:], facts={"path": facts[0]}))
    position, seen = "", []
    while places := stage.database.sealed_after(SCHOOL.slug, position, limit=300):
        position = places[-1].record_id
        seen += [place.path for place in places]
    assert seen == facts
    assert stage.database.not_sealed(SCHOOL.slug, [*facts[:3], "oakfield/2026/R-X", "oakfield/2020/R-0000000000000001"]) == [
        "oakfield/2026/R-X",
        "oakfield/2020/R-0000000000000001",
    ]
    assert len(stage.database.sample(SCHOOL.slug, count=50, since=at + timedelta(days=1), again={"R-0000000000000007"})) in {50, 51}


def test_a_school_folder_that_is_not_there_is_an_empty_one(checked: tuple[Stage, CountedCheck]) -> None:
    stage, _ = checked
    assert not Path(stage.folder / "vault" / SCHOOL.slug).exists()
    verify(stage.tools)
    assert runs(stage, CheckKind.FULL).finished_at is not None


def test_a_person_can_have_everything_checked_at_once(any_checked: tuple[Stage, CountedCheck]) -> None:
    stage, check = any_checked
    paths = sealed(stage, 5)
    found = check_now(stage.tools, SCHOOL.slug, limit=2)
    assert found.ok
    assert (found.checked, [len(asked) for asked in check.asked]) == (5, [2, 2, 1])
    damage(stage, paths[3])
    assert {fault.code for fault in check_now(stage.tools, SCHOOL.slug).faults} == {"altered"}
    remove(stage, paths[0])
    assert "record_gone" in {fault.code for fault in check_now(stage.tools, SCHOOL.slug).faults}
    assert verified(stage) == []
    assert alerts(stage) == []


def test_without_a_check_a_person_is_told_so(stage: Stage) -> None:
    with pytest.raises(NotAllowed, match="no check of the records is set up"):
        check_now(stage.tools, SCHOOL.slug)

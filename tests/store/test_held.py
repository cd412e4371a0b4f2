"""What the books know of a record: place, history, exports, disposal, and how the service stood around it."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.pack import NEARBY, Checked, Held
from moderator.domain.review import Review, Verdict
from moderator.domain.work import AlertRequest
from moderator.steps.review import review
from moderator.store import held
from moderator.store.ledger import copied


@pytest.fixture
def number(any_stage: Stage) -> str:
    """Return the number of the one record on the stage."""
    any_stage.platform.comments.append(comment(11, "You are an idiot"))
    any_stage.run("poll", "score", "decide", "record", "hide")
    with any_stage.database.reading() as connection:
        (only,) = held.numbers(connection, SCHOOL.slug)
    return only


def found(stage: Stage, number: str) -> Held:
    with stage.database.reading() as connection:
        return held.find(connection, number)


def write(stage: Stage, *events: LedgerEvent) -> None:
    with stage.database.unit() as unit:
        unit.append(SCHOOL.slug, *events)


def test_a_record_of_the_line(any_stage: Stage, number: str) -> None:
    record = found(any_stage, number)
    assert record.record_id == number
    assert record.school == SCHOOL
    assert any_stage.tools.vault.manifest_sha256(record.path) == record.manifest_sha256
    assert (record.item_id, record.account_id, record.submitted_by, record.disposed_at) == (1, any_stage.account.id, "", None)
    assert [line.what for line in record.history] == [
        "flagged",
        "alerted",
        "captured",
        "sealed",
        "hide_intended",
        "hidden",
        "hide_verified",
    ]
    assert {line.actor for line in record.history} <= {"service", "platform"}
    with any_stage.database.reading() as connection:
        lines = b"".join(copied(connection, SCHOOL.slug)).decode().splitlines()
    assert f'"event":"sealed","subject":"{number}"' in lines[record.ledger_seq - 1]
    assert "".join(f"{line}\n" for line in lines) == (any_stage.folder / SCHOOL.ledger).read_text()


def test_reviews_exports_disposal_and_review_dates_are_told(any_stage: Stage, number: str) -> None:
    review(any_stage.tools, Review(1, Verdict.UPHOLD, "HEAD-1", "It is plainly abuse.", any_stage.clock.now()))
    at = any_stage.clock.now()
    write(
        any_stage,
        LedgerEvent(Event.EXPORTED, at, number, actor="HEAD-1", facts={"pack": "hr", "zip_sha256": "00"}),
        LedgerEvent(Event.DISPOSED, at + timedelta(days=1), number, actor="HEAD-1"),
    )
    with any_stage.database.unit() as unit:
        row = {"record_id": number, "school": SCHOOL.slug, "record_class": "abuse", "by": "HEAD-1", "why": "longer", "at": at}
        unit.connection.execute(sa.insert(held.RETENTION), [row | {"review_on": date(2030, 1, day)} for day in (1, 2)])
    record = found(any_stage, number)
    upheld = next(line for line in record.history if line.what == "uphold")
    assert (upheld.actor, upheld.why) == ("HEAD-1", "It is plainly abuse.")
    assert "reviewed" not in {line.what for line in record.history}
    assert [line.at for line in record.history] == sorted(line.at for line in record.history)
    assert record.exports == (("hr", at),)
    assert record.disposed_at == at + timedelta(days=1)
    assert record.review_on == date(2030, 1, 2)


def test_a_record_that_a_person_handed_in(any_stage: Stage, number: str) -> None:
    row = {
        "record_id": "R-AAAAAAAAAAAAAAAA", "school": SCHOOL.slug, "path": "oakfield/2026/R-AAAAAAAAAAAAAAAA", "manifest_sha256": "00",
        "captured_at": NOON, "sealed_at": NOON, "by": "HEAD-1",
    }  # fmt: skip
    with any_stage.database.unit() as unit:
        unit.connection.execute(sa.insert(held.SUBMITTED), [row])
    record = found(any_stage, "R-AAAAAAAAAAAAAAAA")
    assert (record.submitted_by, record.item_id, record.account_id, record.ledger_seq) == ("HEAD-1", None, None, 0)
    with any_stage.database.reading() as connection:
        assert list(held.numbers(connection, SCHOOL.slug)) == ["R-AAAAAAAAAAAAAAAA", number]
        assert list(held.numbers(connection, "elmwood")) == []
        stood = held.around(connection, record)
    assert (stood.comments, stood.seen_before, stood.seen_after, stood.witnessed) == (None, None, None, None)


def test_an_unknown_record_is_bad_input(any_stage: Stage) -> None:
    with any_stage.database.reading() as connection, pytest.raises(BadInput, match="there is no record R-BBBBBBBBBBBBBBBB"):
        held.find(connection, "R-BBBBBBBBBBBBBBBB")


def test_how_the_service_stood_around_a_capture(any_stage: Stage, number: str) -> None:
    record = found(any_stage, number)
    at = record.captured_at
    any_stage.platform.comments.append(comment(12, "What a lovely assembly"))
    any_stage.clock.move(timedelta(hours=1))
    any_stage.run("poll", "score", "decide")
    with any_stage.database.unit() as unit:
        for key, kind, when in (
            ("a", AlertKind.SYSTEM, at),
            ("b", AlertKind.ACCOUNT, at + NEARBY),
            ("c", AlertKind.FLAGGED, at),
            ("d", AlertKind.SYSTEM, at + NEARBY * 2),
        ):
            unit.alert(AlertRequest(key, SCHOOL.slug, kind, Severity.SEVERE, "the service", f"Trouble {key}.", "", when, when))
    write(any_stage, LedgerEvent(Event.VERIFIED, at, "ledger", facts={"kind": "full", "checked": 9, "disposed": 0, "faults": 1}))
    with any_stage.database.reading() as connection:
        stood = held.around(connection, record)
    assert (stood.since, stood.until) == (at - NEARBY, at + NEARBY)
    assert stood.comments == 2
    assert stood.sealed == 1
    assert stood.seen_before is None
    assert stood.seen_after is not None
    assert stood.seen_after > at
    assert [(each.kind, each.what) for each in stood.troubles] == [("system", "Trouble a."), ("account", "Trouble b.")]
    assert stood.last_check == Checked(at, "full", 9, 1)
    assert stood.witnessed is None


def test_the_first_digest_that_carried_the_line_is_the_witness(any_stage: Stage, number: str) -> None:
    any_stage.clock.move(timedelta(days=2))
    any_stage.run("digest")
    record = found(any_stage, number)
    with any_stage.database.reading() as connection:
        stood = held.around(connection, record)
        head = any_stage.database.head(SCHOOL.slug)
    assert stood.witnessed is not None
    assert record.ledger_seq <= stood.witnessed.seq <= head.seq
    assert stood.last_check is None

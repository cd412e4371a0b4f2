"""How the evidence stands: what the digest, the Health page and doctor are told."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from night import damage, sealed, with_check
from stage import NOON, SCHOOL, Stage

from moderator.domain.calendar import Span
from moderator.domain.checks import CheckKind, EvidenceStanding
from moderator.steps.digest import digest_for
from moderator.steps.verify import verify
from moderator.store import checks
from moderator.store.items import RECORDS
from moderator.store.outbox import OUTBOX

WHO = {"by": "HEAD-1", "why": "It is so.", "at": NOON}


def stands(stage: Stage) -> EvidenceStanding:
    with stage.database.reading() as connection:
        return checks.standing(connection, SCHOOL.slug, stage.clock.now())


def test_before_the_first_night_nothing_is_known(stage: Stage) -> None:
    assert stands(stage) == EvidenceStanding()


def test_the_last_checks_are_told(any_stage: Stage) -> None:
    stage, _ = with_check(any_stage)
    damage(stage, sealed(stage, 2)[0])
    verify(stage.tools)
    found = stands(stage)
    assert found.running is None
    assert found.sample is not None
    assert found.full is not None
    assert (found.sample.checked, found.full.checked) == (2, 2)
    assert found.faults == found.sample.faults > 0
    run = stage.database.last_check(SCHOOL.slug, CheckKind.FULL)
    assert run is not None
    assert found.full.finished_at == run.finished_at


def test_records_without_a_stamp_are_counted_until_one_comes(any_stage: Stage) -> None:
    names = [path.rpartition("/")[2] for path in sealed(any_stage, 3)]
    with any_stage.database.engine.begin() as connection:
        connection.execute(sa.update(RECORDS).where(RECORDS.c.record_id.in_(names[:2])).values(stamp_pending=True))
    assert stands(any_stage).stamps_pending == 2
    with any_stage.database.engine.begin() as connection:
        connection.execute(sa.update(RECORDS).where(RECORDS.c.record_id == names[0]).values(stamp_pending=False))
    assert stands(any_stage).stamps_pending == 1


@pytest.mark.parametrize(
    ("day", "end"), [(date(2026, 11, 18), date(2026, 11, 30)), (date(2028, 2, 1), date(2028, 2, 29)), (date(2026, 12, 31),) * 2]
)
def test_a_month_ends_on_its_last_day(day: date, end: date) -> None:
    assert checks.month_end(day) == end


def test_r30_records_due_for_review_this_month_are_counted_by_their_newest_row(any_stage: Stage) -> None:
    rows = [
        ("R-OVERDUE", date(2026, 1, 1)),
        ("R-THIS-MONTH", date(2026, 11, 30)),
        ("R-NEXT-MONTH", date(2026, 12, 1)),
        ("R-PUT-OFF", date(2026, 1, 1)),
        ("R-PUT-OFF", date(2030, 1, 1)),
        ("R-DISPOSED", date(2026, 1, 1)),
        ("R-ASKED", date(2026, 1, 1)),
    ]
    with any_stage.database.engine.begin() as connection:
        connection.execute(
            sa.insert(checks.RETENTION),
            [{"record_id": record, "school": SCHOOL.slug, "record_class": "ordinary", "review_on": on, **WHO} for record, on in rows],
        )
        asked = {"school": SCHOOL.slug, "ground": "review_date_reached", "why": "It is so.", "asked_by": "HEAD-1", "asked_at": NOON}
        approved = {"approved_by": "CEO-1", "approved_why": "It is so.", "approved_at": NOON}
        connection.execute(sa.insert(checks.DISPOSALS), [{"record_id": "R-DISPOSED", **asked, **approved}])
        connection.execute(sa.insert(checks.DISPOSALS), [{"record_id": "R-ASKED", **asked}])
    assert stands(any_stage).due_for_review == 3


def test_a_witness_mail_that_nobody_takes_is_told(any_stage: Stage) -> None:
    with any_stage.database.engine.begin() as connection:
        mail = {
            "key": "witness-2026-11-17",
            "school": "",
            "message": b"x",
            "created_at": NOON,
            "due_at": NOON,
            "attempts": 2,
            "trouble": "no",
        }
        connection.execute(sa.insert(OUTBOX), [mail])
    assert stands(any_stage).witness_waiting == 1


def test_the_digest_tells_how_the_evidence_stands_also_on_an_empty_day(stage: Stage) -> None:
    stage, _ = with_check(stage)
    stage.clock.move(timedelta(hours=13))
    verify(stage.tools)
    content = stage.database.digest_of(SCHOOL, Span.of(NOON.date()), link="https://review.example")
    assert content.evidence.sample is not None
    assert content.evidence.sample.checked == 0
    assert digest_for(stage.tools, SCHOOL, Span.of(NOON.date()))

"""Review dates, legal holds and disposals as rules: classes, years, who may ask, who may approve, and what beats it all (R30)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.disposal import (
    GROUND_WORDS,
    MAX_REASON,
    Disposal,
    Ground,
    Kept,
    LegalHold,
    check_may_approve,
    check_may_ask,
    check_may_hold,
    designation,
    disposed_words,
    reason,
    reference,
)
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.policy import Policy
from moderator.domain.record import CaptureKind
from moderator.domain.retention import YEARS, RecordClass, Retention, class_of, review_day, years_by_class
from moderator.domain.score import Guard, Label, Reason

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
RECORD = "R-" + "A" * 16
WHY = "Agreed with the DPO on 3 May."


def decision(*labels: str, outcome: Outcome = Outcome.HIDE) -> Decision:
    return Decision(outcome, Severity.ORDINARY, tuple(Reason(label, 0, 1, "") for label in labels), "p-1", "s", {})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("insult", "name"), RecordClass.ORDINARY),
        ((), RecordClass.ORDINARY),
        ((Label.THREAT,), RecordClass.SEVERE),
        ((Label.IDENTITY_ATTACK, Label.INSULT), RecordClass.SEVERE),
        ((Label.SEXUAL,), RecordClass.SEVERE),
        ((Guard.COMPLAINT, "insult"), RecordClass.COMPLAINT),
        ((Guard.WHISTLEBLOWING, "name"), RecordClass.COMPLAINT),
        ((Guard.COMPLAINT, Label.THREAT), RecordClass.SEVERE),
        ((Guard.ACCUSED_TEACHER, Label.THREAT), RecordClass.STAFF_ALLEGATION),
        ((Guard.DISCLOSURE, Guard.ACCUSED_TEACHER), RecordClass.SAFEGUARDING),
        ((Guard.CRISIS,), RecordClass.SAFEGUARDING),
        ((Guard.INDECENT_IMAGE,), RecordClass.SAFEGUARDING),
    ],
)
def test_r30_the_class_follows_the_reasons(labels: tuple[str, ...], expected: RecordClass) -> None:
    assert class_of(decision(*labels)) is expected


@pytest.mark.parametrize(
    ("sealed", "years", "day"),
    [
        (date(2026, 11, 18), 1, date(2027, 11, 18)),
        (date(2028, 2, 29), 4, date(2032, 2, 29)),
        (date(2028, 2, 29), 1, date(2029, 3, 1)),
        (date(2076, 2, 29), 24, date(2100, 3, 1)),
    ],
)
def test_r30_a_review_day_is_whole_years_on(sealed: date, years: int, day: date) -> None:
    assert review_day(sealed, years) == day


def test_r30_the_years_come_from_the_policy() -> None:
    assert dict(Policy.bundled().retention) == dict(YEARS)
    assert set(YEARS) == {each.value for each in RecordClass}
    assert years_by_class({"severe": 10}, "p")["severe"] == 10
    assert years_by_class({"severe": 10}, "p")["ordinary"] == YEARS["ordinary"]
    assert years_by_class({}, "p") == YEARS


@pytest.mark.parametrize("value", [0, 101, -1, 1.5, True, "6"])
def test_r30_other_years_are_refused(value: object) -> None:
    with pytest.raises(BadInput, match=r"p: \[retention\] severe = .*whole years, 1 to 100"):
        years_by_class({"severe": value}, "p")


def test_r30_an_unknown_class_is_refused() -> None:
    with pytest.raises(BadInput, match="svere is not a class of record; use one of ordinary"):
        years_by_class({"svere": 6}, "p")


@pytest.mark.parametrize(("given", "kept"), [("head-1", "HEAD-1"), (" DSL/2 ", "DSL/2"), ("A", "A")])
def test_r30_a_designation_is_one_person_however_it_is_typed(given: str, kept: str) -> None:
    assert designation(given) == kept


@pytest.mark.parametrize("given", ["", "  ", "Ms Oakenshaw", "-1", "HEAD\n1", "HE\u0410D-1", "A" * 41])
def test_what_is_no_designation_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="designation reference"):
        designation(given)


@pytest.mark.parametrize("given", ["", "the Ashwick case", "-", "x" * 65, "a\nb"])
def test_r30_a_reference_is_a_code_since_it_is_in_the_ledger(given: str) -> None:
    assert reference(" CAD-2291/0426 ") == "CAD-2291/0426"
    with pytest.raises(BadInput, match="names nobody"):
        reference(given)


@pytest.mark.parametrize("given", ["", "because", "  short   ", "x" * (MAX_REASON + 1)])
def test_r30_a_reason_is_a_reason(given: str) -> None:
    assert reason(f"  {WHY} ") == WHY
    with pytest.raises(BadInput, match="say why in 10 to"):
        reason(given)


KEPT = Kept(
    record_id=RECORD,
    school="oakfield",
    path=f"oakfield/2026/{RECORD}",
    capture_kind=CaptureKind.LIVE_PAGE,
    sealed_at=NOON,
    stamp_pending=False,
    item_id=1,
    working=False,
    undecided=False,
    hidden=True,
    stamps=(),
    retention=Retention(RECORD, "oakfield", RecordClass.ORDINARY, TODAY + timedelta(days=1), "service", "", NOON),
    holds=(),
    disposals=(),
)
ASKED = Disposal(RECORD, "oakfield", Ground.COURT_ORDER, WHY, "DPO-1", NOON)
HOLD = LegalHold(RECORD, "oakfield", "CAD-1", WHY, "HEAD-1", NOON)
RELEASED = replace(HOLD, reference="CAD-0", released_by="HEAD-1", released_why=WHY, released_at=NOON)
APPROVED = replace(ASKED, approved_by="HEAD-1", approved_why=WHY, approved_at=NOON)
REFUSED = replace(ASKED, refused_by="HEAD-1", refused_why=WHY, refused_at=NOON)


def test_r30_what_may_be_asked_for() -> None:
    check_may_ask(KEPT, Ground.COURT_ORDER, today=TODAY)
    check_may_ask(KEPT, Ground.REVIEW_DATE_REACHED, today=TODAY + timedelta(days=1))
    check_may_ask(replace(KEPT, disposals=(REFUSED,), holds=(RELEASED,), retention=None), Ground.CAPTURED_IN_ERROR, today=TODAY)


STAYS: list[tuple[dict[str, object], Ground, str]] = [
    ({}, Ground.REVIEW_DATE_REACHED, "review date of .* is 19 November 2026"),
    ({"retention": None}, Ground.REVIEW_DATE_REACHED, "is not set yet"),
    ({"holds": (HOLD, RELEASED)}, Ground.COURT_ORDER, r"legal hold \(CAD-1\)"),
    ({"working": True}, Ground.COURT_ORDER, "still working"),
    ({"undecided": True}, Ground.COURT_ORDER, "uphold or restore it first"),
]


@pytest.mark.parametrize(("changes", "ground", "said"), STAYS)
def test_r30_what_must_stay(changes: dict[str, object], ground: Ground, said: str) -> None:
    kept = replace(KEPT, **changes)  # type: ignore[arg-type] # the case names fields of Kept
    with pytest.raises(NotAllowed, match=said):
        check_may_ask(kept, ground, today=TODAY)
    asked = replace(kept, disposals=(replace(ASKED, ground=ground),))
    with pytest.raises(NotAllowed, match=said):
        check_may_approve(asked, by="HEAD-1", today=TODAY)


def test_r30_one_disposal_at_a_time() -> None:
    with pytest.raises(NotAllowed, match="proposed for disposal already, by DPO-1"):
        check_may_ask(replace(KEPT, disposals=(ASKED,)), Ground.COURT_ORDER, today=TODAY)
    with pytest.raises(NotAllowed, match="disposed of already"):
        check_may_ask(replace(KEPT, disposals=(REFUSED, APPROVED)), Ground.COURT_ORDER, today=TODAY)


def test_r30_another_person_approves() -> None:
    waiting = replace(KEPT, disposals=(REFUSED, ASKED))
    assert check_may_approve(waiting, by="HEAD-1", today=TODAY) is ASKED
    with pytest.raises(NotAllowed, match="another person must approve"):
        check_may_approve(waiting, by="DPO-1", today=TODAY)
    with pytest.raises(NotAllowed, match="nobody has proposed"):
        check_may_approve(replace(KEPT, disposals=(REFUSED,)), by="HEAD-1", today=TODAY)


def test_r30_what_is_gone_cannot_be_held() -> None:
    check_may_hold(replace(KEPT, disposals=(ASKED,)))
    with pytest.raises(NotAllowed, match="cannot be held"):
        check_may_hold(replace(KEPT, disposals=(APPROVED,)))


def test_r30_a_disposed_record_is_told_in_words() -> None:
    said = disposed_words(replace(APPROVED, done_at=NOON), "18 November 2026")
    assert said == "Disposed of on 18 November 2026, asked for by DPO-1, approved by HEAD-1, because a court ordered it."
    assert disposed_words(APPROVED, "today").endswith("still removing what it held.")
    assert set(GROUND_WORDS) == set(Ground)

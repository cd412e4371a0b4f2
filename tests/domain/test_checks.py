"""When the service checks its own records, and in which words it tells of faults."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from moderator.domain import checks
from moderator.domain.checks import CheckKind, CheckRun, CheckSummary, EvidenceStanding
from moderator.domain.record import Fault

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
RUN = CheckRun("oakfield", CheckKind.SAMPLE, AT, finished_at=AT)


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        (datetime(2026, 11, 18, 1, 59, tzinfo=UTC), date(2026, 11, 17)),
        (datetime(2026, 11, 18, 2, 0, tzinfo=UTC), date(2026, 11, 18)),
        (datetime(2026, 7, 18, 0, 59, tzinfo=UTC), date(2026, 7, 17)),  # 01:59 in London
        (datetime(2026, 7, 18, 1, 0, tzinfo=UTC), date(2026, 7, 18)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), date(2026, 3, 29)),  # the clock goes from 01:00 to 02:00
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 24)),  # 01:30 for the second time
    ],
)
def test_a_night_begins_at_two_in_london(moment: datetime, night: date) -> None:
    assert checks.night_of(moment) == night


def test_a_sample_is_due_once_a_night() -> None:
    assert checks.sample_due(None, AT)
    assert not checks.sample_due(RUN, AT + timedelta(hours=13))
    assert checks.sample_due(RUN, AT + timedelta(hours=15))
    assert not checks.sample_due(RUN, AT - timedelta(days=1))  # the clock was set back


def test_a_full_pass_is_due_once_a_month_until_done_and_a_week_after_faults() -> None:
    full = replace(RUN, kind=CheckKind.FULL)
    assert checks.full_due(None, AT)
    assert checks.full_due(replace(full, finished_at=None), AT)
    assert not checks.full_due(full, AT + timedelta(days=12))
    assert checks.full_due(full, AT + timedelta(days=13))
    assert not checks.full_due(replace(full, faults=1), AT + timedelta(days=6))
    assert checks.full_due(replace(full, faults=1), AT + timedelta(days=7))


def test_a_slice_adds_to_the_run_and_a_fault_counts_once() -> None:
    fault = Fault("altered", "oakfield/2026/R-A", "changed")
    run = RUN.plus(checked=2, disposed=1, faults=[fault], position="R-A").plus(checked=1, disposed=0, faults=[fault], position="R-B")
    assert (run.checked, run.disposed, run.faults, run.found, run.position) == (3, 1, 1, (fault,), "R-B")


def test_told_faults_are_known_by_code_and_place() -> None:
    one, other = Fault("altered", "R-A", "x"), Fault("altered", "R-B", "x")
    run = checks.with_told(RUN, [one], AT)
    assert run.told == {checks.fault_key(one): AT}
    assert checks.untold([replace(one, what="in other words"), other], run.told) == (other,)


def test_faults_are_told_in_fixed_words_without_what_a_file_is_called() -> None:
    said = checks.in_words(
        [
            Fault("altered", "oakfield/2026/R-AAAABBBBCCCCDDDD", "'Fern Ashwick.txt' was added"),
            Fault("unlisted", "oakfield/2026/R-AAAABBBBCCCCDDDD", "again"),
            Fault("stamp_time", "oakfield/2026/R-AAAABBBBCCCCDDDE", "late"),
            Fault("renewed_late", "oakfield/2026/R-AAAABBBBCCCCDDDE", "late"),
            Fault("ledger_chain", "ledger.jsonl line 12", "broken"),
            Fault("record_gone", "oakfield/R-AAAABBBBCCCCDDDF (line 7)", "gone"),
            Fault("stray", "oakfield/Fern Ashwick.txt", "what"),
            Fault("head", "head 12:abcdef…", "what"),
            Fault("ledger_file", "oakfield ledger line x", "what"),
        ]
    )
    assert said == (
        "A record is not as it was sealed: R-AAAABBBBCCCCDDDD. A time stamp does not hold: R-AAAABBBBCCCCDDDE. "
        "The ledger was changed: ledger line 12. A sealed record is missing: R-AAAABBBBCCCCDDDF. "
        "A record lies in the vault that the ledger does not know: the vault. "
        "A ledger line that a digest named is gone: the school's ledger. "
        "The ledger and its copy in the database differ: the school's ledger."
    )


def test_many_places_are_counted() -> None:
    said = checks.in_words(Fault("missing", f"oakfield/2026/R-A{number}", "") for number in range(9))
    assert said == "A record is not as it was sealed: R-A0, R-A1, R-A2, R-A3, R-A4 and 4 more."


def test_only_records_at_fault_are_looked_at_again() -> None:
    run = replace(RUN, found=(Fault("altered", "oakfield/2026/R-A", ""), Fault("ledger_row", "oakfield ledger line 3", "")))
    assert checks.at_fault(None, run) == {"R-A"}


def test_the_standing_counts_the_worst_of_the_last_checks() -> None:
    some = CheckSummary(AT, AT, 9, 0, 2)
    assert EvidenceStanding().faults == 0
    assert EvidenceStanding(sample=replace(some, faults=0), running=some).faults == 2

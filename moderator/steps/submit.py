"""Submit: keep what a member of staff hands in as a sealed record. Called by the review app, the command line and the schedule."""

from collections.abc import Sequence
from datetime import timedelta

from moderator import observe
from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import BadInput, EvidenceFailed, ModeratorError, NotAllowed, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.record import SealedRecord
from moderator.domain.submission import Handed, Statement, Submission, SubmissionBegun, submission_id
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.ports import Intake
from moderator.steps.drain import Tools
from moderator.steps.retain import first_retention

LOOK_BACK = timedelta(days=31)
"""How far back a hand-in that a crash cut short is still finished."""

NO_INTAKE = "This service was set up without a place for what people hand in."


def submit(tools: Tools, *, school: str, files: Sequence[Handed], statement: Statement) -> SealedRecord:
    """Return the sealed record of what a person hands in. May be repeated: the same bytes from the same place give the same record.

    1. Look each file over; what cannot be taken is refused before anything is written.
    2. Write down that it begins: the ledger's line `submitted`.
    3. Seal. If a crash comes here, `resume` finishes it.
    4. In one transaction: the record, its lines in the ledger, its review date and the alert; then the ledger's file.

    Raises BadInput for what the person can mend, NotAllowed when that record was disposed of, EvidenceFailed and Transient as ports.Intake
    does.
    """
    intake = _intake(tools)
    kept = intake.look_over(files)
    of_school = _school(tools, school)
    number = submission_id(of_school.slug, statement.place, kept)
    before = tools.store.submitted_record(number)
    if before is not None:
        _refuse_if_disposed(tools, number)
        return before
    now = tools.clock.now()
    begun = _begin(tools, SubmissionBegun(number, of_school.slug, statement.by, now), len(kept))
    record = intake.take(Submission(number, of_school, statement, kept, begun.begun_at, now, tools.delegation_of(of_school.slug)))
    _finish(tools, begun, record)
    return record


def resume(tools: Tools, *, limit: int = 20) -> int:
    """Finish up to `limit` hand-ins that a crash cut short after sealing; return how many. What was not sealed was never told to be.

    One that cannot be finished does not stop the others. A damaged one is told to people, once.
    """
    if tools.intake is None:
        return 0
    done = 0
    for school in tools.store.schools():
        for begun in tools.store.submissions_unfinished(school.slug, since=tools.clock.now() - LOOK_BACK):
            if done < limit:
                done += _resume(tools, tools.intake, begun)
    return done


def _resume(tools: Tools, intake: Intake, begun: SubmissionBegun) -> bool:
    """Finish one hand-in; return whether it was sealed and is in the books now."""
    try:
        record = intake.taken(begun.path)
        if record is not None:
            _finish(tools, begun, record)
    except ModeratorError as error:
        observe.went_wrong("submission_waits", record=begun.record_id, error=type(error).__name__)
        if not isinstance(error, Transient):
            _tell_damaged(tools, begun)
        return False
    return record is not None


def _refuse_if_disposed(tools: Tools, number: str) -> None:
    disposal = tools.store.kept(number).disposal
    if disposal is not None and disposal.approved_at is not None:
        message = (
            f"These files were handed in before, as {number}, and that record was disposed of on "
            f"{london_date(disposal.approved_at):%d %B %Y}. Nothing was kept now. If it must be kept again, ask your Headteacher; "
            "then take a new screen print and hand in that."
        )
        raise NotAllowed(message)


def _intake(tools: Tools) -> Intake:
    if tools.intake is None:
        raise NotAllowed(NO_INTAKE)
    return tools.intake


def _school(tools: Tools, slug: str) -> School:
    for school in tools.store.schools():
        if school.slug == slug:
            return school
    message = "School: choose one of the trust's schools"
    raise BadInput(message)


def _begin(tools: Tools, begun: SubmissionBegun, files: int) -> SubmissionBegun:
    """Write the intent down. One that was begun before and cut short goes on as that one, so that its place is the same."""
    since = tools.clock.now() - LOOK_BACK
    for earlier in tools.store.submissions_unfinished(begun.school, since=since):
        if earlier.record_id == begun.record_id:
            return earlier
    line = LedgerEvent(Event.SUBMITTED, begun.begun_at, begun.record_id, actor=begun.by, facts={"files": files})
    with tools.store.unit() as unit:
        unit.append(begun.school, line)
    tools.ledger.sync(begun.school)
    return begun


def _finish(tools: Tools, begun: SubmissionBegun, record: SealedRecord) -> None:
    request = _alert(tools, begun)
    captured = LedgerEvent(
        Event.CAPTURED,
        record.captured_at,
        record.record_id,
        facts={"capture_kind": record.capture_kind.value, "requests_blocked": record.blocked_requests},
    )
    sealed = LedgerEvent(
        Event.SEALED,
        record.sealed_at,
        record.record_id,
        facts={
            "manifest_sha256": record.manifest_sha256,
            "manifest_sha512": record.manifest_sha512,
            "path": record.path,
            "stamp_pending": record.stamp_pending,
            **({"found": True} if record.found else {}),
        },
    )
    told = LedgerEvent(Event.ALERTED, request.at, record.record_id, reason=request.kind.value, facts={"alert": request.key})
    retention = first_retention(tools.policy, begun.school, record, None)
    with tools.store.unit() as unit:
        if unit.submitted(record, school=begun.school, by=begun.by):
            unit.append(begun.school, captured, sealed, told)
            unit.retain(retention)
            unit.alert(request)
    try:
        tools.ledger.sync(begun.school)
    except EvidenceFailed as error:
        # The sweep tells a person that the file was changed from outside; the database has the lines.
        observe.went_wrong("ledger_behind", school=begun.school, error=type(error).__name__)
    observe.happened("submission_recorded", record=record.record_id)


def _alert(tools: Tools, begun: SubmissionBegun) -> AlertRequest:
    at = tools.clock.now()
    return AlertRequest(
        key=f"submitted-{begun.record_id}",
        school=begun.school,
        kind=AlertKind.SUBMITTED,
        severity=Severity.ORDINARY,
        subject=begun.record_id,
        what="A member of staff handed in a screen print of a post or message.",
        done="It is kept as a sealed record. The service has not read it and has hidden nothing.",
        at=at,
        due_at=at + tools.alert_batch,
    )


def _tell_damaged(tools: Tools, begun: SubmissionBegun) -> None:
    """Tell people, once, of a hand-in whose sealed record is no longer as it was sealed."""
    at = tools.clock.now()
    with tools.store.unit() as unit:
        unit.alert(
            AlertRequest(
                key=f"submitted-{begun.record_id}-damaged",
                school=begun.school,
                kind=AlertKind.EVIDENCE,
                severity=Severity.SEVERE,
                subject=begun.record_id,
                what="A hand-in was cut short after it was sealed, and its record in the vault is damaged.",
                done="It is not in the books, and nothing was changed. The ledger says who handed it in: ask them to keep their files.",
                at=at,
                due_at=at,
            )
        )

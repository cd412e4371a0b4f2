"""Police: withhold a comment that a person suspects, and keep what was done with the police (R17). Called by the review app."""

from datetime import datetime

from moderator import observe
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.digest import AlertKind, grounds
from moderator.domain.errors import LeaseLost, NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import State, check_move
from moderator.domain.police import PoliceReport
from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Reason
from moderator.domain.work import AlertRequest, Work
from moderator.ports import Unit
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of

REASON = "police_report"
"""Reason code in the ledger. The police reference itself stays in the database."""

MARKED = "Marked for the police: it may show an indecent image of a child."
BUSY = "The service is working on this comment right now. Wait a minute, then press again."
BEING_RECORDED = "A record of this comment was just made. Wait a minute until the service has finished it, then press again."


def withholding(policy: Policy) -> Decision:
    """Return the decision to withhold that rests on something else than the comment's words: a person, or its earlier version."""
    reason = Reason(Guard.INDECENT_IMAGE.value, 0, 0, "")
    return Decision(Outcome.WITHHOLD, Severity.SEVERE, (reason,), policy.version, policy.sections["indecent_image"], {})


def withhold(tools: Tools, item_id: int, *, by: str) -> State:
    """Withhold an item because a person suspects an indecent image, and return where it stands then. May be repeated.

    1. One that is withheld already stays as it is.
    2. One that is recorded stays recorded, and is marked for the police: its record holds no media (R18).
    3. Any other is withheld for good: in one transaction its words go, and the ledger's lines and the alert are written.

    Raises NotAllowed when a step is working on it, its record is being finished, or it is in no state for it.
    """
    work = tools.store.work(item_id)
    if work.state is State.WITHHELD:
        return work.state
    if work.record is not None:
        _mark(tools, work, by)
    else:
        _withhold(tools, work, by)
    tools.ledger.sync(work.item.school)
    return tools.store.work(item_id).state


def report(tools: Tools, entry: PoliceReport) -> None:
    """Keep what was done with the police. Raises NotAllowed for an item that is neither withheld nor marked for the police."""
    work = tools.store.work(entry.item_id)
    if work.state is not State.WITHHELD and not tools.store.police_reports(entry.item_id):
        message = "This comment is not one for the police. Mark it as that first."
        raise NotAllowed(message)
    with tools.store.unit() as unit:
        _keep(unit, work, entry)
    tools.ledger.sync(work.item.school)
    observe.happened("police_report_kept", item=entry.item_id)


def _mark(tools: Tools, work: Work, by: str) -> None:
    if tools.store.police_reports(work.item.id):
        return
    with tools.store.unit() as unit:
        _keep(unit, work, PoliceReport(work.item.id, by, tools.clock.now(), "", MARKED))
    observe.happened("item_marked_for_police", item=work.item.id)


def _keep(unit: Unit, work: Work, entry: PoliceReport) -> None:
    unit.police_reported(entry)
    unit.append(work.item.school, LedgerEvent(Event.REVIEWED, entry.at, subject_of(work), actor=entry.by, reason=REASON))


def _withhold(tools: Tools, work: Work, by: str) -> None:
    at = tools.clock.now()
    check_move(work.state, State.WITHHELD, sealed=False)
    if work.lease_until is not None and work.lease_until > at:
        raise NotAllowed(BUSY)
    _refuse_if_recorded(tools, work)
    decision, subject = withholding(tools.policy), f"item-{work.item.id}"
    request = _alert(work, subject, at)
    facts: dict[str, str | int | bool] = {"policy": decision.policy, "severity": decision.severity.value, "item": work.item.id}
    try:
        with tools.store.unit() as unit:
            unit.decided(work, decision, State.WITHHELD, at, stage=None)
            unit.append(
                work.item.school,
                LedgerEvent(Event.WITHHELD, at, subject, actor=by, reason=decision.outcome.value, facts=facts),
                LedgerEvent(Event.ALERTED, at, subject, reason=request.kind.value, facts={"alert": request.key}),
            )
            unit.alert(request)
    except LeaseLost as error:
        raise NotAllowed(BUSY) from error
    observe.happened("item_withheld", item=work.item.id)


def _refuse_if_recorded(tools: Tools, work: Work) -> None:
    """Raise NotAllowed for a finished bag that no row tells of yet, as a crash leaves it: the record step finds it, and it is a record."""
    if any(tools.vault.manifest_sha256(path) is not None for path in tools.store.filed(work.item).paths):
        raise NotAllowed(BEING_RECORDED)


def _alert(work: Work, subject: str, at: datetime) -> AlertRequest:
    return AlertRequest(
        key=f"withheld-{work.item.id}",
        school=work.item.school,
        kind=AlertKind.WITHHELD,
        severity=Severity.SEVERE,
        subject=subject,
        what=grounds((Guard.INDECENT_IMAGE.value,)),
        done="A member of staff pressed withhold. No record is made and the words are not kept. Call the police: 999, or 101.",
        at=at,
        due_at=at,
        item_id=work.item.id,
    )

"""Decide: apply the policy to scored items; alerts are written in the same transaction. Called by the schedule."""

from datetime import datetime, timedelta

from moderator import observe
from moderator.domain.account import Mode
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.digest import AlertKind, grounds
from moderator.domain.errors import NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage, State
from moderator.domain.policy import Policy
from moderator.domain.policy import decide as policy_decides
from moderator.domain.record import record_id
from moderator.domain.work import AlertRequest, Work
from moderator.ports import Unit
from moderator.steps.drain import Tools
from moderator.steps.police import withholding

LEASE = timedelta(minutes=5)


def decide(tools: Tools, *, limit: int = 200) -> int:
    """Decide on up to `limit` scored items; return how many were handled.

    1. Claim them.
    2. Make each decision: a pure function of its score and the policy version; an edited version of a withheld comment is withheld.
    3. In one transaction: advance them all, and for each that is not clear write the ledger's lines and the alert (R7).
    """
    now = tools.clock.now()
    works = tools.store.claim(Stage.DECIDE, limit=limit, now=now, lease=LEASE)
    if not works:
        return 0
    policy = tools.policy
    decisions = [(work, _decide(tools, policy, work)) for work in works]
    flagged = [(work, decision) for work, decision in decisions if decision.outcome is not Outcome.CLEAR]
    at = tools.clock.now()
    with tools.store.unit() as unit:
        unit.cleared([(work, decision) for work, decision in decisions if decision.outcome is Outcome.CLEAR], at)
        for work, decision in flagged:
            _flag(tools, unit, work, decision, at)
    for school in sorted({work.item.school for work, _ in flagged}):
        tools.ledger.sync(school)
    observe.happened("items_decided", count=len(decisions), flagged=len(flagged))
    return len(works)


def _decide(tools: Tools, policy: Policy, work: Work) -> Decision:
    if work.score is None:
        message = f"item {work.item.id} has no score to decide on"
        raise NotAllowed(message)
    account = f"{work.item.platform}:{work.account.handle}"
    decision = policy_decides(work.score, policy, account=account, text=work.item.comment.text)
    if decision.outcome is not Outcome.WITHHOLD and work.item.comment.edited and tools.store.withheld_before(work):
        # Its author may have changed the words; what hangs on the comment is the same.
        return withholding(policy)
    return decision


def _flag(tools: Tools, unit: Unit, work: Work, decision: Decision, at: datetime) -> None:
    """Advance one flagged or withheld item, with its ledger lines and its alert."""
    withheld = decision.outcome is Outcome.WITHHOLD
    if withheld:
        unit.decided(work, decision, State.WITHHELD, at, stage=None)
    else:
        unit.decided(work, decision, State.FLAGGED, at, stage=Stage.RECORD)
    request = _alert(tools, work, decision, at)
    event = Event.WITHHELD if withheld else Event.FLAGGED
    facts: dict[str, str | int | bool] = {"policy": decision.policy, "severity": decision.severity.value, "item": work.item.id}
    unit.append(
        work.item.school,
        LedgerEvent(event, at, request.subject, reason=decision.outcome.value, facts=facts),
        LedgerEvent(Event.ALERTED, at, request.subject, reason=request.kind.value, facts={"alert": request.key}),
    )
    unit.alert(request)


def _alert(tools: Tools, work: Work, decision: Decision, at: datetime) -> AlertRequest:
    kinds = {Outcome.HIDE: AlertKind.FLAGGED, Outcome.ROUTE: AlertKind.ROUTED, Outcome.WITHHOLD: AlertKind.WITHHELD}
    item = work.item
    subject = (
        f"item-{item.id}"
        if decision.outcome is Outcome.WITHHOLD
        else record_id(item.school, item.platform, item.comment.comment_id, item.comment.version)
    )
    waits = timedelta() if decision.severity is Severity.SEVERE else tools.alert_batch
    return AlertRequest(
        key=f"decided-{item.id}",
        school=item.school,
        kind=kinds[decision.outcome],
        severity=decision.severity,
        subject=subject,
        what=grounds(tuple(reason.label for reason in decision.reasons)),
        done=_done(work, decision),
        at=item.first_seen_at,
        due_at=max(item.first_seen_at + waits, at) if waits else at,
        item_id=item.id,
    )


def _done(work: Work, decision: Decision) -> str:
    if decision.outcome is Outcome.WITHHOLD:
        return "Nothing was copied or opened. Do not open it. Call the police: 999, or 101 if nobody is in danger now."
    if decision.outcome is Outcome.ROUTE:
        return "It is recorded and is not hidden. A person must look at it."
    if not work.item.comment.hideable:
        return "It is recorded. It cannot be hidden on this platform: report or block it there."
    if work.account.approval is None or work.account.approval.mode is not Mode.HIDE:
        return "It is recorded and stays showing: the account is in observe mode."
    return "It is recorded first, then hidden."

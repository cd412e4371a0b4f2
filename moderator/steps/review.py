"""Review: take a person's decision with its justification, of one item or of several at once. Called by the review app."""

from collections.abc import Sequence

from moderator import observe
from moderator.domain.decision import Outcome, Severity
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage, State
from moderator.domain.review import Review, Verdict
from moderator.domain.work import Work
from moderator.ports import Unit
from moderator.steps.advice import AWAITED
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of
from moderator.steps.wishes import MISSING

KEPT_AS_IS = frozenset({State.GONE, State.WITHHELD})
"""States in which a decision can only be noted: there is nothing left to move."""

CAN_RESTORE = frozenset({State.RECORDED, State.HIDDEN, State.UPHELD})
CAN_UPHOLD_TOGETHER = frozenset({State.RECORDED, State.HIDDEN})

NONE_CHOSEN = "Tick at least one comment."
WORKING = "The service is still working on this item. Wait a minute, then look again."


def review(tools: Tools, decision: Review) -> None:
    """Take one review.

    Upholding is done at once. Restoring is written down and handed to the restore step, which un-hides, reads back and then finishes it.
    Trying again sends a held item back to the step it was held at.

    Raises NotAllowed when the item is not in a state for it, while HR's advice is awaited (R22), and when a member of staff is the target
    and nobody has noted what they wish (R23). Trying again judges nothing, so it is always possible.
    """
    work = tools.store.work(decision.item_id)
    if decision.verdict is Verdict.RESTORE:
        _ask_restore(tools, decision, work)
    elif decision.verdict is Verdict.RETRY:
        _retry(tools, decision, work)
    else:
        _uphold(tools, decision, work)
    tools.ledger.sync(work.item.school)
    observe.happened("item_reviewed", item=work.item.id, verdict=decision.verdict.value)


def uphold_together(tools: Tools, decisions: Sequence[Review]) -> None:
    """Uphold several ordinary items of one school for one reason: all of them or none, each with a review and a ledger line of its own.

    Raises NotAllowed, naming the items, when one of them is serious, stopped, for the police, being worked on, waiting for HR (R22), about
    a member of staff whose wishes are not noted (R23), or of another school; BadInput for none at all. Nothing is restored together.
    """
    if not decisions:
        raise BadInput(NONE_CHOSEN)
    works = [tools.store.work(decision.item_id) for decision in decisions]
    refused = [f"{subject_of(work)} ({why})" for work in works if (why := _alone(work, works[0]))]
    if refused:
        raise NotAllowed(_each_alone(refused))
    with tools.store.unit() as unit:
        refused = [f"{subject_of(work)} ({why})" for work in works if (why := _waits(unit, work))]
        if refused:
            raise NotAllowed(_each_alone(refused))
        for decision, work in zip(decisions, works, strict=True):
            unit.review_asked(decision, stage=None)
            unit.review_done(decision, work.state, State.UPHELD)
            unit.append(work.item.school, _event(decision, work))
    for school in {work.item.school for work in works}:
        tools.ledger.sync(school)
    observe.happened("items_upheld_together", count=len(works))


def _alone(work: Work, first: Work) -> str:
    """Return why an item is decided on its own page only; empty when it is not."""
    if work.item.school != first.item.school:
        return "another school's"
    if work.decision is None or work.decision.outcome is Outcome.WITHHOLD:
        return "not an ordinary one"
    if work.decision.severity is not Severity.ORDINARY:
        return "serious"
    if work.stage is not None:
        return "still being worked on"
    if work.state not in CAN_UPHOLD_TOGETHER:
        return "decided already, or gone"
    return ""


def _waits(unit: Unit, work: Work) -> str:
    if unit.is_held(work.item.id):
        return "stopped"
    if unit.advice_awaited(work.item.id):
        return "waiting for HR's advice"
    if unit.wishes_missing(work.item.id):
        return "about a member of staff whose wishes are not noted"
    return ""


def _each_alone(refused: Sequence[str]) -> str:
    few = ", ".join(refused[:5]) + (f" and {len(refused) - 5} more" if len(refused) > 5 else "")  # noqa: PLR2004 - five fit on a phone
    return f"Nothing was decided. Take off the tick, and open on its own: {few}."


def _uphold(tools: Tools, decision: Review, work: Work) -> None:
    if work.stage is not None:
        raise NotAllowed(WORKING)
    new = work.state if work.state in KEPT_AS_IS else State.UPHELD
    with tools.store.unit() as unit:
        _refuse_to_judge(unit, work)
        unit.review_asked(decision, stage=None)
        unit.review_done(decision, work.state, new)
        unit.append(work.item.school, _event(decision, work))


def _ask_restore(tools: Tools, decision: Review, work: Work) -> None:
    if work.state not in CAN_RESTORE:
        message = f"An item that is {work.state.value} cannot be restored."
        raise NotAllowed(message)
    with tools.store.unit() as unit:
        _refuse_to_judge(unit, work)
        unit.review_asked(decision, stage=Stage.RESTORE)
        unit.append(work.item.school, _event(decision, work))
    tools.dispatcher.wake("restore")


def _refuse_to_judge(unit: Unit, work: Work) -> None:
    """Raise NotAllowed while HR's advice is awaited, or the target's wishes are not noted."""
    if unit.advice_awaited(work.item.id):
        raise NotAllowed(AWAITED)
    if unit.wishes_missing(work.item.id):
        raise NotAllowed(MISSING)


def _retry(tools: Tools, decision: Review, work: Work) -> None:
    with tools.store.unit() as unit:
        unit.review_asked(decision, stage=None)
        unit.retry(decision)
        unit.append(work.item.school, _event(decision, work))
    tools.dispatcher.wake("record")


def _event(decision: Review, work: Work) -> LedgerEvent:
    return LedgerEvent(Event.REVIEWED, decision.at, subject_of(work), actor=decision.actor, reason=decision.verdict.value)

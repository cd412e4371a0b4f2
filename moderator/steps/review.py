"""Review: take a person's decision with its justification. Called by the review app and the command line."""

from moderator import observe
from moderator.domain.errors import NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage, State
from moderator.domain.review import Review, Verdict
from moderator.domain.work import Work
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of

KEPT_AS_IS = frozenset({State.GONE, State.WITHHELD})
"""States in which a decision can only be noted: there is nothing left to move."""

CAN_RESTORE = frozenset({State.RECORDED, State.HIDDEN, State.UPHELD})


def review(tools: Tools, decision: Review) -> None:
    """Take one review. Raises NotAllowed when the item is not in a state for it.

    Upholding is done at once. Restoring is written down and handed to the restore step, which un-hides, reads back and then finishes it.
    Trying again sends a held item back to the step it was held at.
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


def _uphold(tools: Tools, decision: Review, work: Work) -> None:
    if work.stage is not None:
        message = "The service is still working on this item. Wait a minute, then look again."
        raise NotAllowed(message)
    new = work.state if work.state in KEPT_AS_IS else State.UPHELD
    with tools.store.unit() as unit:
        unit.review_asked(decision, stage=None)
        unit.review_done(decision, work.state, new)
        unit.append(work.item.school, _event(decision, work))


def _ask_restore(tools: Tools, decision: Review, work: Work) -> None:
    if work.state not in CAN_RESTORE:
        message = f"An item that is {work.state.value} cannot be restored."
        raise NotAllowed(message)
    with tools.store.unit() as unit:
        unit.review_asked(decision, stage=Stage.RESTORE)
        unit.append(work.item.school, _event(decision, work))
    tools.dispatcher.wake("restore")


def _retry(tools: Tools, decision: Review, work: Work) -> None:
    with tools.store.unit() as unit:
        unit.review_asked(decision, stage=None)
        unit.retry(decision)
        unit.append(work.item.school, _event(decision, work))
    tools.dispatcher.wake("record")


def _event(decision: Review, work: Work) -> LedgerEvent:
    return LedgerEvent(Event.REVIEWED, decision.at, subject_of(work), actor=decision.actor, reason=decision.verdict.value)

"""Advice: ask HR before anybody judges an item, and note what they say (R22). Called by the review app."""

from moderator import observe
from moderator.domain.concern import Advice, note_of
from moderator.domain.errors import NotAllowed
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import State
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of

AWAITED = "This comment waits for HR's advice. Until it comes, nobody judges it. Note the advice first."
POLICE_ONLY = "This comment is for the police alone. Nothing else is decided about it here."


def ask_advice(tools: Tools, item_id: int, *, by: str, why: str) -> None:
    """Note that HR is asked about an item: nobody upholds or restores it until their advice is noted.

    Raises BadInput for a reason that is too short, NotAllowed when HR was asked already or the item is withheld.
    """
    at = tools.clock.now()
    asked = Advice(item_id, note_of(why, what="Say what you ask HR, without names,"), by, at)
    work = tools.store.work(item_id)
    if work.state is State.WITHHELD:
        raise NotAllowed(POLICE_ONLY)
    with tools.store.unit() as unit:
        unit.advice_asked(asked)
        unit.append(work.item.school, LedgerEvent(Event.REGISTERED, at, subject_of(work), actor=by, reason="advice_asked"))
    tools.ledger.sync(work.item.school)
    observe.happened("advice_asked", item=item_id)


def note_advice(tools: Tools, item_id: int, *, by: str, advice: str) -> None:
    """Keep what HR advised; the item may be judged again. Raises BadInput when it says nothing, NotAllowed when nobody waits for it."""
    at = tools.clock.now()
    told = Advice(item_id, "", "", at, note_of(advice, what="Say what HR advised"), by, at)
    work = tools.store.work(item_id)
    with tools.store.unit() as unit:
        unit.advice_received(told)
        unit.append(work.item.school, LedgerEvent(Event.REGISTERED, at, subject_of(work), actor=by, reason="advice_received"))
    tools.ledger.sync(work.item.school)
    observe.happened("advice_received", item=item_id)

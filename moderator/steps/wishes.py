"""Wishes: what the member of staff who is the target wishes, and their own decision on the police (R23). Called by the review app."""

from moderator import observe
from moderator.domain.concern import Wish, note_of, police_wish
from moderator.domain.events import Event, LedgerEvent
from moderator.steps.drain import Tools
from moderator.steps.hold import subject_of

MISSING = (
    "A member of staff is the target. First note what they wish, and their own decision on the police. "
    "If they could not be asked, say that, and why."
)


def note_wishes(tools: Tools, item_id: int, *, by: str, wishes: str, police: str) -> None:
    """Keep what the target wishes; the newest counts. May be repeated: another entry.

    `police` is a code of PoliceWish. Raises BadInput when a part is missing or too long.
    """
    at = tools.clock.now()
    wish = Wish(item_id, note_of(wishes, what="Say what they wish"), police_wish(police), by, at)
    work = tools.store.work(item_id)
    with tools.store.unit() as unit:
        unit.wishes_noted(wish)
        unit.append(work.item.school, LedgerEvent(Event.REGISTERED, at, subject_of(work), actor=by, reason="wishes_noted"))
    tools.ledger.sync(work.item.school)
    observe.happened("wishes_noted", item=item_id)

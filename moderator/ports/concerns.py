"""The port of what people note about an item beside their decision: advice, wishes, handing up. Part of the store and of its unit."""

from datetime import date
from typing import Protocol

from moderator.domain.access import Role
from moderator.domain.concern import Advice, Escalation, Wish


class ConcernReads(Protocol):
    """The part of the store that tells what was noted about an item."""

    def wishes_missing(self, item_id: int) -> bool:
        """Return whether a member of staff is the target and nobody has noted what they wish (R23).

        Never for a disclosure (child protection) nor for what is withheld or marked for the police (R17).
        """
        ...

    def is_safeguarding(self, item_id: int) -> bool:
        """Return whether an item is a disclosure or a crisis (R15)."""
        ...

    def addresses_of(self, role: Role, school: str, *, item_id: int, day: date) -> list[str]:
        """Return the e-mail addresses of whoever has a role at a school on a London day, without those whom the item names (R21)."""
        ...


class ConcernWrites(Protocol):
    """The part of a unit that notes them."""

    def is_held(self, item_id: int) -> bool:
        """Return whether the service could not finish an item and stopped; it is locked until the transaction ends."""
        ...

    def advice_awaited(self, item_id: int) -> bool:
        """Return whether HR was asked about an item and has not answered (R22); the item is locked until the transaction ends."""
        ...

    def advice_asked(self, advice: Advice) -> None:
        """Note that HR was asked: nobody judges the item from now on. Raises NotAllowed when they were asked already."""
        ...

    def advice_received(self, advice: Advice) -> None:
        """Store what HR advised: the item may be judged again. Raises NotAllowed when nobody waits for it."""
        ...

    def wishes_noted(self, wish: Wish) -> None:
        """Add what the target wishes; the newest counts."""
        ...

    def wishes_missing(self, item_id: int) -> bool:
        """Return what `ConcernReads.wishes_missing` does, inside this transaction."""
        ...

    def escalated(self, escalation: Escalation) -> None:
        """Add that an item was handed up, and put it back among what needs a person."""
        ...

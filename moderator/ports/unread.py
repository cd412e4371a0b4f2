"""The part of the store that knows who was told of an alert and who read it (R21). Called by the alert, unread and acknowledge steps."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from moderator.domain.register import Person
from moderator.domain.unread import DueUnread, Reading


class UnreadReads(Protocol):
    """Reads of what is unread."""

    def unread_due(self, *, now: datetime, limit: int, link: str) -> DueUnread | None:
        """Return up to `limit` serious alerts of one school whose time is up; None when there are none. Claims nothing."""
        ...


class TellingWrites(Protocol):
    """The part of a unit that notes whom an alert went to, and who read it."""

    def alert_told(self, alerts: Iterable[int], reader: Person, mail_key: str, at: datetime, *, round_: int = 0) -> None:
        """Note that a reader is told of some alerts by a message; once a reader."""
        ...

    def reroute_now(self, mail_key: str, at: datetime) -> int:
        """Note that a message did not arrive: its unread serious alerts go to further people now. Return how many. May be repeated."""
        ...

    def sent_on(self, alert_id: int, *, round_: int, next_at: datetime | None) -> None:
        """Claim an unread alert's round. Raises LeaseLost when another worker has sent it on, or somebody has read it."""
        ...

    def unread_waits(self, alert_id: int, *, round_: int, until: datetime | None) -> None:
        """Leave an unread alert where it is until then (None: for good). Raises LeaseLost as `sent_on` does."""
        ...

    def alert_read(self, alert_id: int, reading: Reading) -> bool:
        """Note who read an alert first; it is sent on no more. False when that was known."""
        ...

    def acknowledged(self, alert_id: int, *, school: str, by: str, at: datetime) -> str:
        """Note that a person has read an alert of a school, and with it every other of the same thing.

        Return what the ledger calls that thing; "" when there is no such alert, or somebody has said so already.
        """
        ...

    def item_acknowledged(self, item_id: int, *, by: str, at: datetime) -> str:
        """Note that a person has read every alert of an item so far. Return what the ledger calls it; "" as above."""
        ...

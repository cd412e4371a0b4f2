"""The ports of machines that are told: who is due, and the way to them. Part of the store, of its unit, and of the world."""

from datetime import datetime, timedelta
from typing import Protocol

from moderator.domain.readers import DueWebhook


class WebhookReads(Protocol):
    """The part of the store that tells which machine is due."""

    def claim_webhook(self, *, now: datetime, lease: timedelta) -> DueWebhook | None:
        """Claim the webhook that is due longest and has lines it was not told of; None when there is none."""
        ...


class WebhookWrites(Protocol):
    """The part of a unit that moves webhooks on."""

    def webhook_told(self, due: DueWebhook, at: datetime) -> None:
        """Note that the machine took the message (or that there was none for it): the next line is due at once."""
        ...

    def webhook_failed(self, due: DueWebhook, why: str, *, next_at: datetime) -> None:
        """Put the message back for another try; nothing is skipped."""
        ...


class Courier(Protocol):
    """The way to a machine outside."""

    def tell(self, due: DueWebhook, *, at: datetime) -> None:
        """Hand the message of `due.line` over, signed; returning means that the machine answered 2xx. May be repeated.

        Raises Transient, in a line fit for a page, when it did not: nothing of its answer is kept, no redirect is followed.
        """
        ...


class NoCourier:
    """Takes messages nowhere: for a service without webhooks, and tests."""

    def tell(self, due: DueWebhook, *, at: datetime) -> None:
        """Do nothing."""
        del due, at

"""The port of the mailbox that messages are given back to: what could not be delivered. Called by the bounce step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Bounce:
    """One message that came back for one recipient.

    `message_id` is that of our message, without its brackets; `recipient` the address it could not reach, in lower case, "" when the report
    does not say; `status` the code (RFC 3463), e.g. `5.1.1`; `lasting` whether the server has given up.
    """

    message_id: str
    recipient: str
    status: str
    lasting: bool


class Mailbox(Protocol):
    """Where delivery reports come in. Shipped versions: IMAP, and none."""

    def bounces(self) -> Iterator[Bounce]:
        """Yield what came back since the last time; a report is marked as seen once the caller asks for the next one.

        May be repeated: after a crash the last ones come again. Nothing is deleted. Raises Transient or Refused as Mailer does.
        """
        ...


class NoMailbox:
    """No mailbox is set: nothing ever comes back; implements Mailbox."""

    def bounces(self) -> Iterator[Bounce]:
        """Yield nothing."""
        return iter(())

"""The port of the mailbox that messages are given back to: what could not be delivered. Called by the bounce step."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class BouncedMail:
    """One of our messages that came back: its key in the outbox, and its school ("" is the trust's own)."""

    key: str
    school: str


class BounceWrites(Protocol):
    """The part of a unit that notes what came back. A message is never stopped or taken back by it: anybody can write a report."""

    def mail_bounced(self, bounce: Bounce, at: datetime) -> BouncedMail | None:
        """Mark a message as given back. None, and nothing is changed, when it is none of ours or was marked before."""
        ...

    def mail_delayed(self, bounce: Bounce) -> None:
        """Note the status of a message that a server still tries to deliver. May be repeated."""
        ...


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

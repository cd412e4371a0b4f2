"""What came back: our messages that a mail server could not deliver, by their Message-ID. Called by the bounce step's unit."""

from datetime import datetime

import sqlalchemy as sa

from moderator.ports import Bounce, BouncedMail
from moderator.store.mail_tables import MailRow

_OUTBOX: sa.Table = MailRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


class BounceWrites:
    """The part of a unit that notes what came back; whether and when a message is sent is not its matter."""

    connection: sa.Connection

    def mail_bounced(self, bounce: Bounce, at: datetime) -> BouncedMail | None:
        """Mark a message as given back. None, and nothing is changed, when it is none of ours or was marked before."""
        marked = self._ours(bounce).values(bounced_at=at, bounce=bounce.status).returning(_OUTBOX.c.key, _OUTBOX.c.school)
        row = self.connection.execute(marked).first()
        return None if row is None else BouncedMail(row.key, row.school)

    def mail_delayed(self, bounce: Bounce) -> None:
        """Note the status of a message that a server still tries to deliver. May be repeated."""
        self.connection.execute(self._ours(bounce).values(bounce=bounce.status))

    def _ours(self, bounce: Bounce) -> sa.Update:
        # "" is what a message without an id has in its row: a report without one is about none of ours.
        named = sa.and_(_OUTBOX.c.message_id == bounce.message_id, _OUTBOX.c.message_id != "")
        return sa.update(_OUTBOX).where(named, _OUTBOX.c.bounced_at.is_(None))

"""Rehearsals of routes: alerts of a kind of their own, that no alert mail picks up. Called by the rehearse step."""

from datetime import datetime

import sqlalchemy as sa

from moderator.domain.digest import AlertKind
from moderator.domain.errors import NotAllowed
from moderator.domain.work import AlertRequest
from moderator.store.outbox import ALERTS


class RehearsalWrites:
    """The part of a unit that begins a rehearsal."""

    connection: sa.Connection

    def rehearsal_begun(self, request: AlertRequest, *, of: str, since: datetime) -> int:
        """Write the alert of a rehearsal as told, under the key of its first mail; return its number.

        `of` is how the subjects of the route's rehearsals begin. Raises NotAllowed when there was one since then.
        """
        earlier = sa.select(ALERTS.c.id).where(
            ALERTS.c.school == request.school,
            ALERTS.c.kind == AlertKind.REHEARSAL.value,
            ALERTS.c.subject.startswith(of, autoescape=True),
            ALERTS.c.at > since,
        )
        if self.connection.execute(earlier.limit(1)).first() is not None:
            message = "this route was rehearsed less than an hour ago: look at who has answered, and try again later"
            raise NotAllowed(message)
        row = {
            "key": request.key,
            "mail_key": request.key,
            "school": request.school,
            "kind": request.kind.value,
            "severity": request.severity.value,
            "subject": request.subject,
            "what": request.what,
            "done": request.done,
            "at": request.at,
            "due_at": request.due_at,
        }
        return int(self.connection.execute(sa.insert(ALERTS).values(row).returning(ALERTS.c.id)).scalar_one())

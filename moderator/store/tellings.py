"""To whom each alert went, and by which mail. Called by the alert and unread steps, by what hears of bounces, and by the Alerts page."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.errors import LeaseLost
from moderator.domain.register import Person
from moderator.domain.unread import Reading, Telling
from moderator.store.engine import insert_new
from moderator.store.mail_tables import AlertRow, MailRow, TellingRow

TELLINGS: sa.Table = TellingRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
_ALERTS: sa.Table = AlertRow.__table__  # type: ignore[attr-defined] # as above
_OUTBOX: sa.Table = MailRow.__table__  # type: ignore[attr-defined] # as above


def told(connection: sa.Connection, alert_id: int) -> tuple[Telling, ...]:
    """Return everybody whom an alert went to, in order."""
    return tellings_of(connection, (alert_id,)).get(alert_id, ())


def tellings_of(connection: sa.Connection, alerts: Collection[int]) -> dict[int, tuple[Telling, ...]]:
    """Return, by alert, everybody whom it went to, in order; an alert that went to nobody is left out."""
    wanted = (
        sa.select(TELLINGS, _OUTBOX.c.sent_at, _OUTBOX.c.bounced_at)
        .outerjoin(_OUTBOX, _OUTBOX.c.key == TELLINGS.c.mail_key)
        .where(TELLINGS.c.alert_id.in_(sorted(alerts)))
        .order_by(TELLINGS.c.id)
    )
    found: dict[int, tuple[Telling, ...]] = {}
    for row in connection.execute(wanted):
        found[row.alert_id] = (*found.get(row.alert_id, ()), _telling(row))
    return found


def _telling(row: Any) -> Telling:  # noqa: ANN401 - a row of TELLINGS with its mail
    return Telling(row.person_id, row.address, row.mail_key, row.round, row.at, row.sent_at, row.failed_at or row.bounced_at)


class TellingWrites:
    """The part of a unit that notes whom an alert went to, and who read it."""

    connection: sa.Connection

    def alert_told(self, alerts: Iterable[int], reader: Person, mail_key: str, at: datetime, *, round_: int = 0) -> None:
        """Note that a reader is told of some alerts by a message; once a reader. `round_` counts how often they were sent on."""
        address = reader.email.lower()
        rows = [
            {"alert_id": number, "person_id": reader.id, "address": address, "mail_key": mail_key, "round": round_, "at": at}
            for number in alerts
        ]
        insert_new(self.connection, TELLINGS, rows)

    def reroute_now(self, mail_key: str, at: datetime) -> int:
        """Note that a message did not arrive, and let its unread serious alerts go to further people now; return how many do.

        Called with the transaction that notes a bounce or a refusal. May be repeated: the first time counts.
        """
        failed = sa.update(TELLINGS).where(TELLINGS.c.mail_key == mail_key, TELLINGS.c.failed_at.is_(None)).values(failed_at=at)
        told_by_it = failed.returning(TELLINGS.c.alert_id, TELLINGS.c.round)
        newest = {(row.alert_id, row.round) for row in self.connection.execute(told_by_it)}
        waiting = sa.select(_ALERTS.c.id, _ALERTS.c.round).where(
            _ALERTS.c.id.in_(sorted(number for number, _ in newest)), _ALERTS.c.reroute_at.is_not(None)
        )
        due = [row.id for row in self.connection.execute(waiting) if (row.id, row.round) in newest]
        self.connection.execute(sa.update(_ALERTS).where(_ALERTS.c.id.in_(due)).values(reroute_at=at))
        return len(due)

    def sent_on(self, alert_id: int, *, round_: int, next_at: datetime | None) -> None:
        """Claim an unread alert's round: it is the `round_`th time it goes on, and the next is due at `next_at` (None: never).

        Raises LeaseLost when another worker has sent it on, or somebody has read it: then nothing of the transaction may stay.
        """
        self._unread(alert_id, before=round_ - 1, values={"round": round_, "reroute_at": next_at})

    def unread_waits(self, alert_id: int, *, round_: int, until: datetime | None) -> None:
        """Leave an unread alert where it is until then (None: for good, nobody is left). Raises LeaseLost as `sent_on` does."""
        self._unread(alert_id, before=round_, values={"reroute_at": until})

    def alert_read(self, alert_id: int, reading: Reading) -> bool:
        """Note who read an alert first; it is sent on no more. False when that was known."""
        first = sa.update(_ALERTS).where(_ALERTS.c.id == alert_id, _ALERTS.c.read_at.is_(None))
        done = self.connection.execute(first.values(read_at=reading.at, read_by=reading.by, reroute_at=None))
        return done.rowcount == 1

    def _unread(self, alert_id: int, *, before: int, values: dict[str, object]) -> None:
        still = (_ALERTS.c.id == alert_id, _ALERTS.c.round == before, _ALERTS.c.reroute_at.is_not(None), _ALERTS.c.read_at.is_(None))
        if self.connection.execute(sa.update(_ALERTS).where(*still).values(values)).rowcount != 1:
            message = f"alert {alert_id} was sent on or read meanwhile"
            raise LeaseLost(message)

"""Alerts as people look back on them: newest first, with whom each went to and who read it. Called by the Alerts and item pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.events import Event
from moderator.domain.unread import Reading, Telling
from moderator.store.codec import Row
from moderator.store.items import ITEMS
from moderator.store.ledger import LEDGER
from moderator.store.outbox import ALERTS, page_of_alert
from moderator.store.tellings import tellings_of
from moderator.store.unread import WITH_RECORD, readings, subjects_of

MOST_OPEN = 100
"""Unread serious alerts shown at most: more than that is a storm, and its comments are on Today."""


@dataclass(frozen=True, slots=True)
class PastAlert:
    """One alert. `path` is the page it leads to; `readers` who read it, the first one first; `said` whether one said so with the button.

    `rounds` counts how often it was sent on; `waits` is whether it is in no mail yet.
    """

    id: int
    kind: AlertKind
    severity: Severity
    subject: str
    what: str
    done: str
    at: datetime
    item_id: int | None
    path: str
    rounds: int
    waits: bool
    tellings: tuple[Telling, ...]
    readers: tuple[Reading, ...]
    said: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: `seen` is the condition on ITEMS for what they may be told of (R15, R21), `service` whether they may see Health."""

    seen: sa.ColumnElement[bool]
    service: bool

    def may_see(self) -> sa.ColumnElement[bool]:
        """Return the condition on alerts joined to ITEMS."""
        alone = ALERTS.c.item_id.is_(None)
        own = alone if self.service else sa.and_(alone, ALERTS.c.kind == AlertKind.SUBMITTED.value)
        return sa.or_(own, sa.and_(ITEMS.c.id.is_not(None), self.seen))


def alerts_of(connection: sa.Connection, school: str, viewer: Viewer, *, limit: int, before: int = 0) -> list[PastAlert]:
    """Return up to `limit` of a school's alerts that went out, newest first; `before` is the number of an alert to go on after."""
    wanted = WITH_RECORD.where(ALERTS.c.school == school, ALERTS.c.mail_key.is_not(None), viewer.may_see())
    wanted = wanted.order_by(ALERTS.c.id.desc()).limit(limit)
    if before:
        wanted = wanted.where(ALERTS.c.id < before)
    return _past(connection, school, connection.execute(wanted).mappings().all())


def open_alerts(connection: sa.Connection, school: str, viewer: Viewer) -> list[PastAlert]:
    """Return a school's serious alerts that went out and that nobody has read, oldest first, at most MOST_OPEN."""
    serious = (ALERTS.c.severity == sa.literal_column("'severe'"), ALERTS.c.read_at.is_(None))
    wanted = WITH_RECORD.where(ALERTS.c.school == school, *serious, viewer.may_see()).order_by(ALERTS.c.id).limit(MOST_OPEN)
    return [each for each in _past(connection, school, connection.execute(wanted).mappings().all()) if not each.readers and not each.waits]


def waiting_alerts(connection: sa.Connection, school: str, viewer: Viewer) -> list[PastAlert]:
    """Return a school's alerts that are in no mail yet, newest first, at most MOST_OPEN."""
    wanted = WITH_RECORD.where(ALERTS.c.school == school, ALERTS.c.mail_key.is_(None), viewer.may_see())
    return _past(connection, school, connection.execute(wanted.order_by(ALERTS.c.id.desc()).limit(MOST_OPEN)).mappings().all())


def alert_of(connection: sa.Connection, school: str, viewer: Viewer, alert_id: int) -> PastAlert | None:
    """Return one alert of a school; None when there is none, or none that this viewer may be told of."""
    wanted = WITH_RECORD.where(ALERTS.c.id == alert_id, ALERTS.c.school == school, viewer.may_see())
    found = _past(connection, school, connection.execute(wanted).mappings().all())
    return found[0] if found else None


def alerts_about(connection: sa.Connection, school: str, item_id: int) -> list[PastAlert]:
    """Return every alert of an item, oldest first: whoever opens the item may see them."""
    rows = connection.execute(WITH_RECORD.where(ALERTS.c.item_id == item_id).order_by(ALERTS.c.id)).mappings().all()
    return _past(connection, school, rows)


def newest_about(connection: sa.Connection, item_id: int) -> datetime | None:
    """Return when the newest alert of an item arose; None when there is none. A view from before says nothing about that one."""
    found: datetime | None = connection.execute(sa.select(sa.func.max(ALERTS.c.at)).where(ALERTS.c.item_id == item_id)).scalar()
    return found


def _past(connection: sa.Connection, school: str, rows: Sequence[Row]) -> list[PastAlert]:
    told = tellings_of(connection, [row["id"] for row in rows])
    read = readings(connection, school, rows)
    said = _said(connection, school, rows)
    return [
        PastAlert(
            id=row["id"],
            kind=AlertKind(row["kind"]),
            severity=Severity(row["severity"]),
            subject=row["subject"],
            what=row["what"],
            done=row["done"],
            at=row["at"],
            item_id=row["item_id"],
            path=page_of_alert(row),
            rounds=row["round"],
            waits=row["mail_key"] is None,
            tellings=told.get(row["id"], ()),
            readers=read.get(row["id"], ()) or ((Reading(row["read_at"], row["read_by"]),) if row["read_at"] is not None else ()),
            said=row["id"] in said,
        )
        for row in rows
    ]


def _said(connection: sa.Connection, school: str, rows: Sequence[Row]) -> set[int]:
    """Return those of the alerts of which a person has said that they have seen them."""
    subjects = {subject for row in rows for subject in subjects_of(row)}
    wanted = sa.select(LEDGER.c.school, LEDGER.c.subject, LEDGER.c.at).where(
        LEDGER.c.subject.in_(sorted(subjects)), LEDGER.c.event == Event.ACKNOWLEDGED.value
    )
    lines = connection.execute(wanted.order_by(LEDGER.c.at)) if subjects else ()
    last = {line.subject: line.at for line in lines if line.school == school}
    return {row["id"] for row in rows if any(last[subject] > row["at"] for subject in subjects_of(row) if subject in last)}

"""Serious alerts that nobody has read: which are due to go further, and which stand open. Called by the unread step and the digest."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from moderator.domain.access import Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.events import Event
from moderator.domain.unread import DueUnread, Reading, Unread
from moderator.store import people
from moderator.store.codec import Row
from moderator.store.engine import READ
from moderator.store.items import ITEMS
from moderator.store.ledger import LEDGER
from moderator.store.outbox import ALERTS, NO_ITEM, items_of, line_of, page_of_alert
from moderator.store.tellings import tellings_of

READS = (
    Event.VIEWED,
    Event.REVIEWED,
    Event.ACKNOWLEDGED,
    Event.REGISTERED,
    Event.EXPORTED,
    Event.LEGAL_HOLD,
    Event.LEGAL_HOLD_RELEASED,
    Event.DISPOSAL_ASKED,
    Event.DISPOSAL_REFUSED,
)
"""Ledger lines by which a person shows that they know of an item: they opened it, or did something with it."""

SAME_TROUBLE = timedelta(days=1)
"""How long one alert that goes on speaks for later ones of the same trouble (our choice): a full disk is told of every hour."""

_SERVICE = '"actor":"service"'
_LOOKS_ON = f'"actor":"{Role.AUDITOR.value.upper()}-'
"""An auditor may open an item and can do nothing about it, so that they did is no reading of its alert."""

WITH_RECORD = sa.select(ALERTS, ITEMS.c.record_id).outerjoin(ITEMS, ITEMS.c.id == ALERTS.c.item_id)
"""Alerts, each with its item's record: the rows that `readings` and `subjects_of` take."""


@dataclass(frozen=True, slots=True)
class UnreadAlert:
    """One serious alert of an item that nobody has read. `rounds` counts how often it was sent on; `link` is absolute."""

    subject: str
    at: datetime
    rounds: int
    link: str
    severity: Severity = Severity.SEVERE


def unread_alerts(connection: sa.Connection, school: str, *, seen: sa.ColumnElement[bool], link: str = "") -> tuple[UnreadAlert, ...]:
    """Return a school's serious alerts of items that nobody has read, oldest first; `seen` is what of ITEMS the reader may be told of.

    Alerts that were not put in a mail yet are left out. `link` is the review app's address.
    """
    wanted = (
        sa.select(ALERTS, ITEMS.c.record_id)
        .join(ITEMS, ITEMS.c.id == ALERTS.c.item_id)
        .where(
            ALERTS.c.school == school,
            ALERTS.c.severity == sa.literal_column("'severe'"),
            ALERTS.c.read_at.is_(None),
            seen,
        )
        .order_by(ALERTS.c.id)
    )
    rows = [row for row in connection.execute(wanted).mappings() if row["mail_key"] is not None]
    read = readings(connection, school, rows)
    return tuple(
        UnreadAlert(row["subject"], row["at"], row["round"], f"{link}{page_of_alert(row)}") for row in rows if row["id"] not in read
    )


def readings(connection: sa.Connection, school: str, alerts: Iterable[Row]) -> dict[int, tuple[Reading, ...]]:
    """Return, by alert, who read it, each designation once, the first one first; an alert that nobody read is left out.

    A reading is a ledger line of a person about what the alert is about, written after it arose.

    `alerts` are rows of ALERTS with `record_id` of their item. Opening an item, acting on it and acknowledging an alert of it all count,
    by anybody who may see it and can act.
    """
    subjects = {row["id"]: subjects_of(row) for row in alerts}
    began = {row["id"]: row["at"] for row in alerts}
    by_subject: dict[str, list[int]] = {}
    for number, named in subjects.items():
        for subject in named:
            by_subject.setdefault(subject, []).append(number)
    # The school and the order are seen to here: in the WHERE they would have SQLite walk all the school's lines instead of the subjects'.
    wanted = sa.select(LEDGER.c.school, LEDGER.c.seq, LEDGER.c.at, LEDGER.c.subject, LEDGER.c.line).where(
        LEDGER.c.subject.in_(sorted(by_subject)),
        LEDGER.c.event.in_([event.value for event in READS]),
        ~LEDGER.c.line.contains(_SERVICE),
        ~LEDGER.c.line.contains(_LOOKS_ON),
    )
    lines = [line for line in connection.execute(wanted) if line.school == school] if by_subject else []
    found: dict[int, dict[str, Reading]] = {}
    for line in sorted(lines, key=lambda each: each.seq):
        by = str(json.loads(line.line)["actor"])
        for number in by_subject[line.subject]:
            if line.at > began[number]:
                found.setdefault(number, {}).setdefault(by, Reading(line.at, by))
    return {number: tuple(each.values()) for number, each in found.items()}


def subjects_of(row: Row) -> tuple[str, ...]:
    """Return what the ledger calls the thing an alert is about: an item before and after it has a record; of anything else, the alert."""
    if row["item_id"] is not None:
        return tuple(dict.fromkeys((str(row["subject"]), f"item-{row['item_id']}", *filter(None, (str(row["record_id"] or ""),)))))
    return (str(row["subject"]) if row["kind"] == AlertKind.SUBMITTED.value else f"alert-{row['id']}",)


def claim_unread(connection: sa.Connection, *, now: datetime, limit: int, link: str) -> DueUnread | None:
    """Return up to `limit` serious alerts of one school whose time is up, the longest first; None when there are none.

    Nothing is claimed yet: `sent_on` does that, alert by alert, in the transaction that sends it on.
    """
    first = sa.select(ALERTS.c.school).where(ALERTS.c.reroute_at <= now).order_by(ALERTS.c.reroute_at).limit(1)
    school = connection.execute(first).scalar()
    if school is None:
        return None
    due = WITH_RECORD.where(ALERTS.c.reroute_at <= now, ALERTS.c.school == school)
    rows = connection.execute(due.order_by(ALERTS.c.reroute_at, ALERTS.c.id).limit(limit)).mappings().all()
    read = readings(connection, school, rows)
    items = items_of(connection, {row["item_id"] for row in rows} - {None})
    told = tellings_of(connection, [row["id"] for row in rows])
    known = _known(connection, school, rows)
    return DueUnread(
        people.school(connection, school),
        tuple(
            Unread(
                id=row["id"],
                line=line_of(row, items.get(row["item_id"], NO_ITEM), link),
                about=items.get(row["item_id"], NO_ITEM).about,
                subject=subjects_of(row)[0],
                round=row["round"],
                tellings=told.get(row["id"], ()),
                reading=next(iter(read.get(row["id"], ())), None),
                known=row["id"] in known,
            )
            for row in rows
        ),
    )


def _known(connection: sa.Connection, school: str, rows: Sequence[Row]) -> set[int]:
    """Return those alerts about no item of whose trouble an earlier one went on within SAME_TROUBLE and is unread as well."""
    alone = [row for row in rows if row["item_id"] is None]
    if not alone:
        return set()
    serious = (ALERTS.c.severity == sa.literal_column("'severe'"), ALERTS.c.read_at.is_(None))
    wanted = sa.select(ALERTS).where(ALERTS.c.school == school, *serious, ALERTS.c.item_id.is_(None), ALERTS.c.round > 0)
    earlier = connection.execute(wanted).mappings().all()
    same = ("kind", "subject", "what")
    return {
        row["id"]
        for row in alone
        for one in earlier
        if one["id"] < row["id"] and row["at"] - one["at"] < SAME_TROUBLE and all(one[name] == row[name] for name in same)
    }


class UnreadReads:
    """What the database tells of unread alerts; implements ports.UnreadReads."""

    engine: sa.Engine

    def unread_due(self, *, now: datetime, limit: int, link: str) -> DueUnread | None:
        """Return serious alerts of one school whose time is up."""
        with self.engine.connect().execution_options(**READ) as connection:
            return claim_unread(connection, now=now, limit=limit, link=link)


class UnreadWrites:
    """The part of a unit that notes what a person says they have read."""

    connection: sa.Connection

    def acknowledged(self, alert_id: int, *, school: str, by: str, at: datetime) -> str:
        """Note that a person has read an alert of a school, and with it every other of the same thing; "" when that is known."""
        row = self.connection.execute(WITH_RECORD.where(ALERTS.c.id == alert_id, ALERTS.c.school == school)).mappings().one_or_none()
        if row is None:
            return ""
        if row["item_id"] is not None:
            return self.item_acknowledged(row["item_id"], by=by, at=at)
        same = (ALERTS.c.kind, ALERTS.c.subject, ALERTS.c.what)
        alike = [ALERTS.c.mail_key.is_not(None), *(column == row[column.name] for column in same)]
        found = self.connection.execute(WITH_RECORD.where(ALERTS.c.school == school, ALERTS.c.item_id.is_(None), *alike))
        return self._said(found.mappings().all(), about=subjects_of(row), by=by, at=at)

    def item_acknowledged(self, item_id: int, *, by: str, at: datetime) -> str:
        """Note that a person has read every alert of an item so far; "" when that is known."""
        rows = self.connection.execute(WITH_RECORD.where(ALERTS.c.item_id == item_id).order_by(ALERTS.c.id)).mappings().all()
        return self._said(rows, about=subjects_of(rows[0]), by=by, at=at) if rows else ""

    def _said(self, rows: Sequence[Row], *, about: tuple[str, ...], by: str, at: datetime) -> str:
        said = sa.select(LEDGER.c.school, LEDGER.c.at).where(LEDGER.c.subject.in_(about), LEDGER.c.event == Event.ACKNOWLEDGED.value)
        if rows[0]["kind"] == AlertKind.REHEARSAL.value:  # everybody whom it reaches says so for themselves
            said = said.where(LEDGER.c.line.contains(f'"actor":{json.dumps(by)}', autoescape=True))
        last = [line.at for line in self.connection.execute(said) if line.school == rows[0]["school"]]
        if last and all(row["at"] < max(last) for row in rows):
            return ""
        unread = sa.update(ALERTS).where(ALERTS.c.id.in_([row["id"] for row in rows]), ALERTS.c.read_at.is_(None))
        self.connection.execute(unread.values(read_at=at, read_by=by, reroute_at=None))
        return about[0]

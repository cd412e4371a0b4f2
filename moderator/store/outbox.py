"""Alerts, digests and the outbox: durable before any mail server is asked. Called by the alert, digest and send steps."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import sqlalchemy as sa

from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, Digest
from moderator.domain.work import AlertAbout, AlertRequest, DueAlerts, DueMail
from moderator.store import codec, people
from moderator.store.engine import insert_new
from moderator.store.items import ITEM_PEOPLE, ITEMS
from moderator.store.mail_tables import AlertRow, DigestRow, MailRow

ALERTS: sa.Table = AlertRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
OUTBOX: sa.Table = MailRow.__table__  # type: ignore[attr-defined] # as above
DIGESTS: sa.Table = DigestRow.__table__  # type: ignore[attr-defined] # as above

ALERTS_A_MAIL = 200
"""Most lines of one alert mail; what is left goes into the next."""


def claim_alerts(connection: sa.Connection, *, now: datetime, lease: timedelta, link: str) -> DueAlerts | None:
    """Claim one school's waiting alerts once one of them is due, severe first."""
    free = sa.and_(ALERTS.c.mail_key.is_(None), sa.or_(ALERTS.c.lease_until.is_(None), ALERTS.c.lease_until <= now))
    due = sa.select(ALERTS.c.school).where(free, ALERTS.c.due_at <= now).order_by(ALERTS.c.due_at).limit(1)
    school = connection.execute(due).scalar()
    if school is None:
        return None
    wanted = (
        sa.select(ALERTS.c.id)
        .where(free, ALERTS.c.school == school)
        .order_by(ALERTS.c.severity.desc(), ALERTS.c.id)
        .limit(ALERTS_A_MAIL)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(ALERTS).where(ALERTS.c.id.in_(wanted.scalar_subquery())).values(lease_until=now + lease).returning(ALERTS)
    rows = connection.execute(taken).mappings().all()
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: (codec.SEVERITY_RANK[Severity(row["severity"])], row["id"]))
    lines = tuple(_line(row, link) for row in rows)
    about = _about(connection, {row["item_id"] for row in rows} - {None})
    return DueAlerts(
        people.school(connection, school),
        tuple(row["id"] for row in rows),
        lines,
        tuple(about.get(row["item_id"], AlertAbout()) for row in rows),
    )


def _about(connection: sa.Connection, items: set[int]) -> dict[int, AlertAbout]:
    """Return, for the items of some alerts, whom they name and which are disclosures (R15, R21)."""
    named: dict[int, set[str]] = {}
    for row in connection.execute(sa.select(ITEM_PEOPLE).where(ITEM_PEOPLE.c.item_id.in_(items))):
        named.setdefault(row.item_id, set()).add(row.reference)
    rows = connection.execute(sa.select(ITEMS.c.id, ITEMS.c.safeguarding).where(ITEMS.c.id.in_(items)))
    return {row.id: AlertAbout(frozenset(named.get(row.id, ())), row.safeguarding) for row in rows}


def _line(row: codec.Row, link: str) -> AlertLine:
    return AlertLine(
        kind=AlertKind(row["kind"]),
        severity=Severity(row["severity"]),
        subject=row["subject"],
        what=row["what"],
        done=row["done"],
        at=row["at"],
        link=_address(row, link),
    )


def _address(row: codec.Row, link: str) -> str:
    """Return where an alert leads: to its item, to the record of something handed in, to its account, or to the app."""
    if row["kind"] == AlertKind.SUBMITTED.value:
        return f"{link}/submitted/{row['subject']}"
    account = str(row["subject"]).removeprefix("account ")
    if row["item_id"] is None and account != row["subject"] and account.isdigit():
        return f"{link}/accounts/{account}"
    return f"{link}/items/{row['item_id']}" if row["item_id"] is not None else link


def claim_mail(connection: sa.Connection, *, limit: int, now: datetime, lease: timedelta) -> list[DueMail]:
    """Claim due messages, oldest first."""
    wanted = (
        sa.select(OUTBOX.c.id)
        .where(OUTBOX.c.sent_at.is_(None), OUTBOX.c.due_at <= now, sa.or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until <= now))
        .order_by(OUTBOX.c.due_at, OUTBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(OUTBOX).where(OUTBOX.c.id.in_(wanted.scalar_subquery())).values(lease_until=now + lease).returning(OUTBOX)
    rows = sorted(connection.execute(taken).mappings().all(), key=lambda row: int(row["id"]))
    return [DueMail(row["id"], row["key"], row["school"], row["message"], row["attempts"]) for row in rows]


class OutboxWrites:
    """The part of a unit that alerts and mails."""

    connection: sa.Connection

    def alert(self, request: AlertRequest) -> None:
        """Write an alert, once per key."""
        row = {
            "key": request.key,
            "school": request.school,
            "kind": request.kind.value,
            "severity": request.severity.value,
            "subject": request.subject,
            "what": request.what,
            "done": request.done,
            "at": request.at,
            "due_at": request.due_at,
            "item_id": request.item_id,
        }
        insert_new(self.connection, ALERTS, [row])

    def alerts_composed(self, due: DueAlerts, key: str, message: EmailMessage, at: datetime) -> None:
        """Put the composed message in the outbox and mark its alerts."""
        self.mail_composed(key, due.school.slug, message, at)
        self.connection.execute(sa.update(ALERTS).where(ALERTS.c.id.in_(due.ids)).values(mail_key=key, lease_until=None))

    def digest_composed(self, digest: Digest, message: EmailMessage, at: datetime) -> bool:
        """Put the digest in the outbox, once per school and day; False when it was there already."""
        row = {
            "school": digest.school.slug,
            "day": digest.day,
            "key": digest.key,
            "head_seq": digest.head.seq,
            "head_hash": digest.head.hash,
            "composed_at": at,
        }
        if insert_new(self.connection, DIGESTS, [row]) == 0:
            return False
        self.mail_composed(digest.key, digest.school.slug, message, at)
        return True

    def mail_composed(self, key: str, school: str, message: EmailMessage, at: datetime) -> None:
        """Put a message in the outbox, once per key. `school` is "" for one that is the trust's."""
        row = {"key": key, "school": school, "message": message.as_bytes(policy=SMTP), "created_at": at, "due_at": at}
        insert_new(self.connection, OUTBOX, [row])

    def mail_sent(self, mail: DueMail, at: datetime) -> None:
        """Mark a message as delivered."""
        self.connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == mail.id).values(sent_at=at, lease_until=None, trouble=""))

    def mail_failed(self, mail: DueMail, why: str, *, next_at: datetime) -> None:
        """Push a message forward; it is never given up."""
        values = {"lease_until": None, "due_at": next_at, "attempts": mail.attempts + 1, "trouble": why}
        self.connection.execute(sa.update(OUTBOX).where(OUTBOX.c.id == mail.id).values(values))

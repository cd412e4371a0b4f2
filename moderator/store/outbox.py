"""Alerts, digests and the outbox: durable before any mail server is asked. Called by the alert, digest and send steps."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import sqlalchemy as sa

from moderator.domain.about import unpacked
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, Digest
from moderator.domain.dues import page_of
from moderator.domain.errors import LeaseLost
from moderator.domain.work import AlertAbout, AlertRequest, DueAlerts, DueMail, WaitingMail
from moderator.store import codec, people
from moderator.store.engine import insert_new
from moderator.store.items import ITEM_PEOPLE, ITEMS
from moderator.store.mail_tables import AlertRow, DigestRow, MailRow

ALERTS: sa.Table = AlertRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
OUTBOX: sa.Table = MailRow.__table__  # type: ignore[attr-defined] # as above
DIGESTS: sa.Table = DigestRow.__table__  # type: ignore[attr-defined] # as above

ALERTS_A_MAIL = 200
"""Most lines of one alert mail; what is left goes into the next."""

WRONG_CLOCK = timedelta(hours=12)
"""No wait and no lease of a mail is nearly as long: a later time was written while the machine's clock was ahead."""


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
    items = items_of(connection, {row["item_id"] for row in rows} - {None})
    return DueAlerts(
        people.school(connection, school),
        tuple(row["id"] for row in rows),
        tuple(line_of(row, items.get(row["item_id"], NO_ITEM), link) for row in rows),
        tuple(items.get(row["item_id"], NO_ITEM).about for row in rows),
    )


@dataclass(frozen=True, slots=True)
class OfItem:
    """What an alert needs to know of its item: whom it names and whether it is a disclosure, its platform, what it is flagged on."""

    about: AlertAbout
    platform: str = ""
    grounds: tuple[str, ...] = ()
    record_id: str = ""


NO_ITEM = OfItem(AlertAbout())


def items_of(connection: sa.Connection, items: Collection[int]) -> dict[int, OfItem]:
    """Return, for the items of some alerts, whom they name and which are disclosures (R15, R21), where and on what they were flagged."""
    named: dict[int, set[str]] = {}
    for row in connection.execute(sa.select(ITEM_PEOPLE).where(ITEM_PEOPLE.c.item_id.in_(items))):
        named.setdefault(row.item_id, set()).add(row.reference)
    columns = (ITEMS.c.id, ITEMS.c.safeguarding, ITEMS.c.platform, ITEMS.c.grounds, ITEMS.c.record_id)
    return {
        row.id: OfItem(
            AlertAbout(frozenset(named.get(row.id, ())), row.safeguarding), row.platform, unpacked(row.grounds), row.record_id or ""
        )
        for row in connection.execute(sa.select(*columns).where(ITEMS.c.id.in_(items)))
    }


def line_of(row: codec.Row, item: OfItem, link: str) -> AlertLine:
    """Return what a mail says of an alert; `link` is the review app's address."""
    return AlertLine(
        kind=AlertKind(row["kind"]),
        severity=Severity(row["severity"]),
        subject=row["subject"],
        what=row["what"],
        done=row["done"],
        at=row["at"],
        link=f"{link}{page_of_alert(row)}",
        platform=item.platform,
        grounds=item.grounds,
    )


def page_of_alert(row: codec.Row) -> str:
    """Return the path an alert leads to: its item, the record of something handed in, the page of what has a date, or its own page.

    A serious one without an item leads to its own page always: opening that says that somebody has read it.
    """
    if row["kind"] == AlertKind.SUBMITTED.value:
        return f"/submitted/{row['subject']}"
    if row["item_id"] is not None:
        return f"/items/{row['item_id']}"
    own = f"/schools/{row['school']}/alerts/{row['id']}"
    return own if row["severity"] == Severity.SEVERE.value else page_of(row["subject"], row["school"]) or own


def claim_mail(connection: sa.Connection, *, limit: int, now: datetime, lease: timedelta) -> list[DueMail]:
    """Claim due messages: alerts first, then the oldest.

    A time further off than any wait or lease was written by a clock that was wrong: it is due, and it is free.
    """
    wrong = now + WRONG_CLOCK
    due = sa.or_(OUTBOX.c.due_at <= now, OUTBOX.c.due_at > wrong)
    free = sa.or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until <= now, OUTBOX.c.lease_until > wrong)
    wanted = (
        sa.select(OUTBOX.c.id)
        .where(OUTBOX.c.sent_at.is_(None), due, free)
        .order_by(OUTBOX.c.key.startswith("alert-").desc(), OUTBOX.c.due_at, OUTBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = sa.update(OUTBOX).where(OUTBOX.c.id.in_(wanted.scalar_subquery())).values(lease_until=now + lease).returning(OUTBOX)
    rows = sorted(connection.execute(taken).mappings().all(), key=lambda row: int(row["id"]))
    return [DueMail(row["id"], row["key"], row["school"], row["message"], row["attempts"], row["created_at"], now + lease) for row in rows]


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

    def alerts_composed(self, due: DueAlerts, key: str, message: EmailMessage, at: datetime, *, unread_after: timedelta) -> None:
        """Put the composed message in the outbox and mark its alerts; serious ones go further unless read by `unread_after` from now.

        Raises LeaseLost when another worker has told of one of them: this machine slept through its lease, say.
        """
        self.mail_composed(key, due.school.slug, message, at)
        told = sa.update(ALERTS).where(ALERTS.c.id.in_(due.ids))
        if self.connection.execute(told.where(ALERTS.c.mail_key.is_(None)).values(mail_key=key, lease_until=None)).rowcount != len(due.ids):
            raise LeaseLost(key)
        serious = (ALERTS.c.severity == Severity.SEVERE.value, ALERTS.c.kind != AlertKind.REHEARSAL.value, ALERTS.c.read_at.is_(None))
        self.connection.execute(told.where(*serious).values(reroute_at=at + unread_after))

    def digest_composed(self, digest: Digest, message: EmailMessage, at: datetime) -> bool:
        """Put the digest in the outbox, once per school and day; False when one of its days was told of already. One worker at a time."""
        slug, first = digest.school.slug, digest.begins
        self.connection.execute(sa.select(people.SCHOOLS.c.slug).where(people.SCHOOLS.c.slug == slug).with_for_update())
        begins = sa.func.coalesce(DIGESTS.c.first_day, DIGESTS.c.day)
        told = sa.select(DIGESTS.c.day).where(DIGESTS.c.school == slug, DIGESTS.c.day >= first, begins <= digest.day)
        if self.connection.execute(told.limit(1)).first() is not None:
            return False
        row = {
            "school": slug,
            "day": digest.day,
            "first_day": first,
            "key": digest.key,
            "head_seq": digest.head.seq,
            "head_hash": digest.head.hash,
            "composed_at": at,
        }
        self.connection.execute(sa.insert(DIGESTS).values(row))
        self.mail_composed(digest.key, digest.school.slug, message, at)
        return True

    def mail_composed(self, key: str, school: str, message: EmailMessage, at: datetime) -> None:
        """Put a message in the outbox, once per key. `school` is "" for one that is the trust's."""
        row = {
            "key": key,
            "school": school,
            "message": message.as_bytes(policy=SMTP),
            "message_id": str(message["Message-ID"] or "").strip().strip("<>"),
            "created_at": at,
            "due_at": at,
        }
        insert_new(self.connection, OUTBOX, [row])

    def mail_sent(self, mail: DueMail, at: datetime) -> bool:
        """Mark a message as delivered; False when another worker has done so already."""
        sent = sa.update(OUTBOX).where(OUTBOX.c.id == mail.id, OUTBOX.c.sent_at.is_(None))
        return self.connection.execute(sent.values(sent_at=at, lease_until=None, trouble="")).rowcount == 1

    def mail_failed(self, mail: DueMail, why: str, *, next_at: datetime) -> None:
        """Push a message forward; it is never given up. Nothing is changed when the lease ran out and another worker has it."""
        ours = sa.update(OUTBOX).where(OUTBOX.c.id == mail.id, OUTBOX.c.sent_at.is_(None), OUTBOX.c.lease_until == mail.lease_until)
        self.connection.execute(ours.values(lease_until=None, due_at=next_at, attempts=mail.attempts + 1, trouble=why))

    def mails_put_off(self, why: str, *, at: datetime, next_at: datetime) -> list[WaitingMail]:
        """Push everything forward that is due by `at` and that nobody is sending, as if each had failed; return what that is."""
        free = sa.or_(OUTBOX.c.lease_until.is_(None), OUTBOX.c.lease_until <= at)
        due = sa.update(OUTBOX).where(OUTBOX.c.sent_at.is_(None), OUTBOX.c.due_at <= at, free)
        values = {"due_at": next_at, "attempts": OUTBOX.c.attempts + 1, "trouble": why}
        rows = self.connection.execute(due.values(values).returning(OUTBOX.c.key, OUTBOX.c.school, OUTBOX.c.created_at))
        return [WaitingMail(*row) for row in rows]

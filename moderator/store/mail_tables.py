"""The tables of what is told: alerts and to whom they went, the outbox, digests, reports, a school's own words, people's wishes."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from moderator.store.columns import time_column


class AlertRow(SQLModel, table=True):
    """Something a person must be told at once. Written in the transaction of the state it tells of."""

    __tablename__ = "alerts"
    __table_args__: ClassVar[Any] = (
        Index("ix_alerts_waiting", "school", "due_at", sqlite_where=text("mail_key IS NULL"), postgresql_where=text("mail_key IS NULL")),
        Index(
            "ix_alerts_unread", "reroute_at", sqlite_where=text("reroute_at IS NOT NULL"), postgresql_where=text("reroute_at IS NOT NULL")
        ),
        Index(
            "ix_alerts_open",
            "school",
            sqlite_where=text("severity = 'severe' AND read_at IS NULL"),
            postgresql_where=text("severity = 'severe' AND read_at IS NULL"),
        ),
        Index(
            "ix_alerts_told",  # not of those that wait: a plan that looks for them must not walk what was told
            "school",
            "id",
            sqlite_where=text("mail_key IS NOT NULL"),
            postgresql_where=text("mail_key IS NOT NULL"),
        ),
        Index("ix_alerts_item", "item_id", sqlite_where=text("item_id IS NOT NULL"), postgresql_where=text("item_id IS NOT NULL")),
    )
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    school: str
    kind: str
    severity: str
    subject: str
    what: str
    done: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    due_at: datetime = Field(sa_column=time_column(nullable=False))
    item_id: int | None = None
    lease_until: datetime | None = Field(default=None, sa_column=time_column())
    mail_key: str | None = None
    reroute_at: datetime | None = Field(default=None, sa_column=time_column())
    """When it goes to further people unless somebody has read it by then (R21); None for what is not serious, or was read."""
    round: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How many times it was sent on."""
    read_at: datetime | None = Field(default=None, sa_column=time_column())
    read_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The designation of whoever read it first: opened what it is about, acted on it, or said so."""


class MailRow(SQLModel, table=True):
    """The outbox: a message is durable here before any server is asked to take it."""

    __tablename__ = "outbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_outbox_waiting", "due_at", sqlite_where=text("sent_at IS NULL"), postgresql_where=text("sent_at IS NULL")),
        Index(
            "ix_outbox_bounced",
            "bounced_at",
            sqlite_where=text("bounced_at IS NOT NULL"),
            postgresql_where=text("bounced_at IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    school: str
    message: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    due_at: datetime = Field(sa_column=time_column(nullable=False))
    lease_until: datetime | None = Field(default=None, sa_column=time_column())
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    sent_at: datetime | None = Field(default=None, sa_column=time_column())
    trouble: str = Field(default="", sa_column_kwargs={"server_default": ""})
    message_id: str = Field(default="", index=True, sa_column_kwargs={"server_default": ""})
    """Without its brackets: what a bounce names."""
    bounced_at: datetime | None = Field(default=None, sa_column=time_column())
    bounce: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The status code of the server that could not deliver it (RFC 3463), e.g. `5.1.1`."""


class DigestRow(SQLModel, table=True):
    """One digest per school and last London day that it tells of; `first_day` is the first one where it tells of several."""

    __tablename__ = "digests"
    school: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    first_day: date | None = None
    key: str
    head_seq: int
    head_hash: str
    composed_at: datetime = Field(sa_column=time_column(nullable=False))


class TellingRow(SQLModel, table=True):
    """One alert as one reader was told of it. `person_id` 0 is a mailbox; `round` counts how often it was sent on."""

    __tablename__ = "tellings"
    __table_args__: ClassVar[Any] = (UniqueConstraint("alert_id", "address"),)
    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alerts.id")
    person_id: int
    address: str
    mail_key: str = Field(index=True)
    round: int
    at: datetime = Field(sa_column=time_column(nullable=False))
    failed_at: datetime | None = Field(default=None, sa_column=time_column())
    """When a mail server refused the mail for good, or gave it back."""


class ReportRow(SQLModel, table=True):
    """One report that was composed, so that each is once: the trust's digest of a day, a week's report, a term's."""

    __tablename__ = "reports"
    kind: str = Field(primary_key=True)
    school: str = Field(primary_key=True)
    """"" is the whole trust."""
    period: str = Field(primary_key=True)
    composed_at: datetime = Field(sa_column=time_column(nullable=False))


class MailWordsRow(SQLModel, table=True):
    """A school's own words in a part of its mails, versioned; the newest of a part counts, and an empty one is none (R32)."""

    __tablename__ = "mail_words"
    __table_args__ = (Index("ix_mail_words_newest", "school", "part", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug")
    part: str
    words: str
    author: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    why: str


class MailWishRow(SQLModel, table=True):
    """A mail that a person does not want: only of the kinds that anybody may leave."""

    __tablename__ = "mail_wishes"
    person_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    at: datetime = Field(sa_column=time_column(nullable=False))

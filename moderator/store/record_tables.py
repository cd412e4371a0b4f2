"""The tables round a sealed record: itself, its key, stamps, holds, disposal, review dates, checks; what people handed in."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from moderator.store.columns import time_column


class RecordRow(SQLModel, table=True):
    """A sealed record. Rows are only added; a trigger refuses edits and deletes (R9)."""

    __tablename__ = "records"
    __table_args__: ClassVar[Any] = (
        Index("ix_records_sealed", "school", "sealed_at", "record_id"),
        Index("ix_records_pending", "school", sqlite_where=text("stamp_pending = 1"), postgresql_where=text("stamp_pending")),
    )
    record_id: str = Field(primary_key=True)
    item_id: int = Field(unique=True)
    school: str
    path: str
    manifest_sha256: str
    captured_at: datetime = Field(sa_column=time_column(nullable=False))
    sealed_at: datetime = Field(sa_column=time_column(nullable=False))
    capture_kind: str
    stamp_pending: bool
    blocked_requests: int


class RecordKeyRow(SQLModel, table=True):
    """The key of one encrypted record, itself encrypted. Destroying it (`sealed` NULL) disposes of the record for good (R30)."""

    __tablename__ = "record_keys"
    record_id: str = Field(primary_key=True)
    school: str
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    key_sha256: str
    made_at: datetime = Field(sa_column=time_column(nullable=False))
    destroyed_at: datetime | None = Field(default=None, sa_column=time_column())


class RecordStampRow(SQLModel, table=True):
    """A stamp a record holds. Round 1 is the first; a renewal counts on. `expires_at`: when its chain runs out."""

    __tablename__ = "record_stamps"
    __table_args__ = (Index("ix_record_stamps_expiry", "school", "authority", "expires_at"),)
    record_id: str = Field(primary_key=True)
    authority: str = Field(primary_key=True)
    round: int = Field(primary_key=True)
    school: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    expires_at: datetime = Field(sa_column=time_column(nullable=False))


class LegalHoldRow(SQLModel, table=True):
    """A legal hold on a record: beats every disposal until released (R30)."""

    __tablename__ = "legal_holds"
    id: int | None = Field(default=None, primary_key=True)
    record_id: str = Field(index=True)
    school: str
    reference: str
    why: str
    by: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    released_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    released_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    released_at: datetime | None = Field(default=None, sa_column=time_column())
    stored_at: datetime | None = Field(default=None, sa_column=time_column())
    """When the storage last took this hold, or its lifting; None until then."""


class DisposalRow(SQLModel, table=True):
    """A disposal: asked by one person, approved by another, each with a reason (R30); or refused."""

    __tablename__ = "disposals"
    __table_args__ = (
        CheckConstraint("approved_by = '' OR approved_by <> asked_by", name="r30_two_people"),
        CheckConstraint("done_at IS NULL OR approved_at IS NOT NULL", name="r30_done_was_approved"),
    )
    id: int | None = Field(default=None, primary_key=True)
    record_id: str = Field(index=True)
    school: str
    ground: str
    why: str
    asked_by: str
    asked_at: datetime = Field(sa_column=time_column(nullable=False))
    approved_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    approved_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    approved_at: datetime | None = Field(default=None, sa_column=time_column())
    refused_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    refused_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    refused_at: datetime | None = Field(default=None, sa_column=time_column())
    done_at: datetime | None = Field(default=None, sa_column=time_column())


class RetentionRow(SQLModel, table=True):
    """When a record is looked at again, and as what class; its newest row counts. Nothing is disposed of by date (R30)."""

    __tablename__ = "retention"
    __table_args__ = (Index("ix_retention_review", "school", "review_on"),)
    id: int | None = Field(default=None, primary_key=True)
    record_id: str = Field(index=True)
    school: str
    record_class: str
    review_on: date
    by: str
    why: str
    at: datetime = Field(sa_column=time_column(nullable=False))


class CheckRow(SQLModel, table=True):
    """One run of the service's own check of its records: nightly a sample, monthly all. `position` is where a full pass goes on."""

    __tablename__ = "checks"
    __table_args__ = (Index("ix_checks_school", "school", "kind", "started_at"),)
    id: int | None = Field(default=None, primary_key=True)
    school: str
    kind: str
    started_at: datetime = Field(sa_column=time_column(nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=time_column())
    position: str = Field(default="", sa_column_kwargs={"server_default": ""})
    checked: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    disposed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    faults: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    details: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})


class SubmittedRow(SQLModel, table=True):
    """A sealed record that a person handed in. Rows are only added; a trigger refuses edits and deletes (R9)."""

    __tablename__ = "submitted"
    record_id: str = Field(primary_key=True)
    school: str = Field(index=True)
    path: str
    manifest_sha256: str
    captured_at: datetime = Field(sa_column=time_column(nullable=False))
    sealed_at: datetime = Field(sa_column=time_column(nullable=False))
    by: str


class PoliceReportRow(SQLModel, table=True):
    """What was done about a withheld item (R17): who pressed, when, the police reference, and a note."""

    __tablename__ = "police_reports"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    by: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    reference: str
    note: str

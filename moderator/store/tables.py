"""The tables, and the database's own guards: CHECKs that refuse a hide without a sealed record (R10)."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from moderator.store import mail_tables, record_tables, register_tables  # noqa: F401 - an item points at its record, so all are always known
from moderator.store.columns import UtcDateTime, time_column


class SchoolRow(SQLModel, table=True):
    """A school of the trust."""

    __tablename__ = "schools"
    slug: str = Field(primary_key=True)
    name: str
    urn: str
    head_email: str
    email_domains: str
    trust: str
    ledger: str
    trust_domains: str = Field(default="[]", sa_column_kwargs={"server_default": "[]"})


class AccountRow(SQLModel, table=True):
    """An official account, and how its polling stands."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("platform", "handle"),)
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug", index=True)
    platform: str
    handle: str
    platform_id: str
    contact_email: str
    monthly_reads: int
    next_poll_at: datetime = Field(sa_column=time_column(nullable=False))
    poll_interval: float
    reads_per_poll: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    lease_until: datetime | None = Field(default=None, sa_column=time_column())
    last_good_poll_at: datetime | None = Field(default=None, sa_column=time_column())
    paused_until: datetime | None = Field(default=None, sa_column=time_column())
    needs_person: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    trouble: str = Field(default="", sa_column_kwargs={"server_default": ""})
    requested_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    requested_at: datetime | None = Field(default=None, sa_column=time_column())
    purpose: str = Field(default="", sa_column_kwargs={"server_default": ""})
    declined_at: datetime | None = Field(default=None, sa_column=time_column())
    """When the request was turned down, if it was; an approval takes that back."""
    declined_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    declined_why: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ApprovalRow(SQLModel, table=True):
    """One approval of an account by the Headteacher (R1); the newest counts."""

    __tablename__ = "approvals"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id", index=True)
    reference: str
    approver: str
    approved_on: date
    purpose: str
    mode: str
    ends_on: date
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column())
    why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why it takes the place of an earlier one (R24)."""
    withdrawn_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    withdrawn_why: str = Field(default="", sa_column_kwargs={"server_default": ""})


class CursorRow(SQLModel, table=True):
    """How far one source of an account was read; moves only with the stored items."""

    __tablename__ = "cursors"
    account_id: int = Field(foreign_key="accounts.id", primary_key=True)
    source: str = Field(primary_key=True)
    cursor: str


class BudgetRow(SQLModel, table=True):
    """Posts read for an account in one calendar month (UTC, `2026-11`), bookings included."""

    __tablename__ = "budgets"
    account_id: int = Field(foreign_key="accounts.id", primary_key=True)
    month: str = Field(primary_key=True)
    reads: int


class CredentialRow(SQLModel, table=True):
    """An account's token, encrypted."""

    __tablename__ = "credentials"
    account_id: int = Field(foreign_key="accounts.id", primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: datetime = Field(sa_column=time_column(nullable=False))


class PageRow(SQLModel, table=True):
    """The platform's exact bytes of one poll answer (compressed), kept until no waiting item needs them."""

    __tablename__ = "pages"
    id: int | None = Field(default=None, primary_key=True)
    account_id: int
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False, index=True))
    status: int
    request_id: str
    headers: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ItemRow(SQLModel, table=True):
    """One version of one comment. The row is the queue: `stage`, `due_at`, `lease_until`."""

    __tablename__ = "items"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("account_id", "comment_id", "version"),
        CheckConstraint(
            "state NOT IN ('recorded','hidden','upheld','restored','gone') OR (record_id IS NOT NULL AND sealed_at IS NOT NULL)",
            name="r10_state_needs_record",
        ),
        CheckConstraint(
            "hide_called_at IS NULL OR (record_id IS NOT NULL AND sealed_at IS NOT NULL AND sealed_at < hide_called_at)",
            name="r10_sealed_before_hide",
        ),
        CheckConstraint("state <> 'hidden' OR hide_called_at IS NOT NULL", name="r10_hidden_was_called"),
        CheckConstraint("hide_called_at IS NULL OR outcome = 'hide'", name="only_hide_outcome_is_hidden"),
        Index(
            "ix_items_queue",
            "stage",
            "rank",
            "due_at",
            "id",
            sqlite_where=text("stage IS NOT NULL"),
            postgresql_where=text("stage IS NOT NULL"),
        ),
        Index("ix_items_day", "school", "first_seen_at"),
        Index(
            "ix_items_review",
            "school",
            "rank",
            "id",
            *("safeguarding", "awaits_advice", "held_at", "first_seen_at", "account_id", "state", "grounds", "about", "needs_review"),
            sqlite_where=text("needs_review = 1"),
            postgresql_where=text("needs_review"),
        ),
        Index(
            "ix_items_flagged",
            "school",
            "first_seen_at",
            sqlite_where=text("rank < 9"),
            postgresql_where=text("rank < 9"),
        ),
        Index(
            "ix_items_unpruned",
            "first_seen_at",
            sqlite_where=text("state = 'cleared' AND pruned = 0"),
            postgresql_where=text("state = 'cleared' AND NOT pruned"),
        ),
        Index(
            "ix_items_chances",
            "first_seen_at",
            sqlite_where=text("pruned = 1 AND score IS NOT NULL"),
            postgresql_where=text("pruned AND score IS NOT NULL"),
        ),
        Index(
            "ix_items_record",
            "record_id",
            sqlite_where=text("record_id IS NOT NULL"),
            postgresql_where=text("record_id IS NOT NULL"),
        ),
        Index(
            "ix_items_page",
            "page_id",
            sqlite_where=text("stage IS NOT NULL OR held_at IS NOT NULL"),
            postgresql_where=text("stage IS NOT NULL OR held_at IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="accounts.id")
    school: str
    platform: str
    comment_id: str
    version: str
    kind: str
    author_id: str
    author_handle: str
    author_name: str
    text: str
    posted_at: datetime = Field(sa_column=time_column(nullable=False))
    place: str
    conversation_id: str
    edited: bool
    media: str
    thread: str
    hideable: bool
    first_seen_at: datetime = Field(sa_column=time_column(nullable=False))
    page_id: int | None = None
    state: str
    stage: str | None = None
    rank: int = Field(default=9, sa_column_kwargs={"server_default": "9"})
    """0 severe, 1 ordinary, 9 not flagged: the order of the queue and of the review page."""
    due_at: datetime = Field(sa_column=time_column(nullable=False))
    lease_until: datetime | None = Field(default=None, sa_column=time_column())
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    score: str | None = None
    decision: str | None = None
    outcome: str | None = None
    severity: str | None = None
    record_id: str | None = Field(default=None, sa_column=Column(ForeignKey("records.record_id"), nullable=True))
    sealed_at: datetime | None = Field(default=None, sa_column=time_column())
    hide_called_at: datetime | None = Field(default=None, sa_column=time_column())
    hidden_at: datetime | None = Field(default=None, sa_column=time_column())
    gone_at: datetime | None = Field(default=None, sa_column=time_column())
    held_at: datetime | None = Field(default=None, sa_column=time_column())
    held_stage: str | None = None
    trouble: str = Field(default="", sa_column_kwargs={"server_default": ""})
    needs_review: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    safeguarding: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """A disclosure or a crisis: for the safeguarding leads alone (R15)."""
    awaits_advice: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """HR was asked, and nobody may judge it before they answer (R22)."""
    grounds: str = Field(default="", sa_column_kwargs={"server_default": ""})
    about: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Labels of the decision's reasons, and kinds of people it names, as `domain.about.packed` writes them: for filters and counts."""
    pruned: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class DecisionRow(SQLModel, table=True):
    """Every decision other than `clear` that an item ever had, oldest first."""

    __tablename__ = "decisions"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    at: datetime = Field(sa_column=time_column(nullable=False))
    decision: str


class ReviewRow(SQLModel, table=True):
    """One decision by one person, with its justification (R24)."""

    __tablename__ = "reviews"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    verdict: str
    actor: str
    justification: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    done_at: datetime | None = Field(default=None, sa_column=time_column())


class LedgerRow(SQLModel, table=True):
    """The ledger's mirror: one row a line. Rows are only added; a trigger refuses edits and deletes."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_day", "school", "at", "event"),)
    school: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_column=time_column(nullable=False))
    event: str
    subject: str = Field(index=True)
    line: str
    hash: str


class LedgerHeadRow(SQLModel, table=True):
    """The head of each school's ledger; locking this row orders the writers."""

    __tablename__ = "ledger_heads"
    school: str = Field(primary_key=True)
    seq: int
    hash: str


class RollTokenRow(SQLModel, table=True):
    """Keyed tokens of the roll, packed: digests of name variants, never a name (R29). A person's own carry the reference."""

    __tablename__ = "roll_tokens"
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(index=True)
    evidence: str
    digests: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kind: str
    reference: str


class RollEntryRow(SQLModel, table=True):
    """One person on the roll; the name is ciphertext (R29). `matches_until` is the last day a leaver's name is matched."""

    __tablename__ = "roll_entries"
    school: str = Field(primary_key=True)
    reference: str = Field(primary_key=True)
    kind: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    matches_until: date | None = None


class SignInRow(SQLModel, table=True):
    """A one-time link or a session, by the SHA-256 of its secret."""

    __tablename__ = "sign_ins"
    secret_sha256: str = Field(primary_key=True)
    purpose: str
    actor: str
    expires_at: datetime = Field(sa_column=time_column(nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=time_column())
    person_id: int | None = Field(default=None, index=True)
    agent_sha256: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """SHA-256 of the browser's own name: a session that turns up in another browser is ended."""
    seen_at: datetime | None = Field(default=None, sa_column=time_column())
    proved_at: datetime | None = Field(default=None, sa_column=time_column())
    """When the person last proved who they are (password and code, passkey, identity provider)."""

"""The tables of the register: people, their designations and sign-in, what they sign, what they ask for, who reads by machine."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from moderator.store.columns import time_column


class PersonRow(SQLModel, table=True):
    """A named person who may have designations. `references` in `roll_reference` says who on the roll they are (R21)."""

    __tablename__ = "people"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    email: str = Field(unique=True)
    """Lower case, on a domain of the trust's schools (R26)."""
    roll_reference: str = Field(default="", sa_column_kwargs={"server_default": ""})
    password_hash: str = Field(default="", sa_column_kwargs={"server_default": ""})
    totp_sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    totp_step: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The last 30-second step whose code was used: a code is good once."""
    oidc_issuer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    oidc_subject: str = Field(default="", sa_column_kwargs={"server_default": ""})
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    failed_at: datetime | None = Field(default=None, sa_column=time_column())
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class DesignationRow(SQLModel, table=True):
    """One role of one person, signed and dated (R3). `school` "" is the whole trust. Rows stay; an end is written on them."""

    __tablename__ = "designations"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_at IS NULL OR ended_by <> ''", name="r3_end_has_somebody"),
        Index("ix_designations_school", "school", "role"),
    )
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    role: str
    school: str = ""
    reference: str = Field(unique=True)
    """What the ledger calls them: `HEAD-1`. Never a name."""
    signed_by: str
    signed_on: date
    begins_on: date
    ends_on: date | None = None
    ended_at: datetime | None = Field(default=None, sa_column=time_column())
    ended_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    end_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})


class PasskeyRow(SQLModel, table=True):
    """A passkey: its credential id (unpadded base64url), public key (COSE) and signature counter."""

    __tablename__ = "passkeys"
    credential_id: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int
    label: str
    added_at: datetime = Field(sa_column=time_column(nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=time_column())


class RecoveryCodeRow(SQLModel, table=True):
    """One recovery code by its SHA-256; the code is random (80 bits), so a plain hash is enough. Good once."""

    __tablename__ = "recovery_codes"
    code_sha256: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    made_at: datetime = Field(sa_column=time_column(nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=time_column())


class AbsenceRow(SQLModel, table=True):
    """Days a person is away, first and last included (R21)."""

    __tablename__ = "absences"
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="people.id", index=True)
    first_day: date
    last_day: date
    noted_by: str
    noted_at: datetime = Field(sa_column=time_column(nullable=False))
    cancelled_at: datetime | None = Field(default=None, sa_column=time_column())


class DelegationRow(SQLModel, table=True):
    """The Headteacher's signed delegation to the service, shown on each record (R8); the newest live one counts."""

    __tablename__ = "delegations"
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug", index=True)
    reference: str
    words: str
    signed_by: str
    signed_on: date
    ends_on: date
    withdrawn_at: datetime | None = Field(default=None, sa_column=time_column())
    withdrawn_by: str = Field(default="", sa_column_kwargs={"server_default": ""})


class RouteRow(SQLModel, table=True):
    """Who is told of one kind of thing (R21): roles in order, as a JSON list. The newest of a school and kind counts (R32)."""

    __tablename__ = "routes"
    __table_args__: ClassVar[Any] = (Index("ix_routes_newest", "school", "kind", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug")
    kind: str
    roles: str
    author: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    why: str


class HouseRulesRow(SQLModel, table=True):
    """A version of the school's published house rules (R16); the newest counts."""

    __tablename__ = "house_rules"
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug", index=True)
    words: str
    link: str = Field(default="", sa_column_kwargs={"server_default": ""})
    author: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    why: str


class PolicyRow(SQLModel, table=True):
    """A version of the policy as a file's text, with author, date and why (R32); the newest counts, before any file."""

    __tablename__ = "policies"
    id: int | None = Field(default=None, primary_key=True)
    version: str = Field(unique=True)
    toml: str
    author: str
    at: datetime = Field(sa_column=time_column(nullable=False))
    why: str


class AttestationRow(SQLModel, table=True):
    """What a person attests of an account: `password_changed` (R5), `not_personal` (R2), or of the policy: `policy_reviewed` (R33)."""

    __tablename__ = "attestations"
    __table_args__: ClassVar[Any] = (Index("ix_attestations_newest", "account_id", "kind", "on_date"),)
    id: int | None = Field(default=None, primary_key=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id")
    school: str = Field(foreign_key="schools.slug")
    kind: str
    on_date: date
    by: str
    at: datetime = Field(sa_column=time_column(nullable=False))


class AuthorisingRow(SQLModel, table=True):
    """One way to a platform's permission page and back (OAuth), or to an identity provider: `state` by its SHA-256; used once."""

    __tablename__ = "authorisings"
    state_sha256: str = Field(primary_key=True)
    account_id: int | None = Field(default=None, foreign_key="accounts.id")
    session: str = Field(default="", sa_column_kwargs={"server_default": ""})
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """What must not leave the machine meanwhile (code verifier, nonce), encrypted."""
    expires_at: datetime = Field(sa_column=time_column(nullable=False))
    used_at: datetime | None = Field(default=None, sa_column=time_column())


class ItemPersonRow(SQLModel, table=True):
    """Who on the roll an item names, by the roll's reference only (R29): keeps it from that very person (R21)."""

    __tablename__ = "item_people"
    item_id: int = Field(foreign_key="items.id", primary_key=True)
    reference: str = Field(primary_key=True)


class AdviceRow(SQLModel, table=True):
    """An item that awaits HR's advice (R22): while `received_at` is empty, nobody may judge it."""

    __tablename__ = "advice"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    why: str
    asked_by: str
    asked_at: datetime = Field(sa_column=time_column(nullable=False))
    advice: str = Field(default="", sa_column_kwargs={"server_default": ""})
    received_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    received_at: datetime | None = Field(default=None, sa_column=time_column())


class WishRow(SQLModel, table=True):
    """What the member of staff who is the target wishes, and whether they go to the police: their own decision (R23)."""

    __tablename__ = "wishes"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    wishes: str
    police: str
    noted_by: str
    at: datetime = Field(sa_column=time_column(nullable=False))


class EscalationRow(SQLModel, table=True):
    """An item handed up to a role, with why."""

    __tablename__ = "escalations"
    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="items.id", index=True)
    role: str
    why: str
    by: str
    at: datetime = Field(sa_column=time_column(nullable=False))


class ApiTokenRow(SQLModel, table=True):
    """A token that reads by machine, by its SHA-256. `school` "" is every school; `scopes` a JSON list."""

    __tablename__ = "api_tokens"
    id: int | None = Field(default=None, primary_key=True)
    secret_sha256: str = Field(unique=True)
    label: str
    school: str = ""
    scopes: str
    made_by: str
    made_at: datetime = Field(sa_column=time_column(nullable=False))
    expires_on: date
    ended_at: datetime | None = Field(default=None, sa_column=time_column())
    used_at: datetime | None = Field(default=None, sa_column=time_column())


class WebhookRow(SQLModel, table=True):
    """A machine that is told of a school's records and decisions: ledger lines after `after_seq`, signed, in order."""

    __tablename__ = "webhooks"
    __table_args__: ClassVar[Any] = (UniqueConstraint("school", "url"),)
    id: int | None = Field(default=None, primary_key=True)
    school: str = Field(foreign_key="schools.slug")
    url: str
    secret_sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    events: str
    after_seq: int
    made_by: str
    made_at: datetime = Field(sa_column=time_column(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=time_column())
    due_at: datetime = Field(sa_column=time_column(nullable=False))
    lease_until: datetime | None = Field(default=None, sa_column=time_column())
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    trouble: str = Field(default="", sa_column_kwargs={"server_default": ""})

"""The register: schools, accounts, approvals, and credentials. Called by the units, the command line and build."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from moderator.domain.account import Account, Approval, School
from moderator.domain.errors import BadInput, Unauthorised
from moderator.domain.mail_domains import allowed
from moderator.domain.times import from_utc_text, utc_text
from moderator.ports import Token
from moderator.store import codec
from moderator.store.engine import READ
from moderator.store.sealed import Sealer
from moderator.store.tables import AccountRow, ApprovalRow, BudgetRow, CredentialRow, SchoolRow

SCHOOLS: sa.Table = SchoolRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
ACCOUNTS: sa.Table = AccountRow.__table__  # type: ignore[attr-defined] # as above
APPROVALS: sa.Table = ApprovalRow.__table__  # type: ignore[attr-defined] # as above
CREDENTIALS: sa.Table = CredentialRow.__table__  # type: ignore[attr-defined] # as above
BUDGETS: sa.Table = BudgetRow.__table__  # type: ignore[attr-defined] # as above

NO_TOKEN = "this account is not connected: connect it on its page, or with `moderator account authorise`"  # noqa: S105 - said to people
"""Said where a step wants the token of an account that has none."""


def school(connection: sa.Connection, slug: str) -> School:
    """Return a school. Raises BadInput when there is none."""
    row = connection.execute(sa.select(SCHOOLS).where(SCHOOLS.c.slug == slug)).mappings().one_or_none()
    if row is None:
        message = f"there is no school {slug!r}: add it to [[school]] in moderator.toml"
        raise BadInput(message)
    return codec.school_from(row)


def schools(connection: sa.Connection) -> list[School]:
    """Return every school, by slug."""
    return [codec.school_from(row) for row in connection.execute(sa.select(SCHOOLS).order_by(SCHOOLS.c.slug)).mappings()]


def put_school(connection: sa.Connection, school: School) -> None:
    """Add a school or bring its details up to date; its slug and ledger file never change."""
    values: dict[str, Any] = {
        "name": school.name,
        "urn": school.urn,
        "head_email": school.head_email,
        "email_domains": codec.list_text(school.email_domains),
        "trust_domains": codec.list_text(school.trust_domains),
        "trust": school.trust,
    }
    known = sa.update(SCHOOLS).where(SCHOOLS.c.slug == school.slug).values(values)
    if connection.execute(known).rowcount == 0:
        connection.execute(sa.insert(SCHOOLS).values(values | {"slug": school.slug, "ledger": school.ledger}))


def account(connection: sa.Connection, account_id: int) -> Account:
    """Return an account with its newest approval. Raises BadInput when there is none."""
    row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == account_id)).mappings().one_or_none()
    if row is None:
        message = f"there is no account {account_id}"
        raise BadInput(message)
    return _account(connection, row)


def accounts(connection: sa.Connection, school: str | None = None) -> list[Account]:
    """Return every account, or those of one school, by school and handle."""
    wanted = sa.select(ACCOUNTS).order_by(ACCOUNTS.c.school, ACCOUNTS.c.handle)
    rows = connection.execute(wanted if school is None else wanted.where(ACCOUNTS.c.school == school)).mappings().all()
    return [_account(connection, row) for row in rows]


def find_account(connection: sa.Connection, platform: str, handle: str) -> Account | None:
    """Return the account of that handle, or None."""
    wanted = sa.select(ACCOUNTS).where(ACCOUNTS.c.platform == platform, ACCOUNTS.c.handle == handle)
    row = connection.execute(wanted).mappings().one_or_none()
    return _account(connection, row) if row else None


def _account(connection: sa.Connection, row: codec.Row) -> Account:
    newest = sa.select(APPROVALS).where(APPROVALS.c.account_id == row["id"]).order_by(APPROVALS.c.id.desc()).limit(1)
    approval = connection.execute(newest).mappings().one_or_none()
    return codec.account_from(row, school(connection, row["school"]), codec.approval_from(approval) if approval else None)


def refuse_unofficial(contact_email: str, school: School) -> None:
    """Raise BadInput unless the address is on one of the school's domains (R2)."""
    if not allowed(contact_email, school.email_domains):
        message = (
            f"contact e-mail {contact_email!r} is not a school address ({', '.join(school.email_domains) or 'none is set'}): "
            "an official account is linked to an official school e-mail (R2)"
        )
        raise BadInput(message)


def add_account(  # noqa: PLR0913 - the facts of one account
    connection: sa.Connection,
    *,
    school: School,
    platform: str,
    handle: str,
    platform_id: str,
    contact_email: str,
    monthly_reads: int,
    at: datetime,
) -> int:
    """Add an account, not approved yet; return its number. Raises BadInput when it is there already or is not official (R2)."""
    refuse_unofficial(contact_email, school)
    if monthly_reads < 1:
        message = f"monthly reads {monthly_reads}: give a read budget of at least 1 post a month"
        raise BadInput(message)
    if find_account(connection, platform, handle) is not None:
        message = f"@{handle} on {platform} is registered already; see `moderator account list`"
        raise BadInput(message)
    added = connection.execute(
        sa.insert(ACCOUNTS)
        .values(
            school=school.slug,
            platform=platform,
            handle=handle,
            platform_id=platform_id,
            contact_email=contact_email,
            monthly_reads=monthly_reads,
            next_poll_at=at,
            poll_interval=120.0,
            reads_per_poll=0.0,
            needs_person=False,
            trouble="",
        )
        .returning(ACCOUNTS.c.id)
    )
    return int(added.scalar_one())


def approve(connection: sa.Connection, account_id: int, approval: Approval, *, why: str = "") -> None:
    """Store an approval; it takes the place of any earlier one. `why` says why, where it changes one (R24).

    Raises BadInput when it ends before it begins.
    """
    if approval.ends_on < approval.approved_on:
        message = f"the approval ends on {approval.ends_on}, before it begins on {approval.approved_on}"
        raise BadInput(message)
    connection.execute(
        sa.insert(APPROVALS).values(
            account_id=account_id,
            reference=approval.reference,
            approver=approval.approver,
            approved_on=approval.approved_on,
            purpose=approval.purpose,
            mode=approval.mode.value,
            ends_on=approval.ends_on,
            why=why,
        )
    )


def withdraw(connection: sa.Connection, account_id: int, at: datetime, *, by: str = "", why: str = "") -> None:
    """Withdraw every approval of an account: the next poll does not happen (R1). Raises BadInput when there is none."""
    live = sa.update(APPROVALS).where(APPROVALS.c.account_id == account_id, APPROVALS.c.withdrawn_at.is_(None))
    if connection.execute(live.values(withdrawn_at=at, withdrawn_by=by, withdrawn_why=why)).rowcount == 0:
        message = f"account {account_id} has no approval to withdraw"
        raise BadInput(message)


def resume_account(connection: sa.Connection, account_id: int, at: datetime) -> None:
    """Let the service call the platform again, after a person has re-authorised the account."""
    connection.execute(
        sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(needs_person=False, paused_until=None, trouble="", next_poll_at=at)
    )


class StoredCredentials:
    """One account's token, encrypted in the database; implements ports.Credentials."""

    def __init__(self, engine: sa.Engine, sealer: Sealer, account_id: int) -> None:
        """Keep the engine, the keys and the account's number."""
        self._engine = engine
        self._sealer = sealer
        self._account_id = account_id

    def load(self) -> Token:
        """Return the current token. Raises Unauthorised when there is none."""
        with self._engine.connect().execution_options(**READ) as connection:
            wanted = sa.select(CREDENTIALS.c.sealed).where(CREDENTIALS.c.account_id == self._account_id)
            sealed = connection.execute(wanted).scalar()
        if sealed is None:
            raise Unauthorised(NO_TOKEN)
        parts = json.loads(self._sealer.open(sealed))
        return Token(parts["access"], parts["refresh"], from_utc_text(parts["expires_at"]))

    def save(self, token: Token) -> None:
        """Store a renewed token durably. Raises Unauthorised when somebody has disconnected the account: then it stays without one."""
        with self._engine.begin() as connection:
            held = sa.select(CREDENTIALS.c.account_id).where(CREDENTIALS.c.account_id == self._account_id).with_for_update()
            if connection.execute(held).first() is None:
                raise Unauthorised(NO_TOKEN)
            self.store(connection, self._sealer, self._account_id, token)

    @staticmethod
    def store(connection: sa.Connection, sealer: Sealer, account_id: int, token: Token) -> None:
        """Store a token in a transaction that does more than this."""
        plain = json.dumps({"access": token.access, "refresh": token.refresh, "expires_at": utc_text(token.expires_at)})
        values: dict[str, Any] = {"sealed": sealer.seal(plain), "updated_at": token.expires_at}
        known = sa.update(CREDENTIALS).where(CREDENTIALS.c.account_id == account_id).values(values)
        if connection.execute(known).rowcount == 0:
            connection.execute(sa.insert(CREDENTIALS).values(values | {"account_id": account_id}))

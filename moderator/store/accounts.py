"""Accounts from the request to the end: asked for, connected, attested, withdrawn. Called by the accounts pages and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from moderator.domain.account import Account, Approval, School
from moderator.domain.account_state import AccountState, state_of
from moderator.domain.attestation import AccountDates, Attestation, Attested
from moderator.domain.errors import BadInput, Unauthorised
from moderator.domain.times import london_date
from moderator.ports import Token
from moderator.store import codec, people
from moderator.store.people import ACCOUNTS, APPROVALS, CREDENTIALS, StoredCredentials
from moderator.store.polls import month_of, reads_used
from moderator.store.register_tables import AttestationRow
from moderator.store.sealed import Sealer

ATTESTATIONS: sa.Table = AttestationRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

NOT_CONNECTED = "It is not connected to its platform."
"""What is wrong with an account that nobody has connected yet, or that somebody has disconnected."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One account as its pages show it. `requested_by` and `declined_by` are designation references; nothing of the token is in here."""

    account: Account
    state: AccountState
    dates: AccountDates
    connected: bool
    needs_person: bool
    trouble: str
    last_good_poll: datetime | None
    next_poll: datetime
    reads_used: int
    purpose: str
    requested_by: str
    requested_at: datetime | None
    declined_by: str
    declined_at: datetime | None
    declined_why: str


@dataclass(frozen=True, slots=True)
class ApprovalEntry:
    """One approval of an account with why it was given, and by whom and why it was withdrawn."""

    approval: Approval
    why: str
    withdrawn_by: str
    withdrawn_why: str


def ask(  # noqa: PLR0913 - the facts of one request
    connection: sa.Connection,
    *,
    school: School,
    platform: str,
    handle: str,
    contact_email: str,
    purpose: str,
    monthly_reads: int,
    by: str,
    at: datetime,
) -> int:
    """Store a request for an account and return its number. Nothing calls its platform before it is approved and connected (R1).

    Raises BadInput when its contact e-mail is not the school's (R2), or somebody asked for it before.
    """
    if _known(connection, platform, handle):
        message = f"@{handle} was asked for already: look at the list of accounts"
        raise BadInput(message)
    number = people.add_account(
        connection,
        school=school,
        platform=platform,
        handle=handle,
        platform_id="",
        contact_email=contact_email,
        monthly_reads=monthly_reads,
        at=at,
    )
    values = {"purpose": purpose, "requested_by": by, "requested_at": at, "needs_person": True, "trouble": NOT_CONNECTED}
    connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == number).values(values))
    return number


def _known(connection: sa.Connection, platform: str, handle: str) -> bool:
    wanted = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.platform == platform, sa.func.lower(ACCOUNTS.c.handle) == handle.lower())
    return connection.execute(wanted).first() is not None


def decline(connection: sa.Connection, account_id: int, *, by: str, why: str, at: datetime) -> None:
    """Turn a request down. Raises BadInput when the account was approved or turned down meanwhile."""
    approved = sa.select(APPROVALS.c.id).where(APPROVALS.c.account_id == account_id).exists()
    waiting = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id, ACCOUNTS.c.declined_at.is_(None), ~approved)
    if connection.execute(waiting.values(declined_at=at, declined_by=by, declined_why=why)).rowcount == 0:
        message = "this request was decided meanwhile"
        raise BadInput(message)


def approve(connection: sa.Connection, account_id: int, approval: Approval, *, why: str, at: datetime) -> None:
    """Store an approval, and let the next poll come at once. Raises BadInput as `people.approve` does."""
    people.approve(connection, account_id, approval, why=why)
    values = {"declined_at": None, "declined_by": "", "declined_why": "", "next_poll_at": at}
    connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(values))


def attest(  # noqa: PLR0913 - the facts of one attestation
    connection: sa.Connection, account: Account, kind: Attested, *, on: date, by: str, at: datetime
) -> None:
    """Write down what a person attests; the newest entry counts, so that a wrong date can be put right.

    Raises BadInput for a day that has not come yet.
    """
    if on > london_date(at):
        message = f"{on.day} {on:%B %Y} has not come yet: give the day it was done"
        raise BadInput(message)
    values = {"account_id": account.id, "school": account.school.slug, "kind": kind.value, "on_date": on, "by": by, "at": at}
    connection.execute(sa.insert(ATTESTATIONS).values(values))


def connect(  # noqa: PLR0913 - what a connection is made of
    connection: sa.Connection, sealer: Sealer, account: Account, *, token: Token, platform_id: str, at: datetime
) -> None:
    """Store an account's token and let the service call the platform again.

    Raises BadInput when the platform's id is not the one it had: a handle can pass to somebody else.
    """
    same = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account.id, ACCOUNTS.c.platform_id.in_(["", platform_id]))
    if connection.execute(same.values(platform_id=platform_id)).rowcount == 0:
        message = f"@{account.handle} is another account than before, under the same name: do not go on; ask your IT lead"
        raise BadInput(message)
    StoredCredentials.store(connection, sealer, account.id, token)
    people.resume_account(connection, account.id, at)


def disconnect(connection: sa.Connection, account_id: int) -> None:
    """Forget an account's token; nothing calls its platform until it is connected again. May be repeated."""
    connection.execute(sa.delete(CREDENTIALS).where(CREDENTIALS.c.account_id == account_id))
    connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values(needs_person=True, trouble=NOT_CONNECTED))


def token_of(engine: sa.Engine, sealer: Sealer, account_id: int) -> Token | None:
    """Return an account's token, or None."""
    try:
        return StoredCredentials(engine, sealer, account_id).load()
    except Unauthorised:
        return None


def standing(connection: sa.Connection, account_id: int, now: datetime) -> Standing:
    """Return how an account stands. Raises BadInput when there is none."""
    return _standing(connection, people.account(connection, account_id), now)


def standings(connection: sa.Connection, school: str, now: datetime) -> list[Standing]:
    """Return how each of a school's accounts stands, by handle."""
    numbers = connection.execute(sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.school == school).order_by(ACCOUNTS.c.handle)).scalars().all()
    return [_standing(connection, people.account(connection, number), now) for number in numbers]


def _standing(connection: sa.Connection, account: Account, now: datetime) -> Standing:
    row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == account.id)).mappings().one()
    connected = connection.execute(sa.select(CREDENTIALS.c.account_id).where(CREDENTIALS.c.account_id == account.id)).first() is not None
    return Standing(
        account=account,
        state=state_of(account, london_date(now), connected=connected, declined=row["declined_at"] is not None),
        dates=_dates(connection, account, row["requested_at"], otherwise=london_date(now)),
        connected=connected,
        needs_person=row["needs_person"],
        trouble=row["trouble"],
        last_good_poll=row["last_good_poll_at"],
        next_poll=row["next_poll_at"],
        reads_used=reads_used(connection, account.id, month_of(now)),
        purpose=account.approval.purpose if account.approval else row["purpose"],
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        declined_by=row["declined_by"],
        declined_at=row["declined_at"],
        declined_why=row["declined_why"],
    )


def _dates(connection: sa.Connection, account: Account, requested_at: datetime | None, *, otherwise: date) -> AccountDates:
    first = connection.execute(sa.select(sa.func.min(APPROVALS.c.approved_on)).where(APPROVALS.c.account_id == account.id)).scalar()
    begun = [london_date(requested_at)] if requested_at else []
    begun += [first] if first else []
    newest = {each.kind: each.on_date for each in reversed(attestations(connection, account.id))}
    return AccountDates(
        account=account,
        begun_on=min(begun, default=otherwise),
        password_changed_on=newest.get(Attested.PASSWORD_CHANGED),
        not_personal_on=newest.get(Attested.NOT_PERSONAL),
    )


def attestations(connection: sa.Connection, account_id: int) -> Sequence[Attestation]:
    """Return what was attested of an account, the newest entry first."""
    rows = connection.execute(sa.select(ATTESTATIONS).where(ATTESTATIONS.c.account_id == account_id).order_by(ATTESTATIONS.c.id.desc()))
    return [Attestation(Attested(row.kind), row.on_date, row.by, row.at) for row in rows]


def approvals(connection: sa.Connection, account_id: int) -> Sequence[ApprovalEntry]:
    """Return an account's approvals, the newest first."""
    rows = connection.execute(sa.select(APPROVALS).where(APPROVALS.c.account_id == account_id).order_by(APPROVALS.c.id.desc())).mappings()
    return [ApprovalEntry(codec.approval_from(row), row["why"], row["withdrawn_by"], row["withdrawn_why"]) for row in rows]


def dated(connection: sa.Connection, school: str) -> list[tuple[Account, AccountDates]]:
    """Return the dates of each of a school's accounts that was ever approved and not withdrawn, by number."""
    wanted = sa.select(ACCOUNTS.c.id, ACCOUNTS.c.requested_at).where(ACCOUNTS.c.school == school).order_by(ACCOUNTS.c.id)
    found = []
    for row in connection.execute(wanted).all():
        account = people.account(connection, row.id)
        if account.approval is not None and account.approval.withdrawn_at is None:
            found.append((account, _dates(connection, account, row.requested_at, otherwise=account.approval.approved_on)))
    return found

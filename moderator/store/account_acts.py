"""What people do to accounts: each act with its ledger line, and an alert where it is an override. Called by web and the console.

Every function works in the caller's transaction; afterwards the caller brings the ledger's file up to date (`Ledger.sync`).
"""

from datetime import date, datetime

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.attestation import Attested
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.ports import Token
from moderator.store import accounts, people
from moderator.store.database import SqlUnit
from moderator.store.sealed import Sealer

READ_WHY = "Open the account in the service to read who did it, and why."
DECIDE = "Open the account in the service. Approve it, or turn it down."

_MODE_NOW = {
    Mode.HIDE: "An account's mode was changed: flagged comments are now hidden.",
    Mode.OBSERVE: "An account's mode was changed: flagged comments are now recorded, and not hidden any more.",
}

_CODES = {Attested.PASSWORD_CHANGED: "password_attested", Attested.NOT_PERSONAL: "not_personal_attested"}


def ask(  # noqa: PLR0913 - the facts of one request
    unit: SqlUnit,
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
    """Ask for an account, attesting that it is nobody's own (R2), and tell the Headteacher; return its number.

    Raises BadInput as `accounts.ask` does.
    """
    number = accounts.ask(
        unit.connection,
        school=school,
        platform=platform,
        handle=handle,
        contact_email=contact_email,
        purpose=purpose,
        monthly_reads=monthly_reads,
        by=by,
        at=at,
    )
    account = people.account(unit.connection, number)
    _note(unit, account, "account_requested", by=by, at=at, platform=platform, monthly_reads=monthly_reads)
    attest(unit, account, Attested.NOT_PERSONAL, on=london_date(at), by=by, at=at)
    _tell(unit, account, AlertKind.ACCOUNT, what="An account was asked for. It is not read before you approve it.", done=DECIDE, at=at)
    return number


def attest(  # noqa: PLR0913 - the facts of one attestation
    unit: SqlUnit, account: Account, kind: Attested, *, on: date, by: str, at: datetime
) -> None:
    """Write down what a person attests of an account (R2, R5). Raises BadInput for a day that has not come yet."""
    accounts.attest(unit.connection, account, kind, on=on, by=by, at=at)
    _note(unit, account, _CODES[kind], by=by, at=at, on=on.isoformat())


def approve(  # noqa: PLR0913 - the facts of one approval
    unit: SqlUnit, account: Account, approval: Approval, *, why: str, by: str, at: datetime
) -> None:
    """Approve an account, or change how it is approved (R1). A change of mode is an override: the Headteacher is told (R24).

    Raises BadInput when the approval ends before it begins.
    """
    accounts.approve(unit.connection, account.id, approval, why=why, at=at)
    _note(unit, account, "account_approved", by=by, at=at, mode=approval.mode.value, ends_on=approval.ends_on.isoformat())
    before = account.approval
    if before is not None and before.live_on(london_date(at)) and before.mode is not approval.mode:
        _tell(unit, account, AlertKind.OVERRIDE, what=_MODE_NOW[approval.mode], done=READ_WHY, at=at)


def withdraw(unit: SqlUnit, account: Account, *, why: str, by: str, at: datetime) -> None:
    """Withdraw an account's approval: the next poll does not happen (R1), and the Headteacher is told (R24).

    Raises BadInput when it has none.
    """
    people.withdraw(unit.connection, account.id, at, by=by, why=why)
    _note(unit, account, "account_withdrawn", by=by, at=at)
    what = "An account's approval was withdrawn. Its comments are not read any more."
    _tell(unit, account, AlertKind.OVERRIDE, what=what, done=READ_WHY, at=at)


def decline(unit: SqlUnit, account: Account, *, why: str, by: str, at: datetime) -> None:
    """Turn the request for an account down. Raises BadInput when it was decided meanwhile."""
    accounts.decline(unit.connection, account.id, by=by, why=why, at=at)
    _note(unit, account, "account_declined", by=by, at=at)


def connect(  # noqa: PLR0913 - what a connection is made of
    unit: SqlUnit, sealer: Sealer, account: Account, *, token: Token, platform_id: str, by: str, at: datetime
) -> None:
    """Store an account's token. Raises BadInput when the platform's id is not the one it had."""
    accounts.connect(unit.connection, sealer, account, token=token, platform_id=platform_id, at=at)
    _note(unit, account, "account_connected", by=by, at=at)


def disconnect(unit: SqlUnit, account: Account, *, by: str, at: datetime) -> None:
    """Forget an account's token."""
    accounts.disconnect(unit.connection, account.id)
    _note(unit, account, "account_disconnected", by=by, at=at)


def _note(unit: SqlUnit, account: Account, reason: str, *, by: str, at: datetime, **facts: str | int) -> None:
    event = LedgerEvent(Event.REGISTERED, at, subject_of(account.id), actor=by, reason=reason, facts=dict(facts))
    unit.append(account.school.slug, event)


def subject_of(account_id: int) -> str:
    """Return what the ledger calls an account."""
    return f"account-{account_id}"


def _tell(  # noqa: PLR0913 - what an alert is made of
    unit: SqlUnit, account: Account, kind: AlertKind, *, what: str, done: str, at: datetime
) -> None:
    unit.alert(
        AlertRequest(
            key=f"{kind.value}-account-{account.id}-{at.isoformat()}-{what[:40]}",
            school=account.school.slug,
            kind=kind,
            severity=Severity.ORDINARY,
            subject=f"account {account.id}",
            what=what,
            done=done,
            at=at,
            due_at=at,
        )
    )

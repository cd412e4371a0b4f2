"""Where an account stands between the request and its end (R1). Called by the store and the accounts pages."""

from datetime import date
from enum import StrEnum

from moderator.domain.account import Account


class AccountState(StrEnum):
    """`requested` and `approved` are not read yet; only `live` is."""

    REQUESTED = "requested"
    DECLINED = "declined"
    APPROVED = "approved"
    LIVE = "live"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


def state_of(account: Account, day: date, *, connected: bool, declined: bool) -> AccountState:
    """Return an account's state on a London day.

    `connected`: it has a token; `declined`: its request was turned down, and nobody has approved it since.
    """
    approval = account.approval
    if declined:
        return AccountState.DECLINED
    if approval is None:
        return AccountState.REQUESTED
    if approval.withdrawn_at is not None:
        return AccountState.WITHDRAWN
    if day > approval.ends_on:
        return AccountState.ENDED
    return AccountState.LIVE if connected and account.pollable(day) else AccountState.APPROVED

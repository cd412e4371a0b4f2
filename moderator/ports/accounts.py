"""The part of the store that tells of accounts' dates. Called by the remind step."""

from typing import Protocol

from moderator.domain.attestation import AccountDates


class AccountReads(Protocol):
    """Reads of the register."""

    def account_dates(self) -> list[AccountDates]:
        """Return the dates of every account that was ever approved and not withdrawn, by number."""
        ...

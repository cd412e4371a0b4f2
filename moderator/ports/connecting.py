"""The port that connects an account to its platform: one implementation a platform. Called by the connect page."""

from collections.abc import Mapping
from typing import Protocol

from moderator.domain.account import Account
from moderator.domain.connecting import Leaving, Plan
from moderator.ports.world import Token


class Connector(Protocol):
    """Gets a token for one account, with the least that the service needs, and gives it back.

    Calls raise BadInput for what a person can mend, Refused when the platform says no, and Transient or RateLimited when it may work
    later; nothing else of a client library's. No call sleeps.
    """

    @property
    def plan(self) -> Plan:
        """What connecting asks, in words; constant."""
        ...

    def checked_handle(self, handle: str) -> str:
        """Return the handle without its `@`. Raises BadInput for one that the platform cannot have. Asks nobody."""
        ...

    def begin(self, *, redirect_uri: str) -> Leaving:
        """Return where to send the person, and what must stay here until they are back. Asks nobody.

        For Way.BROWSER only. Every call returns another one.
        """
        ...

    def finish(self, payload: Mapping[str, str], given: Mapping[str, str]) -> Token:
        """Trade what the person brought back (`code`, for Way.BROWSER), or typed, for a token. One request; not repeatable.

        Raises Refused when the platform grants less than was asked for.
        """
        ...

    def whose(self, account: Account, token: Token) -> tuple[str, Token]:
        """Return the platform's id of the account a token belongs to, and the token as it is now. One or two requests.

        Raises Refused when it is not the account's handle.
        """
        ...

    def revoke(self, token: Token) -> None:
        """Ask the platform to end the token. May be repeated."""
        ...

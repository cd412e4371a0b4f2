"""Connecting an account of the platform in memory, by an app password: the null version of the Connector port, for tests and rehearsals."""

from collections.abc import Mapping
from datetime import timedelta

from moderator.domain.account import Account
from moderator.domain.connecting import Field, Leaving, Plan, Scope, Way
from moderator.domain.errors import BadInput, Refused
from moderator.ports import Clock, Token

PLAN = Plan(
    "Memory",
    Way.TYPED,
    (Scope("read", "Read the comments under your posts."), Scope("hide", "Hide a comment, and show it again.")),
    (Field("app_password", "App password", "Make one in the platform's settings. Never type the account's own password."),),
)

LASTS = timedelta(days=90)


class MemoryConnector:
    """Takes the app passwords it was made with, each of one handle; implements ports.Connector."""

    def __init__(self, handles: Mapping[str, str], *, clock: Clock) -> None:
        """Keep which app password is of which handle."""
        self._handles = handles
        self._clock = clock
        self.revoked: list[str] = []

    @property
    def plan(self) -> Plan:
        """An app password."""
        return PLAN

    def checked_handle(self, handle: str) -> str:
        """Return the handle without its `@`. Raises BadInput for an empty one."""
        bare = handle.strip().removeprefix("@")
        if not bare:
            message = "Give the account's handle."
            raise BadInput(message)
        return bare

    def begin(self, *, redirect_uri: str) -> Leaving:
        """Raise Refused: this platform has no page of its own."""
        message = f"this platform has no permission page to come back to {redirect_uri} from"
        raise Refused(message)

    def finish(self, payload: Mapping[str, str], given: Mapping[str, str]) -> Token:
        """Return a token for a password it knows. Raises Refused for another."""
        del payload
        typed = given.get("app_password", "").strip()
        if typed not in self._handles:
            message = "the platform does not know this app password; make a new one and type it again"
            raise Refused(message)
        return Token(typed, "", self._clock.now() + LASTS)

    def whose(self, account: Account, token: Token) -> tuple[str, Token]:
        """Return an id made of the handle. Raises Refused when the password is another handle's."""
        if self._handles[token.access] != account.handle:
            message = f"this app password is @{self._handles[token.access]}'s, not @{account.handle}'s"
            raise Refused(message)
        return f"memory-{account.handle}", token

    def revoke(self, token: Token) -> None:
        """Note that the token is ended."""
        self.revoked.append(token.access)

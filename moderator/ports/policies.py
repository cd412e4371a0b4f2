"""Where the policy in force comes from: a step asks each time, so that a new version counts from the next comment on (R32)."""

from importlib import resources
from typing import Protocol

from moderator.domain.policy import Policy


class PolicySource(Protocol):
    """The policy in force. Shipped versions: the stored one, newest first, and one fixed text."""

    @property
    def trouble(self) -> str:
        """What keeps the newest version from being used, in plain words; "" when nothing does."""
        ...

    def current(self) -> Policy:
        """Return the policy in force. A version that cannot be read leaves the one before in force. Raises Transient."""
        ...

    def given(self) -> Policy:
        """Return the policy that came with the service or its settings: in force before any version was saved."""
        ...

    def text(self) -> str:
        """Return the policy in force as a file's text: what a new version is made from."""
        ...


class FixedPolicy:
    """One policy that never changes; implements PolicySource."""

    trouble = ""

    def __init__(self, text: str, *, where: str = "policy") -> None:
        """Read the text. Raises BadInput, which names `where`, when it is no policy."""
        self._text, self._policy = text, Policy.from_toml(text, where=where)

    @classmethod
    def bundled(cls) -> "FixedPolicy":
        """Return the policy that ships with the product."""
        return cls(resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8"), where="policy.toml")

    def current(self) -> Policy:
        """Return it."""
        return self._policy

    def given(self) -> Policy:
        """Return it."""
        return self._policy

    def text(self) -> str:
        """Return its text."""
        return self._text

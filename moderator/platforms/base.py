"""What every adapter must get right in the same way: exact text, kept headers, and how long to wait. Called by the platform folders."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from moderator.ports import Token

SHORTEST_WAIT = timedelta(seconds=5)
"""A reset that lies in the past (our clock runs ahead) still earns the platform a short pause."""

USUAL_WAIT = timedelta(minutes=15)
"""The window of X and of most platforms; used when an answer does not say."""

LONGEST_WAIT = timedelta(hours=24)
"""Daily quotas are the longest that platforms publish; anything above is a broken clock or header."""

_SECRET = ("cookie", "auth", "token", "secret", "key", "session")


def wait_until(now: datetime, reset: int | None) -> datetime:
    """Return when to call again, given the platform's reset time in Unix seconds, kept within sane bounds of `now`."""
    if reset is None:
        return now + USUAL_WAIT
    earliest, latest = now + SHORTEST_WAIT, now + LONGEST_WAIT
    if reset >= latest.timestamp():
        return latest
    return max(earliest, datetime.fromtimestamp(max(reset, 0), tz=UTC))


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an answer's headers in lower case without any that may carry a token, for the record."""
    return {name.lower(): value for name, value in headers.items() if not any(word in name.lower() for word in _SECRET)}


def storable(text: str) -> str:
    """Return the text with what no database can hold (half of a surrogate pair, NUL) replaced by U+FFFD; all else as it is."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


class HeldToken:
    """A token in memory, for the one call that finds out whose it is; implements ports.Credentials."""

    def __init__(self, token: Token) -> None:
        """Hold the token."""
        self.token = token

    def load(self) -> Token:
        """Return it."""
        return self.token

    def save(self, token: Token) -> None:
        """Hold the newer one instead."""
        self.token = token

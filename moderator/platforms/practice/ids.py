"""Post ids as X makes them: they carry their time, and rise. Called by the state, the seed and the API."""

from datetime import UTC, datetime
from typing import Final

EPOCH_MS: Final = 1_288_834_974_657
"""X's epoch for ids, 4 November 2010 (X, "Snowflake")."""

LOW_BITS: Final = 22


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return int(datetime.now(UTC).timestamp() * 1000)


def first_id_at(moment_ms: int) -> int:
    """Return the lowest id of a millisecond."""
    return max(moment_ms - EPOCH_MS, 0) << LOW_BITS


def ms_of(post_id: int) -> int:
    """Return the time an id carries, in milliseconds since 1970."""
    return (post_id >> LOW_BITS) + EPOCH_MS


def stated(moment_ms: int) -> str:
    """Return a time as X states it in `created_at`: UTC with milliseconds."""
    return datetime.fromtimestamp(moment_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment_ms % 1000:03d}Z"

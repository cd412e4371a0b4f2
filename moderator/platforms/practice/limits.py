"""Rate limits of the practice network, per verb and path; called by its API. Wide by default, so that a rehearsal is not slowed."""

import time
from dataclasses import dataclass
from typing import Final

WINDOW_SECONDS: Final = 900
WIDE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one call stands in its window. `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """Return X's three headers."""
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(self.remaining),
            "x-rate-limit-reset": str(self.reset),
        }


class Limits:
    """Counts calls in windows of 15 minutes."""

    def __init__(self) -> None:
        """Begin with wide limits."""
        self._limits: dict[str, int] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    def narrow(self, call: str, limit: int) -> None:
        """Allow `limit` calls a window from now on, e.g. `hide` 50 as on X."""
        self._limits[call] = limit
        self._windows.pop(call, None)

    def count(self, call: str) -> Standing:
        """Count one call and return where it stands."""
        now = time.time()
        start, used = self._windows.get(call, (now, 0))
        if now - start >= WINDOW_SECONDS:
            start, used = now, 0
        limit = self._limits.get(call, WIDE)
        allowed = used < limit
        used += allowed
        self._windows[call] = (start, used)
        return Standing(limit, limit - used, int(start + WINDOW_SECONDS) + 1, allowed)

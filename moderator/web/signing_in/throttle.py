"""How many wrong tries are let through: by client address, by e-mail address, by browser. One for each app, in memory."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from moderator.domain.errors import Transient
from moderator.store.proofs import wait_after
from moderator.store.sign_in import digest_of

_MINUTES = 15
_BY_ADDRESS = RateLimitItemPerMinute(60, _MINUTES)
"""Wrong tries from one client address: a whole school may come from one (our choice)."""
_BY_BROWSER = RateLimitItemPerMinute(10, _MINUTES)
"""Wrong tries in a browser that is known to the person, or in a signed-in session (our choice; NIST SP 800-63B allows 100 in all)."""
_A_STEP = RateLimitItemPerMinute(3, _MINUTES)
"""Wrong codes after one right password: then the password is asked for again (our choice)."""
_QUESTIONS = RateLimitItemPerMinute(300, _MINUTES)
"""Questions to passkeys and ways to identity providers from one client address (our choice): each leaves a row, and anybody may ask."""
_STRANGERS = 10_000
"""Addresses that nobody has which are remembered at most, so that the memory stays small."""
AT_ONCE = 2
"""Password hashes made at the same time: each takes 64 MiB."""
PATIENCE = timedelta(seconds=10)
"""How long a sign-in waits for its turn, so that a flood of them does not hold up every other page."""


@dataclass(frozen=True, slots=True)
class _Tries:
    count: int
    last: datetime


class Throttle:
    """Counters of wrong tries that a restart may forget; the one that matters for long is in the database (`people.failures`)."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._hashing = threading.BoundedSemaphore(AT_ONCE)
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._strangers: OrderedDict[str, _Tries] = OrderedDict()
        self._hours: dict[tuple[int, datetime], int] = {}
        self._lock = threading.Lock()

    @contextmanager
    def hashing(self) -> Iterator[None]:
        """Hold one of the places for hashing a password. Raises Transient when none was free for PATIENCE: the page says to try again."""
        if not self._hashing.acquire(timeout=PATIENCE.total_seconds()):
            message = "too many people sign in at once"
            raise Transient(message)
        try:
            yield
        finally:
            self._hashing.release()

    def address_full(self, address: str) -> bool:
        """Return whether too many wrong tries came from a client address lately."""
        return not self._window.test(_BY_ADDRESS, "address", address)

    def wrong_from(self, address: str) -> None:
        """Count a wrong try from a client address."""
        self._window.hit(_BY_ADDRESS, "address", address)

    def asked_from(self, address: str) -> bool:
        """Count a question or a way out that a client address asked for; return whether it may have it."""
        return self._window.hit(_QUESTIONS, "question", address)

    def browser_full(self, reference: str) -> bool:
        """Return whether too many wrong tries were made lately in a known browser or a session."""
        return not self._window.test(_BY_BROWSER, "browser", reference)

    def wrong_in(self, reference: str) -> None:
        """Count a wrong try in a known browser or a session."""
        self._window.hit(_BY_BROWSER, "browser", reference)

    def wrong_step(self, reference: str) -> bool:
        """Count a wrong code after a right password; return whether that were too many."""
        self._window.hit(_A_STEP, "step", reference)
        return not self._window.test(_A_STEP, "step", reference)

    def stranger_waits(self, email: str, *, at: datetime) -> timedelta:
        """Return how long an address that nobody has waits: as long as a real one would, so that the answer tells nothing."""
        with self._lock:
            tries = self._strangers.get(digest_of(email))
        return wait_after(tries.count, tries.last, at=at) if tries else timedelta(0)

    def wrong_stranger(self, email: str, *, at: datetime) -> None:
        """Count a wrong try for an address that nobody has."""
        name = digest_of(email)
        with self._lock:
            before = self._strangers.pop(name, None)
            self._strangers[name] = _Tries((before.count if before else 0) + 1, at)
            if len(self._strangers) > _STRANGERS:
                self._strangers.popitem(last=False)

    def told(self, person_id: int, *, at: datetime) -> int:
        """Count one refusal of a person in this hour; return how many there were when that is 1, 10, 100, …, else 0.

        The ledger gets a line for those only: a storm must not fill it.
        """
        hour = at.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            self._hours = {key: count for key, count in self._hours.items() if key[1] == hour}
            count = self._hours.get((person_id, hour), 0) + 1
            self._hours[person_id, hour] = count
        return count if str(count).strip("0") == "1" else 0

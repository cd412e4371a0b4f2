"""One warm headless Chromium behind one thread. Called by the recorder, from any thread.

Playwright's objects belong to the thread that made them, so all of them live in the keeper thread; callers queue a job and wait. A fresh
context serves each item, the next one is made ready while the caller seals, the browser is renewed every so many items and after a crash.
"""

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress

from playwright.sync_api import Error as PlaywrightError

from moderator.domain.errors import Transient
from moderator.evidence.capture.chromium import Chromium, end_processes
from moderator.evidence.capture.shown import Drawn, Seen, draw, look
from moderator.evidence.capture.taken import Wanted
from moderator.observe import happened, went_wrong

Job = Callable[[Chromium], Seen | Drawn]


class Browser:
    """A warm Chromium. Nothing starts until the first capture."""

    def __init__(self, *, executable: str | None = None, recycle_after: int = 200, timeout: float = 15.0, patience: float = 60.0) -> None:
        """Use `executable` or the first Chromium found; `timeout` seconds a page step, `patience` seconds for a whole job."""
        self._executable, self._timeout, self._patience = executable, timeout, patience
        self._recycle_after = recycle_after
        self._jobs: queue.Queue[tuple[Job, str, Future[Seen | Drawn]] | None] = queue.Queue()
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None
        self._mark = ""

    def look(self, wanted: Wanted) -> Seen:
        """Return what the live page shows, signed out. Raises Transient when the browser fails twice."""
        seen = self._twice(lambda chromium: look(chromium, wanted), wanted.place)
        assert isinstance(seen, Seen)  # noqa: S101 - `look` returns nothing else; this is for the type checker
        return seen

    def draw(self, html: str) -> Drawn:
        """Return the picture of our own page, drawn with scripts and network off. Raises Transient when the browser fails twice."""
        drawn = self._twice(lambda chromium: draw(chromium, html), "")
        assert isinstance(drawn, Drawn)  # noqa: S101 - `draw` returns nothing else; this is for the type checker
        return drawn

    def processes(self) -> list[int]:
        """Return the ids of the running Chromium's processes (Linux; elsewhere empty). For the watchdog and for tests."""
        from moderator.evidence.capture.chromium import processes  # noqa: PLC0415 - avoids a name that hides this method

        return processes(self._mark)

    def close(self) -> None:
        """End the browser and its thread; may be repeated. A later capture starts a new one."""
        with self._gate:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._jobs.put(None)
        if thread is not None:
            thread.join(self._patience)

    def _twice(self, job: Job, place: str) -> Seen | Drawn:
        try:
            return self._ask(job, place)
        except Transient:
            went_wrong("browser_restarted")
            return self._ask(job, place)

    def _ask(self, job: Job, place: str) -> Seen | Drawn:
        future: Future[Seen | Drawn] = Future()
        with self._gate:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="chromium-keeper", daemon=True)
                self._thread.start()
            self._jobs.put((job, place, future))
        try:
            return future.result(self._patience)
        except FutureTimeoutError as error:
            # Playwright has calls without a time limit of their own; with its browser gone they all return.
            end_processes(self._mark)
            message = "the browser did not answer in time and was ended"
            raise Transient(message) from error

    def _keep(self) -> None:
        """Run the keeper thread: one job after the other, until None comes."""
        chromium: Chromium | None = None
        while (task := self._jobs.get()) is not None:
            job, place, future = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                chromium = self._fit(chromium, place)
                future.set_result(job(chromium))
                chromium.make_ready()
            except PlaywrightError as error:
                _end(chromium)
                chromium = None
                if not future.done():
                    failed = Transient(f"the browser failed: {str(error).splitlines()[0][:200]}")
                    future.set_exception(failed)
            except Exception as error:  # noqa: BLE001 - the keeper must outlive any job; the caller gets the error
                _end(chromium)
                chromium = None
                if not future.done():
                    future.set_exception(error)
        _end(chromium)

    def _fit(self, chromium: Chromium | None, place: str) -> Chromium:
        """Return a running Chromium that may reach `place`, renewed when it is worn, broken, or bound to other hosts."""
        known = chromium.hosts if chromium else frozenset()
        if chromium is not None and (chromium.served >= self._recycle_after or not chromium.reaches(place) or not chromium.alive()):
            _end(chromium)
            chromium = None
        if chromium is None:
            chromium = Chromium(executable=self._executable, timeout=self._timeout, hosts=known, place=place)
            self._mark = chromium.mark
            happened("browser_started", version=chromium.version, pid=os.getpid())
        return chromium


def _end(chromium: Chromium | None) -> None:
    if chromium is not None:
        with suppress(PlaywrightError):
            chromium.close()

"""One warm headless Chromium behind one thread. Called by the recorder and the packs, from any thread.

Playwright's objects belong to the event loop that made them, so all of them live in the keeper thread; callers hand a job over and wait. A
fresh context serves each item. The next one is made ready while the last is photographed and sealed. The browser is renewed every so many
items and after a crash.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

from playwright.async_api import Error as PlaywrightError

from moderator.domain.errors import Transient
from moderator.evidence.capture.chromium import Chromium, end_processes, hosts_of, processes
from moderator.evidence.capture.shown import Drawn, Embedded, Seen, draw, embedded, look, printed
from moderator.evidence.capture.taken import Wanted
from moderator.observe import happened, went_wrong

T = TypeVar("T")
Job = Callable[[Chromium], Awaitable[T]]


class Browser:
    """A warm Chromium. Nothing starts until the first capture."""

    def __init__(
        self,
        *,
        executable: str | None = None,
        recycle_after: int = 200,
        timeout: float = 15.0,
        patience: float = 60.0,
        archive: bool = False,
    ) -> None:
        """Use `executable` or the first Chromium found.

        `timeout` bounds a step of a page and `patience` a whole job, both in seconds; `archive` keeps live pages' answers as WACZ.
        """
        self._executable, self._timeout, self._patience, self._archive = executable, timeout, patience, archive
        self._recycle_after = recycle_after
        self._gate = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._turn = asyncio.Lock()
        self._chromium: Chromium | None = None
        self._mark = ""

    def look(self, wanted: Wanted) -> Seen:
        """Return what the live page shows, signed out. Raises Transient when the browser fails twice."""
        return self._twice(lambda chromium: look(chromium, wanted), (wanted.place, wanted.embed))

    def embedded(self, wanted: Wanted) -> Embedded:
        """Return what the platform's own embed of the comment shows, signed out. Raises Transient when the browser fails twice."""
        return self._twice(lambda chromium: embedded(chromium, wanted), (wanted.place, wanted.embed))

    def draw(self, html: str) -> Drawn:
        """Return the picture of our own page, drawn with scripts and network off. Raises Transient when the browser fails twice."""
        return self._twice(lambda chromium: draw(chromium, html), ())

    def print(self, html: str) -> bytes:
        """Return our own page as a tagged A4 PDF, printed with scripts and network off. Raises Transient when the browser fails twice."""
        return self._twice(lambda chromium: printed(chromium, html), ())

    def processes(self) -> list[int]:
        """Return the ids of the running Chromium's processes (Linux; elsewhere empty). For the watchdog and for tests."""
        return processes(self._mark)

    def close(self) -> None:
        """End the browser and its thread; may be repeated. A later capture starts a new one."""
        with self._gate:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _twice(self, job: Job[T], places: tuple[str, ...]) -> T:
        try:
            return self._ask(job, places)
        except Transient:
            went_wrong("browser_restarted")
            return self._ask(job, places)

    def _ask(self, job: Job[T], places: tuple[str, ...]) -> T:
        """Wait for a job. Bounded: the keeper's loop always runs, and gives each job `patience` seconds once its turn has come."""
        with self._gate:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._turn = asyncio.Lock()
                self._thread = threading.Thread(target=_keep, args=(self._loop,), name="chromium-keeper", daemon=True)
                self._thread.start()
            waiting = asyncio.run_coroutine_threadsafe(self._serve(job, places), self._loop)
        return waiting.result()

    async def _serve(self, job: Job[T], places: tuple[str, ...]) -> T:
        """Do one job, one at a time. After any error the browser is ended: the next job gets a new one."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._patience):
                    return await job(await self._fit(places))
            except PlaywrightError as error:
                await self._end()
                message = f"the browser failed: {str(error).splitlines()[0][:200]}"
                raise Transient(message) from error
            except TimeoutError as error:
                # Ended the hard way: a browser that does not answer does not end when asked.
                end_processes(self._mark)
                await self._end()
                message = "the browser did not answer in time and was ended"
                raise Transient(message) from error
            except Exception:
                await self._end()
                raise

    async def _fit(self, places: tuple[str, ...]) -> Chromium:
        """Return a running Chromium that may reach `places`, renewed when it is worn, broken, or bound to other hosts."""
        known = self._chromium.hosts if self._chromium else frozenset[str]()
        old = self._chromium
        if old is not None and (old.served >= self._recycle_after or not old.reaches(places) or not old.alive()):
            await self._end()
        if self._chromium is None:
            self._chromium = Chromium(timeout=self._timeout, hosts=known | hosts_of(places), keep=self._archive)
            self._mark = self._chromium.mark
            await self._chromium.start(self._executable)
            happened("browser_started", version=self._chromium.version, pid=os.getpid())
        return self._chromium

    async def _end(self) -> None:
        chromium, self._chromium = self._chromium, None
        if chromium is not None:
            await chromium.close()

    async def _stop(self) -> None:
        async with self._turn:
            await self._end()


def _keep(loop: asyncio.AbstractEventLoop) -> None:
    """Run the keeper thread, until the loop is stopped."""
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()

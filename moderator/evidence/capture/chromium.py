"""Finding, starting and ending one Chromium under Playwright. Used only in the browser's keeper thread."""

import asyncio
import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from moderator.evidence.capture.network import host_rule
from moderator.evidence.capture.tab import Tab

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--dns-prefetch-disable",
    "--disable-dev-shm-usage",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-shared-workers",
)
"""Chromium talks to nobody but the page: no updates, reports, sync, guesses ahead or peer connections, and no shared workers, whose
requests pass no gate of a page."""
_CANDIDATES = (
    "chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chromium",
)
"""The headless shell first: the same engine without windows, and a fresh context costs it a third of the work."""
_ENDING = 5.0
"""Seconds a browser gets to end by itself (our choice)."""


def find_chromium() -> str | None:
    """Return the Chromium to drive: MODERATOR_CHROMIUM, then the machine's own; None means Playwright's own download."""
    named = os.environ.get("MODERATOR_CHROMIUM")
    if named:
        return named
    return next((found for name in _CANDIDATES if (found := shutil.which(name))), None)


class Chromium:
    """One running Chromium, with the next tab made ready while the last one is in use. Raises Playwright's errors."""

    def __init__(self, *, timeout: float, hosts: frozenset[str], keep: bool) -> None:
        """Prepare one that will reach `hosts` and nothing else; `start` starts it."""
        self.mark = f"--moderator-capture={secrets.token_hex(8)}"
        self.hosts = hosts
        self.served = 0
        self.version = ""
        self._milliseconds, self._keep = timeout * 1000, keep
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._ready: dict[bool, asyncio.Task[Tab]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self, executable: str | None) -> None:
        """Start `executable`, or the first Chromium found. What was started is ended by `close`, also after an error."""
        self._playwright = await async_playwright().start()
        rule = f"--host-resolver-rules={host_rule(self.hosts, _proxies())}"
        # Chromium's sandbox cannot start as root; everybody else keeps it.
        self._browser = await self._playwright.chromium.launch(
            executable_path=executable or find_chromium(),
            headless=True,
            chromium_sandbox=os.geteuid() != 0,
            args=[*QUIET, rule, self.mark],
            timeout=max(self._milliseconds, 30_000),
        )
        self.version = f"{self._browser.browser_type.name} {self._browser.version}"

    def reaches(self, places: tuple[str, ...]) -> bool:
        """Return whether this Chromium was started able to reach the hosts of `places`."""
        return hosts_of(places) <= self.hosts

    def alive(self) -> bool:
        """Return whether the browser is still connected."""
        return self._browser is not None and self._browser.is_connected()

    async def signed_out(self) -> Tab:
        """Return a tab without cookies, scripts on, its gate still closed."""
        return await self._take(scripts=True)

    async def sealed_off(self) -> Tab:
        """Return a tab with scripts off and no network at all."""
        return await self._take(scripts=False)

    def done_with(self, tab: Tab) -> None:
        """End a tab and its context, while the caller goes on."""
        closing = asyncio.create_task(tab.close())
        self._closing.add(closing)
        closing.add_done_callback(_look_at)

    async def close(self) -> None:
        """End the browser and Playwright's driver, whatever state they are in. Takes some seconds at most."""
        waiting: list[asyncio.Task[Tab] | asyncio.Task[None]] = [*self._ready.values(), *self._closing]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._ready.clear()
        if self._browser is not None:
            with suppress(PlaywrightError, TimeoutError):
                await asyncio.wait_for(self._browser.close(), _ENDING)
        end_processes(self.mark)
        if self._playwright is not None:
            with suppress(PlaywrightError, TimeoutError):
                await asyncio.wait_for(self._playwright.stop(), _ENDING)

    async def _take(self, *, scripts: bool) -> Tab:
        """Return the tab that is ready, and make the next one ready while this one is in use and sealed."""
        if self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
            self._closing.clear()
        ready = self._ready.pop(scripts, None)
        tab = await (ready or self._open(scripts=scripts))
        self.served += 1
        self._ready[scripts] = asyncio.create_task(self._open(scripts=scripts))
        self._ready[scripts].add_done_callback(_look_at)
        return tab

    async def _open(self, *, scripts: bool) -> Tab:
        assert self._browser is not None  # noqa: S101 - `start` came first
        return await Tab.open(self._browser, scripts=scripts, milliseconds=self._milliseconds, keep=self._keep and scripts)


def _look_at(task: asyncio.Task[Tab] | asyncio.Task[None]) -> None:
    """Take note of a task's error: whoever needs its tab is told, and nobody else is to be troubled."""
    if not task.cancelled():
        task.exception()


def hosts_of(places: tuple[str, ...]) -> frozenset[str]:
    """Return the host names of addresses; "" has none."""
    return frozenset(host for place in places if (host := urlsplit(place).hostname))


def _proxies() -> frozenset[str]:
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return hosts_of(tuple(os.environ.get(name, "") for name in names))


def processes(mark: str) -> list[int]:
    """Return ids of the processes started with this mark in their command line (Linux; elsewhere empty)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline") if mark else ():
        with suppress(OSError):
            if mark.encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found


def end_processes(mark: str) -> None:
    """Kill what is left of one browser of ours, known by its mark."""
    for each in processes(mark):
        with suppress(OSError):
            os.kill(each, signal.SIGKILL)

"""Finding, starting and ending one Chromium under Playwright. Used only in the browser's keeper thread."""

import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

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
)
"""Chromium talks to nobody but the page: no updates, reports, sync, guesses ahead, or peer connections."""
_CANDIDATES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "google-chrome", "google-chrome-stable", "chromium")


def find_chromium() -> str | None:
    """Return the Chromium to drive: MODERATOR_CHROMIUM, then the machine's own; None means Playwright's own download."""
    named = os.environ.get("MODERATOR_CHROMIUM")
    if named:
        return named
    return next((found for name in _CANDIDATES if (found := shutil.which(name))), None)


class Chromium:
    """One running Chromium. Raises Playwright's errors; the keeper translates them."""

    def __init__(self, *, executable: str | None, timeout: float, hosts: frozenset[str], place: str) -> None:
        """Start it, able to reach `hosts` and the host of `place` and nothing else."""
        self.mark = f"--moderator-capture={secrets.token_hex(8)}"
        self.hosts = hosts | ({_host(place)} if place else frozenset())
        self.served = 0
        self._milliseconds = timeout * 1000
        self._live: Tab | None = None
        self._drawing: Tab | None = None
        self._playwright = sync_playwright().start()
        try:
            self._browser = self._launch(executable or find_chromium())
        except BaseException:
            self._playwright.stop()
            raise
        self.version = f"{self._browser.browser_type.name} {self._browser.version}"

    def _launch(self, executable: str | None) -> Browser:
        rule = f"--host-resolver-rules={host_rule(self.hosts, _proxies())}"
        # Chromium's sandbox cannot start as root; everybody else keeps it.
        return self._playwright.chromium.launch(
            executable_path=executable,
            headless=True,
            chromium_sandbox=os.geteuid() != 0,
            args=[*QUIET, rule, self.mark],
            timeout=max(self._milliseconds, 30_000),
        )

    def reaches(self, place: str) -> bool:
        """Return whether this Chromium was started able to reach the host of `place` ("" needs none)."""
        return not place or _host(place) in self.hosts

    def alive(self) -> bool:
        """Return whether the browser is still connected."""
        return self._browser.is_connected()

    def signed_out(self) -> Tab:
        """Return an empty tab without cookies, scripts on, its gate still closed."""
        self.served += 1
        if self._live is None:
            self._live = Tab(self._browser, scripts=True, milliseconds=self._milliseconds)
        return self._live

    def sealed_off(self) -> Tab:
        """Return an empty tab with scripts off and no network at all."""
        self.served += 1
        if self._drawing is None:
            self._drawing = Tab(self._browser, scripts=False, milliseconds=self._milliseconds)
        return self._drawing

    def make_ready(self) -> None:
        """Empty the tabs that were used, while the caller is busy sealing."""
        if self._live is not None and not self._live.empty():
            self._live = None
        if self._drawing is not None and not self._drawing.empty():
            self._drawing = None

    def close(self) -> None:
        """End the browser and Playwright's driver, whatever state they are in."""
        with suppress(PlaywrightError):
            self._browser.close()
        end_processes(self.mark)
        self._playwright.stop()


def _host(place: str) -> str:
    return urlsplit(place).hostname or ""


def _proxies() -> frozenset[str]:
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return frozenset(host for name in names if (host := _host(os.environ.get(name, ""))))


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

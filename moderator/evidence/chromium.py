"""Finding, starting and ending one Chromium under Playwright. Used only in the browser's keeper thread."""

import os
import secrets
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from moderator.evidence.capture import HEIGHT, LOCALE, WIDTH
from moderator.evidence.network import Traffic, host_rule

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
        self._spare: tuple[BrowserContext, Page, Traffic] | None = None
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

    def signed_out(self) -> tuple[BrowserContext, Page, Traffic]:
        """Return a fresh context without cookies, with scripts on and its gate still closed."""
        self.served += 1
        ready, self._spare = self._spare, None
        return ready or self._signed_out()

    def make_ready(self) -> None:
        """Prepare the next context while the caller is busy sealing."""
        if self._spare is None:
            self._spare = self._signed_out()

    def _signed_out(self) -> tuple[BrowserContext, Page, Traffic]:
        context = self._context(scripts=True)
        traffic = Traffic(context)
        return context, self._page(context), traffic

    def sealed_off(self) -> tuple[BrowserContext, Page]:
        """Return a fresh context with scripts off and no network at all."""
        self.served += 1
        context = self._context(scripts=False)
        Traffic(context)
        context.set_offline(offline=True)
        return context, self._page(context)

    def _context(self, *, scripts: bool) -> BrowserContext:
        return self._browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            locale=LOCALE,
            timezone_id="Europe/London",
            java_script_enabled=scripts,
            accept_downloads=False,
            service_workers="block",
            reduced_motion="reduce",
        )

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(self._milliseconds)
        return page

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

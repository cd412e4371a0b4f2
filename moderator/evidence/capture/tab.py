"""One page of Chromium that serves item after item, with nothing carried over. Used only in the browser's keeper thread.

A new page costs Chromium a new process, a quarter of a second; emptying one costs a few milliseconds. So a tab is emptied between items —
scripts ended, cookies, storage and cache gone — and thrown away with its whole context after WORN items.
"""

import base64
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession

from moderator.evidence.capture.network import Traffic
from moderator.evidence.capture.taken import HEIGHT, LOCALE, MAX_HEIGHT, WIDTH

WORN = 25


class Tab:
    """A signed-out page behind a closed gate; `scripts` off means no network either."""

    def __init__(self, browser: Browser, *, scripts: bool, milliseconds: float) -> None:
        """Open a fresh context with one page."""
        self._context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            locale=LOCALE,
            timezone_id="Europe/London",
            java_script_enabled=scripts,
            accept_downloads=False,
            service_workers="block",
            reduced_motion="reduce",
        )
        self.traffic = Traffic(self._context)
        self._context.set_offline(not scripts)
        self.page = self._context.new_page()
        self.page.set_default_timeout(milliseconds)
        self._devtools: CDPSession = self._context.new_cdp_session(self.page)
        self._devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self._served = 0

    def empty(self) -> bool:
        """Forget the last item altogether; False when the tab is worn and was closed instead."""
        self._served += 1
        self.traffic.shut()
        if self._served >= WORN:
            self._context.close()
            return False
        address = urlsplit(self.page.url)
        self._devtools.send("Page.navigate", {"url": "about:blank"})
        for other in self._context.pages:
            if other is not self.page:
                other.close()
        self.ask("window.name = ''")
        self._devtools.send("Network.clearBrowserCookies")
        if address.netloc:
            origin = f"{address.scheme}://{address.netloc}"
            self._devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        return True

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever JSON the expression gives
        """Return the value of a JavaScript expression in the page, awaited. Leaner than Playwright's way, which brings a library along."""
        answer = self._devtools.send("Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True})
        return answer["result"].get("value")

    def photograph(self, height: int) -> bytes:
        """Return a PNG of the page, WIDTH wide and at most MAX_HEIGHT tall. Asked of Chromium directly: half the time of the detour."""
        answer = self._devtools.send(
            "Page.captureScreenshot",
            {
                "format": "png",
                "optimizeForSpeed": True,
                "captureBeyondViewport": height > HEIGHT,
                "clip": {"x": 0, "y": 0, "width": WIDTH, "height": max(1, min(height, MAX_HEIGHT)), "scale": 1},
            },
        )
        return base64.b64decode(answer["data"])

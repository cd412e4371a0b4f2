"""One fresh context of Chromium with one page in it, for one item. Used only in the browser's keeper thread.

Nothing can be carried from one item to the next, because nothing that an item has touched is used again: cookies, storage, workers, cache,
sign-ins and window names live and die with the context.
"""

import base64
from contextlib import suppress
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from moderator.evidence.capture.network import Traffic
from moderator.evidence.capture.taken import HEIGHT, LOCALE, WIDTH

_NO_RAW_SOCKETS = "for (const name of ['WebTransport', 'RTCPeerConnection', 'webkitRTCPeerConnection']) delete globalThis[name]"
"""What they send is no request, so no gate could refuse it. Nothing in the page itself is touched."""


class Tab:
    """A signed-out page behind a closed gate; without scripts there is no network either."""

    def __init__(self, context: BrowserContext, page: Page, devtools: CDPSession, traffic: Traffic) -> None:
        """Take the parts; `Tab.open` makes them."""
        self._context, self.page, self._devtools, self.traffic = context, page, devtools, traffic

    @classmethod
    async def open(cls, browser: Browser, *, scripts: bool, milliseconds: float, keep: bool = False) -> "Tab":
        """Return a tab in a new context; `milliseconds` bounds each step of the page, `keep` keeps its answers for an archive."""
        context = await browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            locale=LOCALE,
            timezone_id="Europe/London",
            java_script_enabled=scripts,
            offline=not scripts,
            accept_downloads=False,
            service_workers="block",
            reduced_motion="reduce",
        )
        traffic = Traffic(keep=keep)
        await traffic.stand_before(context)
        if scripts:
            await context.add_init_script(_NO_RAW_SOCKETS)
        page = await context.new_page()
        page.set_default_timeout(milliseconds)
        devtools = await context.new_cdp_session(page)
        if scripts:
            await traffic.stand_behind(page, devtools)
            await devtools.send("Page.setPrerenderingAllowed", {"isAllowed": False})
        return cls(context, page, devtools, traffic)

    async def close(self) -> None:
        """End the page, then the context and everything in it. A request still held at the gate would go out if the gate went first."""
        await self.traffic.shut()
        with suppress(PlaywrightError):
            await self._devtools.send("Page.navigate", {"url": "about:blank"})
        await self.traffic.shut()
        await self._context.close()

    async def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever JSON the expression gives
        """Return the value of a JavaScript expression in the page, awaited; None when the page throws.

        Leaner than Playwright's way, which brings a library along.
        """
        answer = await self._devtools.send("Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True})
        return None if "exceptionDetails" in answer else answer["result"].get("value")

    async def stretch(self, height: int) -> None:
        """Make the window `height` pixels tall, so that what is checked is what will be photographed."""
        await self._devtools.send(
            "Emulation.setDeviceMetricsOverride", {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        )

    async def photograph(self, height: int, *, top: int = 0) -> bytes:
        """Return a PNG of `height` pixels of the page from `top` on. Asked of Chromium directly: half the time of the detour."""
        answer = await self._devtools.send(
            "Page.captureScreenshot",
            {
                "format": "png",
                "optimizeForSpeed": True,
                "captureBeyondViewport": False,
                "clip": {"x": 0, "y": top, "width": WIDTH, "height": max(1, height), "scale": 1},
            },
        )
        return base64.b64decode(answer["data"])

    async def print(self, **options: object) -> bytes:
        """Return the page as PDF; `options` are those of the DevTools call Page.printToPDF."""
        answer = await self._devtools.send("Page.printToPDF", dict(options))
        return base64.b64decode(answer["data"])

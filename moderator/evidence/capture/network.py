"""What a captured page may fetch: its own host's page, scripts, styles and fonts, and nothing else (R18). Called by the tab.

Three gates stand behind one another: Chromium resolves no other host's name; every request is judged before it leaves; every answer is
judged before the page gets it, so that a redirect is not followed to a place that could not be asked directly. What Chromium 156 shows to
no gate, and has no switch for: documents of the same host that a page's own speculation rules fetch ahead of a click, and a file of the
same host that a script of the page downloads twice at once. Only the site's own scripts can do either; a commenter cannot.
"""

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.async_api import BrowserContext, CDPSession, Page, Request, Route, WebSocketRoute
from playwright.async_api import Error as PlaywrightError

ALLOWED = frozenset({"document", "script", "stylesheet", "xhr", "fetch", "font"})
"""Resource types that may be fetched from the page's own host. Image, media, track, object, beacon, prefetch and the rest never are."""
MEDIA_ENDINGS = re.compile(
    r"\.(apng|avif|bmp|gif|hei[cf]|ico|jfif|jpe|jpe?g|jxl|png|svg|tiff?|webp"
    r"|3gp|avi|flv|m3u8|m4[sv]|mkv|mov|mp4|mpd|mpe?g|ogv|webm|ts"
    r"|aac|flac|m4a|mp3|og[ag]|opus|wav|wma)$",
    re.IGNORECASE,
)
"""A script can ask for a picture as plain data; the address gives it away."""
MEDIA_KINDS = ("image/", "video/", "audio/", "application/vnd.apple.mpegurl", "application/dash+xml")
"""Content types whose bytes the page never gets, whatever they were asked for as."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_KEPT = 8 * 1024 * 1024
"""Bytes of one page's answers kept for its archive (our choice): an endless page cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer as the page received it, for the archive. `body` is unpacked (no content encoding); `at` is aware UTC."""

    address: str
    method: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: datetime


class Traffic:
    """The gate of one tab. Closed until `open_for`; counts what it refuses, by type."""

    def __init__(self, *, keep: bool = False) -> None:
        """Keep the answers for an archive, or not."""
        self.blocked: Counter[str] = Counter()
        self.exchanges: list[Exchange] = []
        self.sent_to = ""
        """Where the page itself was sent by a redirect that was refused."""
        self._host = ""
        self._pages: set[str] = set()
        self._held: set[asyncio.Task[None]] = set()
        self._keep, self._kept = keep, 0
        self._page: Page | None = None
        self._devtools: CDPSession | None = None

    async def stand_before(self, context: BrowserContext) -> None:
        """Stand in the way of every request and socket of the context, whichever of its windows or workers asks."""
        await context.route("**/*", self._judge)
        await context.route_web_socket("**/*", self._refuse_socket)

    async def stand_behind(self, page: Page, devtools: CDPSession) -> None:
        """Judge every answer to the page as well, and the requests that Playwright passes over: those of downloads."""
        self._page, self._devtools = page, devtools
        devtools.on("Fetch.requestPaused", self._hold)
        documents = {"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}
        await devtools.send("Fetch.enable", {"patterns": [documents, {"urlPattern": "*", "requestStage": "Response"}]})

    def open_for(self, place: str) -> None:
        """Allow what the page at `place` may fetch, from its own host and port only."""
        self._host = urlsplit(place).netloc
        self._pages = {urlsplit(place).path}

    async def shut(self) -> None:
        """Let nothing through any more, and wait until every request that is held has been refused."""
        self._host = ""
        self._pages = set()
        while self._held:
            await asyncio.gather(*self._held, return_exceptions=True)

    def _hold(self, event: Mapping[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._paused(event))
        self._held.add(task)
        task.add_done_callback(self._held.discard)

    async def _judge(self, route: Route, request: Request) -> None:
        kind = request.resource_type
        # The page may have gone meanwhile: then nothing is fetched either.
        with suppress(PlaywrightError):
            if self._may_ask(request.url) and kind in ALLOWED and (kind != "document" or self._is_main(request)):
                await route.continue_()
            else:
                self.blocked[kind] += 1
                await route.abort("blockedbyclient")

    def _may_ask(self, url: str) -> bool:
        address = urlsplit(url)
        return bool(self._host) and address.netloc == self._host and MEDIA_ENDINGS.search(address.path) is None

    def _is_main(self, request: Request) -> bool:
        """Return whether the page itself is asked for: not a frame in it, a window it opens, another page, or a file to be kept."""
        if urlsplit(request.url).path not in self._pages:
            return False
        try:
            return self._page is not None and request.frame == self._page.main_frame
        except PlaywrightError:
            return False

    async def _paused(self, event: Mapping[str, Any]) -> None:
        assert self._devtools is not None  # noqa: S101 - the event comes from it
        one = {"requestId": event["requestId"]}
        refusal = self._refusal(event)
        with suppress(PlaywrightError):
            if refusal:
                self.blocked[refusal] += 1
                await self._devtools.send("Fetch.failRequest", {**one, "errorReason": "BlockedByClient"})
                return
            if self._keep and "responseStatusCode" in event:
                await self._note(event)
            await self._devtools.send("Fetch.continueRequest", one)

    def _refusal(self, event: Mapping[str, Any]) -> str:
        """Return the name to count a refusal under, or "" for what is good."""
        if event.get("resourceType") == "Document" and "networkId" not in event:
            return "download"  # Playwright's gate is not asked about these
        headers = _headers(event)
        if event.get("responseStatusCode") in REDIRECTS and "location" in headers:
            target = urljoin(event["request"]["url"], headers["location"])
            is_page = event.get("resourceType") == "Document"
            if self._may_ask(target):
                self._pages |= {urlsplit(target).path} if is_page else set()
                return ""
            if is_page:
                self.sent_to = target
            return "redirect"
        return "media_in_disguise" if headers.get("content-type", "").lower().startswith(MEDIA_KINDS) else ""

    async def _note(self, event: Mapping[str, Any]) -> None:
        """Keep an answer for the archive. A redirect has no body to ask for."""
        assert self._devtools is not None  # noqa: S101 - the event comes from it
        body = b""
        if event["responseStatusCode"] not in REDIRECTS:
            answer = await self._devtools.send("Fetch.getResponseBody", {"requestId": event["requestId"]})
            body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        if self._kept + len(body) > _MOST_KEPT:
            return
        self._kept += len(body)
        request = event["request"]
        headers = tuple((each["name"], each["value"]) for each in event.get("responseHeaders", ()))
        address = request["url"].partition("#")[0]
        self.exchanges.append(Exchange(address, request["method"], event["responseStatusCode"], headers, body, datetime.now(UTC)))

    async def _refuse_socket(self, socket: WebSocketRoute) -> None:
        self.blocked["websocket"] += 1
        await socket.close()


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    return {each["name"].lower(): each["value"] for each in event.get("responseHeaders", ())}


def host_rule(hosts: frozenset[str], proxies: frozenset[str]) -> str:
    """Return the Chromium rule under which no other host even resolves: redirects, preconnects and workers meet it as well."""
    return ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(hosts | proxies))])

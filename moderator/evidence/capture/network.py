"""What a captured page may fetch: its own host's page, scripts and styles, and nothing else (R18). Called by the browser."""

import re
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Request, Route, WebSocketRoute
from playwright.sync_api import Error as PlaywrightError

ALLOWED = frozenset({"document", "script", "stylesheet", "xhr", "fetch", "font"})
"""Resource types that may be fetched from the page's own host. Image, media, track, object, beacon, prefetch and the rest never are."""
MEDIA_ENDINGS = re.compile(
    r"\.(apng|avif|bmp|gif|hei[cf]|ico|jfif|jpe|jpe?g|jxl|png|svg|tiff?|webp"
    r"|3gp|avi|flv|m3u8|m4[sv]|mkv|mov|mp4|mpd|mpe?g|ogv|webm|ts"
    r"|aac|flac|m4a|mp3|og[ag]|opus|wav|wma)$",
    re.IGNORECASE,
)
"""A script can ask for a picture as plain data; the address gives it away."""


class Traffic:
    """The gate of one context. Closed until `open_for`; counts what it refuses, by type."""

    def __init__(self, context: BrowserContext) -> None:
        """Stand in the way of every request and socket of the context."""
        self._host = ""
        self.blocked: Counter[str] = Counter()
        context.route("**/*", self._judge)
        context.route_web_socket("**/*", self._refuse_socket)

    def open_for(self, place: str) -> None:
        """Allow what the page at `place` may fetch, from its own host and port only."""
        self._host = urlsplit(place).netloc

    def shut(self) -> None:
        """Let nothing through, and start a new count."""
        self._host = ""
        self.blocked = Counter()

    def _judge(self, route: Route, request: Request) -> None:
        kind = request.resource_type
        allowed = self._allowed(request, kind)
        try:
            if allowed:
                route.continue_()
            else:
                self.blocked[kind] += 1
                route.abort("blockedbyclient")
        except PlaywrightError:
            # The page has gone meanwhile: nothing was fetched.
            return

    def _allowed(self, request: Request, kind: str) -> bool:
        address = urlsplit(request.url)
        if not self._host or address.netloc != self._host or kind not in ALLOWED:
            return False
        if MEDIA_ENDINGS.search(address.path):
            return False
        return kind != "document" or _is_main(request)

    def _refuse_socket(self, socket: WebSocketRoute) -> None:
        self.blocked["websocket"] += 1
        socket.close()


def _is_main(request: Request) -> bool:
    """Return whether the page itself is asked for: not a frame in it, nor a window it opens (which has no frame yet)."""
    try:
        return request.frame.parent_frame is None
    except PlaywrightError:
        return False


def host_rule(hosts: frozenset[str], proxies: frozenset[str]) -> str:
    """Return the Chromium rule under which no other host even resolves: redirects, preconnects and workers meet it as well."""
    return ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(hosts | proxies))])

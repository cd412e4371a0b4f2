"""The guard round the whole app: headers, Host, cross-site posts, body size, and errors that tell nothing. Added by `app.create_app`."""

import re
from collections.abc import Mapping

from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderator.domain.errors import Transient
from moderator.observe import went_wrong
from moderator.web.origin import Origin
from moderator.web.pages import Pages
from moderator.web.trouble import trouble

MAX_BODY = 64 * 1024
"""Bytes of a form at most (our choice): the longest reason takes a few thousand."""
HEALTH = "/healthz"
UPLOADS = re.compile(r"/submit|/schools/[^/]+/roll/upload")
"""Pages that take files. They read their own body, bounded, and only once the gate has let the person in: a stranger's is never read."""

_PAGE = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{_PAGE}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}

FRAMING = re.compile(r"/schools/[^/]+/digests/preview")
"""The one page with a frame in it."""
FRAMED = re.compile(r"/schools/[^/]+/digests/preview/mail")
"""What is in that frame: the HTML of a mail. It has styles of its own, and is shut in: no script, no request, no form, no name of ours."""

_ELSEWHERE = (
    (FRAMING, {"Content-Security-Policy": f"{_PAGE}; frame-src 'self'; frame-ancestors 'none'"}),
    (
        FRAMED,
        {
            "Content-Security-Policy": (
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox"
            ),
            "X-Frame-Options": "SAMEORIGIN",
        },
    ),
)
"""Paths whose headers differ, and how."""


def headers_of(path: str) -> dict[str, str]:
    """Return our headers for every answer at a path."""
    return _HEADERS | next((differing for which, differing in _ELSEWHERE if which.fullmatch(path)), {})


class Guard:
    """ASGI middleware, outermost of ours."""

    def __init__(self, app: ASGIApp, *, origin: Origin, pages: Pages) -> None:
        """Keep the app it stands before."""
        self._app, self._origin, self._pages = app, origin, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, _Sealed(send, headers_of(scope["path"]), https=self._origin.https))

    async def _serve(self, scope: Scope, receive: Receive, send: "_Sealed") -> None:
        """Serve one HTTP request.

        1. Refuse a wrong Host, a method we do not use, a post from another site, a body that is too large.
        2. Hand it on. An error becomes a page in plain English; the log gets its kind only, since its text may quote a comment.
        """
        refusal = self._refusal(scope)
        body = None
        if refusal is None and scope["method"] == "POST" and not UPLOADS.fullmatch(scope["path"]):
            read = await _read(Headers(scope=scope), receive)
            body, refusal = (None, 413) if read is None else (read, None)
        if refusal is not None:
            went_wrong("request_refused", status=refusal)
            await trouble(self._pages, refusal)(scope, receive, send)
            return
        try:
            await self._app(scope, receive if body is None else _Replay(body, receive), send)
        except Exception as error:  # noqa: BLE001 - the last stop before the server, which would log the error's text
            went_wrong("page_failed", error=type(error).__name__)
            if send.started:
                raise ConnectionAbortedError from None
            await self._failed(error)(scope, receive, send)

    def _failed(self, error: Exception) -> Response:
        return trouble(self._pages, 503 if isinstance(error, Transient) else 500)

    def _refusal(self, scope: Scope) -> int | None:
        headers = Headers(scope=scope)
        if scope["path"] != HEALTH and headers.getlist("host") != [self._origin.host]:
            return 421
        if scope["method"] == "POST":
            return None if _same_site(headers, self._origin) else 403
        return None if scope["method"] in {"GET", "HEAD"} else 405


def _same_site(headers: Headers, origin: Origin) -> bool:
    """Return whether a post came from one of our own pages.

    Browsers say so in Sec-Fetch-Site. Our pages send no referrer, so their Origin may be `null` beside it. Without Sec-Fetch-Site the
    Origin must be ours. Neither: refused.
    """
    site, sender = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin" and sender in {None, "null", origin.text}
    return sender == origin.text


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    """Return the whole body; None when it is larger than MAX_BODY, whatever its Content-Length says."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return None
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


class _Replay:
    """Hands on a body that was read already."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Sealed:
    """Sends on, with our headers on every answer."""

    def __init__(self, send: Send, ours: Mapping[str, str], *, https: bool) -> None:
        self._send, self._ours, self._https = send, ours, https
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._ours.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
            if self._https:
                headers["Strict-Transport-Security"] = "max-age=31536000"
        await self._send(message)

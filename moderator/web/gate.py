"""The gate: every address but a few needs a session (default deny, R3). Added by `app.create_app`, inside the guard."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from moderator.store.sign_in import Purpose, SignIn, find
from moderator.web.cookie import read_cookie
from moderator.web.security import HEALTH
from moderator.web.site import Site
from moderator.web.trouble import trouble

OPEN = frozenset({"/sign-in", HEALTH})
OPEN_BELOW = ("/sign-in/", "/static/")
"""What a stranger may open. Everything else, also what does not exist, asks for a sign-in first."""


class Gate:
    """ASGI middleware that finds the session or refuses."""

    def __init__(self, app: ASGIApp, *, site: Site) -> None:
        """Keep the app it stands before."""
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, with `request.state.session` set for whoever is signed in."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        path = scope["path"]
        if path not in OPEN and not path.startswith(OPEN_BELOW):
            session = await run_in_threadpool(self._session, request)
            if session is None:
                await trouble(self._site.pages, 401, go_on=_own_address(request))(scope, receive, send)
                return
            request.state.session = session
        await self._app(scope, receive, send)

    def _session(self, request: Request) -> SignIn | None:
        secret = read_cookie(request, self._site.origin)
        if not secret:
            return None
        with self._site.database.reading() as connection:
            return find(connection, secret, purpose=Purpose.SESSION, at=self._site.clock.now())


def _own_address(request: Request) -> str:
    """Return where the reader wanted to go, as an address on this site; empty for anything but a page.

    A link from an e-mail arrives without the cookie (SameSite=Strict); following it once more from our own page brings the cookie along.
    """
    if request.method != "GET":
        return ""
    path = "/" + request.url.path.replace("\\", "/").lstrip("/")
    return f"{path}?{request.url.query}" if request.url.query else path

"""The gate: every address but a few needs a session of somebody designated today (default deny, R3). Added by `app.create_app`."""

import re
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from moderator.domain.register import Acting
from moderator.domain.times import london_date
from moderator.store import register
from moderator.store.sign_in import SignIn
from moderator.web.api import AT
from moderator.web.signing_in.session import session_in
from moderator.web.site import Site
from moderator.web.trouble import trouble

_ELSEWHERE = ("/static/", f"{AT}/")
"""What has no people: the style sheet, and the API, which asks for a token itself."""


class Gate:
    """ASGI middleware that finds who is signed in, or refuses."""

    def __init__(self, app: ASGIApp, *, site: Site, open_to_all: Sequence[re.Pattern[str]]) -> None:
        """Keep the app it stands before, and the paths a stranger may open. Everything else, also what does not exist, asks first."""
        self._app, self._site, self._open = app, site, tuple(open_to_all)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, with `session` and `acting` in `request.state` for whoever is signed in."""
        if scope["type"] == "lifespan" or scope["path"].startswith(_ELSEWHERE):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        known = await run_in_threadpool(self._known, request)
        if known is not None:
            request.state.session, request.state.acting = known
        elif not any(path.match(scope["path"]) for path in self._open):
            await trouble(self._site.pages, 401, go_on=_own_address(request))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _known(self, request: Request) -> tuple[SignIn, Acting] | None:
        """Return the session and what its person may do today; None for a stranger, and for somebody whose designation has ended."""
        session = session_in(self._site, request)
        if session is None or session.person_id is None:
            return None
        with self._site.database.reading() as connection:
            acting = register.acting(connection, session.person_id, london_date(self._site.clock.now()))
        return (session, acting) if acting is not None else None


def _own_address(request: Request) -> str:
    """Return where the reader wanted to go, as an address on this site; empty for anything but a page.

    A link from an e-mail arrives without the cookie (SameSite=Strict); following it once more from our own page brings the cookie along.
    """
    if request.method != "GET":
        return ""
    path = "/" + request.url.path.replace("\\", "/").lstrip("/")
    return f"{path}?{request.url.query}" if request.url.query else path

"""The app's cookies: out of reach of scripts and other sites. Called by the gate and the sign-in pages."""

from datetime import datetime

from fastapi import Request, Response

from moderator.web.origin import Origin

SESSION, STEP, KNOWN = "session", "step", "known"
"""What a cookie holds the secret of: a session; the next step of a sign-in or set-up; a browser somebody signed in with before."""


def _name(origin: Origin, kind: str) -> str:
    """Return the cookie's name; with `__Host-` a browser refuses one that another host or a page without TLS has set."""
    return f"__Host-{kind}" if origin.https else kind


def read_cookie(request: Request, origin: Origin, *, kind: str = SESSION) -> str:
    """Return the secret, or an empty text."""
    return request.cookies.get(_name(origin, kind), "")


def set_cookie(  # noqa: PLR0913 - the facts of one cookie
    response: Response, secret: str, *, origin: Origin, now: datetime, until: datetime, kind: str = SESSION
) -> None:
    """Give the browser a secret until it expires."""
    seconds = int((until - now).total_seconds())
    response.set_cookie(_name(origin, kind), secret, max_age=seconds, path="/", secure=origin.https, httponly=True, samesite="strict")


def drop_cookie(response: Response, origin: Origin, *, kind: str = SESSION) -> None:
    """Take a secret back."""
    response.delete_cookie(_name(origin, kind), path="/", secure=origin.https, httponly=True, samesite="strict")

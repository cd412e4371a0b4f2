"""The session's cookie: out of reach of scripts and other sites. Called by the gate and the sign-in page."""

from datetime import datetime

from fastapi import Request, Response

from moderator.web.origin import Origin


def _name(origin: Origin) -> str:
    """Return the cookie's name; with `__Host-` a browser refuses one that another host or a page without TLS has set."""
    return "__Host-session" if origin.https else "session"


def read_cookie(request: Request, origin: Origin) -> str:
    """Return the session's secret, or an empty text."""
    return request.cookies.get(_name(origin), "")


def set_cookie(response: Response, secret: str, *, origin: Origin, now: datetime, until: datetime) -> None:
    """Give the browser the session's secret until it expires."""
    seconds = int((until - now).total_seconds())
    response.set_cookie(_name(origin), secret, max_age=seconds, path="/", secure=origin.https, httponly=True, samesite="strict")


def drop_cookie(response: Response, origin: Origin) -> None:
    """Take the secret back."""
    response.delete_cookie(_name(origin), path="/", secure=origin.https, httponly=True, samesite="strict")

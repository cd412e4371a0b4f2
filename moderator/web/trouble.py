"""Error pages: what went wrong and what to do, in plain English, never a stack. Called by the app's handlers and the guard."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from moderator.web.need import NOT_YOURS
from moderator.web.pages import Pages

_WORDS = {
    400: ("This could not be read", "Something in the address or the form is wrong. Go back and try again."),
    401: ("Please sign in", ""),
    403: (
        "This was refused",
        "The request did not come from a page of this service. Open the service again from your own link, then try again.",
    ),
    404: ("There is nothing here", "The address may be mistyped, or what you look for is no longer kept."),
    405: ("This cannot be done here", "Go back to Today and start again."),
    413: ("That is too long", "Please write less. A reason of a few sentences is enough."),
    421: ("This is not the address of this service", "Use the address in your alert e-mail, or ask your IT lead for it."),
    500: ("Something went wrong", "It is our fault, not yours. Nothing was lost. Try again; if it happens again, tell your IT lead."),
    503: (
        "The service is busy or its disk is full",
        "Nothing was lost. Wait a minute, then try again. If it happens again, tell your IT lead.",
    ),
}
_OTHER = 400
_NOT_YOURS = ("Your role does not allow this", "Ask your Headteacher if you need it. Who may do what is written in the guide.")


def trouble(pages: Pages, status: int, *, go_on: str = "") -> Response:
    """Return the page for a status; one we have no words for is a 400. `go_on` is the address to try again after signing in."""
    status = status if status in _WORDS else _OTHER
    title, what = _WORDS[status]
    name = "strangers" if status == 401 else "trouble"  # noqa: PLR2004 - the HTTP status
    return pages.html(name, status=status, title=title, what=what, go_on=go_on)


def add_handlers(app: FastAPI, pages: Pages) -> None:
    """Make the app answer its own errors with these pages."""

    def refused(_: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.detail == NOT_YOURS:
            return pages.html("trouble", status=error.status_code, title=_NOT_YOURS[0], what=_NOT_YOURS[1])
        return trouble(pages, error.status_code if isinstance(error, HTTPException) else 500)

    def unreadable(_: Request, error: Exception) -> Response:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        in_path = any(fault["loc"][0] == "path" for fault in faults)
        return trouble(pages, 404 if in_path else 400)

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, unreadable)

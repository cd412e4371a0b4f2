"""Turns what tweepy and requests raise into the service's own errors. Called by `x.line` and `x.tokens`.

401 → Unauthorised · 404, 410 → Gone · 429 → RateLimited · 408, 5xx, timeout, broken or half an answer → Transient · all else → Refused
Errors are raised `from None`: tweepy's carry the request, and with it the bearer token, into tracebacks that show locals.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus

import requests
import tweepy

from moderator.domain.errors import Gone, ModeratorError, RateLimited, Refused, Transient, Unauthorised
from moderator.platforms.base import wait_until


class BadRequest(Refused):
    """X answered 400: the request as asked makes no sense to it (any more)."""


@contextmanager
def translated(now: datetime) -> Iterator[None]:
    """Run one call of tweepy or requests; raise only the service's errors."""
    try:
        yield
    except tweepy.TooManyRequests as error:
        raise RateLimited(wait_until(now, error.reset_time)) from None
    except tweepy.HTTPException as error:
        raise from_status(error.response, now) from None
    except requests.Timeout:
        message = "X did not answer in time"
        raise Transient(message) from None
    except OSError as error:  # requests' own errors are OSErrors
        message = f"X could not be reached, or its answer broke off ({type(error).__name__})"
        raise Transient(message) from None
    except (AttributeError, TypeError):  # tweepy trips over an error body that is not shaped as X's are
        message = "X answered with an error that cannot be read"
        raise Transient(message) from None


def from_status(response: requests.Response, now: datetime) -> ModeratorError:
    """Return the error for an answer that is not a success."""
    status = response.status_code
    said = f"X answered {status} {_title(response)}".rstrip()
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthorised(f"{said}: the account must be authorised again")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return Gone(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reset = response.headers.get("x-rate-limit-reset")
        return RateLimited(wait_until(now, int(reset) if reset else None))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Transient(said)
    if status == HTTPStatus.BAD_REQUEST:
        return BadRequest(said)
    return Refused(said)


def _title(response: requests.Response) -> str:
    """Return X's own short title of the problem; its detail is left out, since it may quote what was sent."""
    try:
        table = response.json()
    except requests.JSONDecodeError:
        return ""
    title = table.get("title", "") if isinstance(table, dict) else ""
    return f"({title[:80]})" if isinstance(title, str) and title else ""

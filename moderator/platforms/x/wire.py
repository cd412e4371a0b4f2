"""The HTTP session under tweepy: our host, a timeout on everything, and no call that the service may not make. Called by `x.line`."""

import ipaddress
import logging
import re
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from moderator.domain.errors import BadInput, NotAllowed

TWEEPY_HOST: Final = "https://api.twitter.com"
"""tweepy 4.17 has this host written into its client."""

TOKEN_PATH: Final = "/2/oauth2/token"  # noqa: S105 - a path, not a secret
REVOKE_PATH: Final = "/2/oauth2/revoke"

ALLOWED: Final = (
    ("POST", TOKEN_PATH),
    ("POST", REVOKE_PATH),
    ("GET", "/2/users/me"),
    ("GET", r"/2/users/\d+/mentions"),
    ("GET", "/2/tweets/search/recent"),
    ("GET", "/2/tweets"),
    ("GET", r"/2/tweets/\d+"),
    ("PUT", r"/2/tweets/\d+/hidden"),
)
"""Every verb and path this adapter may use (R25). Nothing here can reply, message, like, follow, block or delete."""


class Wire(HTTPAdapter):
    """Sends every request of the session to `api_url`, within `timeout` seconds, if it is one of ALLOWED."""

    def __init__(self, api_url: str, timeout: float) -> None:
        """Keep the base address and the timeout."""
        self._api_url = checked_address(api_url)
        self._timeout = timeout
        super().__init__()

    def send(  # noqa: PLR0913, PLR0917 - the signature is the base class's
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is the base class's
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - the signature is the base class's
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request. Raises NotAllowed for a verb and path that is not in ALLOWED, before anything leaves the machine."""
        del timeout
        url = (request.url or "").replace(TWEEPY_HOST, self._api_url, 1)
        path = "/" + url.removeprefix(self._api_url).partition("?")[0].lstrip("/")
        if not url.startswith(self._api_url + "/") or not any(
            request.method == verb and re.fullmatch(pattern, path) for verb, pattern in ALLOWED
        ):
            message = f"{request.method} {path} is not a call this service makes"
            raise NotAllowed(message)
        request.url = url
        if is_loopback(url):
            proxies = None
        response = super().send(request, stream=stream, timeout=self._timeout, verify=verify, cert=cert, proxies=proxies)
        if not response.headers.get("x-rate-limit-reset", "0").isdecimal():
            del response.headers["x-rate-limit-reset"]  # tweepy calls int() on it unguarded
        return response


class _Plain(requests.auth.AuthBase):
    """Adds nothing: it only keeps requests from replacing our header by one from a .netrc file."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request as it is."""
        return r


def open_session(api_url: str, timeout: float) -> requests.Session:
    """Return a session that talks to `api_url` alone: no cookies, no redirects, no .netrc, bodies uncompressed so that bytes are exact."""
    _silence()
    session = requests.Session()
    wire = Wire(api_url, timeout)
    session.mount("https://", wire)
    session.mount("http://", wire)
    session.auth = _Plain()
    session.max_redirects = 0
    session.headers["Accept-Encoding"] = "identity"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def checked_address(api_url: str) -> str:
    """Return the base address without a closing slash. Raises BadInput for plain HTTP beyond this machine: tokens would travel in clear."""
    parts = urlsplit(api_url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(api_url)):
        return api_url.rstrip("/")
    message = f"{api_url}: use an https:// address; http:// is only for a practice network on this machine"
    raise BadInput(message)


def is_loopback(url: str) -> bool:
    """Return whether the address is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _silence() -> None:
    """Keep tweepy's debug lines out of every log: they print the bearer token and the comments."""
    log = logging.getLogger("tweepy.client")
    if _above_debug not in log.filters:
        log.addFilter(_above_debug)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG

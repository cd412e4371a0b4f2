"""The practice network's permission page, as X has one: a person reads what is asked and says yes or no. Routes for `server`."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderator.platforms.practice.codes import SCOPES
from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.pages import HEADERS, page, problem
from moderator.platforms.practice.school import CLIENT_ID, SCHOOL_HANDLE

PATH: Final = "/i/oauth2/authorize"
"""Where X has its own (X, "OAuth 2.0 Authorization Code Flow with PKCE")."""

_WORDS: Final = {
    "tweet.read": "See posts",
    "users.read": "See accounts",
    "tweet.moderate.write": "Hide and show replies to your posts",
    "offline.access": "Stay connected until you end it",
}
_ASKED: Final = ("client_id", "redirect_uri", "scope", "state", "code_challenge")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Authorise:
    """The permission page over one network."""

    network: PracticeNetwork

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route(PATH, self.ask, methods=["GET"]), Route(PATH, self.answer, methods=["POST"])]

    async def ask(self, request: Request) -> Response:
        """Show what is asked for."""
        asked = _asked(request.query_params)
        wrong = _wrong(asked, request.query_params)
        if wrong:
            return problem(400, wrong)
        where = urlsplit(asked["redirect_uri"])
        words = [_WORDS[name] for name in asked["scope"].split()]
        shown = page("authorise.html", title="Connect an app", handle=SCHOOL_HANDLE, back_to=where.netloc, words=words, asked=asked)
        # A browser follows a redirect from a form only to where this header lets it.
        shown.headers["Content-Security-Policy"] = HEADERS["Content-Security-Policy"].replace(
            "form-action 'self'", f"form-action 'self' {where.scheme}://{where.netloc}"
        )
        return shown

    async def answer(self, request: Request) -> Response:
        """Send the person back, with a code or with their refusal."""
        form = await request.form()
        asked = _asked(form)
        wrong = _wrong(asked, None)
        if wrong:
            return problem(400, wrong)
        told = {"state": asked["state"]}
        if form.get("answer") == "yes":
            told["code"] = self.network.codes.give(
                redirect_uri=asked["redirect_uri"], challenge=asked["code_challenge"], scope=asked["scope"]
            )
        else:
            told["error"] = "access_denied"
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}", status_code=303)


def _asked(given: QueryParams | FormData) -> dict[str, str]:
    return {name: str(given.get(name, "")) for name in _ASKED}


def _wrong(asked: dict[str, str], query: QueryParams | None) -> str:
    """Return why a request cannot be shown or answered; "" when it can."""
    where = urlsplit(asked["redirect_uri"])
    if asked["client_id"] != CLIENT_ID:
        return "This app is not known here."
    if where.scheme != "https" and not (where.scheme == "http" and where.hostname in _LOOPBACK):
        return "The app's address to come back to cannot be used."
    if not asked["scope"] or not set(asked["scope"].split()) <= set(SCOPES):
        return "The app asks for something that does not exist."
    as_code = query is None or (query.get("response_type") == "code" and query.get("code_challenge_method") == "S256")
    return "" if as_code and asked["code_challenge"] and asked["state"] else "The app does not ask in the way that X expects (PKCE, S256)."

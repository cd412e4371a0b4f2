"""The part of X API v2 that the adapter uses, with X's shapes, limits and refusals. Routes for `server`."""

import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from moderator.domain.errors import Gone, Refused
from moderator.platforms.practice.codes import SCOPES
from moderator.platforms.practice.ids import first_id_at, ms_of, now_ms, stated
from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.render import Wanted, answer_for
from moderator.platforms.practice.school import CLIENT_ID, SCHOOL_HANDLE, SCHOOL_ID, SCHOOL_NAME
from moderator.platforms.practice.search import BadQuery, read_query
from moderator.platforms.practice.state import Stored
from moderator.platforms.practice.tokens import LASTS_SECONDS

_FIELDS: Final = frozenset({"tweet.fields", "post.fields", "user.fields", "media.fields", "expansions"})
_BOUNDS: Final = frozenset({"max_results", "since_id", "until_id"})
_POST_FIELDS: Final = frozenset(
    {
        "attachments",
        "author_id",
        "context_annotations",
        "conversation_id",
        "created_at",
        "edit_controls",
        "edit_history_tweet_ids",
        "entities",
        "geo",
        "id",
        "in_reply_to_user_id",
        "lang",
        "note_tweet",
        "possibly_sensitive",
        "public_metrics",
        "referenced_tweets",
        "reply_settings",
        "source",
        "text",
        "withheld",
    }
)
_OLD_NAMES: Final = {"referenced_posts": "referenced_tweets", "note_post": "note_tweet", "edit_history_post_ids": "edit_history_tweet_ids"}

WEEK_MS: Final = 7 * 24 * 3_600_000
"""How far recent search reaches back."""

NEWEST_MENTIONS: Final = 800
MOST_IDS: Final = 100

Handler = Callable[[Request], Awaitable[Response]]


class Invalid(Exception):  # noqa: N818 - becomes a 400
    """A parameter that X would not take."""

    def __init__(self, *, name: str, value: str, why: str) -> None:
        """Keep what X says about it."""
        super().__init__(why)
        self.table = {"parameters": {name: [value]}, "message": why}


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints over one network."""

    network: PracticeNetwork

    def routes(self) -> list[Route]:
        """Return the routes, with the name each call is counted under."""
        return [
            Route("/2/oauth2/token", self.token, methods=["POST"]),
            Route("/2/oauth2/revoke", self.revoke, methods=["POST"]),
            Route("/2/users/me", self._guarded("me", self.me), methods=["GET"]),
            Route("/2/users/{id:int}/mentions", self._guarded("mentions", self.mentions), methods=["GET"]),
            Route("/2/tweets/search/recent", self._guarded("search", self.search), methods=["GET"]),
            Route("/2/tweets", self._guarded("lookup", self.many), methods=["GET"]),
            Route("/2/tweets/{id:int}", self._guarded("lookup", self.one), methods=["GET"]),
            Route("/2/tweets/{id:int}/hidden", self._guarded("hide", self.hidden), methods=["PUT"]),
        ]

    async def token(self, request: Request) -> Response:
        """Trade a refresh token, or the code that a person brought back from the permission page, for a new pair."""
        form = await request.form()
        kind = form.get("grant_type")
        if form.get("client_id") != CLIENT_ID or kind not in {"refresh_token", "authorization_code"}:
            return JSONResponse({"error": "invalid_client", "error_description": "Unknown client or grant type."}, 400)
        if kind == "refresh_token":
            pair, scope = self.network.pairs.trade(str(form.get("refresh_token", ""))), " ".join(SCOPES)
        else:
            scope = self.network.codes.use(
                str(form.get("code", "")), redirect_uri=str(form.get("redirect_uri", "")), verifier=str(form.get("code_verifier", ""))
            )
            pair = self.network.pairs.issue() if scope else None
        if pair is None:
            return JSONResponse({"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, 400)
        table = {"token_type": "bearer", "expires_in": LASTS_SECONDS, "access_token": pair[0], "refresh_token": pair[1]}
        return JSONResponse(table | {"scope": scope})

    async def revoke(self, request: Request) -> Response:
        """End the pair of a token."""
        form = await request.form()
        if form.get("client_id") != CLIENT_ID:
            return JSONResponse({"error": "invalid_client", "error_description": "Unknown client."}, 400)
        self.network.pairs.end(str(form.get("token", "")))
        return JSONResponse({"revoked": True})

    async def me(self, request: Request) -> Response:
        """Say whose token this is."""
        _known(request, _FIELDS)
        return JSONResponse({"data": {"id": str(SCHOOL_ID), "username": SCHOOL_HANDLE, "name": SCHOOL_NAME}})

    async def mentions(self, request: Request) -> Response:
        """List mentions of the school, newest first, at most the newest 800."""
        _known(request, _FIELDS | _BOUNDS | {"pagination_token"})
        if request.path_params["id"] != SCHOOL_ID:
            return _problem(403, "Forbidden", "This token cannot read another account's mentions.")
        newest = self.network.state.rows(
            "SELECT min(id) FROM (SELECT id FROM posts WHERE names_school AND gone = 0 ORDER BY id DESC LIMIT ?)", [NEWEST_MENTIONS]
        )
        oldest = newest[0][0] or 0
        return self._page(request, "names_school AND posts.id >= ?", [oldest], token="pagination_token", fewest=5)  # noqa: S106 - a name

    async def search(self, request: Request) -> Response:
        """Search the last seven days, newest first."""
        _known(request, _FIELDS | _BOUNDS | {"query", "next_token"})
        query = request.query_params.get("query", "")
        try:
            where = read_query(query)
        except BadQuery as error:
            raise Invalid(name="query", value=query, why=str(error)) from None
        week = first_id_at(now_ms() - WEEK_MS)
        for name in ("since_id", "until_id"):
            if _id(request, name, week) < week:
                when = stated(ms_of(week))
                message = f"'{name}' must be a tweet id created after [{when}]. Please use a '{name}' that is larger than {week}"
                raise Invalid(name=name, value=request.query_params[name], why=message)
        return self._page(request, f"posts.id >= ? AND {where.sql}", [week, *where.values], token="next_token", fewest=10)  # noqa: S106 - a name

    async def many(self, request: Request) -> Response:
        """Look up up to 100 posts by id."""
        _known(request, _FIELDS | {"ids"})
        ids = request.query_params.get("ids", "").split(",")
        if len(ids) > MOST_IDS or not all(one.isdecimal() for one in ids):
            raise Invalid(name="ids", value=request.query_params.get("ids", ""), why="The `ids` query parameter must hold 1 to 100 numbers")
        found = {post.id: post for post in self.network.state.posts(f"posts.id IN ({', '.join('?' * len(ids))})", map(int, ids))}
        data, included = answer_for(self.network.state, list(found.values()), self._wanted(request))
        table: dict[str, object] = {"data": data} if data else {}
        table |= {"includes": included} if included else {}
        missing = [_not_found(one) for one in ids if int(one) not in found]
        return JSONResponse(table | ({"errors": missing} if missing else {}))

    async def one(self, request: Request) -> Response:
        """Look up one post; a missing one is status 200 with an error beside it, as on X."""
        _known(request, _FIELDS)
        post = self.network.state.post(request.path_params["id"])
        if post is None:
            return JSONResponse({"errors": [_not_found(str(request.path_params["id"]))]})
        data, included = answer_for(self.network.state, [post], self._wanted(request))
        return JSONResponse({"data": data[0]} | ({"includes": included} if included else {}))

    async def hidden(self, request: Request) -> Response:
        """Hide or show one reply."""
        try:
            wanted = json.loads(await request.body())
            state = wanted["hidden"]
        except (ValueError, TypeError, KeyError):
            state = None
        if not isinstance(state, bool):
            raise Invalid(name="hidden", value="", why="$.hidden: is missing but it is required")
        try:
            return JSONResponse({"data": {"hidden": self.network.hide(request.path_params["id"], hidden=state)}})
        except Gone:
            return JSONResponse({"errors": [_not_found(str(request.path_params["id"]))]})
        except Refused as error:
            return _problem(403, "Forbidden", str(error))

    def _guarded(self, call: str, handler: Handler) -> Handler:
        """Return the handler behind the token check, the rate limit and X's way of refusing parameters."""

        async def guarded(request: Request) -> Response:
            scheme, _, access = request.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer" or not self.network.pairs.accepts(access):
                return _problem(401, "Unauthorized", "Unauthorized")
            standing = self.network.limits.count(call)
            if standing.allowed:
                try:
                    response = await handler(request)
                except Invalid as error:
                    response = _problem(400, "Invalid Request", "One or more parameters to your request was invalid.", error.table)
            else:
                response = _problem(429, "Too Many Requests", "Too Many Requests")
            response.headers.update(standing.headers() | {"x-transaction-id": uuid.uuid4().hex[:16], "x-access-level": "read-write"})
            return response

        return guarded

    def _wanted(self, request: Request) -> Wanted:
        names = request.query_params.get("tweet.fields", "") + "," + request.query_params.get("post.fields", "")
        fields = frozenset(_OLD_NAMES.get(name, name) for name in names.split(",") if name)
        if not fields <= _POST_FIELDS:
            raise Invalid(
                name="tweet.fields",
                value=names,
                why=f"The `tweet.fields` query parameter value [{', '.join(fields - _POST_FIELDS)}] is unknown",
            )
        expansions = request.query_params.get("expansions", "").replace("referenced_posts", "referenced_tweets")
        return Wanted(fields, frozenset(expansions.split(",")), self.network.new_names)

    def _page(self, request: Request, where: str, values: list[object], *, token: str, fewest: int) -> Response:
        """Return one page, newest first, with the token of the next one."""
        size = _size(request, fewest)
        since, until = _id(request, "since_id", 0), _id(request, "until_id", 1 << 62)
        given = request.query_params.get(token)
        if given is not None:
            until = min(until, _from_token(token, given))
        found = self.network.state.posts(
            f"newer_id IS NULL AND posts.id > ? AND posts.id < ? AND {where}", [since, until, *values], limit=size + 1
        )
        posts = found[:size]
        data, included = answer_for(self.network.state, posts, self._wanted(request))
        meta: dict[str, object] = {"result_count": len(posts)} | _ends(posts)
        if len(found) > size:
            meta["next_token"] = _token(posts[-1].id)
        table: dict[str, object] = {"data": data} if data else {}
        table |= {"includes": included} if included else {}
        return JSONResponse(table | {"meta": meta})


def _known(request: Request, names: frozenset[str]) -> None:
    for name in request.query_params:
        if name not in names:
            raise Invalid(
                name=name, value=request.query_params[name], why=f"The query parameter [{name}] is not one of [{','.join(sorted(names))}]"
            )


def _size(request: Request, fewest: int) -> int:
    value = request.query_params.get("max_results", "10")
    if value.isdecimal() and fewest <= int(value) <= 100:  # noqa: PLR2004 - X's largest page
        return int(value)
    raise Invalid(name="max_results", value=value, why=f"The `max_results` query parameter value [{value}] is not between {fewest} and 100")


def _id(request: Request, name: str, otherwise: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return otherwise
    if value.isdecimal() and len(value) <= 19:  # noqa: PLR2004 - digits of a 64-bit number
        return int(value)
    raise Invalid(name=name, value=value, why=f"The `{name}` query parameter value [{value}] is not valid")


def _ends(posts: list[Stored]) -> dict[str, object]:
    return {"newest_id": str(posts[0].id), "oldest_id": str(posts[-1].id)} if posts else {}


def _token(post_id: int) -> str:
    return base64.b32encode(f"b26v89{post_id}".encode()).decode().rstrip("=").lower()


def _from_token(name: str, token: str) -> int:
    try:
        text = base64.b32decode(token.upper() + "=" * (-len(token) % 8)).decode()
        return int(text.removeprefix("b26v89"))
    except (binascii.Error, ValueError):
        raise Invalid(name=name, value=token, why=f"The `{name}` query parameter value [{token}] is not valid") from None


def _not_found(post_id: str) -> dict[str, str]:
    return {
        "value": post_id,
        "detail": f"Could not find tweet with id: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "id",
        "resource_id": post_id,
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }


def _problem(status: int, title: str, detail: str, error: Mapping[str, object] | None = None) -> Response:
    table: dict[str, object] = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    if error is not None:
        table |= {"errors": [error], "type": "https://api.twitter.com/2/problems/invalid-request"}
    return JSONResponse(table, status, media_type="application/problem+json")

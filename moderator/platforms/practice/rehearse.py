"""What a rehearsal asks of the network beyond X: write, edit, delete, misbehave. Routes for `server`; JSON or a form, for pages and tests.

| POST | body | answers |
|---|---|---|
| `/practice/post` | `text`, `handle`, `name`, `under`, `quotes`, `media` | `{"id": …}` |
| `/practice/edit` | `id`, `text` | `{"id": …}` of the new version |
| `/practice/delete` | `id` | `{}` |
| `/practice/fault` | see `faults.Fault`, or `{"clear": true}` | `{}` |
| `/practice/limit` | `call` (`hide`, `search`, `mentions`, `lookup`, `me`), `limit` | `{}` |
| `/practice/token` | `do`: `expire`, `revoke` or `authorise` | `{}` |
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from moderator.domain.errors import BadInput, Gone
from moderator.platforms.practice.faults import fault_from
from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.pages import HEADERS, path_of, problem

Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The endpoints over one network."""

    network: PracticeNetwork

    def routes(self) -> list[Route]:
        """Return the routes."""
        handlers: dict[str, Callable[[Values], tuple[dict[str, object], str]]] = {
            "post": self.post,
            "edit": self.edit,
            "delete": self.delete,
            "fault": self.fault,
            "limit": self.limit,
            "token": self.token,
        }
        return [Route(f"/practice/{name}", _open(handler), methods=["POST"]) for name, handler in handlers.items()]

    def post(self, values: Values) -> tuple[dict[str, object], str]:
        """Publish a post."""
        media = values.get("media")
        post_id = self.network.write(
            str(values.get("text", "")),
            handle=str(values.get("handle", "")),
            name=str(values.get("name", "")),
            under=_number(values, "under"),
            quotes=_number(values, "quotes"),
            media=tuple(kind for kind in media if kind in {"photo", "video"}) if isinstance(media, list) else (),
        )
        return self._made(post_id)

    def edit(self, values: Values) -> tuple[dict[str, object], str]:
        """Publish a new version."""
        return self._made(self.network.edit(_id(values), str(values.get("text", ""))))

    def delete(self, values: Values) -> tuple[dict[str, object], str]:
        """Delete a post."""
        self.network.delete(_id(values))
        return {}, "/"

    def fault(self, values: Values) -> tuple[dict[str, object], str]:
        """Add a fault, or clear them all."""
        if values.get("clear"):
            self.network.faults.clear()
            return {}, "/"
        self.network.faults.add(fault_from(values))
        return {}, "/"

    def limit(self, values: Values) -> tuple[dict[str, object], str]:
        """Narrow one rate limit."""
        limit = _number(values, "limit")
        if limit is None:
            message = "give a limit"
            raise BadInput(message)
        self.network.limits.narrow(str(values.get("call", "")), limit)
        return {}, "/"

    def token(self, values: Values) -> tuple[dict[str, object], str]:
        """Expire, revoke or allow the school's tokens."""
        deeds = {"expire": self.network.pairs.expire, "revoke": self.network.pairs.revoke, "authorise": self.network.pairs.authorise}
        deed = deeds.get(str(values.get("do")))
        if deed is None:
            message = f"do must be one of {', '.join(deeds)}"
            raise BadInput(message)
        deed()
        return {}, "/"

    def _made(self, post_id: int) -> tuple[dict[str, object], str]:
        return {"id": str(post_id)}, path_of(self.network.existing(post_id))


def _open(handler: Callable[[Values], tuple[dict[str, object], str]]) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint: JSON in, JSON out; a form in, a page out. Another site's page cannot use it."""

    async def endpoint(request: Request) -> Response:
        if urlsplit(request.headers.get("origin", "")).netloc not in {"", request.headers.get("host")}:
            return problem(403, "That came from another site's page.")
        body = await request.body()
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        try:
            values: object = dict(await request.form()) if form else json.loads(body)
            if not isinstance(values, dict):
                message = "give a JSON object"
                raise BadInput(message)  # noqa: TRY301 - answered in one place with every other refusal
            answer, path = handler(values)
        except (BadInput, Gone, ValueError) as error:
            status = 404 if isinstance(error, Gone) else 400
            return problem(status, str(error)) if form else JSONResponse({"error": str(error)}, status)
        return RedirectResponse(path, 303, HEADERS) if form else JSONResponse(answer)

    return endpoint


def _id(values: Values) -> int:
    found = _number(values, "id")
    if found is None:
        message = "give the id of a post"
        raise BadInput(message)
    return found


def _number(values: Values, name: str) -> int | None:
    value = values.get(name)
    if value is None or value == "":
        return None
    if str(value).isdecimal():
        return int(str(value))
    message = f"{name} must be a number"
    raise BadInput(message)

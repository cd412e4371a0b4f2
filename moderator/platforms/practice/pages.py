"""The public pages of the practice network: what anybody with a browser sees. Routes for `server`.

A comment is shown under the posts above it; avatars, pictures and video have addresses of their own that a browser would fetch, so that
a capture that must not fetch them can be caught at it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from importlib import resources
from io import BytesIO
from typing import Final

import jinja2
from PIL import Image
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from moderator.domain.times import london_text
from moderator.platforms.practice.ids import stated
from moderator.platforms.practice.network import PracticeNetwork
from moderator.platforms.practice.render import media_of
from moderator.platforms.practice.school import SCHOOL_HANDLE, SCHOOL_ID, SCHOOL_NAME
from moderator.platforms.practice.state import State, Stored

A_PAGE: Final = 50
"""Replies on one page."""

DEEPEST: Final = 20
"""Posts shown above a comment."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

_STATUS: Final = re.compile(r"/status/(?P<id>\d{1,19})$")

_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("moderator.platforms.practice", "look"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One post with what its card needs beside it."""

    post: Stored
    path: str
    utc: str
    when: str
    media: list[tuple[str, str]]
    replies: int


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages over one network."""

    network: PracticeNetwork

    def routes(self) -> list[Route]:
        """Return the routes; the catch-all for posts comes last."""
        return [
            Route("/", self.index),
            Route("/favicon.ico", self.no_icon),
            Route("/practice/style.css", self.style),
            Route("/media/avatar/{id:int}.svg", self.avatar),
            Route("/media/{prefix:int}_{number:int}.png", self.picture),
            Route("/media/{prefix:int}_{number:int}.webm", self.video),
            Route("/oembed", self.oembed),
            Route("/{handle}/status/{id:int}", self.status),
        ]

    async def index(self, request: Request) -> Response:
        """Show the school's page."""
        del request
        state = self.network.state
        counts = state.rows(
            "SELECT count(*), coalesce(sum(hidden), 0) FROM posts WHERE gone = 0 AND newer_id IS NULL AND author_id != ?", [SCHOOL_ID]
        )
        posts = state.posts("author_id = ? AND parent_id IS NULL AND newer_id IS NULL", [SCHOOL_ID], limit=A_PAGE)
        mentions = state.posts("names_school AND parent_id IS NULL AND newer_id IS NULL", limit=A_PAGE)
        return page(
            "index.html",
            title=f"{SCHOOL_NAME} (@{SCHOOL_HANDLE})",
            school_name=SCHOOL_NAME,
            comments=counts[0][0],
            hidden=counts[0][1],
            posts=[_shown(state, post) for post in posts],
            mentions=[_shown(state, post) for post in mentions],
        )

    async def status(self, request: Request) -> Response:
        """Show one post under the posts above it, with its replies; hidden ones apart."""
        state = self.network.state
        post = state.post(request.path_params["id"])
        if post is None:
            return problem(404, "This post does not exist. It may have been deleted by its author.")
        if request.path_params["handle"] != post.handle:
            return RedirectResponse(f"/{post.handle}/status/{post.id}", 302, HEADERS)
        before = request.query_params.get("before", "")
        newest = int(before) if before.isdecimal() and len(before) < 20 else 1 << 62  # noqa: PLR2004 - digits of a 64-bit number
        under = f"parent_id IN ({', '.join('?' * len(post.history))}) AND newer_id IS NULL AND hidden = ?"
        replies = state.posts(f"{under} AND posts.id < ?", [*post.history, 0, newest], limit=A_PAGE + 1)
        hidden = state.posts(under, [*post.history, 1], limit=A_PAGE)
        quoted = None if post.quoted_id is None else state.post(post.quoted_id)
        return page(
            "status.html",
            title=f"{post.name} (@{post.handle}) on the practice network",
            post=post,
            above=[_shown(state, one) for one in _above(state, post)],
            focus=_shown(state, post),
            quoted=None if quoted is None else _shown(state, quoted),
            replies=[_shown(state, one) for one in replies[:A_PAGE]],
            older=replies[A_PAGE - 1].id if len(replies) > A_PAGE else 0,
            hidden=[_shown(state, one) for one in hidden],
            shown_count=_count(state, post, hidden=False),
            hidden_count=_count(state, post, hidden=True),
        )

    async def oembed(self, request: Request) -> Response:
        """Give a post's embed as X's oEmbed does: a block quotation in JSON, asked for by the post's own address."""
        wanted = _STATUS.search(request.query_params.get("url", ""))
        post = self.network.state.post(int(wanted["id"])) if wanted else None
        if post is None:
            return JSONResponse({"error": "There is no such post."}, 404, HEADERS)
        made = datetime.fromtimestamp(post.created_ms / 1000, tz=UTC)
        words = escape(post.text).replace("\n", "<br>")
        who = f"&mdash; {escape(post.name)} (@{escape(post.handle)}) <a>{escape(london_text(made))}</a>"
        block = {"html": f'<blockquote class="practice"><p dir="auto">{words}</p>{who}</blockquote>'}
        return JSONResponse({"type": "rich", "version": "1.0", "author_name": post.name, **block}, headers=HEADERS)

    async def no_icon(self, request: Request) -> Response:
        """Say that there is no icon: browsers ask for one by themselves."""
        del request
        return Response(status_code=204, headers=HEADERS)

    async def style(self, request: Request) -> Response:
        """Send the style sheet."""
        del request
        return Response(_file("style.css"), headers=HEADERS, media_type="text/css")

    async def avatar(self, request: Request) -> Response:
        """Draw somebody's avatar: a coloured disc with a face of two dots."""
        hue = request.path_params["id"] * 47 % 360
        drawing = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 44"><rect width="44" height="44" fill="hsl({hue},45%,62%)"/>'
            '<circle cx="15" cy="19" r="3"/><circle cx="29" cy="19" r="3"/>'
            '<path d="M14 29q8 7 16 0" fill="none" stroke="#000" stroke-width="2"/></svg>'
        )
        return Response(drawing, headers=HEADERS, media_type="image/svg+xml")

    async def picture(self, request: Request) -> Response:
        """Draw an attached picture."""
        return Response(_drawn(request.path_params["number"] % 360), headers=HEADERS, media_type="image/png")

    async def video(self, request: Request) -> Response:
        """Send an attached video."""
        del request
        return Response(_file("clip.webm"), headers=HEADERS, media_type="video/webm")


def problem(status: int, message: str) -> Response:
    """Return a page that says what is wrong."""
    return page("problem.html", status=status, title="Practice network", message=message)


def path_of(post: Stored) -> str:
    """Return the address of a post's public page on this server."""
    return f"/{post.handle}/status/{post.id}"


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """Return one of the templates in `look/`, filled in."""
    text = _ENVIRONMENT.get_template(template).render(school=SCHOOL_HANDLE, school_id=SCHOOL_ID, **values)
    return HTMLResponse(text, status, HEADERS)


def _shown(state: State, post: Stored) -> Shown:
    made = datetime.fromtimestamp(post.created_ms / 1000, tz=UTC)
    return Shown(post, path_of(post), stated(post.created_ms), london_text(made), media_of(post), _count(state, post, hidden=False))


def _above(state: State, post: Stored) -> list[Stored]:
    found: list[Stored] = []
    step = None if post.parent_id is None else state.post(post.parent_id)
    while step is not None and len(found) < DEEPEST:
        found.append(step)
        step = None if step.parent_id is None else state.post(step.parent_id)
    return found[::-1]


def _count(state: State, post: Stored, *, hidden: bool) -> int:
    sql = (
        "SELECT count(*) FROM posts WHERE parent_id IN (SELECT id FROM posts WHERE first_id = ?)"
        " AND gone = 0 AND newer_id IS NULL AND hidden = ?"
    )
    return int(str(state.rows(sql, [post.first_id, int(hidden)])[0][0]))


@lru_cache
def _file(name: str) -> bytes:
    return resources.files("moderator.platforms.practice").joinpath("look", name).read_bytes()


@lru_cache(maxsize=360)
def _drawn(hue: int) -> bytes:
    width, height = 320, 180
    picture = Image.linear_gradient("L").resize((width, height))
    tinted = Image.merge(
        "HSV", (Image.new("L", (width, height), hue * 255 // 360), Image.new("L", (width, height), 110), picture.point(_lighter))
    )
    out = BytesIO()
    tinted.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _lighter(value: int) -> int:
    return 120 + value // 2

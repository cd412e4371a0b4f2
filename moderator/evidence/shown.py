"""Looking at a page: is the comment really there, and what does it look like. Runs in the browser's keeper thread."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Page, Response
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from moderator.evidence.capture import HEIGHT, MAX_HEIGHT, WIDTH, Wanted
from moderator.evidence.chromium import Chromium

_OK = 200
_PATIENCE = 3000
"""Milliseconds a page may take, once loaded, to put the comment in its place by script (our choice)."""

_FIND = """
([text, authors, parent, patience]) => new Promise(resolve => {
  const flat = words => words.replace(/\\s+/gu, " ").trim();
  const wanted = flat(text), names = authors.map(name => flat(name).toLowerCase()).filter(name => name);
  const answer = shown => {
    const body = document.body ? flat(document.body.innerText) : "";
    return {
      shown, parent: parent ? body.includes(flat(parent)) : null, agent: navigator.userAgent,
      height: Math.ceil(Math.max(document.documentElement.scrollHeight, document.body ? document.body.scrollHeight : 0)),
    };
  };
  const holds = () => {
    const body = document.body ? flat(document.body.innerText) : "";
    const low = body.toLowerCase();
    return wanted !== "" && body.includes(wanted) && (names.length === 0 || names.some(name => low.includes(name)));
  };
  if (holds() || wanted === "" || document.scripts.length === 0) { resolve(answer(holds())); return; }
  const until = Date.now() + patience;
  const timer = setInterval(() => {
    const found = holds();
    if (found || Date.now() > until) { clearInterval(timer); resolve(answer(found)); }
  }, 50);
})
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at the live page. `why_not` is empty when the comment is shown; only then are `picture` and `page` filled."""

    why_not: str
    browser: str
    agent: str = ""
    picture: bytes = b""
    page: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    blocked: Mapping[str, int] = field(default_factory=dict)
    parent_shown: bool | None = None
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture of our own page."""

    picture: bytes
    browser: str
    agent: str
    cut_short: bool


def look(chromium: Chromium, wanted: Wanted) -> Seen:
    """Return what the live page shows.

    1. Open the permalink in a fresh, signed-out context.
    2. Only HTTP 200 counts, and only a page whose visible text holds the comment's text and its author.
    3. Photograph it and keep its DOM.
    """
    context, page, traffic = chromium.signed_out()
    try:
        traffic.open_for(wanted.place)
        answer, why = _opened(page, wanted.place)
        if answer is None or answer.status != _OK:
            why = why or (f"the site answered {answer.status}" if answer else "the site gave no answer")
            return Seen(why, chromium.version, status=answer.status if answer else None, blocked=dict(traffic.blocked))
        found = page.evaluate(_FIND, [wanted.text, list(wanted.authors), wanted.parent, _PATIENCE])
        headers = answer.headers
        if not found["shown"]:
            why = (
                "the comment has no text that could be recognised on the page"
                if not wanted.text.strip()
                else "the page does not show the comment"
            )
            return Seen(why, chromium.version, found["agent"], status=answer.status, headers=headers, blocked=dict(traffic.blocked))
        picture = photograph(context, page, found["height"])
        return Seen(
            "",
            chromium.version,
            found["agent"],
            picture,
            page.content(),
            answer.status,
            headers,
            dict(traffic.blocked),
            found["parent"],
            found["height"] > MAX_HEIGHT,
        )
    finally:
        _leave(context)


def _opened(page: Page, place: str) -> tuple[Response | None, str]:
    """Return the page's answer, or why there is none. An error of the site is an answer; an error of the browser is raised."""
    try:
        return page.goto(place, wait_until="load"), ""
    except PlaywrightTimeoutError:
        return None, "the site did not answer in time"
    except PlaywrightError as error:
        words = str(error)
        if "net::ERR_" in words:
            return None, f"the site could not be reached ({words[words.index('net::ERR_') :].split(maxsplit=1)[0]})"
        if "Download is starting" in words or "interrupted by another navigation" in words:
            return None, "the site sent something other than a page"
        raise


def draw(chromium: Chromium, html: str) -> Drawn:
    """Return the picture of our own page, with scripts off and no network."""
    context, page = chromium.sealed_off()
    try:
        page.set_content(html, wait_until="load")
        measured = page.evaluate("() => [document.documentElement.scrollHeight, document.body.scrollHeight, navigator.userAgent]")
        height = min(measured[0], measured[1])
        return Drawn(photograph(context, page, height), chromium.version, measured[2], height > MAX_HEIGHT)
    finally:
        _leave(context)


def photograph(context: BrowserContext, page: Page, height: int) -> bytes:
    """Return a PNG of the whole page, WIDTH wide and at most MAX_HEIGHT tall. Asked of Chromium directly: half the time of the detour."""
    devtools = context.new_cdp_session(page)
    answer = devtools.send(
        "Page.captureScreenshot",
        {
            "format": "png",
            "optimizeForSpeed": True,
            "captureBeyondViewport": height > HEIGHT,
            "clip": {"x": 0, "y": 0, "width": WIDTH, "height": max(1, min(height, MAX_HEIGHT)), "scale": 1},
        },
    )
    return base64.b64decode(answer["data"])


def _leave(context: BrowserContext) -> None:
    """Close the context; a browser that died meanwhile has closed it already."""
    try:
        context.close()
    except PlaywrightError:
        return

"""Looking at a page: is the comment really there, and what does it look like. Runs in the browser's keeper thread."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Response
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from moderator.evidence.capture.chromium import Chromium
from moderator.evidence.capture.taken import MAX_HEIGHT, Wanted

_OK = 200
_NO_TEXT = "the comment has no text that could be recognised on the page"
_NOT_SHOWN = "the page does not show the comment"
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
      page: shown ? (document.doctype ? new XMLSerializer().serializeToString(document.doctype) + "\\n" : "")
        + document.documentElement.outerHTML : "",
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
    tab = chromium.signed_out()
    tab.traffic.open_for(wanted.place)
    answer, why = _opened(tab.page, wanted.place)
    if answer is None or answer.status != _OK:
        why = why or (f"the site answered {answer.status}" if answer else "the site gave no answer")
        return Seen(why, chromium.version, status=answer.status if answer else None, blocked=dict(tab.traffic.blocked))
    found = tab.ask(f"({_FIND})({json.dumps([wanted.text, list(wanted.authors), wanted.parent, _PATIENCE])})")
    seen = Seen("", chromium.version, found["agent"], status=answer.status, headers=answer.headers, parent_shown=found["parent"])
    if not found["shown"]:
        return replace(seen, why_not=_NO_TEXT if not wanted.text.strip() else _NOT_SHOWN, blocked=dict(tab.traffic.blocked))
    return replace(
        seen,
        picture=tab.photograph(found["height"]),
        page=found["page"],
        blocked=dict(tab.traffic.blocked),
        cut_short=found["height"] > MAX_HEIGHT,
    )


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
    tab = chromium.sealed_off()
    tab.page.set_content(html, wait_until="load")
    measured = tab.ask("[document.documentElement.scrollHeight, document.body.scrollHeight, navigator.userAgent]")
    height = min(measured[0], measured[1])
    return Drawn(tab.photograph(height), chromium.version, measured[2], height > MAX_HEIGHT)

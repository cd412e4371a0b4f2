"""Looking at a page: is the comment really there to be seen, and what does it look like. Runs in the browser's keeper thread."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from moderator.evidence.capture.chromium import Chromium
from moderator.evidence.capture.embed import block_of, is_oembed
from moderator.evidence.capture.inpage import View, question, view_of
from moderator.evidence.capture.network import Exchange
from moderator.evidence.capture.tab import Tab
from moderator.evidence.capture.taken import HEIGHT, MAX_HEIGHT, Wanted
from moderator.evidence.capture.walls import Signs, Wall, consent_address, sign_in_address, wall_of

_OK = 200
_NO_TEXT = "the comment has no text that could be recognised on the page"
_CHANGED = "the page changed while it was photographed"
_UNREAD = "the page could not be read"
_MOVED_ON = ("navigated or closed", "context was destroyed", "Cannot find context", "Cannot find default execution context")
"""What Chromium answers when a page goes elsewhere in the middle of a question."""
_TRIES = 4
_BREATH = 0.1
"""Seconds between two tries (our choice)."""
_ANSWERS = 5.0
"""Seconds in which a browser tells its version: it hangs when it cannot (our choice)."""
_PATIENCE = 3000
"""Milliseconds a page may take, once loaded, to put the comment in its place by script (our choice)."""
_SETTLING = 500
"""Milliseconds a page may take to lay itself out anew in a taller window (our choice)."""
_MARGIN = 120
"""Pixels kept above the parent post when a page is taller than a picture may be."""
_SHORT = 800
"""Characters of a page that is all wall; on a longer one, a word like "log in" is furniture."""
_COVERS = {"covered": Wall.COVERED, "cut": Wall.PARTLY, "outside": Wall.PARTLY, "faint": Wall.FAINT}


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at a page of the site. `why_not` is empty when the comment is shown; only then are `picture` and `page` filled.

    `comment_at` is where the comment's words are in the picture: left, top, right, bottom in pixels. `top` is how far down the page the
    picture starts, `height` how tall the whole page is. `address` is where the page really was, after its own redirects.
    """

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
    comment_at: tuple[int, int, int, int] | None = None
    top: int = 0
    height: int = 0
    address: str = ""
    exchanges: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a platform's embed gave: a photograph of its embed page (`seen`), or the inert HTML of its oEmbed block (`block`)."""

    why_not: str
    seen: Seen | None = None
    block: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture of our own page."""

    picture: bytes
    browser: str
    agent: str
    cut_short: bool


async def look(chromium: Chromium, wanted: Wanted) -> Seen:
    """Return what the live page shows.

    1. Open the permalink in a fresh, signed-out context.
    2. Only HTTP 200 counts, and only a page on which the comment's words and its author can be seen with nothing over them.
    3. Photograph it, keep its DOM, and look once more that it had not changed meanwhile.
    """
    tab = await chromium.signed_out()
    try:
        seen = await _looked(tab, wanted.place, wanted)
        return replace(
            seen,
            browser=chromium.version,
            blocked=dict(tab.traffic.blocked),
            exchanges=tuple(tab.traffic.exchanges) if seen.picture else (),
        )
    finally:
        chromium.done_with(tab)


async def embedded(chromium: Chromium, wanted: Wanted) -> Embedded:
    """Return what the platform's own embed of the comment shows: its embed page photographed, or its oEmbed block made inert."""
    if not is_oembed(wanted.embed):
        seen = await look(chromium, replace(wanted, place=wanted.embed))
        return Embedded(seen.why_not, seen)
    tab = await chromium.signed_out()
    try:
        tab.traffic.open_for(wanted.embed)
        answer, why = await _opened(tab, wanted.embed)
        if answer is None or answer.status != _OK:
            return Embedded(why or _answered(answer))
        block = block_of(await answer.text(), text=wanted.text, authors=wanted.authors)
        return Embedded("" if block else "the site's embed does not show the comment", block=block)
    finally:
        chromium.done_with(tab)


async def draw(chromium: Chromium, html: str) -> Drawn:
    """Return the picture of our own page, with scripts off and no network."""
    tab = await chromium.sealed_off()
    try:
        await tab.page.set_content(html, wait_until="load")
        measured = await tab.ask("[document.documentElement.scrollHeight, document.body.scrollHeight, navigator.userAgent]")
        height = min(measured[0], measured[1])
        if height > HEIGHT:
            await tab.stretch(min(height, MAX_HEIGHT))
        picture = await tab.photograph(min(height, MAX_HEIGHT))
        return Drawn(picture, chromium.version, measured[2], height > MAX_HEIGHT)
    finally:
        chromium.done_with(tab)


async def printed(chromium: Chromium, html: str) -> bytes:
    """Return our own page as a tagged PDF in the size its style sheet asks for (A4 unless it says), with scripts off and no network."""
    tab = await chromium.sealed_off()
    try:
        await tab.page.set_content(html, wait_until="load")
        return await tab.print(
            paperWidth=8.27,
            paperHeight=11.69,
            preferCSSPageSize=True,
            printBackground=True,
            generateTaggedPDF=True,
            generateDocumentOutline=True,
            displayHeaderFooter=False,
        )
    finally:
        chromium.done_with(tab)


async def _looked(tab: Tab, place: str, wanted: Wanted) -> Seen:
    tab.traffic.open_for(place)
    answer, why = await _opened(tab, place)
    if answer is None or answer.status != _OK:
        return Seen(why or _answered(answer), "", status=answer.status if answer else None)
    view = await _viewed(tab, question(wanted, patience=_PATIENCE))
    if view and view.found and view.height > HEIGHT:
        await tab.stretch(min(view.height, MAX_HEIGHT))
        view = await _viewed(tab, question(wanted, patience=_SETTLING, top=_start(view)))
    if view is None:
        return Seen(_UNREAD, "", status=answer.status)
    seen = Seen("", "", view.agent, status=answer.status, headers=answer.headers, height=view.height, address=view.address)
    if not view.open or view.box is None:
        return replace(seen, why_not=_why(view, wanted))
    window = min(max(view.height, HEIGHT), MAX_HEIGHT)
    picture = await tab.photograph(window, top=view.scroll)
    after = await _viewed(tab, question(wanted, patience=0, keep=False))
    if after is None or not after.open or after.box != view.box:
        return replace(seen, why_not=_CHANGED)
    box = view.box
    return replace(
        seen,
        picture=picture,
        page=view.page,
        parent_shown=None if view.parent_shown is None else _in_picture(view, window),
        cut_short=view.height > window,
        comment_at=(box.left, box.top, box.right, box.bottom),
        top=view.scroll,
    )


async def _viewed(tab: Tab, asked: str) -> View | None:
    """Return the page's answer, or None when it cannot be had: a page that moved on while it was asked is asked again, a few times."""
    for _ in range(_TRIES):
        try:
            answer = await tab.ask(asked)
        except PlaywrightError as error:
            if not any(words in str(error) for words in _MOVED_ON):
                raise
        else:
            if answer:
                return view_of(answer)
        await asyncio.sleep(_BREATH)
        await tab.page.wait_for_load_state("load")
    return None


def _start(view: View) -> int:
    """Return how far down a very tall page its picture starts: its top if the comment fits, else above parent or comment."""
    if view.box is None or view.box.bottom + view.scroll <= MAX_HEIGHT:
        return 0
    first = view.box.top
    if view.parent_box and view.parent_box.top < first and view.box.bottom - view.parent_box.top <= MAX_HEIGHT - 2 * _MARGIN:
        first = view.parent_box.top
    return max(0, first + view.scroll - _MARGIN)


def _in_picture(view: View, window: int) -> bool:
    return view.parent_box is not None and view.parent_box.top >= 0 and view.parent_box.bottom <= window


def _why(view: View, wanted: Wanted) -> str:
    """Return why a page does not count as showing the comment, in a plain sentence."""
    if not wanted.text.strip():
        return _NO_TEXT
    words = view.over if view.found else view.dialog or (f"{view.headline} {view.words}" if len(view.words) <= _SHORT else view.headline)
    # On a page that has the comment, only what lies over it is the wall: a sign-in form in its margin is not.
    marked = not view.found or bool(view.over)
    signs = Signs(view.address, words, view.password and marked, view.cookie_mark and marked, view.robot_mark and marked)
    return wall_of(signs, otherwise=_COVERS.get(view.block, Wall.ABSENT)).value


def _answered(answer: Response | None) -> str:
    return f"the site answered {answer.status}" if answer else "the site gave no answer"


async def _opened(tab: Tab, place: str) -> tuple[Response | None, str]:
    """Return the page's answer, or why there is none. An error of the site is an answer; an error of the browser is raised."""
    try:
        return await tab.page.goto(place, wait_until="load"), ""
    except PlaywrightTimeoutError:
        await _asked_whether_it_lives(tab)
        return None, "the site did not answer in time"
    except PlaywrightError as error:
        return None, _unreached(str(error), tab.traffic.sent_to) or _raise(error)


async def _asked_whether_it_lives(tab: Tab) -> None:
    """Raise TimeoutError when the browser itself does not answer: then it hangs, and the site is not to blame."""
    browser = tab.page.context.browser
    if browser is not None:
        async with asyncio.timeout(_ANSWERS):
            session = await browser.new_browser_cdp_session()
            await session.send("Browser.getVersion")
            await session.detach()


def _unreached(words: str, sent_to: str) -> str:
    """Return why a page could not be opened, or "" when the browser itself is at fault."""
    if sent_to:
        if consent_address(sent_to):
            return Wall.COOKIES
        return Wall.SIGN_IN if sign_in_address(sent_to) else "the site sent the visitor to another site"
    if "net::ERR_" in words:
        return f"the site could not be reached ({words[words.index('net::ERR_') :].split(maxsplit=1)[0]})"
    if "Download is starting" in words or "interrupted by another navigation" in words:
        return "the site sent something other than a page"
    return ""


def _raise(error: PlaywrightError) -> str:
    raise error

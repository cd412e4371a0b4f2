"""The platform's own embed of a comment, where it has one: its address, and its oEmbed block made inert. Called by `taken` and `shown`.

Facebook, Instagram and Threads give embeds only to apps that were let in, and of posts rather than comments; YouTube has none of a comment.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser
from urllib.parse import SplitResult, quote, urlsplit

_X = frozenset({"x.com", "www.x.com", "mobile.x.com", "twitter.com", "www.twitter.com", "mobile.twitter.com"})
_KEPT = frozenset({"blockquote", "p", "br", "b", "strong", "i", "em", "a", "span", "div"})
_UNSAID = frozenset({"script", "style", "template", "noscript", "title", "iframe", "object"})
_LONGEST = 200_000
"""Characters of an oEmbed block that are read (our choice); a real one has a few thousand."""
_BLANKS = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]+")


def embed_of(platform: str, place: str) -> str:
    """Return the address of the platform's embed of the post at `place`, "" where there is none. Source: the platforms' public documents.

    An X that is not x.com is the practice network, which answers on its own address.
    """
    parts = urlsplit(place)
    rule = _RULES.get(platform)
    return rule(parts, place) if rule and parts.scheme in {"http", "https"} and parts.netloc else ""


def _x(parts: SplitResult, place: str) -> str:
    door = "https://publish.x.com" if parts.hostname in _X else f"{parts.scheme}://{parts.netloc}"
    return f"{door}/oembed?url={quote(place, safe='')}&omit_script=true&dnt=true&hide_thread=false&lang=en"


def _bluesky(parts: SplitResult, place: str) -> str:
    return f"https://embed.bsky.app/oembed?format=json&url={quote(place, safe='')}" if parts.hostname == "bsky.app" else ""


def _mastodon(parts: SplitResult, _place: str) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/embed"


_RULES: dict[str, Callable[[SplitResult, str], str]] = {"x": _x, "bluesky": _bluesky, "mastodon": _mastodon}


def is_oembed(address: str) -> bool:
    """Return whether an embed is asked for as oEmbed (JSON with a block of HTML) rather than as a page."""
    return urlsplit(address).path.endswith("/oembed")


def block_of(answer: str, *, text: str, authors: Sequence[str]) -> str:
    """Return the HTML of an oEmbed answer with nothing active left in it, or "" when it does not hold the comment's text and author.

    Kept are text, paragraphs, line breaks and emphasis; no attribute, link, picture, style or script survives.
    """
    try:
        html = json.loads(answer)["html"]
    except (ValueError, KeyError, TypeError):
        return ""
    if not isinstance(html, str):
        return ""
    reader = _Reader()
    reader.feed(html[:_LONGEST])
    reader.close()
    said = _squashed("".join(reader.words))
    shows = bool(_squashed(text)) and _squashed(text) in said
    named = not authors or any(_squashed(name).lower() in said.lower() for name in authors)
    return reader.inert() if shows and named else ""


def _squashed(words: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFC", words))


class _Reader(HTMLParser):
    """Writes a block of HTML again from its allowed parts."""

    def __init__(self) -> None:
        """Start with nothing written."""
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._out: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an allowed element, bare. A link becomes plain words; a picture of an emoji, its name."""
        if tag in _UNSAID:
            self._silent += 1
        elif self._silent:
            return
        elif tag == "br":
            self._out.append("<br>")
            self.words.append("\n")
        elif tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")
        elif tag in _KEPT - {"a"}:
            self._out.append(f"<{tag}>")
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element that is open."""
        if tag in _UNSAID:
            self._silent = max(0, self._silent - 1)
        elif tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._silent:
            self._out.append(escape(data))
            self.words.append(data)

    def inert(self) -> str:
        """Return what was kept, every element closed."""
        return "".join([*self._out, *(f"</{tag}>" for tag in reversed(self._open))])

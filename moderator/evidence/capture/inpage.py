"""What is asked inside a page: where the comment is, whether it can be seen, and what stands in the way. Called by `shown`.

The script only reads. It presses no button, follows no link and changes nothing; at most it scrolls.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from moderator.evidence.capture.taken import Wanted
from moderator.evidence.capture.walls import COOKIE_MARKS, ROBOT_MARKS

_POINTS = 40
"""Lines of a comment looked at (our choice): all of a usual one, and an even sample of a very long one."""

_SCRIPT = r"""
(async ({text, authors, parent, patience, top, keep, points, cookieMarks, robotMarks}) => {
  const squash = words => words.normalize("NFC").replace(/[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]+/gu, "");
  const wanted = squash(text), above = squash(parent);
  const names = authors.map(name => squash(name).toLowerCase()).filter(name => name);
  const unread = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "TITLE", "TEXTAREA", "SELECT", "IFRAME", "OBJECT"]);

  // The visible words of the page, without blanks, with the node each stretch comes from. A picture of an emoji speaks by its alt text.
  const read = () => {
    const pieces = [], seen = new Map();
    let whole = "";
    const visible = element => {
      if (!seen.has(element)) seen.set(element, element.checkVisibility({opacityProperty: true, visibilityProperty: true}));
      return seen.get(element);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, {acceptNode: node =>
      node.nodeType === Node.ELEMENT_NODE && unread.has(node.tagName) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT});
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const isText = node.nodeType === Node.TEXT_NODE;
      if (!isText && node.tagName !== "IMG") continue;
      const words = squash(isText ? node.data : node.alt || "");
      if (words && visible(isText ? node.parentElement : node)) { pieces.push({node, start: whole.length}); whole += words; }
    }
    return {pieces, whole};
  };
  const stretches = ({pieces, whole}, words) => {
    const found = [];
    for (let at = words ? whole.indexOf(words) : -1; at >= 0 && found.length < 50; at = whole.indexOf(words, at + 1)) {
      const inside = pieces.filter((piece, index) => piece.start < at + words.length && (pieces[index + 1]?.start ?? whole.length) > at);
      const range = document.createRange();
      range.setStartBefore(inside[0].node);
      range.setEndAfter(inside.at(-1).node);
      found.push(range);
    }
    return found;
  };
  const elementOf = range => {
    const node = range.commonAncestorContainer;
    return node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  };
  // The author's name stands nearest to the comment itself, and farther from a quotation of it.
  const distance = range => {
    if (names.length === 0) return 0;
    for (let element = elementOf(range); element; element = element.parentElement) {
      const words = squash(element.innerText ?? "").toLowerCase();
      if (names.some(name => words.includes(name))) return words.length;
    }
    return Infinity;
  };
  const find = () => {
    if (!document.body) return null;
    const words = read();
    const here = stretches(words, wanted).map(range => ({range, far: distance(range)})).filter(each => each.far < Infinity);
    if (here.length === 0) return null;
    const best = here.reduce((one, other) => other.far < one.far ? other : one);
    return {words, range: best.range, element: elementOf(best.range)};
  };

  const linesOf = range => [...range.getClientRects()].filter(line => line.width > 1 && line.height > 1);
  const boxOf = range => {
    const lines = linesOf(range);
    if (lines.length === 0) return null;
    return {
      top: Math.floor(Math.min(...lines.map(line => line.top))), bottom: Math.ceil(Math.max(...lines.map(line => line.bottom))),
      left: Math.floor(Math.min(...lines.map(line => line.left))), right: Math.ceil(Math.max(...lines.map(line => line.right))),
    };
  };

  const solid = colour => {
    const parts = colour.match(/[\d.]+/g) ?? [];
    return colour !== "transparent" && (colour.startsWith("rgba") || colour.includes("/") ? Number(parts.at(-1)) > 0.05 : parts.length > 0);
  };
  const paintsBy = style => style.visibility === "visible" && Number(style.opacity) > 0.05
    && (solid(style.backgroundColor) || style.backgroundImage !== "none" || (style.backdropFilter ?? "none") !== "none");
  const paints = element => {
    const style = getComputedStyle(element);
    if (paintsBy(style)) return true;
    if (["IMG", "VIDEO", "CANVAS", "IFRAME", "EMBED", "OBJECT", "INPUT", "BUTTON"].includes(element.tagName)) return true;
    if (element.closest("[role=dialog],[role=alertdialog],dialog,[aria-modal=true]")) return true;
    return [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  };
  const veils = element => ["::before", "::after", "::backdrop"].some(part => {
    const style = getComputedStyle(element, part);
    return style.content !== "none" && style.content !== "normal" && style.position !== "static" && paintsBy(style);
  });
  // Covers that let the mouse through are not met by elementsFromPoint.
  const ghosts = element => [...document.querySelectorAll("body *")].filter(other => {
    if (other.contains(element) || element.contains(other)) return false;
    const style = getComputedStyle(other);
    return style.pointerEvents === "none" && ["fixed", "absolute", "sticky"].includes(style.position) && paintsBy(style)
      && (style.position === "fixed" || Number(style.zIndex) > 0 || Boolean(element.compareDocumentPosition(other) & 4));
  });
  const legible = element => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (/blur\(|opacity\(0/.test(style.filter) || Number(style.opacity) < 0.3) return false;
    }
    return parseFloat(getComputedStyle(element).fontSize) >= 5;
  };
  // Returns null when the comment lies open, else what is in the way.
  const cover = ({range, element}) => {
    if (!legible(element)) return {why: "faint", element: null};
    const lines = linesOf(range), haze = ghosts(element);
    const step = Math.max(1, (lines.length - 1) / (points - 1));
    const sample = lines.length <= points ? lines : Array.from({length: points}, (_, index) => lines[Math.round(index * step)]);
    for (const line of sample) {
      const y = line.top + line.height / 2;
      const inset = Math.min(6, line.width / 4);
      for (const x of [line.left + inset, line.left + line.width / 2, line.right - inset]) {
        if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return {why: "outside", element: null};
        const ghost = haze.find(other => {
          const box = other.getBoundingClientRect();
          return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
        });
        if (ghost) return {why: "covered", element: ghost};
        let reached = false;
        for (const other of document.elementsFromPoint(x, y)) {
          if (other === element || element.contains(other)) { reached = true; break; }
          if (other.contains(element) ? veils(other) : paints(other) || veils(other)) return {why: "covered", element: other};
        }
        if (!reached) return {why: "cut", element: null};
      }
    }
    return null;
  };

  const flat = words => (words ?? "").replace(/\s+/gu, " ").trim();
  const seen = element => element.checkVisibility({opacityProperty: true, visibilityProperty: true})
    && element.getBoundingClientRect().width > 1 && element.getBoundingClientRect().height > 1;
  const any = selectors => selectors.some(selector => [...document.querySelectorAll(selector)].some(seen));
  const overlayOf = (element, comment) => {
    let top = element;
    while (top.parentElement && top.parentElement !== document.body && !top.parentElement.contains(comment)) top = top.parentElement;
    return top;
  };
  const look = () => {
    const body = document.body;
    const found = find();
    const block = found ? cover(found) : null;
    const over = block?.element && !block.element.contains(found.element) ? overlayOf(block.element, found.element) : null;
    const near = above && found ? stretches(found.words, above) : [];
    const before = near.filter(range => range.compareBoundaryPoints(Range.START_TO_START, found.range) < 0);
    const parentRange = before.at(-1) ?? near[0];
    const words = flat(body?.innerText), heads = [...document.querySelectorAll("h1,h2")].filter(seen);
    const dialogs = [...document.querySelectorAll("[role=dialog],[role=alertdialog],dialog[open],[aria-modal=true]")].filter(seen);
    return {
      found: Boolean(found), block: block?.why ?? "",
      box: found ? boxOf(found.range) : null, parent: above ? Boolean(parentRange) : null,
      parentBox: parentRange ? boxOf(parentRange) : null,
      over: flat(over?.innerText).slice(0, 3000), dialog: dialogs.map(each => flat(each.innerText)).join(" ").slice(0, 3000),
      headline: flat([document.title, ...heads.map(each => each.innerText)].join(" ")).slice(0, 600),
      words: words.slice(0, 3000), long: words.length > 3000,
      password: any(["input[type=password]"]), cookieMark: any(cookieMarks), robotMark: any(robotMarks),
      address: location.href, agent: navigator.userAgent, scroll: Math.round(scrollY),
      height: Math.ceil(Math.max(document.documentElement.scrollHeight, body ? body.scrollHeight : 0)),
      page: found && keep ? (document.doctype ? new XMLSerializer().serializeToString(document.doctype) + "\n" : "")
        + document.documentElement.outerHTML : "",
    };
  };

  if (top !== null) scrollTo({top, behavior: "instant"});
  const until = Date.now() + (document.scripts.length ? patience : 0);
  let answer = look();
  while (wanted && !answer.found && Date.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 50));
    answer = look();
  }
  if (answer.block === "outside" && answer.height <= innerHeight) {  // the thread scrolls inside the page
    find().element.scrollIntoView({block: "center", behavior: "instant"});
    answer = look();
  }
  return answer;
})
"""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is, in CSS pixels from the window's upper left corner."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class View:
    """What one look inside a page found.

    `found`: the comment's text and author are in the visible words. `block`: "" when it lies open, else "covered", "cut" (clipped by
    its own frame), "outside" the window, or "faint". `over` holds the words of what lies on it, `dialog` those of open dialogs,
    `headline` title and headings, `words` the page's first 3,000 characters (`long`: there are more). `height` is the whole page's in
    pixels, `scroll` how far the window is scrolled. `page` is the DOM, "" when the comment was not found. `parent_shown` is None without
    a parent post.
    """

    found: bool
    block: str
    box: Box | None
    parent_shown: bool | None
    parent_box: Box | None
    height: int
    scroll: int
    address: str
    agent: str
    page: str = field(repr=False)
    over: str = field(repr=False)
    dialog: str = field(repr=False)
    headline: str = field(repr=False)
    words: str = field(repr=False)
    long: bool
    password: bool
    cookie_mark: bool
    robot_mark: bool

    @property
    def open(self) -> bool:
        """Return whether the comment is there for a reader to see."""
        return self.found and not self.block and self.box is not None


def question(wanted: Wanted, *, patience: int, top: int | None = None, keep: bool = True) -> str:
    """Return the expression to ask in the page.

    `patience`: milliseconds to wait for the comment; `top`: pixels to scroll to first; `keep`: bring the DOM along.
    """
    asked = {
        "text": wanted.text,
        "authors": wanted.authors,
        "parent": wanted.parent,
        "patience": patience,
        "top": top,
        "keep": keep,
        "points": _POINTS,
        "cookieMarks": COOKIE_MARKS,
        "robotMarks": ROBOT_MARKS,
    }
    return f"({_SCRIPT})({json.dumps(asked)})"


def view_of(answer: Mapping[str, object]) -> View:
    """Return the page's answer as a View."""
    return View(
        found=bool(answer["found"]),
        block=str(answer["block"]),
        box=_box(answer["box"]),
        parent_shown=None if answer["parent"] is None else bool(answer["parent"]),
        parent_box=_box(answer["parentBox"]),
        height=_whole(answer["height"]),
        scroll=_whole(answer["scroll"]),
        address=str(answer["address"]),
        agent=str(answer["agent"]),
        page=str(answer["page"]),
        over=str(answer["over"]),
        dialog=str(answer["dialog"]),
        headline=str(answer["headline"]),
        words=str(answer["words"]),
        long=bool(answer["long"]),
        password=bool(answer["password"]),
        cookie_mark=bool(answer["cookieMark"]),
        robot_mark=bool(answer["robotMark"]),
    )


def _box(found: object) -> Box | None:
    if not isinstance(found, Mapping):
        return None
    return Box(*(_whole(found[side]) for side in ("top", "bottom", "left", "right")))


def _whole(number: object) -> int:
    return int(number) if isinstance(number, int | float) else 0

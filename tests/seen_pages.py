"""Looking at pages as people meet them: signing in by the link, and what axe finds. Called by the tests in a browser."""

from importlib import resources
from typing import Any, Literal

from playwright.sync_api import Page, expect
from review_app import HEAD, Served

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,  # style sheets and media fetched once more: for a rule that is not among these, and media that no page has
}
PHONE, NARROW, DESKTOP = 390, 320, 1280
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", NARROW), ("dark", DESKTOP))


def sign_in(page: Page, served: Served, reference: str = HEAD) -> None:
    """Open the link of a designation's person and press its button."""
    page.goto(served.link(reference))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def clean(page: Page) -> list[Any]:
    """Return what axe finds, and what sticks out to the right. A click does not wait for the new page's style sheet: this does."""
    page.wait_for_load_state("load")
    if not page.evaluate("'axe' in window"):
        page.context.add_init_script(AXE)  # for the pages to come: sent once in place of once a page
        page.evaluate(AXE)
    found: list[Any] = page.evaluate("rules => axe.run(document, rules).then(found => found.violations)", RULES)
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        told.append(("sticks-out", []))
    small = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, textarea')]"
        ".filter(e => e.checkVisibility() && !e.closest('.skip, p, li'))"
        ".filter(e => { const r = e.getBoundingClientRect(); return r.height < 24 || r.width < 24; }).map(e => e.outerHTML.slice(0, 80))"
    )
    return told + ([("small-target", small)] if small else [])


def clean_in_both(page: Page) -> list[Any]:
    """Return what `clean` finds on the loaded page in light at 320 pixels, then in dark on a desktop; the page stays so.

    Each page is seen in both schemes and at both widths, for half of what every pairing would cost.
    """
    told = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_load_state("load")
        seen = "([scheme, width]) => matchMedia(`(prefers-color-scheme: ${scheme})`).matches && innerWidth === width"
        assert page.evaluate(seen, [scheme, width]), f"the page is not yet {scheme} at {width} pixels"
        told += [(scheme, width, fault) for fault in clean(page)]
    return told

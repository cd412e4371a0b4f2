"""Looking at pages as people meet them: signing in by the link, and what axe finds. Called by the tests in a browser."""

from importlib import resources
from typing import Any

from playwright.sync_api import Page, expect
from review_app import Served

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
PHONE, NARROW, DESKTOP = 390, 320, 1280


def sign_in(page: Page, served: Served) -> None:
    """Open the link and press its button."""
    page.goto(served.link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def clean(page: Page) -> list[Any]:
    """Return what axe finds, and what sticks out to the right. A click does not wait for the new page's style sheet: this does."""
    page.wait_for_load_state("load")
    page.evaluate(AXE)
    found: list[Any] = page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        told.append(("sticks-out", []))
    small = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, textarea')]"
        ".filter(e => e.checkVisibility() && !e.closest('.skip, p, li'))"
        ".filter(e => { const r = e.getBoundingClientRect(); return r.height < 24 || r.width < 24; }).map(e => e.outerHTML.slice(0, 80))"
    )
    return told + ([("small-target", small)] if small else [])

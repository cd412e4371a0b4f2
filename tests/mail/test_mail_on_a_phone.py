"""The HTML parts in a real browser: nothing sticks out at 320 px, nothing is requested, and every word stands out from its ground."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from moderator.domain.digest import AlertMail, Digest
from moderator.mail.compose import JinjaComposer

CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgba = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
                        if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let worst = 21;
  while (words.nextNode()) { if (!words.currentNode.textContent.trim()) continue; const e = words.currentNode.parentElement;
    const [a, b] = [light(rgba(getComputedStyle(e).color).slice(0, 3)), light(ground(e))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + 0.05) / (b + 0.05)); }
  return worst; }"""
"""The lowest contrast of any text with its background, by the formula of WCAG 2.2 section 1.4.3; 4.5 is its level AA."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = (
        os.environ.get("MODERATOR_CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture(params=["alert", "full_digest", "empty_digest", "bare_digest"])
def page_source(request: pytest.FixtureRequest, composer: JinjaComposer) -> str:
    told: AlertMail | Digest = request.getfixturevalue("alert_mail" if request.param == "alert" else request.param)
    message = composer.alert(told) if isinstance(told, AlertMail) else composer.digest(told)
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mail_reads_at_320_pixels_and_asks_for_nothing(browser: Browser, page_source: str, scheme: Any) -> None:
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 320, "height": 700}, color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(page_source)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate(CONTRAST) >= 4.5
    assert page.evaluate("[...document.querySelectorAll('td')].every(e => e.getClientRects().length == 1 && e.offsetHeight < 70)")
    page.close()
    assert asked == []

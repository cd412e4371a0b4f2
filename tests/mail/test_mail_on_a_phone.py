"""The HTML parts in a real browser: nothing sticks out at 320 px, nothing is requested, and every word stands out from its ground.

And the plain text: 72 columns, but for what must not be broken.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from across import mailed
from mail_kinds import KINDS
from playwright.sync_api import Browser, sync_playwright

from moderator.domain.digest import AlertMail, Digest
from moderator.domain.trust_digest import TrustDigest
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


@pytest.fixture(params=["alert", "full_digest", "empty_digest", "bare_digest", "weekend_digest", "storm_digest", "first_digest", *KINDS])
def mail(request: pytest.FixtureRequest, composer: JinjaComposer, kinds: dict[str, Callable[[], EmailMessage]]) -> EmailMessage:
    if request.param in kinds:
        return kinds[request.param]()
    told: AlertMail | Digest = request.getfixturevalue("alert_mail" if request.param == "alert" else request.param)
    return composer.alert(told) if isinstance(told, AlertMail) else composer.digest(told)


@pytest.fixture
def page_source(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
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


LINES = """[...document.querySelectorAll('td')].map(e => { const r = document.createRange(); r.selectNodeContents(e);
  return new Set([...r.getClientRects()].map(c => Math.round(c.top))).size; })"""
"""How many lines the words of each cell take."""


@pytest.mark.parametrize("name", mailed())
def test_the_trusts_digest_and_reports_read_on_a_phone(browser: Browser, composer: JinjaComposer, name: str) -> None:
    told = mailed()[name]
    body = (composer.trust_digest(told) if isinstance(told, TrustDigest) else composer.report(told)).get_body(("html",))
    assert body is not None
    asked: list[str] = []
    schemes: tuple[Any, ...] = ("light", "dark")
    for width, scheme in zip((320, 390), schemes, strict=True):
        page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.set_content(str(body.get_content()))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) >= 4.5
        assert max(page.evaluate(LINES)) <= 2
        page.close()
    assert asked == []


def test_the_plain_text_keeps_to_72_columns(mail: EmailMessage) -> None:
    body = mail.get_body(("plain",))
    assert body is not None
    lines = str(body.get_content()).splitlines()
    whole = re.compile(r"\S*https?://\S+|.*[0-9a-f]{64}.*")  # a web address and a code are copied whole
    assert [line for line in lines if len(line) > 72 and not whole.fullmatch(line.strip())] == []


def test_a_digest_without_its_styles_still_has_its_bars_and_its_numbers(
    browser: Browser, composer: JinjaComposer, weekend_digest: Digest, storm_digest: Digest
) -> None:
    for digest in (weekend_digest, storm_digest):
        body = composer.digest(digest).get_body(("html",))
        assert body is not None
        bare = re.sub(r"<style.*?</style>| (?:style|class)=\"[^\"]*\"", "", str(body.get_content()), flags=re.DOTALL)
        page = browser.new_page(viewport={"width": 320, "height": 700})
        page.set_content(bare)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        bars = page.evaluate("[...document.querySelectorAll('td[bgcolor]')].map(e => [e.offsetWidth, getComputedStyle(e).backgroundColor])")
        days = [each.flagged for each in digest.week.days if each.flagged]
        assert len(bars) == len(days)
        widest = max(width for width, _ in bars)
        assert [width for width, _ in bars][days.index(max(days))] == widest >= 40
        assert {colour for _, colour in bars} <= {"rgb(47, 127, 214)", "rgb(124, 138, 153)"}
        rows = page.locator("caption + tbody > tr")
        assert [rows.nth(number).locator("> td").nth(1).inner_text() for number in range(7)] == [
            f"{each.flagged:,}" for each in digest.week.days
        ]
        page.close()

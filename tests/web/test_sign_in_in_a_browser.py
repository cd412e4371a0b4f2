"""Signing in with a real Chromium: from the code on the console to Today, on a phone without JavaScript; each page clean and readable."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO

import pyotp
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from seen_pages import PHONE, clean_in_both
from signing import PASSWORD, Door, door_over
from stage import Stage
from zxingcpp import read_barcodes

from moderator.web.sign_in import new_set_up_code
from moderator.web.signing_in.invited import invite

EMAIL = "t.okoro@oakfield.example"


@pytest.fixture
def door(stage: Stage) -> Iterator[Door]:
    """Yield a served app with nobody in the register."""
    with door_over(stage) as made:
        yield made


class Seen:
    """Pages of a phone without JavaScript, to be looked at by axe afterwards, which needs JavaScript."""

    def __init__(self) -> None:
        self._pages: list[tuple[str, str]] = []

    def note(self, page: Page) -> None:
        """Keep a page as it stands; what is on it must have been seen, or it may still be the page before."""
        self._pages.append((page.url, page.content()))

    def faults(self, browser: Browser, door: Door) -> list[tuple[str, object]]:
        """Return what is wrong with the pages kept, each loaded once more from its own address with its style sheet."""
        page = browser.new_page()
        found: list[tuple[str, object]] = []
        for number, (url, content) in enumerate(self._pages):
            where = f"{door.url}/sign-in/seen-{number}"
            page.route(where, lambda route, _, body=content: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
            page.goto(where)
            found += [(url, fault) for fault in clean_in_both(page)]
        page.close()
        return found


def set_up_first(page: Page, seen: Seen, door: Door) -> str:
    """Go from the console's code to Today, with a slip at each step; return the app's secret and, after a space, a recovery code."""
    code = new_set_up_code(door.stage.database, now=door.stage.clock.now())
    page.goto(f"{door.url}/set-up")
    page.get_by_label("The one-time code").fill(code)
    page.get_by_label("Who you are").select_option(label="Headteacher, Oakfield Primary School")
    page.get_by_label("Your name").fill("Tamsin Okoro")
    page.get_by_label("Your school e-mail address").fill("t.okoro@home.example")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a school address")
    seen.note(page)
    page.get_by_label("Your school e-mail address").fill(EMAIL)
    page.get_by_role("button", name="Go on").click()

    choose(page, "oakfieldprimary")
    expect(page.get_by_role("alert")).to_contain_text("Others would guess it")
    seen.note(page)
    choose(page, PASSWORD)

    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your app")
    expect(page.get_by_role("img")).not_to_have_js_property("naturalWidth", 0)
    seen.note(page)
    secret = page.locator("#secret").inner_text().replace(" ", "")
    scanned = read_barcodes(Image.open(BytesIO(page.get_by_role("img").screenshot())))
    assert [each.text for each in scanned] == [page.get_by_role("link", name="Open it in the app").get_attribute("href")]
    assert f"secret={secret}&" in scanned[0].text
    page.get_by_label("The six figures in your app").fill(pyotp.TOTP(secret).at(door.stage.clock.now()))
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    seen.note(page)
    recovery = page.get_by_role("listitem").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    return f"{secret} {recovery}"


def choose(page: Page, password: str) -> None:
    """Choose a password."""
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password)
    page.get_by_role("button", name="Go on").click()


def give(page: Page, password: str) -> None:
    """Give the password on the sign-in page."""
    page.get_by_label("School e-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Go on").click()


def come_in_again(page: Page, seen: Seen, door: Door, recovery: str) -> None:
    """Sign in with a slip at each step, and a recovery code instead of the app."""
    give(page, "kettle-otter-harebell")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    seen.note(page)
    give(page, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("Please wait 1 second.")
    seen.note(page)
    door.stage.clock.move(timedelta(minutes=1))
    give(page, PASSWORD)
    page.get_by_label("The six figures in your app").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("This code is not right")
    seen.note(page)
    page.get_by_label("The six figures in your app").fill(recovery)
    page.get_by_role("button", name="Sign in").click()


def prove(page: Page, seen: Seen, door: Door, secret: str) -> None:
    """Be asked again before something that matters, with a slip."""
    page.get_by_role("button", name="Make new recovery codes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    for code, shown in (
        ("1", page.get_by_role("alert")),
        (pyotp.TOTP(secret).at(door.stage.clock.now()), page.get_by_text("This browser")),
    ):
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("The six figures in your app").fill(code)
        page.get_by_role("button", name="Go on").click()
        expect(shown).to_be_visible()
        seen.note(page)


def test_from_the_consoles_code_to_today_and_in_again(browser: Browser, door: Door) -> None:
    context = browser.new_context(viewport={"width": PHONE, "height": 844}, java_script_enabled=False)
    page, seen = context.new_page(), Seen()
    page.set_default_timeout(15_000)
    secret, recovery = set_up_first(page, seen, door).split()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Today"))
    page.goto(f"{door.url}/security")
    seen.note(page)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    come_in_again(page, seen, door, recovery)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Today"))
    door.stage.clock.move(timedelta(minutes=31))
    page.goto(f"{door.url}/security")
    prove(page, seen, door, secret)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")
    context.close()
    assert seen.faults(browser, door) == []


def test_an_invitations_pages_are_clean(browser: Browser, door: Door) -> None:
    signer = door.signer(ready=False)
    with door.stage.database.unit() as unit:
        invite(unit, door.app.state.site, signer.person, by="HEAD-1")
    page = browser.new_page(viewport={"width": PHONE, "height": 844})
    for path, title in (
        ("/invited/made-up", "Set up your sign-in"),
        ("/", "Please sign in"),
        ("/sign-in", "Sign in"),
        ("/enrol/app", "This took too long, or it is done already"),
    ):
        page.goto(f"{door.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        assert clean_in_both(page) == []
    page.goto(f"{door.url}/invited/made-up")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation no longer works")
    assert clean_in_both(page) == []
    page.close()
